//! Names.

use std::net::Ipv4Addr;

use ssh_doctor_fixtures::names::{Host, NameAnswer};

use super::{SSH_CONFIG, assert_client_mends, assert_fails, examined, named, paste, printed, run_on, s, ssh};
use crate::lab::Lab;

fn knows(name: &'static str, address: Ipv4Addr) -> NameAnswer {
    NameAnswer::Knows(Host { name, address, sshfp: &[] })
}

#[test]
fn a_name_is_found_after_the_printed_line_for_ssh() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let _running = lab.name_servers(&[knows("db.example", server.address())], "");
    let target = named(&lab, &server, "db");
    named(&lab, &server, "db.example");
    let seen = examined(&lab, &target, &[], "dns-nxdomain");
    let snippet = printed(&seen, "dns-nxdomain", "Host ").replace("FULL.NAME.OR.ADDRESS", "db.example");
    assert_client_mends(&lab, &target, &snippet);
    // The other family was asked for, for all hosts.
    let target = named(&lab, &server, "db.example");
    let _family = paste(&lab, SSH_CONFIG, "Host *\n  AddressFamily inet6");
    let seen = examined(&lab, &target, &[], "dns-no-address");
    assert_client_mends(&lab, &target, &printed(&seen, "dns-no-address", "Host db.example\n    AddressFamily"));
}

#[test]
fn a_name_is_found_after_the_printed_line_for_the_resolver() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let target = named(&lab, &server, "db.example");
    let _running = lab.name_servers(&[knows("db.example", server.address())], "");
    for (file, sick, code, begins) in [
        ("nsswitch.conf", "passwd: files\nhosts: files\n", "dns-not-asked", "hosts:"),
        ("resolv.conf", "nameserver 127.0.0.9\n", "dns-timeout", "nameserver "),
        ("resolv.conf", "nameserver 127.0.0.9\nnameserver 127.0.0.1\noptions timeout:4\n", "dns-slow", "options "),
    ] {
        lab.client().etc("resolv.conf", "nameserver 127.0.0.1\n");
        lab.client().etc("nsswitch.conf", "passwd: files\nhosts: files dns\n");
        // Dropped on arrival: where it is dropped on its way out, the sender is told.
        lab.client().nft("add table inet mute\nadd chain inet mute input { type filter hook input priority 0; }\nadd rule inet mute input ip daddr 127.0.0.9 drop");
        lab.client().etc(file, sick);
        let slow = code == "dns-slow";
        let limit: &[&str] = if slow { &["-o", "ConnectTimeout=10"] } else { &[] };
        let seen = lab.doctor_at(&target, &[&["--idle", "0", "-o", "ConnectTimeout=3"], limit].concat(), s(30));
        assert!(seen.codes().contains(&code), "{}", seen.told());
        let line = printed(&seen, code, begins).replace("ADDRESS", "127.0.0.1");
        let before = ssh(&lab, &target, s(20));
        assert!(before.status != Some(0) || before.took > s(3), "{before:?}");
        let kept: Vec<_> =
            sick.lines().filter(|old| slow && !old.starts_with("options") || old.starts_with("passwd")).collect();
        lab.client().etc(file, &format!("{}\n{line}\n", kept.join("\n")));
        let after = ssh(&lab, &target, s(20));
        assert!(after.status == Some(0) && after.took < s(3), "{line}: {after:?}");
    }
}

#[test]
fn the_address_that_dns_has_is_reached_by_the_printed_command() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let target = named(&lab, &server, "db.example");
    let _running = lab.name_servers(&[knows("db.example", server.address())], "");
    lab.client().etc("hosts", "192.0.2.9 db.example\n");
    let seen = examined(&lab, &target, &[], "tcp-unreachable");
    assert_fails(&lab, &target);
    let command = printed(&seen, "dns-hosts-mismatch", "ssh -o HostKeyAlias");
    assert_eq!(run_on(&lab, lab.client(), "client", &format!("{command} echo alive")), "alive\n");
}
