//! What reports say: every key of the JSON contract, and a text that can be read, copied and pasted at any width.

use serde_json::{Value, json};
use ssh_doctor::diagnose::{Diagnosis, FilledFix, Finding, Verdict, diagnose};
use ssh_doctor::report::json::Shape;
use ssh_doctor::report::{Style, full, json, text};
use ssh_doctor_checks::causes::{FixKind, Severity, Side};
use ssh_doctor_checks::facts::certainty::Certainty;
use ssh_doctor_checks::facts::{Check, Evidence};

use crate::support::{changed, errored, failed, healthy, skipped};

/// Sessions that die idle, as a run that found and proved it would say.
fn idle_death() -> (Evidence, Diagnosis) {
    let evidence = failed(&skipped(&healthy(), Check::Exit, "the connection is gone"), Check::Idle);
    let fix = FilledFix {
        kind: FixKind::Change,
        side: Side::Client,
        summary: "Let ssh send a keepalive before the timer runs out.".to_owned(),
        file: Some("~/.ssh/config"),
        snippet: Some("Host db\n    ServerAliveInterval 120\n    ServerAliveCountMax 3".to_owned()),
        verified: Some(true),
        caution: None,
        note: Some(
            "A dead server is noticed after 8 min: 2 min x (3 + 1). Today ssh sends none (ssh's default).".to_owned(),
        ),
    };
    let network = FilledFix {
        kind: FixKind::Change,
        side: Side::Network,
        summary: "Raise the idle timeout for established TCP connections on the device in between; for a Linux NAT:"
            .to_owned(),
        file: None,
        snippet: Some("sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=432000".to_owned()),
        verified: None,
        caution: Some(
            "it holds until the next start of the machine, and every connection then takes memory for longer"
                .to_owned(),
        ),
        note: None,
    };
    let finding = Finding {
        hop: None,
        code: "idle-silent-drop",
        stage: Check::Idle,
        severity: Severity::Critical,
        certainty: Certainty::Certain,
        reason_open: false,
        title: "Something on the path drops idle connections".into(),
        headline: None,
        explanation: "A firewall, NAT or load balancer keeps a table of connections and removes those that have been silent for longer than \
             its timer. What comes after that is dropped without a word, so both ends wait for each other.\n\nA server that \
             freezes looks alike for one session; here other sessions of the same age that were kept alive lived on.",
        because: vec![
            "a session silent for 342 s answered, one silent for 361 s did not".to_owned(),
            "a new connection made in the same second worked".to_owned(),
            "three sessions with a keepalive every 120 s outlived 400 s".to_owned(),
        ],
        fixes: vec![fix.clone(), network, FilledFix { verified: Some(false), ..fix }],
        suspects: Vec::new(),
    };
    (evidence, Diagnosis { verdict: Verdict::Broken, died_at: Some(Check::Idle), findings: vec![finding] })
}

fn parsed(evidence: &Evidence, diagnosis: &Diagnosis) -> Value {
    serde_json::from_str(&json::render(evidence, diagnosis, Shape::default())).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_json_has_the_contracts_keys_in_the_contracts_order() {
    let (evidence, diagnosis) = idle_death();
    let line = json::render(&evidence, &diagnosis, Shape::default());
    assert!(!line.contains('\n'));
    let mut rest = line.as_str();
    for key in [
        "schema_version",
        "tool",
        "name",
        "version",
        "started_at",
        "started_at_unix",
        "duration_ms",
        "target",
        "input",
        "host",
        "port",
        "user",
        "via",
        "address",
        "verdict",
        "exit_status",
        "died_at",
        "idle",
        "serves",
        "expected",
        "checks",
        "name",
        "status",
        "duration_ms",
        "summary",
        "evidence",
        "diagnoses",
        "code",
        "stage",
        "severity",
        "certainty",
        "reason_open",
        "title",
        "explanation",
        "because",
        "fixes",
        "side",
        "summary",
        "file",
        "snippet",
        "verified",
    ] {
        let (_, after) =
            rest.split_once(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key} is not where it should be"));
        rest = after;
    }
    let report: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(report["verdict"], "broken");
    assert_eq!(report["died_at"], "idle");
    assert_eq!(report["started_at"], "2026-11-20T22:41:07.500Z");
    assert_eq!(report["diagnoses"][0]["fixes"][0]["verified"], true);
    assert_eq!(report["diagnoses"][0]["fixes"][1]["verified"], Value::Null);
    assert_eq!(report["diagnoses"][0]["severity"], "critical");
    assert_eq!(report["checks"][3]["evidence"]["version"], "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3");
}

#[test]
fn the_json_has_the_same_keys_whatever_happened() {
    let (evidence, diagnosis) = idle_death();
    let broken = parsed(&evidence, &diagnosis);
    let unexamined = Evidence::unexamined();
    let nothing = parsed(&unexamined, &diagnose(&unexamined));
    assert_eq!(keys(&broken), keys(&nothing));
    assert_eq!(nothing["died_at"], Value::Null);
    for report in [&broken, &nothing] {
        let checks = report["checks"].as_array().unwrap();
        assert!(checks.iter().all(|check| keys(check) == keys(&checks[0])));
        let names: Vec<_> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            ["config", "dns", "tcp", "handshake", "hostkey", "auth", "channel", "transfer", "idle", "exit"]
        );
    }
    let fixes = broken["diagnoses"][0]["fixes"].as_array().unwrap();
    assert!(fixes.iter().all(|fix| keys(fix) == keys(&fixes[0])));
}

