//! The built doctor at real logins: what it presents, what it withholds, and how the end is called.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::Value;

use crate::lab::{Lab, Report, Server, eventually};

/// A wrong key of the client, and the right one, for the agents of these tests.
const WRONG: [&str; 4] = ["wrong1", "wrong2", "wrong3", "wrong4"];

/// Examines as far as the login.
pub(crate) fn login(lab: &Lab, server: &Server, options: &[&str]) -> Report {
    let options = [&["--only", "auth"], options].concat();
    let seen = lab.doctor(server, &options, Duration::from_secs(30));
    assert_one_login_at_most(server, &seen);
    seen
}

/// A refusal is never followed by another login, and no secret is sent twice.
fn assert_one_login_at_most(server: &Server, seen: &Report) {
    let log = server.log();
    let refused: Vec<_> =
        log.lines().filter(|line| line.starts_with("Failed ") || line.contains(" refused from port ")).collect();
    let port =
        |line: &&&str| line.split(" port ").nth(1).and_then(|rest| rest.split(' ').next()).map(ToOwned::to_owned);
    let connections: BTreeSet<_> = refused.iter().filter_map(|line| port(&line)).collect();
    assert!(connections.len() <= 1, "refused logins on several connections:\n{log}\n{}", seen.told());
    let secrets = refused.iter().filter(|line| !line.contains("publickey"));
    assert!(secrets.count() <= 1, "a secret was sent twice:\n{log}\n{}", seen.told());
}

pub(crate) fn assert_diagnosed(seen: &Report, server: &Server, codes: &[&str]) {
    assert!(!seen.json.is_null(), "there is no report: {}", seen.told());
    assert_eq!(seen.codes(), codes, "{}\n{}", seen.told(), server.log());
}

/// The attempts of a login, each as its method, what was presented, and the answer.
pub(crate) fn attempts(seen: &Report) -> Vec<String> {
    let attempts = seen.check("auth")["evidence"]["attempts"].as_array();
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told = |attempt: &Value| {
        let key = &attempt["key"];
        let by = if key["in_agent"] == true { "agent" } else { "file" };
        let what = if key.is_null() { String::new() } else { format!(" {} {by}", words(&key["algorithm"])) };
        format!("{}{what} {}", words(&attempt["method"]), words(&attempt["answer"]))
    };
    attempts.into_iter().flatten().map(told).collect()
}

pub(crate) fn identity(lab: &Lab, name: &str) -> String {
    lab.home().key(name).display().to_string()
}

#[test]
fn every_kind_of_key_logs_in_from_a_file_and_from_an_agent() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["AuthorizedKeysFile .ssh/authorized_keys .ssh/other"]);
    for (name, kind, algorithm) in [
        ("by_rsa", &["-t", "rsa", "-b", "2048"][..], "rsa-sha2-512"),
        ("by_ecdsa", &["-t", "ecdsa", "-b", "256"], "ecdsa-sha2-nistp256"),
        ("by_ed25519", &["-t", "ed25519"], "ssh-ed25519"),
    ] {
        lab.home().keygen(name, kind);
        lab.home().authorize(name);
        let from_file = login(&lab, &server, &["-i", &identity(&lab, name)]);
        assert_diagnosed(&from_file, &server, &[]);
        assert_eq!(attempts(&from_file), [format!("publickey {algorithm} file accepted")]);
        let agent = lab.agent(&[name]);
        fs::remove_file(lab.home().key(name)).expect("the file of a key that the agent holds now");
        let options = ["-o", &agent.option(), "-o", "IdentitiesOnly=no"];
        let from_agent = login(&lab, &server, &options);
        assert_diagnosed(&from_agent, &server, &[]);
        assert_eq!(attempts(&from_agent), [format!("publickey {algorithm} agent accepted")]);
    }
}

#[test]
fn dropbear_lets_in_who_is_known_and_names_no_other_cause_for_who_is_not() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.dropbear(&[]) else { return };
    assert_diagnosed(&login(&lab, &server, &[]), &server, &[]);
    fs::write(lab.home().path("server/.ssh/authorized_keys"), "").expect("our own file");
    let seen = login(&lab, &server, &[]);
    assert_diagnosed(&seen, &server, &["auth-key-rejected"]);
    let at_server: String = seen.fixes().filter(|fix| fix["side"] == "server").map(ToString::to_string).collect();
    assert!(at_server.contains("journalctl -t dropbear") && !at_server.contains("sshd"), "{at_server}");
}

