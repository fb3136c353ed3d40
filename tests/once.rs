//! Proofs that are good once: what is sent as one, what is kept of one, and what a second use of one costs.

use std::time::Duration;

use crate::lab::{Lab, PASSWORD, Report, Server};
use crate::logins::{assert_diagnosed, attempts, login_with_password};

/// Examines with a test of silence, with these answers typed.
fn examined(lab: &Lab, server: &Server, answers: &[&str]) -> Option<Report> {
    lab.doctor_at_terminal(server, &["--idle", "4s"], answers, Duration::from_mins(1))
}

/// What the idle check says of itself.
fn idle_words(seen: &Report) -> &str {
    let idle = seen.check("idle");
    assert_eq!(idle["status"], "skip", "{}", seen.told());
    idle["summary"].as_str().unwrap_or_default()
}

#[test]
fn a_password_is_not_sent_where_a_one_time_password_is_asked_for() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh_login("once") else { return };
    let seen = login_with_password(&lab, &server, PASSWORD, &[]);
    assert_diagnosed(&seen, &server, &["auth-method-unavailable"]);
    assert!(!server.log().contains("answers "), "nothing may be answered: {}", server.log());
}

#[test]
fn a_typed_one_time_password_is_used_once() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh_login("once") else { return };
    let Some(seen) = examined(&lab, &server, &[PASSWORD]) else { return };
    assert_diagnosed(&seen, &server, &[]);
    assert_eq!((server.log().matches("answers accepted").count(), server.log().matches("answers ").count()), (1, 1));
    assert!(idle_words(&seen).contains("good only once"), "{}", seen.told());
}

#[test]
fn a_password_that_was_good_once_is_refused_once_more_at_most() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh_login("once-unnamed") else { return };
    let Some(seen) = examined(&lab, &server, &[PASSWORD]) else { return };
    assert_diagnosed(&seen, &server, &[]);
    assert_eq!(server.log().matches("answers refused").count(), 1, "{}", server.log());
    assert_eq!(seen.json["spent"]["failed_logins"], 1, "{}", seen.told());
    assert!(idle_words(&seen).contains("accepted only once"), "{}", seen.told());
}

#[test]
fn a_code_is_asked_for_after_the_password_of_the_first_factor() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.paramiko_of_two_factors() else { return };
    let options = ["--only", "auth"];
    let Some(seen) = lab.doctor_at_terminal(&server, &options, &[PASSWORD, "123456"], Duration::from_mins(1)) else {
        return;
    };
    assert_diagnosed(&seen, &server, &[]);
    assert_eq!(attempts(&seen), ["password partial", "keyboard-interactive accepted"], "{}", seen.told());
    let Some(seen) = lab.doctor_at_terminal(&server, &options, &[PASSWORD, "000000"], Duration::from_mins(1)) else {
        return;
    };
    assert_eq!(server.log().matches("refused").count(), 1, "{}", server.log());
    assert_diagnosed(&seen, &server, &["auth-password-rejected"]);
    let told = seen.json["diagnoses"][0].to_string();
    assert!(told.contains("the answer to a prompt") && told.contains("one-time code"), "{told}");
    assert!(told.contains("SSH-2.0-paramiko") && !told.contains("journalctl"), "{told}");
}
