//! What is decided on the host key, beside what plain ssh makes of the same files.

use std::fs;
use std::time::Duration;

use crate::lab::{Lab, Report, Run, Server};

const KNOWN_HOSTS: &str = "client/.ssh/known_hosts";

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn read(lab: &Lab, file: &str) -> String {
    fs::read_to_string(lab.home().path(file)).expect("our own file")
}

/// What plain ssh and the doctor make of these options.
fn both(lab: &Lab, server: &Server, options: &[&str]) -> (Run, Report) {
    let known = read(lab, KNOWN_HOSTS);
    let ssh = lab.ssh(server, &[&["-oBatchMode=yes"], options].concat(), "true", s(10));
    // ssh may have written what it accepted.
    lab.home().write(KNOWN_HOSTS, &known);
    (ssh, lab.doctor(server, &[&["--only", "auth", "-oBatchMode=yes"], options].concat(), s(30)))
}

/// True if both log in, or neither does.
fn assert_agreed(lab: &Lab, server: &Server, options: &[&str]) -> Report {
    let (ssh, seen) = both(lab, server, options);
    let logged_in = seen.check("auth")["status"] == "pass";
    assert_eq!(logged_in, ssh.status == Some(0), "{options:?} {ssh:?}\n{}", seen.told());
    seen
}

#[test]
fn a_line_without_the_port_confirms_only_where_none_with_the_port_speaks() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.home().make_key("other");
    let (own, other) = (read(&lab, "host_key.pub"), read(&lab, "other.pub"));
    let (host, port) = (server.address(), server.port());
    for (lines, codes) in [
        (format!("{host} {own}"), &[][..]),
        (format!("[{host}]:{port} {other}{host} {own}"), &["hostkey-changed"]),
        (format!("{host} {own}[{host}]:{port} {other}"), &["hostkey-changed"]),
        (format!("{host} {other}"), &["hostkey-unknown"]),
        (format!("@revoked {host} {own}[{host}]:{port} {own}"), &[]),
        (format!("@revoked {host} {own}{host} {own}"), &["hostkey-unknown"]),
        (format!("@revoked [{host}]:{port} {own}[{host}]:{port} {own}"), &["hostkey-revoked"]),
    ] {
        lab.home().write(KNOWN_HOSTS, &lines);
        let seen = assert_agreed(&lab, &server, &[]);
        assert_eq!(seen.codes(), codes, "{lines}: {}", seen.told());
    }
}

#[test]
fn the_names_in_a_host_certificate_count_as_they_are_written() {
    let Some(lab) = Lab::healthy() else { return };
    for (principal, holds) in [("pool", true), ("x,pool", true), ("POOL", false), ("po*", false)] {
        let server = lab.sshd_certified("-1h:+1h", principal, "ca");
        lab.home().write(KNOWN_HOSTS, &format!("@cert-authority pool {}", read(&lab, "ca.pub")));
        for alias in ["HostKeyAlias=pool", "HostKeyAlias=POOL"] {
            let seen = assert_agreed(&lab, &server, &["-o", alias]);
            let codes = if holds { &[][..] } else { &["hostkey-cert-invalid"] };
            assert_eq!(seen.codes(), codes, "{principal} {alias}: {}", seen.told());
        }
    }
}

#[test]
fn a_key_in_the_file_of_revoked_ones_gets_no_login_and_what_cannot_be_read_is_not_healthy() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.home().make_key("other");
    lab.home().make_key("authority");
    let (own, other) = (read(&lab, "host_key.pub"), read(&lab, "other.pub"));
    let [krl, listed] = ["krl", "other.pub"].map(|name| lab.home().path(name).display().to_string());
    assert_eq!(lab.run("ssh-keygen", &["-q", "-k", "-f", &krl, &listed], s(10)).status, Some(0));
    for (name, text, status) in [
        ("other", Some(other.clone()), "pass"),
        ("own", Some(format!("# kept by hand\n{other}{own}")), "fail"),
        ("garbage", Some(format!("garbage\n{other}")), "error"),
        ("missing", None, "error"),
    ] {
        if let Some(text) = text {
            lab.home().write(name, &text);
        }
        let option = format!("RevokedHostKeys={}", lab.home().path(name).display());
        let seen = assert_agreed(&lab, &server, &["-o", &option, "-o", "StrictHostKeyChecking=no"]);
        assert_eq!(seen.check("hostkey")["status"], status, "{name}: {}", seen.told());
        let (verdict, codes) = match status {
            "pass" => ("healthy", &[][..]),
            "fail" => ("broken", &["hostkey-revoked"][..]),
            // What the examination cannot read, the user's own ssh settles.
            _ => ("broken", &["session-own-ssh-fails"][..]),
        };
        assert_eq!((&seen.json["verdict"], &*seen.codes()), (&verdict.into(), codes), "{name}: {}", seen.told());
    }
    // ssh can read a revocation list; the doctor cannot, says so, and logs in to nobody.
    let (ssh, seen) = both(&lab, &server, &["-o", &format!("RevokedHostKeys={krl}")]);
    assert_eq!((ssh.status, &seen.json["verdict"]), (Some(0), &"healthy".into()), "{}", seen.told());
    assert_eq!(seen.codes(), ["session-own-ssh-works"], "{}", seen.told());
    let summary = seen.check("hostkey")["summary"].as_str().unwrap_or_default().to_owned();
    assert!(summary.contains("KRL") && summary.contains(&krl), "{summary}");
    assert_eq!(seen.check("auth")["status"], "skip", "{}", seen.told());
}

