//! The built doctor at a terminal: what it asks for, and what it does with the answers.

use std::time::Duration;

use crate::lab::{Lab, PASSWORD, Report, Server};
use crate::logins::{assert_diagnosed, attempts};

/// Examines as far as the login, with these answers typed.
fn asked(lab: &Lab, server: &Server, options: &[&str], answers: &[&str]) -> Option<Report> {
    let options = [&["--only", "auth"], options].concat();
    lab.doctor_at_terminal(server, &options, answers, Duration::from_secs(40))
}

/// Gives the client's key a passphrase.
fn lock_the_key(lab: &Lab) {
    let key = lab.home().key("id_ed25519").display().to_string();
    let locked = lab.run("ssh-keygen", &["-q", "-p", "-P", "", "-N", PASSWORD, "-f", &key], Duration::from_secs(10));
    assert_eq!(locked.status, Some(0), "{locked:?}");
}

#[test]
fn a_passphrase_is_asked_for_only_when_the_server_would_take_the_key() {
    let Some(lab) = Lab::healthy() else { return };
    lock_the_key(&lab);
    let server = lab.sshd(&[]);
    let Some(seen) = asked(&lab, &server, &[], &[PASSWORD]) else { return };
    assert_diagnosed(&seen, &server, &[]);
    assert!(seen.run.stderr.contains("Passphrase for ") && !seen.run.stderr.contains(PASSWORD), "{}", seen.told());
    let stranger = lab.sshd(&["AuthorizedKeysFile none"]);
    let Some(seen) = asked(&lab, &stranger, &[], &[PASSWORD]) else { return };
    assert_diagnosed(&seen, &stranger, &["auth-key-rejected"]);
    assert!(seen.run.stderr.contains("not asked for: "), "{}", seen.told());
}

#[test]
fn a_wrong_passphrase_is_asked_for_as_often_as_ssh_does_and_never_sent() {
    let Some(lab) = Lab::healthy() else { return };
    lock_the_key(&lab);
    let server = lab.sshd(&[]);
    let Some(seen) = asked(&lab, &server, &[], &["one", "two", "three", "four"]) else { return };
    assert_diagnosed(&seen, &server, &["auth-key-encrypted"]);
    assert_eq!(seen.run.stderr.matches("Passphrase for ").count(), 3, "{}", seen.told());
    assert!(seen.run.stderr.contains("not asked for: four"), "{}", seen.told());
}

#[test]
fn a_person_answers_several_questions_and_a_wrong_answer_is_not_asked_for_again() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh_login("keyboard") else { return };
    let Some(seen) = asked(&lab, &server, &[], &[PASSWORD, "123456"]) else { return };
    assert_diagnosed(&seen, &server, &[]);
    assert_eq!(attempts(&seen), ["keyboard-interactive accepted"]);
    assert!(seen.run.stderr.contains("Two questions"), "{}", seen.told());
    let Some(seen) = asked(&lab, &server, &[], &[PASSWORD, "000000", PASSWORD, "123456"]) else { return };
    assert_diagnosed(&seen, &server, &["auth-password-rejected"]);
    assert_eq!(server.log().matches("answers refused").count(), 1, "{}", server.log());
}

#[test]
fn whoever_presses_enter_at_a_question_is_told_what_is_lacking() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["PasswordAuthentication yes", "KbdInteractiveAuthentication yes"]);
    lab.home().forget_keys();
    let Some(seen) = asked(&lab, &server, &[], &[""]) else { return };
    assert_diagnosed(&seen, &server, &["auth-no-credentials"]);
    assert!(seen.json["diagnoses"][0]["because"].to_string().contains("none was typed"), "{}", seen.told());
    let Some(server) = lab.asyncssh_login("key-or-code") else { return };
    let Some(seen) = asked(&lab, &server, &[], &[""]) else { return };
    assert_diagnosed(&seen, &server, &["auth-method-unavailable"]);
    assert!(seen.json["diagnoses"][0]["because"].to_string().contains("Verification code"), "{}", seen.told());
}

#[test]
fn nobody_is_asked_to_choose_a_new_password() {
    let Some(lab) = Lab::healthy() else { return };
    let settings = ["KbdInteractiveAuthentication yes", "PubkeyAuthentication no"];
    let server = lab.sshd_with_joe("0:0:99999:7:::", &[], &settings);
    let answers = [PASSWORD, PASSWORD, "a new one 12", "a new one 12"];
    let Some(seen) = asked(&lab, &server, &["-l", "joe"], &answers) else { return };
    assert_diagnosed(&seen, &server, &["auth-password-expired"]);
    assert_eq!(seen.run.stderr.matches("not asked for: ").count(), 3, "{}", seen.told());
}
