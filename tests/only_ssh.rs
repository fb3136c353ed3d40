//! Logins that only ssh itself can make, and forwardings that end it: the verdict equals what `ssh HOST true` does.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use crate::lab::{Lab, Report, SERVICE, Server, skip};
use crate::own_ssh::{agrees, settle};

const LIMIT: Duration = Duration::from_secs(30);

/// A lab with a client that logs in to this server as `db` by these settings.
fn settled(lab: &Lab, server: &Server, own: &str) -> Report {
    settle(lab, server, own);
    agrees(lab, "db", &[])
}

fn witness(seen: &Report) -> (Option<&str>, Option<&str>) {
    (seen.json["witness"]["reason"].as_str(), seen.json["witness"]["method"].as_str())
}

#[test]
fn a_kerberos_ticket_logs_in_and_without_one_ssh_is_refused() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(_kdc) = lab.kdc(&["root", "other"], "DIR") else { return };
    let kerberos = ["GSSAPIAuthentication yes", "GSSAPIStrictAcceptorCheck no"];
    let server = lab.sshd(&[&kerberos[..], &["AuthorizedKeysFile none"]].concat());
    let by_name = |server: &Server| {
        let alias = format!("[{}]:{}", server.address(), server.port());
        format!("Host db\n  HostName {SERVICE}\n  HostKeyAlias {alias}\n  GSSAPIAuthentication yes\nMatch all")
    };
    let seen = settled(&lab, &server, &by_name(&server));
    assert_eq!((seen.codes(), witness(&seen)), (vec!["auth-key-rejected"], (None, None)), "{}", seen.told());
    lab.kinit("root");
    let seen = settled(&lab, &server, &by_name(&server));
    assert_eq!((seen.codes(), seen.run.status), (vec!["session-own-ssh-works"], Some(0)), "{}", seen.told());
    assert_eq!(witness(&seen), (Some("settings"), Some("gssapi-with-mic")), "{}", seen.told());
    // A ticket of somebody else is refused once, and nothing is tried after it.
    lab.kdestroy();
    lab.kinit("other");
    let offers = || server.log().matches("Failed publickey").count();
    let before = offers();
    let seen = settled(&lab, &server, &by_name(&server));
    assert_eq!(seen.codes(), ["session-own-ssh-refused"], "{}", seen.told());
    assert_eq!(offers() - before, 2, "ssh twice: {}", server.log());
    // Beside a ticket that does not help, the key does.
    let by_key = lab.sshd(&kerberos);
    let seen = settled(&lab, &by_key, &by_name(&by_key));
    assert_eq!((seen.run.status, seen.check("exit")["status"].as_str()), (Some(0), Some("pass")), "{}", seen.told());
}

/// OpenSSH's authenticator in software; tests/run unpacks it.
fn authenticator() -> Option<String> {
    let file = std::env::var_os("SSH_DOCTOR_TEST_AUTHENTICATOR").map(PathBuf::from).filter(|file| file.exists());
    match file {
        Some(file) => Some(file.display().to_string()),
        None => skip("OpenSSH's sk-dummy.so is not here; tests/run unpacks it"),
    }
}

#[test]
fn the_file_of_a_security_key_is_left_to_ssh_before_anything_is_refused() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(provider) = authenticator() else { return };
    let server = lab.sshd(&[]);
    for kind in ["ed25519-sk", "ecdsa-sk"] {
        lab.home().keygen(kind, &["-t", kind, "-w", &provider]);
        let ssh = lab.home().path("client/.ssh").display().to_string();
        let public = format!("{ssh}/{kind}.pub");
        let server = lab.sshd(&[&format!("AuthorizedKeysFile {public}")]);
        let with = |provider: &str| format!("SecurityKeyProvider {provider}\nIdentityFile {ssh}/{kind}");
        let connections = || server.log().matches("Connection from").count();
        let seen = settled(&lab, &server, &with(&provider));
        let codes = ["auth-security-key-file", "session-own-ssh-works"];
        assert_eq!((seen.codes(), seen.run.status), (codes.to_vec(), Some(0)), "{}", seen.told());
        assert_eq!(witness(&seen), (Some("settings"), Some("publickey")), "{}", seen.told());
        // ssh's own run, ssh as a witness, and one connection of ours.
        assert_eq!(connections(), 3, "{}", server.log());
        // No device, and another key that the server refuses: ssh fails, and ours offers nothing after it.
        let refused = || server.log().matches("Failed publickey").count();
        let before = refused();
        let seen = settled(&lab, &server, &with("internal"));
        assert_eq!(seen.codes(), ["session-own-ssh-refused"], "{}", seen.told());
        assert_eq!(refused() - before, 2, "ssh twice: {}", server.log());
    }
    let unknown = format!("SecurityKeyProvider {provider}\nIdentitiesOnly yes\nMatch all\n  IdentityFile {}", "~/none");
    assert_eq!(settled(&lab, &server, &unknown).run.status, Some(0), "the usual key");
}