#[test]
fn a_check_has_one_of_five_statuses() {
    let (evidence, mut diagnosis) = idle_death();
    diagnosis.findings[0].stage = Check::Tcp;
    let report = parsed(&errored(&evidence, Check::Transfer, "no memory"), &diagnosis);
    let statuses: Vec<_> =
        report["checks"].as_array().unwrap().iter().map(|check| check["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["pass", "pass", "warn", "pass", "pass", "pass", "pass", "error", "fail", "skip"]);
    assert_eq!(report["checks"][9]["summary"], "the connection is gone");
    assert_eq!(report["checks"][9]["evidence"], Value::Null);
    diagnosis.findings[0].severity = Severity::Info;
    assert_eq!(parsed(&evidence, &diagnosis)["checks"][2]["status"], "pass");
}

/// Characters with which a server could rewrite a terminal: escape, carriage return, DEL, C1 CSI, right-to-left override.
const HOSTILE: &str = "a\x1b[2Jb\r\x7f\u{9b}31m\u{202e}c";

fn hostile() -> (Evidence, Diagnosis) {
    let (evidence, mut diagnosis) = idle_death();
    diagnosis.findings[0].because.push(HOSTILE.to_owned());
    diagnosis.findings[0].fixes[0].snippet = Some(HOSTILE.to_owned());
    let evidence = changed(&skipped(&evidence, Check::Exit, HOSTILE), |value| {
        value["target"]["host"] = HOSTILE.into();
        value["settings"]["not_honoured"] = json!([HOSTILE]);
    });
    (evidence, diagnosis)
}

#[test]
fn no_report_carries_a_control_character() {
    let (evidence, diagnosis) = hostile();
    let unsafe_in = |text: &str| text.chars().filter(|c| *c != '\n' && (c.is_control() || *c == '\u{202e}')).count();
    for pretty in [false, true] {
        let json = json::render(&evidence, &diagnosis, Shape { pretty, ..Shape::default() });
        assert_eq!(unsafe_in(&json), 0);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["target"]["host"], HOSTILE);
    }
    for unicode in [false, true] {
        for render in [text::render, full::render] {
            let text = render(&evidence, &diagnosis, &Style { unicode, ..Style::default() });
            assert_eq!(unsafe_in(&text), 0, "{text}");
        }
    }
}

#[test]
fn the_text_begins_with_the_verdict_and_its_fixes_can_be_pasted() {
    let (evidence, diagnosis) = idle_death();
    for (render, snippet) in [(text::render as Render, "    "), (full::render, "       ")] {
        let text = render(&evidence, &diagnosis, &Style::default());
        let first: Vec<_> = text.lines().take(2).collect();
        let address = "  alice@db.corp.test:22 via alice@bastion:22, address 10.20.0.5";
        assert_eq!(first, ["BROKEN  db: sessions die while idle", address]);
        let pasted: Vec<_> = text.lines().skip_while(|line| !line.contains("Host db")).take(3).collect();
        let expected = ["Host db", "    ServerAliveInterval 120", "    ServerAliveCountMax 3"];
        assert_eq!(pasted, expected.map(|line| format!("{snippet}{line}")));
        assert!(flat(&text).contains("proven on this path"), "{text}");
    }
}

type Render = fn(&Evidence, &Diagnosis, &Style) -> String;

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_default_report_has_verdict_cause_proof_and_fix_and_the_full_one_has_the_rest() {
    let (evidence, diagnosis) = idle_death();
    let text = flat(&text::render(&evidence, &diagnosis, &Style::default()));
    for part in [
        "Cause: Something on the path drops idle connections idle-silent-drop, confirmed (similar causes ruled out)",
        "a session silent for 342 s answered",
        "Fix (client, ~/.ssh/config, above its first Host; proven on this path): Let ssh send a keepalive",
        "Or (network): Raise the idle timeout",
        "Full report: -v; all fixes: ssh-doctor explain idle-silent-drop",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(!text.contains("did not hold"), "a fix that did not hold is no fix: {text}");
    let full = flat(&full::render(&evidence, &diagnosis, &Style::default()));
    for part in [
        "tried, did not hold",
        "idle-silent-drop, critical, confirmed",
        "Settings: ssh -G",
        "Not honoured: ControlMaster",
        "14 connections (limit 60), 13 logins",
        "ssh-doctor explain idle-silent-drop",
    ] {
        assert!(full.contains(part), "{part} is missing in\n{full}");
    }
}

#[test]
fn a_condition_whose_reason_is_open_does_not_claim_that_similar_causes_are_ruled_out() {
    let (evidence, mut diagnosis) = idle_death();
    let told = |diagnosis: &Diagnosis| flat(&full::render(&evidence, diagnosis, &Style::default()));
    assert!(told(&diagnosis).contains("confirmed (similar causes ruled out)"));
    assert!(!told(&diagnosis).contains("looks alike for one session"), "the second paragraph is not needed");
    diagnosis.findings[0].reason_open = true;
    let text = told(&diagnosis);
    assert!(text.contains("confirmed; the reason is not known"), "{text}");
    assert!(!text.contains("ruled out") && text.contains("looks alike for one session"), "{text}");
}

#[test]
fn the_text_keeps_to_its_width_to_ascii_and_to_no_colour() {
    let (evidence, diagnosis) = idle_death();
    for (width, unicode, render) in [40, 60, 80, 132].into_iter().flat_map(|width| {
        [
            (width, false, text::render as Render),
            (width, true, text::render),
            (width, false, full::render),
            (width, true, full::render),
        ]
    }) {
        let text = render(&evidence, &diagnosis, &Style { width, unicode, color: false });
        let snippet = |line: &str| line.contains("net.netfilter") || line.contains("ServerAlive");
        let over: Vec<_> = text.lines().filter(|line| !snippet(line) && line.chars().count() > width).collect();
        assert!(over.is_empty(), "{width}: {over:#?}");
        assert!(unicode || text.is_ascii(), "{text}");
        assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let (evidence, diagnosis) = idle_death();
    for render in [text::render, full::render] {
        let plain = render(&evidence, &diagnosis, &Style { unicode: true, ..Style::default() });
        let coloured = render(&evidence, &diagnosis, &Style { unicode: true, color: true, ..Style::default() });
        assert_ne!(plain, coloured);
        let stripped = anstream::adapter::strip_str(&coloured).to_string();
        let trimmed: Vec<_> = stripped.lines().map(str::trim_end).collect();
        assert_eq!(trimmed, plain.lines().collect::<Vec<_>>());
    }
}

#[test]
fn a_good_verdict_says_what_it_does_not_cover() {
    let evidence = skipped(&skipped(&healthy(), Check::Idle, "not asked for"), Check::Transfer, "not asked for");
    let text = text::render(&evidence, &diagnose(&evidence), &Style::default());
    assert!(text.starts_with("HEALTHY  db"), "{text}");
    assert!(text.contains("Not tested: transfer (not asked for).") && text.contains("Idle time not tested;"), "{text}");
    assert!(!text.contains("ssh-doctor explain"), "{text}");
    let interrupted = changed(&evidence, |value| value["interrupted"] = true.into());
    let text = text::render(&interrupted, &diagnose(&interrupted), &Style::default());
    assert!(text.starts_with("INCONCLUSIVE") && text.contains("stopped"), "{text}");
}
