//! Accounts on which a command is forced, or whose shell is not one: what runs there is run once, and named as surely as it shows.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::channels::examined;
use crate::lab::{Lab, Report, Server};

/// Examines an account on which this is forced; gives also how often it ran.
fn forced(lab: &Lab, command: &str, options: &[&str]) -> (Report, usize) {
    let server = lab.sshd(&[&format!("ForceCommand {command}")]);
    let seen = examined(lab, &server, options);
    (seen, server.log().matches("Starting session: forced-command").count())
}

/// The one diagnosis: its code, its certainty and its reasons.
fn diagnosis(seen: &Report) -> (&str, &str, String) {
    let [found] = seen.json["diagnoses"].as_array().expect("diagnoses").as_slice() else { panic!("{}", seen.told()) };
    let text = |name: &str| found[name].as_str().expect("text");
    let because: Vec<_> = found["because"].as_array().expect("reasons").iter().filter_map(Value::as_str).collect();
    (text("code"), text("certainty"), because.join("\n"))
}

#[test]
fn a_program_that_quotes_our_command_back_is_certain() {
    let Some(lab) = Lab::healthy() else { return };
    let gitolite = r#"echo "FATAL: unknown git/gitolite command: '$SSH_ORIGINAL_COMMAND'" >&2; exit 1"#;
    let echoing = r#"echo "not allowed: $SSH_ORIGINAL_COMMAND"; exit 2"#;
    let git_shell = r#"git-shell -c "$SSH_ORIGINAL_COMMAND""#;
    let has_git_shell = Command::new("git-shell").arg("-c").arg("no").output().is_ok();
    let programs =
        [Some((gitolite, "FATAL")), Some((echoing, "not allowed")), has_git_shell.then_some((git_shell, "fatal"))];
    for (command, words) in programs.into_iter().flatten() {
        let (seen, times) = forced(&lab, command, &[]);
        let (code, certainty, because) = diagnosis(&seen);
        assert_eq!((code, certainty, times), ("session-restricted", "certain", 1), "{command}: {}", seen.told());
        assert!(because.contains(words) && because.contains("exec sh -c"), "{because}");
        assert_eq!(seen.json["verdict"], "healthy", "{}", seen.told());
    }
}

#[test]
fn an_end_without_a_word_proves_nothing_and_names_forced_commands() {
    let Some(lab) = Lab::healthy() else { return };
    // What did not succeed runs once more at most: sftp may be what the account is for.
    for (command, certainty, verdict, runs) in [
        ("exit 0", "possible", "degraded", 1),
        ("exit 3", "likely", "broken", 2),
        ("echo go away >&2; exit 3", "possible", "degraded", 2),
    ] {
        let (seen, times) = forced(&lab, command, &[]);
        let (code, sure, because) = diagnosis(&seen);
        assert_eq!((code, sure, times), ("session-shell-exits", certainty, runs), "{command}: {}", seen.told());
        assert_eq!(seen.json["verdict"], verdict, "{command}: {}", seen.told());
        assert!(seen.fixes().any(|fix| fix.to_string().contains("grep -n command=")), "{}", seen.told());
        assert_eq!(because.contains("go away"), command.contains("go away"), "{because}");
    }
}

#[test]
fn a_forced_command_that_prints_its_usage_runs_once_more_at_most() {
    let Some(lab) = Lab::healthy() else { return };
    for complaint in ["", "deploy: invalid option -- c; "] {
        let (seen, times) = forced(&lab, &format!("echo '{complaint}Usage: deploy [options] ENV' >&2; exit 2"), &[]);
        assert_eq!((seen.codes(), times), (vec!["session-shell-exits"], 2), "{complaint}: {}", seen.told());
        assert_eq!(seen.json["verdict"], "degraded", "{complaint}: {}", seen.told());
    }
}

