//! Algorithms and host keys.

use super::{
    KNOWN_HOSTS, SSH_CONFIG, assert_client_mends, assert_fails, assert_server_mends, assert_works, examined, paste,
    printed, read, reload, run_on, s,
};
use crate::lab::{Lab, Middlebox, Report};

#[test]
fn the_lines_for_a_missing_algorithm_mend_ssh_from_either_side() {
    let Some(lab) = Lab::healthy() else { return };
    lab.home().keygen("rsa", &["-t", "rsa"]);
    let rsa = lab.home().key("rsa").display().to_string();
    for (sick, code, keyword) in [
        ("KexAlgorithms diffie-hellman-group1-sha1".to_owned(), "handshake-no-common-kex", "KexAlgorithms"),
        ("Ciphers 3des-cbc".to_owned(), "handshake-no-common-cipher", "Ciphers"),
        ("Ciphers aes128-ctr\nMACs hmac-md5".to_owned(), "handshake-no-common-mac", "MACs"),
        (format!("HostKey {rsa}\nHostKeyAlgorithms ssh-rsa"), "handshake-no-common-hostkey", "HostKey "),
    ] {
        let server = lab.sshd(&[&sick]);
        lab.home().know(&server.address().to_string(), server.port(), &read(&lab, "client/.ssh/rsa.pub"));
        let seen = examined(&lab, &server.url(), &[], code);
        assert_client_mends(&lab, &server.url(), &printed(&seen, code, "Host "));
        let own_key = lab.home().path("host_key").display().to_string();
        let theirs = printed(&seen, code, keyword).replace("/etc/ssh/ssh_host_ed25519_key", &own_key);
        assert_server_mends(&lab, &server, &server.url(), &theirs);
    }
}

#[test]
fn a_setting_that_leaves_out_what_the_server_speaks_is_put_right_by_the_printed_line() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    for (odd, code) in [
        ("KexAlgorithms diffie-hellman-group1-sha1", "handshake-no-common-kex"),
        ("Ciphers 3des-cbc", "handshake-no-common-cipher"),
        ("Ciphers aes128-ctr\n  MACs hmac-md5", "handshake-no-common-mac"),
        ("HostKeyAlgorithms ssh-rsa", "handshake-no-common-hostkey"),
    ] {
        let _odd = paste(&lab, SSH_CONFIG, &format!("Host {}\n  {odd}", server.address()));
        let seen = examined(&lab, &server.url(), &[], code);
        let keyword = odd.rsplit_once(' ').and_then(|(before, _)| before.rsplit(' ').next()).expect("a keyword");
        let line = printed(&seen, code, "Host ");
        // The user's own list stays: "+" would put all of ssh's defaults in its place.
        let own = odd.rsplit(' ').next().expect("a list");
        assert!(line.contains(&format!("{keyword} {own},")) && !seen.told().contains("sshd_config"), "{}", seen.told());
        assert!(!seen.fixes().any(|fix| fix["caution"].to_string().contains("weak")), "{}", seen.told());
        let found = run_on(&lab, lab.client(), "client", &printed(&seen, code, "ssh -G "));
        assert!(found.contains(odd.lines().last().expect("a line").trim()), "{found}");
        assert_client_mends(&lab, &server.url(), &line);
    }
}

#[test]
fn the_old_key_is_removed_by_the_printed_command_and_no_other_line_with_it() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.home().keygen("old", &["-t", "ed25519"]);
    let (old, host) = (read(&lab, "client/.ssh/old.pub"), server.address());
    lab.home().write(KNOWN_HOSTS, &format!("[{host}]:{} {old}[{host}]:1 {old}other.example {old}", server.port()));
    let seen = examined(&lab, &server.url(), &[], "hostkey-changed");
    assert_fails(&lab, &server.url());
    run_on(&lab, lab.client(), "client", &printed(&seen, "hostkey-changed", "ssh-keygen -R"));
    let left = read(&lab, KNOWN_HOSTS);
    assert_eq!(left, format!("[{host}]:1 {old}other.example {old}"));
    // The person's yes to the fingerprint that the report names.
    let yes = lab.ssh(&server, &["-o", "StrictHostKeyChecking=accept-new"], "true", s(10));
    assert_eq!(yes.status, Some(0), "{yes:?}");
    assert_works(&lab, &server.url(), "the new key is known");
}

/// Connects by the printed command, and pastes the fingerprint of the server's key at ssh's question.
fn record(lab: &Lab, seen: &Report) {
    let command = printed(seen, "hostkey-unknown", "ssh -o StrictHostKeyChecking=ask");
    let proven = seen.check("hostkey")["evidence"]["fingerprint"].as_str().expect("a fingerprint");
    let answer = |fingerprint: &str| {
        lab.home().write("client/answer", &format!("#!/bin/sh\necho '{fingerprint}'\n"));
        let answered = "chmod +x answer; SSH_ASKPASS=./answer SSH_ASKPASS_REQUIRE=force";
        run_on(lab, lab.client(), "client", &format!("{answered} timeout 5 {command} true || echo refused"))
    };
    let known = read(lab, KNOWN_HOSTS);
    assert!(answer(&"SHA256:0".repeat(3)).contains("refused") && read(lab, KNOWN_HOSTS) == known);
    assert_eq!(answer(proven), "");
}

