//! The user's own ssh as a witness: when it runs, what it leaves alone, and what its word changes.

use std::time::Duration;

use serde_json::Value;

use crate::lab::{Lab, Report};
use crate::own_ssh::settle;

fn check(lab: &Lab, options: &[&str]) -> Report {
    let args = [&["check", "--format", "json", "--idle", "0", "-o", "BatchMode=yes"], options, &["db"]].concat();
    let run = lab.run(env!("CARGO_BIN_EXE_ssh-doctor"), &args, Duration::from_mins(1));
    let json = serde_json::from_str(&run.stdout).unwrap_or_default();
    Report { run, json }
}

#[test]
fn it_logs_in_once_and_runs_and_writes_nothing() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let command = lab.home().path("client/ran").display().to_string();
    let own = format!("PermitLocalCommand yes\nLocalCommand touch {command}\nLocalForward 127.0.0.1:7 db:7");
    settle(&lab, &server, &own);
    let known = || std::fs::read_to_string(lab.home().key("known_hosts")).expect("our own file");
    let before = known();
    let seen = check(&lab, &["--with-ssh"]);
    assert_eq!((seen.codes(), seen.run.status), (vec![], Some(0)), "{}", seen.told());
    let witness = &seen.json["witness"];
    assert_eq!((&witness["reason"], &witness["reached"]), (&"asked".into(), &"auth".into()), "{}", seen.told());
    assert_eq!(seen.json["spent"]["connections"], 2, "{}", seen.told());
    let log = server.log();
    assert_eq!(log.matches("Connection from").count(), 2, "{log}");
    assert!(known() == before && !lab.home().path("client/ran").exists());
    let without = check(&lab, &[]);
    assert_eq!((&without.json["witness"], without.run.status), (&Value::Null, Some(0)), "{}", without.told());
}

#[test]
fn after_a_failed_login_it_is_not_run() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["AuthorizedKeysFile none"]);
    settle(&lab, &server, "");
    let seen = check(&lab, &["--with-ssh"]);
    assert_eq!((&seen.json["witness"], seen.run.status), (&Value::Null, Some(2)), "{}", seen.told());
    assert_eq!(server.log().matches("Connection from").count(), 1, "{}", server.log());
}

#[test]
fn what_this_examination_cannot_do_ssh_settles_by_itself() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["KexAlgorithms sntrup761x25519-sha512@openssh.com"]);
    settle(&lab, &server, "");
    let seen = check(&lab, &[]);
    assert_eq!((seen.codes(), seen.run.status), (vec!["session-own-ssh-works"], Some(0)), "{}", seen.told());
    assert_eq!(seen.json["witness"]["reason"], "undecided", "{}", seen.told());
}

#[test]
fn a_key_exchange_with_larger_packets_that_hangs_is_told_with_its_message() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    settle(&lab, &server, "ConnectTimeout 3");
    lab.vanish_above(1250);
    let seen = check(&lab, &["--only", "handshake", "--with-ssh"]);
    assert_eq!((seen.codes(), seen.run.status), (vec!["session-own-ssh-fails"], Some(2)), "{}", seen.told());
    assert_eq!(seen.check("handshake")["status"], "pass", "{}", seen.told());
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(because.contains("had not logged in") || because.contains("SSH2_MSG_KEX"), "{because}");
}