#[test]
fn a_command_that_keeps_running_is_named_and_started_once() {
    let menu = (r#"echo "Bastion menu..."; read x"#, "Bastion menu...");
    let endless = ("yes bastion", "bastion\\nbastion");
    let silent = ("exec cat >/dev/null", "ended at the end of its input");
    std::thread::scope(|scope| {
        for (command, words) in [menu, endless, silent] {
            scope.spawn(move || {
                let Some(lab) = Lab::healthy() else { return };
                let (seen, times) = forced(&lab, command, &[]);
                let (code, sure, because) = diagnosis(&seen);
                assert_eq!((code, sure), ("session-restricted", "likely"), "{command}: {}", seen.told());
                assert!(because.contains(words), "{because}");
                assert_eq!(times, 1, "{command}: {}", seen.told());
                assert_eq!(seen.json["spent"]["connections"], 1, "{command}: {}", seen.told());
                let summary = seen.check("channel")["summary"].to_string();
                assert!(summary.contains("a program of its own"), "{summary}");
                assert!(seen.json["duration_ms"].as_f64().is_some_and(|ms| ms < 20_000.0), "{}", seen.told());
            });
        }
    });
}

#[test]
fn other_servers_force_commands_by_the_key_as_well() {
    let Some(lab) = Lab::healthy() else { return };
    let starts: [fn(&Lab) -> Option<Server>; 3] =
        [|lab| Some(lab.sshd(&[])), |lab| lab.asyncssh(&[]), |lab| lab.dropbear(&[])];
    let quoting = r"echo ran >>$HOME/ran; echo 'refused: exec sh -c' >&2; exit 2";
    for (command, code, certainty, most) in [
        (quoting, "session-restricted", "certain", 1),
        ("echo ran >>$HOME/ran; exit 2", "session-shell-exits", "likely", 2),
        ("echo ran >>$HOME/ran; exec cat >/dev/null", "session-restricted", "likely", 1),
    ] {
        lab.key_options(&format!("command=\"{command}\""));
        for server in starts {
            let Some(server) = server(&lab) else { continue };
            lab.at_server_home("ran", "");
            let seen = examined(&lab, &server, &["--timeout", "3s"]);
            let (named, sure, _) = diagnosis(&seen);
            assert_eq!((named, sure), (code, certainty), "{command}: {}", seen.told());
            let ran = std::fs::read_to_string(lab.home().path("server/ran")).expect("it ran");
            assert!((1..=most).contains(&ran.lines().count()), "{ran}{}", seen.told());
        }
    }
}

#[test]
fn what_is_forced_is_not_started_once_more_in_depth() {
    let Some(lab) = Lab::healthy() else { return };
    let (seen, times) = forced(&lab, "echo no", &["--deep"]);
    assert_eq!((seen.codes(), times), (vec!["session-restricted"], 1), "{}", seen.told());
}

#[test]
fn a_limit_on_connections_without_a_session_is_no_limit_on_what_is_forced() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["ForceCommand echo done", "UnusedConnectionTimeout 4s"]);
    let seen = lab.doctor(&server, &["--idle", "10s", "--sessions", "4"], Duration::from_mins(1));
    assert_eq!(seen.codes(), ["session-restricted"], "{}", seen.told());
    assert_eq!(seen.json["verdict"], "inconclusive", "{}", seen.told());
    assert!(seen.check("idle")["summary"].to_string().contains("connections without one"), "{}", seen.told());
}

#[test]
fn the_word_nologin_alone_is_not_the_message() {
    let Some(lab) = Lab::healthy() else { return };
    let (seen, _) = forced(&lab, "echo 'deploy: unknown option --nologin'; exit 2", &[]);
    assert_eq!(seen.codes(), ["session-shell-exits"], "{}", seen.told());
    let (seen, _) = forced(&lab, "/usr/sbin/nologin", &[]);
    assert_eq!(seen.codes(), ["session-nologin"], "{}", seen.told());
}

#[test]
fn a_restricted_shell_that_may_not_replace_itself_runs_everything() {
    let Some(lab) = Lab::healthy() else { return };
    lab.server_shell("/bin/rbash");
    let seen = lab.doctor(&lab.sshd(&[]), &["--idle", "0", "--server", "--deep"], Duration::from_mins(1));
    assert_eq!(seen.codes(), Vec::<&str>::new(), "{}", seen.told());
    for check in ["channel", "transfer", "exit"] {
        assert_eq!(seen.check(check)["status"], "pass", "{}", seen.told());
    }
    assert_eq!(seen.json["server"]["failure"], Value::Null, "{}", seen.told());
}

#[test]
fn a_server_is_not_said_to_run_nothing_where_nothing_was_asked() {
    let Some(lab) = Lab::healthy() else { return };
    let seen = lab.doctor(&lab.sshd(&[]), &["--only", "auth", "--server"], Duration::from_mins(1));
    let failure = seen.json["server"]["failure"].to_string();
    assert!(failure.contains("channel was not asked for"), "{failure}");
}
