//! The built doctor at accounts that may not log in, or not yet, on sshd with PAM.

use std::time::Duration;

use crate::lab::{Lab, Report, Server, eventually};
use crate::logins::{assert_diagnosed, attempts, login, login_with_password};

/// What stands behind the hash in shadow(5): an account that is in order, has expired, and must change its password.
const SOUND: &str = "19000:0:99999:7:::";
const EXPIRED: &str = "19000:0:99999:7::1:";
const CHANGE: &str = "0:0:99999:7:::";
/// Whom to log in as, and by what.
const JOE: [&str; 2] = ["-l", "joe"];
const BY_KEY: [&str; 2] = ["-o", "PreferredAuthentications=publickey"];
const BY_PASSWORD: [&str; 2] = ["-o", "PreferredAuthentications=password"];
const BY_QUESTION: [&str; 2] = ["-o", "PreferredAuthentications=keyboard-interactive"];
const ALL_METHODS: [&str; 2] = ["PasswordAuthentication yes", "KbdInteractiveAuthentication yes"];

fn as_joe(lab: &Lab, server: &Server, by: &[&str]) -> Report {
    login_with_password(lab, server, crate::lab::PASSWORD, &[&JOE, by].concat())
}

fn certainty(seen: &Report) -> Option<&str> {
    seen.json["diagnoses"][0]["certainty"].as_str()
}

fn because(seen: &Report) -> String {
    seen.json["diagnoses"][0]["because"].to_string()
}

#[test]
fn an_account_that_is_in_order_logs_in_by_each_method() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd_with_joe(SOUND, &[], &ALL_METHODS);
    for by in [BY_KEY, BY_PASSWORD, BY_QUESTION] {
        assert_diagnosed(&as_joe(&lab, &server, &by), &server, &[]);
    }
}

#[test]
fn none_is_an_account_and_a_name_of_a_key_as_it_is_for_ssh() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let key = std::fs::read_to_string(lab.home().path("host_key.pub")).expect("our own file");
    lab.home().write("client/.ssh/known_hosts", &format!("none {key}"));
    let options = ["-l", "none", "-o", "HostKeyAlias=none"];
    let plain = lab.ssh(&server, &[&options[..], &["-oBatchMode=yes"]].concat(), "true", Duration::from_secs(10));
    assert!(plain.stderr.contains("none@") && plain.stderr.contains("Permission denied"), "{plain:?}");
    let logged = || server.log().matches("Invalid user none from").count();
    assert!(eventually(Duration::from_secs(5), || logged() == 1), "{}", server.log());
    let seen = login(&lab, &server, &options);
    assert_eq!(seen.json["target"]["user"], "none", "{}", seen.told());
    assert_eq!(seen.check("hostkey")["status"], "pass", "{}", seen.told());
    assert!(eventually(Duration::from_secs(5), || logged() == 2), "{}", server.log());
}

#[test]
fn an_account_that_has_expired_is_named_in_the_servers_own_words() {
    let Some(lab) = Lab::healthy() else { return };
    for by in [BY_KEY, BY_PASSWORD, BY_QUESTION] {
        let server = lab.sshd_with_joe(EXPIRED, &[], &ALL_METHODS);
        let seen = as_joe(&lab, &server, &by);
        assert_diagnosed(&seen, &server, &["auth-account-refused"]);
        assert_eq!(certainty(&seen), Some("certain"), "{}", seen.told());
        assert!(because(&seen).contains("Your account has expired"), "{}", seen.told());
    }
}

#[test]
fn logins_that_are_switched_off_are_told_from_a_rejected_key() {
    let Some(lab) = Lab::healthy() else { return };
    let file = lab.home().path("nologin");
    let rule = format!("account required pam_nologin.so file={}", file.display());
    for (text, certainty_of_it) in [
        ("System is going down. Unprivileged users are not permitted to log in anymore.", "certain"),
        ("Back at six.", "likely"),
        ("", "likely"),
    ] {
        lab.home().write("nologin", text);
        let server = lab.sshd_with_joe(SOUND, &[&rule], &ALL_METHODS);
        let seen = as_joe(&lab, &server, &BY_KEY);
        assert_diagnosed(&seen, &server, &["auth-account-refused"]);
        assert_eq!(certainty(&seen), Some(certainty_of_it), "{}", seen.told());
        assert!(because(&seen).contains(text), "{}", seen.told());
    }
}

#[test]
fn logins_that_are_switched_off_in_the_middle_are_tried_once() {
    let Some(lab) = Lab::healthy() else { return };
    let file = lab.home().path("nologin");
    let rule = format!("account required pam_nologin.so file={}", file.display());
    let server = lab.sshd_with_joe(SOUND, &[&rule], &[]);
    let seen = std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            let options = [&JOE[..], &BY_KEY, &["--idle", "20s", "--sessions", "4"]].concat();
            lab.doctor(&server, &options, Duration::from_mins(1))
        });
        let opened = || server.log().matches("Starting session").count() >= 3;
        assert!(eventually(Duration::from_secs(20), opened), "{}", server.log());
        // What a shutdown does: nobody is let in any more, and then sessions end.
        lab.home().write("nologin", "");
        server.end_sessions(lab.server_host());
        run.join().expect("the doctor ran")
    });
    let denied = server.log().matches("Access denied for user joe").count();
    assert_eq!(denied, 1, "{}\n{}", seen.told(), server.log());
}

