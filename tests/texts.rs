//! Texts as programs print them: each is given a right cause first, or none.

mod shown;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ssh_doctor::clients::Client;
use ssh_doctor::diagnose::Verdict;
use ssh_doctor::explain::explained;
use ssh_doctor_checks::causes::{
    self, Severity,
    told::{Known, judge, texts},
};
use ssh_doctor_checks::facts::certainty::Certainty;
use ssh_doctor_checks::logs::Reader;

/// The texts of a file of known ones, each with the words on the line before it.
fn asked(file: &str) -> Vec<(String, String)> {
    let all = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("checks/src/causes/told/known").join(file))
        .unwrap();
    let asked = all.split("\n== ").skip(1).filter_map(|one| one.split_once('\n'));
    asked.map(|(words, text)| (words.to_owned(), text.to_owned())).collect()
}

#[test]
fn texts_that_people_ask_about_are_given_a_right_cause_first() {
    let reader = Reader::new(texts());
    let known: BTreeSet<_> = causes::all().map(|cause| cause.code).chain(["none"]).collect();
    let asked = asked("texts.txt");
    assert!(asked.len() > 1100, "{} texts", asked.len());
    let wrong: Vec<_> = asked
        .iter()
        .filter_map(|(codes, text)| {
            let unknown = codes.split(' ').find(|code| !known.contains(code));
            assert_eq!(unknown, None, "{text}");
            let told = judge(&reader.read(text.as_bytes()).unwrap(), &Known::nothing());
            let first = told.first().map_or("none", |one| one.cause.code);
            (!codes.split(' ').any(|code| code == first)).then(|| format!("{first}, not {codes}: {text}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), asked.len());
}

#[test]
fn what_works_is_not_called_broken_and_what_is_not_ssh_is_unknown() {
    let asked = asked("harmless.txt");
    assert!(asked.len() > 120, "{} texts", asked.len());
    let wrong: Vec<_> = asked
        .iter()
        .filter_map(|(words, text)| {
            let diagnosis = explained(text.as_bytes(), "a text", Client::Ssh, &Known::nothing()).unwrap().diagnosis;
            let grave = diagnosis.findings.iter().filter(|found| found.severity != Severity::Info);
            let codes: Vec<_> = grave.map(|found| found.code).collect();
            let is_right = match words.as_str() {
                "healthy" => codes.is_empty() && diagnosis.verdict != Verdict::Broken,
                "succeeded" => diagnosis.findings.is_empty() && diagnosis.verdict == Verdict::Healthy,
                _ => diagnosis.findings.is_empty() && diagnosis.verdict == Verdict::Inconclusive,
            };
            (!is_right).then(|| format!("{:?} {codes:?}, not {words}: {text}", diagnosis.verdict))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), asked.len());
}

/// A text broken at spaces so that no line is wider than `columns`, where a word is not.
fn wrapped(text: &str, columns: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().unwrap();
        if last.is_empty() {
            last.push_str(word);
        } else if last.len() + 1 + word.len() <= columns {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}

#[test]
fn a_message_broken_into_lines_is_given_the_same_cause() {
    let reader = Reader::new(texts());
    let first = |text: &str| {
        let told = judge(&reader.read(text.as_bytes()).unwrap(), &Known::nothing());
        told.first().map_or("none", |one| one.cause.code)
    };
    let messages: Vec<_> = asked("texts.txt")
        .into_iter()
        .map(|(_, text)| text.trim().to_owned())
        .filter(|text| !text.contains('\n'))
        .collect();
    let (mut broken, mut wrong) = (0, Vec::new());
    for text in &messages {
        let whole = first(text);
        for columns in [40, 60, 72, 100] {
            let lines = wrapped(text, columns);
            if !lines.contains('\n') {
                continue;
            }
            for lines in [lines.clone(), format!("> {}", lines.replace('\n', "\n> "))] {
                broken += 1;
                let other = first(&lines);
                if other != whole {
                    wrong.push(format!("{other}, not {whole}: {lines}"));
                }
            }
        }
    }
    assert!(broken > 500, "{broken} of {} messages are long enough", messages.len());
    assert!(wrong.is_empty(), "{} of {broken}: {wrong:#?}", wrong.len());
}

#[test]
fn a_certificate_refused_before_another_login_is_a_warning() {
    let log = "sshd[1850]: error: Certificate invalid: name is not a listed principal\n\
        sshd[1850]: Accepted password for dev from 10.0.2.2 port 65275 ssh2\n";
    let told = judge(&Reader::new(texts()).read(log.as_bytes()).unwrap(), &Known::nothing());
    let one = told.first().map(|one| (one.cause.code, one.found.severity));
    assert_eq!(one, Some(("auth-cert-principal", Some(Severity::Warning))));
}

#[test]
fn a_few_connections_dropped_among_many_logins_are_a_warning() {
    let login = |pid: u8| {
        format!("sshd[{pid}]: Accepted publickey for dev from 192.0.2.{pid} port 1000 ssh2: ED25519 SHA256:AAAA\n")
    };
    let drop = "sshd[99]: drop connection #10 from [203.0.113.9]:60000 on [192.0.2.5]:22 past MaxStartups\n";
    let severity = |log: &str| {
        let told = judge(&Reader::new(texts()).read(log.as_bytes()).unwrap(), &Known::nothing());
        told.first().map(|one| (one.cause.code, one.found.severity.unwrap_or(one.cause.severity)))
    };
    let many = format!("{}{}{drop}{}", login(1), login(2), login(3));
    assert_eq!(severity(&many), Some(("handshake-max-startups", Severity::Warning)));
    let few = format!("{}{}", login(1), drop);
    assert_eq!(severity(&few), Some(("handshake-max-startups", Severity::Critical)));
}

#[test]
fn a_complaint_that_is_not_understood_before_any_login_is_not_health() {
    let log = "Connected to SSH server at db, port 22\nError: the gate is shut\n";
    let diagnosis = explained(log.as_bytes(), "a text", Client::Ssh, &Known::nothing()).unwrap().diagnosis;
    assert!(diagnosis.findings.is_empty(), "{:?}", diagnosis.findings);
    assert_eq!(diagnosis.verdict, Verdict::Inconclusive);
}

#[test]
fn a_message_in_words_that_no_rule_has_is_compared_with_known_texts() {
    let first = |text: &str, known: &Known| {
        let told = judge(&Reader::new(texts()).read(text.as_bytes()).unwrap(), known);
        told.first().map_or("none", |one| one.cause.code)
    };
    let asked = [
        (
            "tcp-source-banned",
            "after a few wrong passwords I can't reach the server at all any more from home, but over my phone's hotspot it works",
        ),
        ("session-rc-output", "scp stopped working after i put an echo into .bashrc on the server, normal ssh is fine"),
        ("path-udp-blocked", "mosh logs in and then sits at 'nothing received from server', ssh is fine"),
        ("session-limit", "all vty lines of the switch are taken, ssh says no free line"),
        ("exit-by-signal", "ssh: remote command killed by SIGKILL"),
        ("none", "SSH tunnel closed."),
        ("none", "how do I copy a directory with scp to another machine"),
        ("none", "please send me the minutes of the meeting, it took too long"),
    ];
    for (code, text) in asked {
        assert_eq!(first(text, Known::all()), code, "{text}");
    }
    let by_rules = asked.iter().filter(|(code, text)| first(text, &Known::nothing()) == *code);
    assert!(by_rules.count() < 3, "the others need the texts");
}

#[test]
fn a_log_cut_off_in_the_handshake_is_neither_health_nor_failure() {
    let steps = "debug1: Connecting to db [192.0.2.5] port 22.\ndebug1: Connection established.\n\
        debug1: Remote protocol version 2.0, remote software version OpenSSH_9.6\ndebug1: SSH2_MSG_KEXINIT sent\n\
        debug1: SSH2_MSG_KEXINIT received\ndebug1: kex: algorithm: curve25519-sha256\n";
    let diagnosis = explained(steps.as_bytes(), "a log", Client::Ssh, &Known::nothing()).unwrap().diagnosis;
    assert_eq!((diagnosis.findings.len(), diagnosis.verdict), (0, Verdict::Inconclusive));
    let waits = format!("{steps}debug1: expecting SSH2_MSG_KEX_ECDH_REPLY\n");
    let diagnosis = explained(waits.as_bytes(), "a log", Client::Ssh, &Known::nothing()).unwrap().diagnosis;
    assert!(diagnosis.findings.iter().all(|found| found.certainty == Certainty::Possible), "{:?}", diagnosis.findings);
}

#[test]
fn a_tunnel_that_answers_with_a_web_page_is_not_certain_to_be_a_failed_proxy_command() {
    let log = "ERR failed to connect to origin error=\"websocket: bad handshake\" originURL=https://ssh.example.com\n\
        websocket: bad handshake\nkex_exchange_identification: Connection closed by remote host\n";
    let told = judge(&Reader::new(texts()).read(log.as_bytes()).unwrap(), &Known::nothing());
    let codes: Vec<_> = told.iter().map(|one| (one.cause.code, one.found.certainty)).take(2).collect();
    let expected = [("jump-proxy-command-failed", Certainty::Likely), ("handshake-not-ssh", Certainty::Possible)];
    assert_eq!(codes, expected);
}

#[test]
fn a_server_whose_clients_all_end_before_they_are_let_in_is_not_called_healthy() {
    let closed = |pid: u8| {
        format!(
            "Oct 21 19:46:55 web1 sshd[{pid}]: Connection closed by authenticating user kim 192.0.2.200 port 492{pid} [preauth]\n"
        )
    };
    let log: String = [21, 23, 25, 27].map(closed).concat();
    let diagnosis = explained(log.as_bytes(), "a log", Client::Ssh, &Known::nothing()).unwrap().diagnosis;
    let grave = diagnosis.findings.iter().filter(|found| found.severity != Severity::Info).count();
    assert!(grave > 0 || diagnosis.verdict == Verdict::Inconclusive, "{diagnosis:?}");
}

#[test]
fn a_log_that_ends_at_the_login_was_cut() {
    let log = "debug1: Connecting to db [192.0.2.5] port 22.\ndebug1: Connection established.\n\
        debug1: Server accepts key: /home/dev/.ssh/id_ed25519 ED25519 SHA256:AAAA\n\
        Authenticated to db ([192.0.2.5]:22) using \"publickey\".\n";
    let waits = format!("{log}debug1: channel 0: new session [client-session] (inactive timeout: 0)\n");
    let codes = |log: &str| {
        let diagnosis = explained(log.as_bytes(), "a log", Client::Ssh, &Known::nothing()).unwrap().diagnosis;
        diagnosis.findings.first().map(|found| found.code)
    };
    assert_eq!(codes(log), None);
    assert_eq!(codes(&waits), Some("session-start-hangs"));
}

#[test]
fn what_several_causes_print_is_never_certain() {
    let texts_of_many = [
        "protocol version mismatch -- is your shell clean?",
        "Could not set up port forward on 127.0.0.1:8080",
        "failed to evaluate SSH policy",
        "[SSH] java.io.IOException: Unexpected termination of the channel",
        "is your shell clean?",
        "rsync: [sender] write error: Broken pipe (32)",
        "Timed out while parsing the response from the server",
        "Failed to parse remote port from server output",
        "failed to establish ssh session (1)",
        "kernel: sshd[812]: segfault at 0",
        "PAM: failed create sockets",
        "error -43: transport read",
        "exited with error status 255; restarting ssh",
        "referred to nonexistent channel, ssh",
        "Disconnecting: bad packet",
    ];
    for text in texts_of_many {
        let told = judge(&Reader::new(texts()).read(text.as_bytes()).unwrap(), &Known::nothing());
        let first = told.first().map(|one| one.found.certainty);
        assert!(first.is_some_and(|first| first != Certainty::Certain), "{text}: {told:?}");
    }
}

#[test]
fn only_a_commands_own_status_is_its_failure() {
    let told = |request: &str, status: i32| {
        let log = format!(
            "debug1: Authenticated to db ([192.0.2.1]:22) using \"publickey\".\ndebug1: Entering interactive session.\n{request}\
             frob: cannot frob the bar\ndebug1: Exit status {status}\n"
        );
        let log = Reader::new(texts()).read(log.as_bytes()).unwrap();
        judge(&log, &Known::nothing()).iter().any(|one| one.cause.code == "exit-command-failed")
    };
    let command = "debug1: Sending command: frob\n";
    assert!(told(command, 1) && told(command, 253));
    for status in [-1, 0, 254, 255] {
        assert!(!told(command, status), "{status}");
    }
    assert!(!told("", 1), "a shell whose last command failed");
    assert!(!told("debug1: Sending subsystem: sftp\n", 1));
}
