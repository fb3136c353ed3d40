//! Explaining texts and logs: the right cause first, candidates where several fit, nothing invented, nothing secret.

mod catalogue;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use ssh_doctor::clients::Client;
use ssh_doctor::explain::{explained, render};
use ssh_doctor::report::Style;
use ssh_doctor_checks::causes;
use ssh_doctor_checks::causes::told::{Known, families, judge, texts};
use ssh_doctor_checks::logs::Reader;

use catalogue::sample;

struct Answer {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    fn first(&self) -> String {
        self.json()["diagnoses"][0]["code"].as_str().unwrap_or("none").to_owned()
    }
}

fn explain(args: &[&str], input: &[u8]) -> Answer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    command.arg("explain").args(args).env_remove("SSH_DOCTOR_PASSWORD");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that does not read its input closes it.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is printed is UTF-8");
    Answer { status: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// What the first lines of an answer say of the text that was asked about, with its white space left out.
fn said_of(text: &str) -> String {
    let explained = explained(text.as_bytes(), text, Client::Ssh, Known::all()).unwrap();
    let answer = render(&explained, text, &Style::default());
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    let head = bare(answer.split("\n\n").next().unwrap_or_default());
    head.strip_prefix(&format!("\"{}\":", bare(text)))
        .unwrap_or_else(|| panic!("{text:?} does not begin: {answer}"))
        .to_owned()
}

#[test]
fn of_a_bare_line_no_verdict_is_claimed() {
    let of_causes = causes::all().filter_map(|cause| cause.symptoms.first());
    let of_families = families().filter_map(|family| family.texts.first());
    let texts: Vec<_> = of_causes.chain(of_families).map(|text| sample(text)).collect();
    assert!(texts.len() > 150, "{}", texts.len());
    let steps =
        ["debug1: Authentication succeeded (publickey).", "frobnication of the quux", "Connection reset by peer"];
    for text in texts.iter().map(String::as_str).chain(steps) {
        let said = said_of(text).to_lowercase();
        for verdict in ["broken", "degraded", "healthy", "inconclusive", "fail", "problem"] {
            assert!(!said.contains(verdict), "{text:?}: {said}");
        }
    }
    assert_eq!(said_of("Connection reset by peer"), "severalcausesfitthistext,thelikeliestfirst");
    assert_eq!(said_of("Too many authentication failures"), "thistexthasonecause");
    assert_eq!(said_of("frobnication of the quux"), "nocauseinthecataloguematchesthistext");
}

#[test]
fn a_log_with_the_steps_of_a_connection_keeps_its_verdict() {
    let log = "debug1: Connecting to db [192.0.2.7] port 22.\nssh: connect to host db port 22: Connection refused\n";
    assert!(explain(&["-"], log.as_bytes()).stdout.contains("BROKEN  db: it fails at tcp"));
}

#[test]
fn an_ambiguous_line_gives_candidates_and_the_command_that_settles_it() {
    for text in [
        "Connection reset by peer",
        "Broken pipe",
        "Permission denied",
        "Permission denied (publickey).",
        "Connection to db closed by remote host.",
        "kex_exchange_identification: Connection closed by remote host",
        "kex_exchange_identification: read: Connection reset by peer",
        "rsync error: unexplained error (code 255) at io.c(228) [Receiver=3.2.7]",
        "rsync error: error in rsync protocol data stream (code 12) at io.c(228)",
        "Channel closed",
        "Write failed: Broken pipe",
    ] {
        let answer = explain(&["--format", "json", text], b"");
        let json = answer.json();
        let diagnoses = json["diagnoses"].as_array().unwrap();
        assert!(diagnoses.len() > 1, "{text}: {diagnoses:#?}");
        assert_ne!(diagnoses[0]["certainty"], "certain", "{text}");
        assert_eq!(answer.status, 2, "{text}");
        let people = explain(&[text], b"").stdout;
        assert!(people.contains("ssh-doctor check") && people.contains("if "), "{text}: {people}");
    }
}

#[test]
fn the_answer_to_an_ambiguous_line_fits_on_a_screen_of_80_columns_and_24_rows() {
    const ROWS: usize = 22;
    let of_families = families().flat_map(|family| family.texts.iter().take(2)).map(|text| sample(text));
    let asked = [
        "Connection reset by peer",
        "Broken pipe",
        "Permission denied",
        "Permission denied (publickey,gssapi-keyex,gssapi-with-mic,password).",
        "Connection to db.example closed by remote host.",
        "kex_exchange_identification: Connection closed by remote host",
        "kex_exchange_identification: read: Connection reset by peer",
        "Process exited with code 255",
        "rsync error: unexplained error (code 255) at io.c(228) [Receiver=3.2.7]",
        "rsync error: error in rsync protocol data stream (code 12) at io.c(228) [Receiver=3.2.7]",
    ];
    let mut misfits = Vec::new();
    for text in asked.map(ToOwned::to_owned).into_iter().chain(of_families) {
        let explained = explained(text.as_bytes(), &text, Client::Ssh, Known::all()).unwrap();
        let findings = &explained.diagnosis.findings;
        if findings.len() < 2 {
            continue;
        }
        let answer = render(&explained, &text, &Style { unicode: true, ..Style::default() });
        let rows: usize = answer.lines().map(|line| textwrap::core::display_width(line).div_ceil(80).max(1)).sum();
        let is_whole = findings.iter().take(3).all(|found| answer.contains(found.code)) && answer.contains(" if ");
        let has_a_step = ["ssh-doctor check", "Next step (", "Fix ("].iter().any(|step| answer.contains(step));
        if rows > ROWS || !is_whole || !has_a_step {
            misfits.push(format!("{rows} rows: {answer}"));
        }
    }
    assert!(misfits.is_empty(), "{}: {}", misfits.len(), misfits.join("\n\n"));
}

#[test]
fn an_unknown_text_is_quoted_and_said_to_be_unknown() {
    let answer = explain(&["frobnication of the quux failed"], b"");
    assert_eq!(answer.status, 3);
    assert!(
        answer.stdout.contains("frobnication of the quux failed") && answer.stdout.contains("Not in the catalogue"),
        "{}",
        answer.stdout
    );
    let json = explain(&["--format", "json", "frobnication of the quux failed"], b"").json();
    assert_eq!((json["verdict"].as_str(), json["diagnoses"].as_array().map(Vec::len)), (Some("inconclusive"), Some(0)));
}

#[test]
fn codes_misspelt_codes_files_and_standard_input_are_told_apart() {
    assert!(explain(&["tcp-refused"], b"").stdout.contains("tcp-refused, critical"));
    let misspelt = explain(&["tcp-refusd"], b"");
    assert_eq!(misspelt.status, 3);
    assert!(misspelt.stderr.contains("similar: tcp-refused"), "{}", misspelt.stderr);
    let line = b"ssh: connect to host db port 2222: Connection refused\n";
    let piped = explain(&["--format", "json", "-"], line);
    assert_eq!(piped.first(), "tcp-refused");
    assert_eq!((&piped.json()["target"]["host"], &piped.json()["target"]["port"]), (&"db".into(), &2222.into()));
    assert_eq!(
        explain(&["--format", "json", "ssh: connect to host db port 2222:", "Connection refused"], b"").first(),
        "tcp-refused"
    );
    assert_eq!(explain(&["-bash: fork: retry: Resource temporarily unavailable"], b"").status, 2);
    let missing = explain(&["/nonexistent/ssh.log"], b"");
    assert_eq!(missing.status, 3, "{}", missing.stdout);
}

#[test]
fn a_log_of_a_server_is_told_by_connection() {
    let line = |pid: u32, text: &str| format!("Nov 20 10:00:{:02} web1 sshd[{pid}]: {text}\n", pid % 60);
    let mut log = String::new();
    for pid in 100..130 {
        log += &line(pid, &format!("Invalid user oracle from 203.0.113.{} port {pid}", pid % 3));
        log +=
            &line(pid, &format!("Connection closed by invalid user oracle 203.0.113.{} port {pid} [preauth]", pid % 3));
    }
    for pid in 200..205 {
        log += &line(pid, "Authentication refused: bad ownership or modes for directory /home/alice");
        log += &line(pid, &format!("Connection closed by authenticating user alice 198.51.100.7 port {pid} [preauth]"));
    }
    for pid in 210..212 {
        let offer = "no matching host key type found. Their offer: ssh-dss [preauth]";
        log += &line(pid, &format!("Unable to negotiate with 198.51.100.9 port {pid}: {offer}"));
    }
    log += &line(300, "Accepted publickey for bob from 198.51.100.8 port 300 ssh2: ED25519 SHA256:x");
    log += "Nov 20 10:00:59 web1 CRON[5]: pam_unix(cron:session): Connection refused by nobody\n";
    let answer = explain(&["-"], log.as_bytes());
    let text = &answer.stdout;
    assert!(text.contains("38 connections"), "{text}");
    assert!(text.contains("30: auth-user-unknown") && text.contains("203.0.113.1 (10)"), "{text}");
    assert!(text.contains("5: auth-key-file-modes") && text.contains("198.51.100.7 (5)"), "{text}");
    assert!(text.contains("2: handshake-no-common-hostkey") && text.contains("198.51.100.9 (2)"), "{text}");
    assert!(!text.contains("tcp-refused"), "{text}");
    // Bob's login works: some cannot log in, and the server is not broken.
    assert!(text.contains("DEGRADED"), "{text}");
    assert_eq!(explain(&["--format", "json", "-"], log.as_bytes()).first(), "auth-key-file-modes");
}

#[test]
fn a_fix_names_the_login_that_was_refused_and_not_one_that_works() {
    let log = "Nov 20 10:00:01 db sshd[100]: Accepted password for alice from 10.0.0.5 port 50000 ssh2\n\
               Nov 20 10:00:02 db sshd[101]: Failed password for bob from 10.0.0.6 port 50001 ssh2\n\
               Nov 20 10:00:03 db sshd[101]: Connection closed by authenticating user bob 10.0.0.6 port 50001 [preauth]\n";
    let answer = explain(&["-"], log.as_bytes()).stdout;
    assert!(answer.contains("passwd -S bob") && !answer.contains("alice"), "{answer}");
}

#[test]
fn a_gap_before_a_line_names_the_step_that_was_slow() {
    let log = "2026-11-20 10:00:00.100 debug1: Connecting to db [192.0.2.7] port 22.\n\
        2026-11-20 10:00:00.200 debug1: Connection established.\n\
        2026-11-20 10:00:00.300 debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1\n\
        2026-11-20 10:00:00.400 debug1: SSH2_MSG_NEWKEYS received\n\
        2026-11-20 10:00:00.500 debug1: SSH2_MSG_SERVICE_ACCEPT received\n\
        2026-11-20 10:00:00.600 debug1: Next authentication method: publickey\n\
        2026-11-20 10:00:15.700 debug1: Authentication succeeded (publickey).\n\
        2026-11-20 10:00:15.800 debug1: Exit status 0\n";
    let answer = explain(&["--format", "json", "-"], log.as_bytes());
    assert_eq!(answer.first(), "auth-slow", "{}", answer.stdout);
    assert!(answer.json()["diagnoses"][0]["because"][0].as_str().unwrap().contains("15 s"), "{}", answer.stdout);
}

#[test]
fn secrets_in_a_log_are_not_repeated() {
    const CANARY: &str = "Kanarienvogel7";
    let log = format!(
        "OpenSSH_5.3p1, OpenSSL 1.0.1e\n\
        debug1: Executing proxy command: exec nc -X connect --proxy-auth me:{CANARY} proxy 3128\n\
        debug1: Executing proxy command: exec sshpass -p {CANARY} ssh -W db:22 gate\n\
        error: password={CANARY} failed for https://me:{CANARY}@proxy.example/\n\
        fatal: Authorization: Bearer {CANARY}abc rejected\n\
        error: Invalid user {CANARY}! from 192.0.2.1\n\
        b3BlbnNzaC1rZXktdjEAAAAA{CANARY}\n\
        Permission denied (publickey).\n"
    );
    for args in [&["-"][..], &["--format", "json", "-"], &["--format", "nagios", "-"], &["--format", "prometheus", "-"]]
    {
        let answer = explain(args, log.as_bytes());
        assert!(!answer.stdout.contains(CANARY) && !answer.stderr.contains(CANARY), "{args:?}: {}", answer.stdout);
    }
    let bare = explain(&[&format!("sshpass -p {CANARY} ssh db: Permission denied")], b"");
    assert!(!bare.stdout.contains(CANARY), "{}", bare.stdout);
}

#[test]
fn hostile_bytes_are_bounded_and_escaped() {
    let mut log =
        b"\xff\xfe\0\x1b]0;owned\x07\x1b[2Jssh: connect to host \x1b[31mdb\xe2\x80\xae port 22: Connection refused\n"
            .to_vec();
    log.extend(std::iter::repeat_n(b'A', 3_000_000));
    log.extend(b"\nkex_exchange_identification: \x1b[2K\x9b31m Connection closed by remote host\n{\"MESSAGE\":[1,2,\n");
    log.extend(b"ssh: connect to host -oProxyCommand=reboot port 22: Connection refused\n".repeat(1000));
    for args in [&["-"][..], &["--format", "json", "-"]] {
        let answer = explain(args, &log);
        assert!(answer.stdout.len() < 40_000, "{}", answer.stdout.len());
        let bad = answer.stdout.chars().find(|c| c.is_control() && *c != '\n' || "\u{202e}\u{9b}".contains(*c));
        assert_eq!(bad, None, "{args:?}: {}", answer.stdout);
        assert!(!answer.stdout.contains("check -oProxy") && !answer.stdout.contains("'-oProxy"), "{}", answer.stdout);
    }
}

#[test]
fn the_guide_to_channel_closed_shows_what_explain_answers() {
    let guide =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides/channel-closed.md")).unwrap();
    let reader = Reader::new(texts());
    let sections: Vec<_> = guide.split("\n## ").skip(1).filter_map(|section| section.split_once('\n')).collect();
    assert_eq!(sections.len(), 3);
    for (title, section) in sections {
        let asked =
            section.lines().find_map(|line| line.strip_prefix("$ ssh-doctor explain \"")?.strip_suffix('"')).unwrap();
        assert_eq!(asked.to_lowercase(), title.to_lowercase());
        let told = judge(&reader.read(asked.as_bytes()).unwrap(), Known::all());
        let answered: Vec<_> =
            told.iter().map(|one| (one.cause.code, one.sign.as_deref().unwrap_or_default())).take(6).collect();
        let shown: Vec<_> = section
            .lines()
            .filter_map(|line| {
                let cells: Vec<_> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
                matches!(&cells[..], [_, rank, _, _, _] if rank.parse::<u8>().is_ok()).then(|| (cells[2], cells[3]))
            })
            .collect();
        assert_eq!(shown, answered, "{title}");
    }
}

#[test]
fn a_log_with_its_newest_line_first_is_read_from_its_end_and_says_so() {
    let log = "Nov 20 10:00:05 web1 sshd[3970]: Failed password for alice from 10.0.0.9 port 50122 ssh2\n\
        Nov 20 10:00:03 web1 sshd[3970]: Connection from 10.0.0.9 port 50122 on 10.0.0.1 port 22\n\
        Nov 20 09:59:02 web1 sshd[3960]: Server listening on 0.0.0.0 port 22.\n";
    let text = explain(&["-"], log.as_bytes()).stdout;
    assert!(text.contains("3 lines (newest first: numbered from the last)"), "{text}");
    assert!(text.contains("line 3: Failed password for alice") && text.contains("09:59:02 to Nov 20"), "{text}");
}
