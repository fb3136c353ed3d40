//! Known products in a report: offered with their knobs, never as the answer.

use std::path::Path;
use std::{env, fs};

use serde_json::{Value, json};
use ssh_doctor::diagnose::{Diagnosis, diagnose_by};
use ssh_doctor::guide;
use ssh_doctor::report::{Style, json, text};
use ssh_doctor_checks::cause::{Cause, Certainty, Match, Severity};
use ssh_doctor_checks::evidence::{Check, Evidence};
use ssh_doctor_checks::suspects;

use crate::support::{changed, failed, healthy};

static FORGETS: Cause = Cause {
    code: "idle-made-up",
    stage: Check::Idle,
    title: "Something forgets",
    severity: Severity::Critical,
    explanation: "It is made up. It has no look-alikes.",
    fixes: &[],
    symptoms: &[],
    hides: &[],
    judge: |evidence| Some(Match::new(Certainty::Certain, ["so"]).suspecting(suspects::of(evidence))),
};

/// A silence between `survived` and `died` that kills in this manner.
fn timer(survived: f64, died: f64, manner: &str) -> Evidence {
    changed(&failed(&healthy(), Check::Idle), |value| {
        let facts = &mut value["idle"]["facts"];
        facts["timeout"] = json!({"survived_s": survived, "died_s": died});
        facts["arms"] = json!([{
            "session": 1, "moves": "nothing", "holds": "command", "speaks_first": "client", "hop": null, "interval_s": null,
            "started_s": 0.0, "lasted_s": died, "age_s": died, "channel_quiet_s": null, "heard_bytes": 0,
            "end": {"end": "died", "manner": {"kind": manner}, "sign": "after-probe", "others_alive": true, "tcp": null},
        }]);
    })
}

fn judged(evidence: &Evidence) -> Diagnosis {
    diagnose_by([&FORGETS], evidence)
}

fn in_json(evidence: &Evidence) -> Value {
    let report: Value = serde_json::from_str(&json::render(evidence, &judged(evidence), false)).unwrap();
    report["diagnoses"][0]["suspects"].clone()
}

#[test]
fn the_text_offers_them_with_what_to_paste() {
    let evidence = timer(340.0, 360.0, "silent");
    let text = text::render(&evidence, &judged(&evidence), &Style::default());
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "Consistent with (a timer and a manner alone prove none of them):",
        "* AWS Network Firewall: 350 s of silence by default, settable from 60 s to 100 min; then packets are dropped without a word.",
        "--attributes Key=tcp.idle_timeout.seconds,Value=6000",
        "--connection-tracking-specification TcpEstablishedTimeout=7440",
    ] {
        assert!(flat.contains(part), "{part} is missing in\n{text}");
    }
    assert!(!flat.contains("NAT Gateway") && text.is_ascii(), "{text}");
    let pasted = |line: &str| line.starts_with("       ");
    assert!(text.lines().all(|line| pasted(line) || line.len() <= 80), "{text}");
}

#[test]
fn the_json_has_them_under_every_finding_with_the_same_keys() {
    let reset = in_json(&timer(340.0, 360.0, "reset"));
    let names: Vec<_> = reset.as_array().unwrap().iter().map(|suspect| suspect["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["AWS NAT Gateway", "AWS Network Load Balancer, TCP listener"]);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&reset[0]), ["age_s", "idle_s", "knob", "name", "source", "why"]);
    assert_eq!(keys(&reset[0]), keys(&reset[1]));
    assert_eq!((&reset[0]["idle_s"], &reset[0]["knob"]), (&json!(350), &Value::Null));
    assert_eq!(reset[1]["knob"]["side"], "network");
    assert!(reset[0]["why"].as_str().unwrap().contains("not settable"));
}

#[test]
fn a_timer_of_the_lab_names_nobody() {
    let lab = timer(5.0, 6.0, "silent");
    assert_eq!(in_json(&lab), json!([]));
    let text = text::render(&lab, &judged(&lab), &Style::default());
    assert!(!text.contains("Consistent with"), "{text}");
}

#[test]
fn the_guide_to_keepalives_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides/keepalives.md");
    let page = guide::page();
    if env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/guides/keepalives.md is stale: UPDATE=1 cargo test --test all guide");
}