#[test]
fn root_that_may_only_run_forced_commands_is_let_in_and_out_again() {
    let Some(lab) = Lab::healthy() else { return };
    for options in [&["--only", "channel"][..], &["--idle", "5s"], &["--idle", "5s", "--deep", "--server"]] {
        let server = lab.sshd(&["PermitRootLogin forced-commands-only"]);
        let seen = lab.doctor(&server, options, Duration::from_secs(30));
        assert_diagnosed(&seen, &server, &["auth-account-refused"]);
        assert!(server.log().contains("ROOT LOGIN REFUSED"), "{}", server.log());
        // sshd calls each such login a failed one: it is not repeated for anything.
        assert_eq!(server.log().matches("Failed publickey").count(), 1, "{options:?}: {}", server.log());
    }
}

#[test]
fn a_demanded_password_change_is_named_and_nothing_is_changed() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd_with_joe(CHANGE, &[], &ALL_METHODS);
    let asked = as_joe(&lab, &server, &BY_QUESTION);
    assert_diagnosed(&asked, &server, &["auth-password-expired"]);
    assert_eq!(certainty(&asked), Some("certain"), "{}", asked.told());
    assert_eq!(attempts(&asked), ["keyboard-interactive unfinished"]);
    // By key or password sshd lets in, and runs nothing but passwd.
    for by in [BY_KEY, BY_PASSWORD] {
        let file = lab.home().path("client/password").display().to_string();
        let options = [&JOE[..], &by, &["--password-file", &file, "--only", "channel"]].concat();
        let seen = lab.doctor(&server, &options, Duration::from_secs(30));
        assert_diagnosed(&seen, &server, &["auth-password-expired"]);
        assert_eq!(seen.died_at(), Some("channel"), "{}", seen.told());
    }
}

/// The settings under which a key is followed by the questions of PAM.
const KEY_AND_QUESTIONS: [&str; 2] =
    ["AuthenticationMethods publickey,keyboard-interactive", "KbdInteractiveAuthentication yes"];

#[test]
fn a_second_factor_without_a_question_needs_nobody() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd_with_joe(SOUND, &["auth sufficient pam_permit.so"], &KEY_AND_QUESTIONS);
    let seen = login(&lab, &server, &JOE);
    assert_diagnosed(&seen, &server, &[]);
    assert_eq!(attempts(&seen), ["publickey ssh-ed25519 file partial", "keyboard-interactive accepted"]);
}

#[test]
fn a_question_that_nobody_is_there_to_answer_leaves_the_login_undecided() {
    let Some(lab) = Lab::healthy() else { return };
    let password_only = ["PubkeyAuthentication no", "PasswordAuthentication yes", "KbdInteractiveAuthentication no"];
    for (settings, code) in
        [(&KEY_AND_QUESTIONS[..], "auth-partial-success"), (&password_only[..], "auth-method-unavailable")]
    {
        let server = lab.sshd_with_joe(SOUND, &[], settings);
        let seen = login(&lab, &server, &JOE);
        assert_diagnosed(&seen, &server, &[code]);
        assert_eq!((&seen.json["verdict"], seen.run.status), (&"inconclusive".into(), Some(3)), "{}", seen.told());
        assert!(!server.log().contains("failure") && !server.log().contains("Failed"), "{}", server.log());
        // ssh would fail as well.
        let in_batch = login(&lab, &server, &[&JOE[..], &["-o", "BatchMode=yes"]].concat());
        assert_eq!(in_batch.json["verdict"], "broken", "{}", in_batch.told());
    }
}

#[test]
fn a_second_factor_that_is_wrong_is_told_from_one_that_is_missing() {
    let Some(lab) = Lab::healthy() else { return };
    let both = ["AuthenticationMethods publickey,password", "PasswordAuthentication yes"];
    let server = lab.sshd_with_joe(SOUND, &[], &both);
    assert_diagnosed(&login(&lab, &server, &JOE), &server, &["auth-partial-success"]);
    let server = lab.sshd_with_joe(SOUND, &[], &both);
    let wrong = login_with_password(&lab, &server, "battery staple", &JOE);
    assert_diagnosed(&wrong, &server, &["auth-password-rejected"]);
    assert!(because(&wrong).contains("one factor: publickey"), "{}", wrong.told());
    let server =
        lab.sshd_with_joe(SOUND, &[], &["AuthenticationMethods publickey,keyboard-interactive", ALL_METHODS[1]]);
    assert_diagnosed(&as_joe(&lab, &server, &[]), &server, &[]);
}

#[test]
fn who_is_not_among_allow_users_looks_like_a_rejected_key_or_password() {
    let Some(lab) = Lab::healthy() else { return };
    for (by, code) in [(BY_KEY, "auth-key-rejected"), (BY_PASSWORD, "auth-password-rejected")] {
        let server = lab.sshd_with_joe(SOUND, &[], &["AllowUsers root", ALL_METHODS[0]]);
        assert_diagnosed(&as_joe(&lab, &server, &by), &server, &[code]);
        assert!(server.log().contains("not listed in AllowUsers"), "{}", server.log());
    }
}