#[test]
fn a_forwarding_that_fails_ends_ssh_only_where_it_is_required() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let closed = lab.sshd(&["AllowTcpForwarding no"]);
    let at_client = lab.client().inside(async || TcpListener::bind("127.0.0.1:8081").expect("a free port"));
    let at_server = lab.server_host().inside(async || TcpListener::bind("127.0.0.1:8082").expect("a free port"));
    let socket = lab.home().path("client/taken").display().to_string();
    lab.home().write("client/taken", "");
    for (works, fails, code) in [
        ("LocalForward 127.0.0.1:8080 db:80", "LocalForward 127.0.0.1:8081 db:80", "channel-local-forward-failed"),
        ("DynamicForward 8081", "DynamicForward 127.0.0.1:8081", "channel-local-forward-failed"),
        ("LocalForward 8081 db:80", "LocalForward [*]:8081 db:80\nAddressFamily inet", "channel-local-forward-failed"),
        ("RemoteForward 8081 db:80", "RemoteForward 127.0.0.1:8082 db:80", "channel-forwarding-required"),
        ("LocalForward 8080 db:80", &format!("LocalForward {socket} db:80"), "channel-local-forward-failed"),
        (
            "LocalForward 8083 db:80\nDynamicForward 8084",
            "LocalForward 8083 db:80\nDynamicForward 8083",
            "channel-local-forward-failed",
        ),
        ("Tunnel no", "Tunnel point-to-point", "channel-forwarding-required"),
    ] {
        for (own, expected) in [(works, 0), (fails, 2)] {
            let seen = settled(&lab, &server, &format!("ExitOnForwardFailure yes\n{own}"));
            assert_eq!(seen.run.status, Some(expected), "{own}: {}", seen.told());
            let named = expected == 0 || seen.codes().first() == Some(&code);
            assert!(named && (expected == 0 || seen.died_at() == Some("channel")), "{own}: {}", seen.told());
        }
        let seen = settled(&lab, &server, fails);
        let is_worse =
            seen.json["diagnoses"].as_array().is_some_and(|all| all.iter().any(|one| one["severity"] != "info"));
        assert!(seen.run.status == Some(0) && !is_worse, "{fails}: {}", seen.told());
    }
    let refused = settled(&lab, &closed, "ExitOnForwardFailure yes\nRemoteForward 8080 db:80");
    assert!(refused.codes().contains(&"channel-forwarding-required"), "{}", refused.told());
    // Flags of the command line are the user's too.
    settle(&lab, &server, "");
    let flags = ["-o", "ExitOnForwardFailure=yes", "-L", "127.0.0.1:8081:db:80"];
    assert_eq!(agrees(&lab, "db", &flags).codes(), ["channel-local-forward-failed"]);
    drop((at_client, at_server));
    assert_eq!(agrees(&lab, "db", &flags).run.status, Some(0));
    assert!(
        !lab.client()
            .processes()
            .iter()
            .any(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("ssh")))
    );
}

#[test]
fn a_version_is_read_as_ssh_reads_it() {
    let Some(lab) = Lab::healthy() else { return };
    for (kind, works) in [
        ("1.99", true),
        ("2.1", true),
        ("greeting", true),
        ("latin-1", true),
        ("long", true),
        ("no-software", false),
        ("nul", false),
        ("3.0", false),
    ] {
        let Some(server) = lab.odd_version(kind) else { return };
        let seen = settled(&lab, &server, "");
        assert_eq!(matches!(seen.run.status, Some(0 | 1)), works, "{kind}: {}", seen.told());
    }
}

#[test]
fn what_the_settings_have_a_session_run_is_what_ssh_runs() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    for own in ["PermitLocalCommand yes\nLocalCommand false", "StdinNull yes", "ForkAfterAuthentication yes"] {
        let seen = settled(&lab, &server, own);
        assert_eq!((seen.codes(), seen.run.status), (vec![], Some(0)), "{own}: {}", seen.told());
        let keyword = own.rsplit('\n').next().and_then(|line| line.split(' ').next()).expect("a keyword");
        assert!(seen.json.to_string().contains(&format!("{keyword} ")), "{own}: {}", seen.told());
    }
    // These hinder every command, and not the connection: that is said.
    for (own, status) in
        [("SessionType none", 1), ("SessionType none\nDynamicForward 1080", 0), ("SessionType subsystem", 1)]
    {
        settle(&lab, &server, own);
        let run = lab.run(env!("CARGO_BIN_EXE_ssh-doctor"), &["check", "--format", "json", "--idle", "0", "db"], LIMIT);
        assert!(run.stdout.contains("config-tty-forced") && run.status == Some(status), "{own}: {run:?}");
    }
}