#[test]
fn an_unknown_key_becomes_known_by_the_printed_command() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.home().write(KNOWN_HOSTS, "");
    let seen = examined(&lab, &server.url(), &[], "hostkey-unknown");
    assert_fails(&lab, &server.url());
    record(&lab, &seen);
    assert_works(&lab, &server.url(), "ssh recorded the key");
}

#[test]
fn a_key_that_is_looked_for_under_another_name_or_in_another_file_becomes_known_there() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.home().write(KNOWN_HOSTS, "");
    let file = lab.home().path("client/other_hosts").display().to_string();
    let _settings = paste(&lab, SSH_CONFIG, &format!("Host *\n  HostKeyAlias MyDB\n  UserKnownHostsFile {file}"));
    let seen = examined(&lab, &server.url(), &[], "hostkey-unknown");
    assert_fails(&lab, &server.url());
    assert!(printed(&seen, "hostkey-unknown", "@cert-authority").starts_with("@cert-authority mydb "));
    record(&lab, &seen);
    assert_works(&lab, &server.url(), "ssh recorded the key");
    assert_eq!(read(&lab, KNOWN_HOSTS), "");
}

#[test]
fn a_key_behind_a_hop_becomes_known_by_the_printed_command() {
    let Some(lab) = Lab::through(&[Middlebox::Bastion]) else { return };
    lab.home().write(KNOWN_HOSTS, "");
    let bastion = lab.bastion(1, &[]);
    let known = read(&lab, KNOWN_HOSTS);
    let server = lab.sshd(&[]);
    lab.home().write(KNOWN_HOSTS, &known);
    let settings = format!("Host {}\n  ProxyJump {}", server.address(), bastion.hop());
    let _settings = paste(&lab, SSH_CONFIG, &settings);
    let seen = examined(&lab, &server.url(), &[], "hostkey-unknown");
    assert_fails(&lab, &server.url());
    record(&lab, &seen);
    assert_works(&lab, &server.url(), "ssh recorded the key");
}

fn fingerprint(lab: &Lab, file: &str) -> String {
    let shown = run_on(lab, lab.client(), "", &format!("ssh-keygen -lf {file}"));
    shown.split(' ').nth(1).expect("a fingerprint").to_owned()
}

#[test]
fn an_authority_becomes_known_by_the_printed_line() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd_certified("-1h:+1h", "{address}", "stranger");
    let seen = examined(&lab, &server.url(), &[], "hostkey-unknown");
    assert_fails(&lab, &server.url());
    let line = printed(&seen, "hostkey-unknown", "@cert-authority");
    assert_eq!(
        line.split(' ').skip(2).collect::<Vec<_>>(),
        read(&lab, "stranger.pub").split(' ').take(2).collect::<Vec<_>>()
    );
    let theirs = seen.json["diagnoses"][0]["fixes"].to_string();
    assert!(!theirs.contains("PUBLIC_KEY") && theirs.contains(&fingerprint(&lab, "stranger.pub")), "{}", seen.told());
    let _pasted = paste(&lab, KNOWN_HOSTS, &line);
    assert_works(&lab, &server.url(), &line);
}

#[test]
fn a_revoked_key_is_replaced_by_the_printed_command() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let revoked = format!("@revoked * {}", read(&lab, "host_key.pub"));
    let _pasted = paste(&lab, KNOWN_HOSTS, &revoked);
    let seen = examined(&lab, &server.url(), &[], "hostkey-revoked");
    assert_fails(&lab, &server.url());
    let command = printed(&seen, "hostkey-revoked", "cd /etc/ssh");
    let (command, _) = command.rsplit_once(" && systemctl reload ssh").expect("a reload");
    let command = command.replace("/etc/ssh", ".").replace("ssh_host_ed25519_key", "host_key");
    run_on(&lab, lab.server_host(), "", &command);
    reload(&lab, &server);
    lab.home().write(KNOWN_HOSTS, &revoked);
    lab.home().know(&server.address().to_string(), server.port(), &read(&lab, "host_key.pub"));
    assert_works(&lab, &server.url(), &command);
}

#[test]
fn a_host_certificate_is_signed_anew_by_the_printed_command() {
    let Some(lab) = Lab::healthy() else { return };
    for (validity, principal) in [("-2h:-1h", "{address}"), ("+1h:+2h", "{address}"), ("-1h:+1h", "db.example")] {
        let server = lab.sshd_certified(validity, principal, "ca");
        let seen = examined(&lab, &server.url(), &[], "hostkey-cert-invalid");
        assert_fails(&lab, &server.url());
        let alias = seen.fixes().any(|fix| fix["snippet"].as_str().is_some_and(|text| text.contains("HostKeyAlias")));
        assert_eq!(alias, principal == "db.example", "an alias does not help against a date: {}", seen.told());
        if alias {
            let authority = format!("@cert-authority db.example {}", read(&lab, "ca.pub"));
            let _known = paste(&lab, KNOWN_HOSTS, &authority);
            assert_client_mends(&lab, &server.url(), &printed(&seen, "hostkey-cert-invalid", "Host "));
        }
        let command = printed(&seen, "hostkey-cert-invalid", "ssh-keygen -s ca_key").replace("ca_key", "ca");
        let key = format!("certified_{}.pub", server.port());
        let command = command.replace("/etc/ssh/ssh_host_ed25519_key.pub", &key);
        run_on(&lab, lab.server_host(), "", &command);
        reload(&lab, &server);
        assert_works(&lab, &server.url(), &command);
    }
}