#[test]
fn a_key_that_is_not_known_is_rejected() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["AuthorizedKeysFile none"]);
    assert_diagnosed(&login(&lab, &server, &[]), &server, &["auth-key-rejected"]);
}

#[test]
fn an_encrypted_key_without_a_terminal_is_named_by_the_servers_word_that_it_would_take_it() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let key = lab.home().key("id_ed25519");
    let options = ["-q", "-p", "-P", "", "-N", "correct horse", "-f"].map(Into::into);
    let args: Vec<std::ffi::OsString> = options.into_iter().chain([key.into()]).collect();
    assert_eq!(lab.run("ssh-keygen", &args, Duration::from_secs(10)).status, Some(0));
    let seen = login(&lab, &server, &[]);
    assert_diagnosed(&seen, &server, &["auth-key-encrypted"]);
    assert_eq!(seen.json["diagnoses"][0]["certainty"], "certain");
    assert_eq!(attempts(&seen), ["publickey ssh-ed25519 file unfinished"]);
}

#[test]
fn a_key_that_others_may_read_is_named_by_its_mode() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    fs::set_permissions(lab.home().key("id_ed25519"), fs::Permissions::from_mode(0o644)).expect("our own file");
    let seen = login(&lab, &server, &[]);
    assert_diagnosed(&seen, &server, &["auth-key-unreadable"]);
    assert!(seen.json["diagnoses"][0]["because"].to_string().contains("0644"), "{}", seen.told());
}

#[test]
fn an_agent_with_many_keys_meets_max_auth_tries_before_the_right_one() {
    let Some(lab) = Lab::healthy() else { return };
    for name in WRONG {
        lab.home().keygen(name, &["-t", "ed25519"]);
    }
    let agent = lab.agent(&WRONG);
    let many = ["-o", &agent.option(), "-o", "IdentitiesOnly=no"];
    let server = lab.sshd(&["MaxAuthTries 2"]);
    let seen = login(&lab, &server, &many);
    assert_diagnosed(&seen, &server, &["auth-too-many-failures"]);
    let fix = &seen.json["diagnoses"][0]["fixes"][0]["snippet"];
    assert!(fix.as_str().is_some_and(|snippet| snippet.contains("IdentitiesOnly yes")), "{}", seen.told());
    // The fix that is named is one that works.
    let server = lab.sshd(&["MaxAuthTries 2"]);
    assert_diagnosed(&login(&lab, &server, &["-o", &agent.option()]), &server, &[]);
}

#[test]
fn an_agent_that_declines_to_sign_is_told_from_a_server_that_refuses() {
    let Some(lab) = Lab::healthy() else { return };
    let agent = lab.agent(&[]);
    // Each use has to be confirmed, and nobody is there to do it.
    agent.add(&lab, &["-c"], "id_ed25519");
    fs::remove_file(lab.home().key("id_ed25519")).expect("the file of a key that the agent holds now");
    let server = lab.sshd(&[]);
    let seen = login(&lab, &server, &["-o", &agent.option(), "-o", "IdentitiesOnly=no"]);
    assert_diagnosed(&seen, &server, &["auth-agent-refused"]);
    assert_eq!(attempts(&seen), ["publickey ssh-ed25519 agent unfinished"]);
}

#[test]
fn a_host_certificate_that_has_expired_gets_no_login() {
    let Some(lab) = Lab::healthy() else { return };
    lab.home().keygen("authority", &["-t", "ed25519"]);
    let host_key = lab.home().path("host_key.pub").display().to_string();
    let address = lab.server_address().to_string();
    let args =
        ["-q", "-h", "-s", &identity(&lab, "authority"), "-I", "host", "-n", &address, "-V", "-2d:-1d", &host_key];
    assert_eq!(lab.run("ssh-keygen", &args, Duration::from_secs(10)).status, Some(0));
    let certificate = lab.home().path("host_key-cert.pub");
    let server = lab.sshd(&["LogLevel DEBUG2", &format!("HostCertificate {}", certificate.display())]);
    let authority = fs::read_to_string(lab.home().key("authority.pub")).expect("a key");
    know(&lab, &format!("@cert-authority [{address}]:{} {authority}", server.port()));
    let seen = login(&lab, &server, &[]);
    assert_diagnosed(&seen, &server, &["hostkey-cert-invalid"]);
    assert!(!server.log().contains("userauth-request"), "a login was asked for: {}", server.log());
}

