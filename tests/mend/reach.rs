//! Addresses, ports, and servers and hops that take nobody.

use std::fs;
use std::net::Ipv4Addr;

use super::{
    SSH_CONFIG, assert_client_mends, assert_fails, assert_server_mends, assert_works, configured, examined, named,
    paste, printed, read, run_on, s,
};
use crate::lab::{Lab, Middlebox, Report, Server, eventually};

#[test]
fn a_dead_address_before_the_live_one_is_passed_by_the_printed_lines() {
    let Some(lab) = Lab::healthy().and_then(Lab::with_v6) else { return };
    let server = lab.sshd(&[]);
    let target = named(&lab, &server, "db.example");
    let v4 = server.address();
    let dead_v4 = Ipv4Addr::from(v4.to_bits() + 1);
    lab.forward(&format!("ip6 daddr {} tcp flags syn drop", lab.server_address_v6()));
    lab.forward(&format!("ip daddr {dead_v4} drop"));
    lab.client().etc("nsswitch.conf", "passwd: files\nhosts: files\n");
    for (hosts, patience, words) in [
        (format!("{} db.example\n{v4} db.example\n", lab.server_address_v6()), "3", "AddressFamily inet"),
        // Shorter than the user's own, or nothing is advised.
        (format!("{dead_v4} db.example\n{v4} db.example\n"), "7", "ConnectTimeout 5"),
    ] {
        lab.client().etc("hosts", &hosts);
        let patience = format!("ConnectTimeout={patience}");
        let seen = examined(&lab, &target, &["-o", &patience], "tcp-some-addresses-dead");
        let host = format!("Host db.example\n    {words}");
        assert_client_mends(&lab, &target, &printed(&seen, "tcp-some-addresses-dead", &host));
    }
}

#[test]
fn a_wrong_port_is_mended_by_the_printed_line_with_the_right_one() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let address = server.address().to_string();
    let Some(web) = lab.listener("openssl", &["s_server", "-quiet", "-nocert", "-accept", "{address}:{port}"], "")
    else {
        return;
    };
    let right = format!("Port {}", server.port());
    let refused = examined(&lab, &address, &[], "tcp-refused");
    assert_client_mends(&lab, &address, &printed(&refused, "tcp-refused", "Host ").replace("Port PORT", &right));
    let _wrong = paste(&lab, SSH_CONFIG, &format!("Host *\n  Port {}", web.port()));
    let other = examined(&lab, &address, &[], "handshake-not-ssh");
    let snippet = printed(&other, "handshake-not-ssh", "Host ").replace("Port PORT", &right);
    assert_client_mends(&lab, &address, &snippet);
}

#[test]
fn a_local_address_that_is_gone_is_passed_over_by_the_printed_command() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let _bind = paste(&lab, SSH_CONFIG, "Host *\n  BindAddress 203.0.113.9");
    let seen = examined(&lab, &server.url(), &[], "tcp-bind-address");
    assert_fails(&lab, &server.url());
    let command = printed(&seen, "tcp-bind-address", "ssh -o BindAddress");
    assert_eq!(run_on(&lab, lab.client(), "client", &format!("{command} echo alive")), "alive\n");
}

/// Holds a connection to the server that never logs in, meanwhile.
fn while_one_waits(lab: &Lab, server: &Server, run: impl FnOnce()) {
    let hold = format!("exec 3<>/dev/tcp/{}/{}; sleep 6", server.address(), server.port());
    std::thread::scope(|scope| {
        scope.spawn(|| lab.run("bash", &["-c", &hold], s(12)));
        assert!(eventually(s(5), || server.connections() > 0));
        run();
    });
}

#[test]
fn a_server_without_start_ups_left_takes_the_next_one_after_the_printed_lines() {
    let Some(lab) = Lab::healthy() else { return };
    for (sick, begins) in [("MaxStartups 1", "MaxStartups"), ("PerSourceMaxStartups 1", "PerSourceMaxStartups")] {
        let server = lab.sshd(&[sick]);
        let mut snippet = String::new();
        while_one_waits(&lab, &server, || {
            let seen = examined(&lab, &server.url(), &[], "handshake-max-startups");
            // Either limit says the same.
            assert_eq!(seen.json["diagnoses"][0]["certainty"], "likely", "{}", seen.told());
            assert_fails(&lab, &server.url());
            snippet = printed(&seen, "handshake-max-startups", begins);
        });
        // Reading its configuration anew, sshd forgets whom it counted: another one takes its place.
        let mended = lab.sshd(&[&configured(sick, &snippet)]);
        while_one_waits(&lab, &mended, || assert_works(&lab, &mended.url(), &snippet));
    }
}

#[test]
fn a_hop_carries_on_after_the_printed_lines_and_to_no_other_place() {
    let Some(lab) = Lab::through(&[Middlebox::Bastion]) else { return };
    let (bastion, server) = (lab.bastion(1, &["AllowTcpForwarding no"]), lab.sshd(&[]));
    let address = server.address().to_string();
    let way = format!("Host {address}\n  Port {}\n  ProxyJump {}", server.port(), bastion.hop());
    let _way = paste(&lab, SSH_CONFIG, &way);
    let seen = examined(&lab, &address, &[], "jump-forwarding-prohibited");
    assert_fails(&lab, &address);
    let snippet = printed(&seen, "jump-forwarding-prohibited", "Match User");
    assert!(snippet.contains(&format!("PermitOpen {address}:{}", server.port())), "{snippet}");
    assert_server_mends(&lab, &bastion, &address, &snippet);
}

#[test]
fn a_printed_command_for_an_alias_goes_where_the_flags_of_this_run_led() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["# no Subsystem sftp"]);
    let (port, key) = (server.port().to_string(), lab.home().path("a key"));
    lab.home().write("my config", &format!("{}Host db\n  HostName {}\n", read(&lab, SSH_CONFIG), server.address()));
    fs::rename(lab.home().key("id_ed25519"), &key).expect("no default key");
    let (config, key) = (lab.home().path("my config").display().to_string(), key.display().to_string());
    let options =
        ["check", "--format", "json", "--idle", "0", "-F", &config, "-p", &port, "-l", "root", "-i", &key, "db"];
    let run = lab.run(env!("CARGO_BIN_EXE_ssh-doctor"), &options, s(60));
    let json = serde_json::from_str(&run.stdout).unwrap_or_default();
    let seen = Report { run, json };
    let copy = printed(&seen, "session-subsystem-missing", "scp ");
    lab.home().write("client/copied", "whole\n");
    run_on(&lab, lab.client(), "client", &copy.replace("FILE", "copied"));
    assert_eq!(read(&lab, "server/copied"), "whole\n", "{copy}");
}