#[test]
fn a_command_that_may_print_the_key_is_run_by_ssh_alone_which_settles_whether_it_does() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let line = read(&lab, KNOWN_HOSTS);
    lab.home().write(KNOWN_HOSTS, "");
    lab.home().write("line", &line);
    let option = |name: &str| format!("KnownHostsCommand=/bin/cat {}", lab.home().path(name).display());
    for strictness in ["StrictHostKeyChecking=yes", "StrictHostKeyChecking=ask"] {
        let seen = assert_agreed(&lab, &server, &["-o", &option("line"), "-o", strictness]);
        let found = (seen.codes(), &seen.json["verdict"]);
        assert_eq!(found, (vec!["session-own-ssh-works"], &"healthy".into()), "{}", seen.told());
        assert!(seen.json["diagnoses"][0]["because"].to_string().contains("without a question"), "{}", seen.told());
        // What prints nothing leaves the key unknown.
        let (ssh, seen) = both(&lab, &server, &["-o", "KnownHostsCommand=/bin/true", "-o", strictness]);
        assert_eq!((ssh.status, seen.codes()), (Some(255), vec!["hostkey-unknown"]), "{}", seen.told());
        assert_eq!((&seen.json["verdict"], seen.died_at()), (&"broken".into(), Some("hostkey")), "{}", seen.told());
        let first = &seen.json["diagnoses"][0];
        assert_eq!(first["certainty"], "certain", "{}", seen.told());
        assert!(first["because"][0].to_string().contains("Host key verification failed"), "{}", seen.told());
    }
    let (ssh, seen) = both(&lab, &server, &["-o", &option("missing")]);
    assert_eq!((ssh.status, seen.codes().first()), (Some(255), Some(&"session-own-ssh-fails")), "{}", seen.told());
    // Without ssh's own word nothing is sure, and nothing is called healthy.
    let seen = lab.doctor(&server, &["--only", "handshake,hostkey", "-oBatchMode=yes", "-o", &option("line")], s(30));
    assert_ne!(seen.json["verdict"], "healthy", "{}", seen.told());
}

#[test]
fn ssh_is_not_run_as_a_witness_where_it_would_log_in_to_a_key_that_has_changed() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["LogLevel DEBUG2"]);
    lab.home().make_key("other");
    let other = read(&lab, "other.pub");
    lab.home().write(KNOWN_HOSTS, &format!("[{}]:{} {other}", server.address(), server.port()));
    let [krl, listed] = ["krl", "other.pub"].map(|name| lab.home().path(name).display().to_string());
    assert_eq!(lab.run("ssh-keygen", &["-q", "-k", "-f", &krl, &listed], s(10)).status, Some(0));
    let revoked = format!("RevokedHostKeys={krl}");
    // A setting that only ssh can honour, a wish, and a file that only ssh can read.
    for more in [&["-o", "KnownHostsCommand=/bin/true"][..], &["--with-ssh"], &["-o", &revoked]] {
        let options = [&["--only", "auth", "-o", "StrictHostKeyChecking=no"], more].concat();
        let seen = lab.doctor(&server, &options, s(30));
        assert_eq!(seen.codes(), ["hostkey-changed"], "{more:?}: {}", seen.told());
        assert_eq!(seen.json["verdict"], "inconclusive", "{more:?}: {}", seen.told());
    }
    assert!(!server.log().contains("userauth-request"), "{}", server.log());
}

#[test]
fn at_a_loopback_address_any_key_is_taken_where_ssh_takes_it() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.client().ip("link set lo up");
    let config = read(&lab, &format!("sshd_config_{}", server.port()));
    let config = config.replace(&server.address().to_string(), "127.0.0.1");
    lab.home().write("sshd_loopback", &config);
    let file = lab.home().path("sshd_loopback").display().to_string();
    assert_eq!(lab.run("/usr/sbin/sshd", &["-f", &file], s(10)).status, Some(0));
    lab.home().write("client/.ssh/authorized_keys", &read(&lab, "client/.ssh/id_ed25519.pub"));
    let url = format!("ssh://127.0.0.1:{}", server.port());
    lab.home().make_key("other");
    lab.home().write(KNOWN_HOSTS, &format!("[127.0.0.1]:{} {}", server.port(), read(&lab, "other.pub")));
    for (options, codes) in [
        (&["-o", "NoHostAuthenticationForLocalhost=yes"][..], &[][..]),
        (&["-o", "NoHostAuthenticationForLocalhost=yes", "-o", "HostKeyAlias=x"], &["hostkey-unknown"]),
        (&[], &["hostkey-changed"]),
    ] {
        let config = lab.home().config().display().to_string();
        let ssh = lab.run("ssh", &[&["-F", &config], options, &[&url, "true"]].concat(), s(10));
        let seen = lab.doctor_at(&url, &[&["--only", "auth"], options].concat(), s(30));
        assert_eq!(seen.codes(), codes, "{options:?}: {}", seen.told());
        assert_eq!(ssh.status == Some(0), codes.is_empty(), "{ssh:?}");
        let decision = &seen.check("hostkey")["evidence"]["decision"];
        assert_eq!(decision == "not-checked", codes.is_empty(), "{}", seen.told());
    }
}