#[test]
fn two_keys_pass_where_two_are_wanted_and_one_is_a_partial_success() {
    let Some(lab) = Lab::healthy() else { return };
    lab.home().keygen("second", &["-t", "ed25519"]);
    let both = ["AuthenticationMethods publickey,publickey"];
    let server = lab.sshd(&both);
    let seen = login(&lab, &server, &[]);
    assert_diagnosed(&seen, &server, &["auth-partial-success"]);
    lab.home().authorize("second");
    let server = lab.sshd(&both);
    let seen = login(&lab, &server, &["-i", &identity(&lab, "second")]);
    assert_diagnosed(&seen, &server, &[]);
    assert_eq!(attempts(&seen), ["publickey ssh-ed25519 file partial", "publickey ssh-ed25519 file accepted"]);
}

#[test]
fn a_user_who_may_not_log_in_looks_like_a_rejected_key() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["DenyUsers root"]);
    let seen = login(&lab, &server, &[]);
    assert_diagnosed(&seen, &server, &["auth-key-rejected"]);
    assert!(server.log().contains("not allowed because listed in DenyUsers"), "{}", server.log());
}

/// Options that give this password from a file of the user's own.
fn password(lab: &Lab, text: &str) -> [String; 2] {
    let file = lab.home().path("client/password");
    fs::write(&file, format!("{text}\n")).expect("our own folder");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our own file");
    ["--password-file".to_owned(), file.display().to_string()]
}

pub(crate) fn login_with_password(lab: &Lab, server: &Server, text: &str, more: &[&str]) -> Report {
    let [flag, file] = password(lab, text);
    login(lab, server, &[&[&*flag, &file], more].concat())
}

#[test]
fn a_password_is_tried_once_whatever_asks_for_it() {
    let Some(lab) = Lab::healthy() else { return };
    for kind in ["password", "one-question"] {
        let Some(server) = lab.asyncssh_login(kind) else { return };
        assert_diagnosed(&login_with_password(&lab, &server, "correct horse", &[]), &server, &[]);
        let seen = login_with_password(&lab, &server, "battery staple", &[]);
        assert_diagnosed(&seen, &server, &["auth-password-rejected"]);
        assert_eq!(server.log().matches(" refused from port ").count(), 1, "{}", server.log());
    }
}

#[test]
fn sshd_refuses_a_wrong_password_once() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["PasswordAuthentication yes", "PubkeyAuthentication no"]);
    let seen = login_with_password(&lab, &server, "battery staple", &[]);
    assert_diagnosed(&seen, &server, &["auth-password-rejected"]);
    assert_eq!(server.log().matches("Failed password").count(), 1, "{}", server.log());
}

#[test]
fn two_questions_are_not_answered_with_a_password() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh_login("keyboard") else { return };
    let seen = login_with_password(&lab, &server, "correct horse", &[]);
    assert_diagnosed(&seen, &server, &["auth-method-unavailable"]);
    assert!(!server.log().contains("answers "), "nothing may be answered: {}", server.log());
    assert!(seen.json["diagnoses"][0]["because"].to_string().contains("Code: "), "{}", seen.told());
}

#[test]
fn a_question_for_a_code_is_not_answered_with_a_password() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh_login("code") else { return };
    let seen = login_with_password(&lab, &server, "correct horse", &[]);
    assert_diagnosed(&seen, &server, &["auth-method-unavailable"]);
    assert!(!server.log().contains("answers "), "nothing may be answered: {}", server.log());
    assert!(!seen.json["diagnoses"][0]["fixes"].to_string().contains("password-file"), "{}", seen.told());
}

#[test]
fn without_a_key_a_question_that_nobody_can_answer_is_quoted() {
    let Some(lab) = Lab::healthy() else { return };
    lab.home().forget_keys();
    let Some(server) = lab.asyncssh_login("key-or-code") else { return };
    let seen = login_with_password(&lab, &server, "correct horse", &[]);
    assert_diagnosed(&seen, &server, &["auth-method-unavailable"]);
    assert!(seen.json["diagnoses"][0]["because"].to_string().contains("Verification code: "), "{}", seen.told());
    assert!(!server.log().contains("answers "), "nothing may be answered: {}", server.log());
}

#[test]
fn a_demanded_password_change_is_inferred_from_the_answer_that_is_none() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh_login("expired") else { return };
    let seen = login_with_password(&lab, &server, "correct horse", &["--timeout", "3s"]);
    assert_diagnosed(&seen, &server, &["auth-password-expired"]);
    assert_eq!(server.log().matches("password accepted").count(), 1, "{}", server.log());
}

/// What the client knows of host keys from now on.
fn know(lab: &Lab, known_hosts: &str) {
    lab.home().write("client/.ssh/known_hosts", known_hosts);
}

#[test]
fn a_password_is_withheld_from_an_unknown_host_key() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh_login("password") else { return };
    know(&lab, "");
    let no_password = || !server.log().contains("accepted from port") && !server.log().contains(" refused from port ");
    // With nobody to ask, ssh stops at the host key. Where it asks a command for the key it goes on, and what that prints is not known.
    for (more, died_at, tried) in [
        (&[][..], "hostkey", &[][..]),
        // AsyncSSH asks for its passwords by keyboard-interactive too.
        (&["-o", "KnownHostsCommand=/bin/true"], "auth", &["password withheld", "keyboard-interactive withheld"]),
    ] {
        let options = [&["-o", "StrictHostKeyChecking=ask"], more].concat();
        let seen = login_with_password(&lab, &server, "correct horse", &options);
        assert_diagnosed(&seen, &server, &["hostkey-unknown"]);
        assert_eq!((seen.json["verdict"].as_str(), seen.died_at()), (Some("broken"), Some(died_at)), "{}", seen.told());
        assert_eq!(attempts(&seen), tried, "{}", seen.told());
        assert!(no_password(), "{}", server.log());
    }
    // The server tells of a password that it gets.
    know(
        &lab,
        &format!(
            "[{}]:{} {}",
            lab.server_address(),
            server.port(),
            fs::read_to_string(lab.home().path("host_key.pub")).expect("a key")
        ),
    );
    assert_diagnosed(&login_with_password(&lab, &server, "correct horse", &[]), &server, &[]);
    assert!(!no_password(), "{}", server.log());
}

#[test]
fn nobody_logs_in_to_a_changed_or_revoked_host_key() {
    let Some(lab) = Lab::healthy() else { return };
    lab.home().keygen("another", &["-t", "ed25519"]);
    let public = |file: std::path::PathBuf| fs::read_to_string(file).expect("a key");
    let (another, own) = (public(lab.home().key("another.pub")), public(lab.home().path("host_key.pub")));
    for (marker, key, code) in [("", &another, "hostkey-changed"), ("@revoked ", &own, "hostkey-revoked")] {
        let server = lab.sshd(&["LogLevel DEBUG2", "PasswordAuthentication yes"]);
        know(&lab, &format!("{marker}[{}]:{} {key}", lab.server_address(), server.port()));
        for strictness in ["yes", "ask", "no"] {
            let option = format!("StrictHostKeyChecking={strictness}");
            let seen = login_with_password(&lab, &server, "correct horse", &["-o", &option]);
            assert_diagnosed(&seen, &server, &[code]);
            // With `no`, ssh goes on without passwords, and the doctor does not: it cannot tell what comes after.
            let goes_on = strictness == "no";
            let expected = if goes_on { ("error", "inconclusive") } else { ("skip", "broken") };
            let found = (&seen.check("auth")["status"], &seen.json["verdict"]);
            assert_eq!(found, (&expected.0.into(), &expected.1.into()), "{}", seen.told());
            let certainty = seen.json["diagnoses"][0]["certainty"].as_str();
            assert_eq!(certainty, Some("certain"), "{}", seen.told());
            assert_eq!(seen.told().contains("goes on, without passwords"), goes_on, "{}", seen.told());
        }
        let gone = || server.connections() == 0;
        assert!(eventually(Duration::from_secs(5), gone), "{}", server.log());
        let log = server.log();
        assert!(log.contains("KEX done") || log.contains("NEWKEYS"), "the log must show that much: {log}");
        assert!(!log.contains("userauth-request"), "a login was asked for: {log}");
    }
}
