//! Known products in a report: offered with their knobs, never as the answer.

use std::path::Path;
use std::{env, fs};

use serde_json::{Value, json};
use ssh_doctor::clients::Client;
use ssh_doctor::diagnose::{Diagnosis, diagnose, diagnose_by};
use ssh_doctor::guide;
use ssh_doctor::report::json::Shape;
use ssh_doctor::report::{Style, full, json};
use ssh_doctor_checks::causes::{Cause, Match, Severity, suspects};
use ssh_doctor_checks::facts::certainty::Certainty;
use ssh_doctor_checks::facts::{Check, Evidence};

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
    ..Cause::NEW
};

/// A silence between `survived` and `died` that kills in this manner.
fn timer(survived: f64, died: f64, manner: &str) -> Evidence {
    changed(&failed(&healthy(), Check::Idle), |value| {
        let facts = &mut value["idle"]["facts"];
        let arm = |lasted: f64, end: Value| {
            json!({
                "session": 1, "moves": "nothing", "holds": "command", "speaks_first": "client", "hop": null, "interval_s": null,
                "started_s": 0.0, "lasted_s": lasted, "age_s": lasted, "channel_quiet_s": null, "heard_bytes": 0, "end": end,
            })
        };
        let end = json!({"end": "died", "manner": {"kind": manner}, "sign": "after-probe", "others_alive": true, "tcp": null});
        facts["arms"] = json!([arm(survived + 0.2, json!({"end": "alive", "rtt_ms": 1.0})), arm(died, end)]);
    })
}

fn judged(evidence: &Evidence) -> Diagnosis {
    diagnose_by([&FORGETS], Client::Ssh, evidence)
}

fn in_json(evidence: &Evidence) -> Value {
    let report: Value = serde_json::from_str(&json::render(evidence, &judged(evidence), Shape::default())).unwrap();
    report["diagnoses"][0]["suspects"].clone()
}

#[test]
fn the_text_offers_them_with_what_to_paste() {
    let evidence = timer(340.0, 360.0, "silent");
    let text = full::render(&evidence, &judged(&evidence), &Style::default());
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

/// A recorded timer of the lab as it would be if each of its seconds were so many.
fn stretched(recording: &str, factor: f64) -> Evidence {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recorded").join(recording);
    let mut value: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let stretch = |times: &mut Value| {
        for (_, time) in times.as_object_mut().unwrap().iter_mut().filter(|(name, _)| name.ends_with("_s")) {
            if let Some(seconds) = time.as_f64().filter(|_| time.is_f64()) {
                *time = (seconds * factor).into();
            }
        }
    };
    let facts = &mut value["idle"]["facts"];
    stretch(facts);
    facts["arms"].as_array_mut().unwrap().iter_mut().for_each(stretch);
    serde_json::from_value(value).unwrap()
}

/// The products and the fixes for the network that a whole report of a stretched recording has.
fn reported(evidence: &Evidence, code: &str) -> (Vec<String>, Vec<String>, String) {
    let found = diagnose(evidence);
    let report: Value = serde_json::from_str(&json::render(evidence, &found, Shape::default())).unwrap();
    let first = &report["diagnoses"][0];
    assert_eq!(first["code"], code, "{report:#}");
    let list = |key: &str| first[key].as_array().unwrap().clone();
    let names = list("suspects").iter().map(|suspect| suspect["name"].as_str().unwrap().to_owned()).collect();
    let network = list("fixes").into_iter().filter(|fix| fix["side"] == "network");
    let network = network.map(|fix| fix["summary"].as_str().unwrap().to_owned()).collect();
    let text = full::render(evidence, &found, &Style::default());
    (names, network, text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn a_recorded_reset_at_350_s_is_consistent_with_several_products_and_is_none_for_sure() {
    let evidence = stretched("idle-reset--kernel-nat-8s.json", 350.0 / 8.0);
    let (names, network, text) = reported(&evidence, "idle-reset");
    assert_eq!(names, ["AWS NAT Gateway", "AWS Network Load Balancer, TCP listener"]);
    assert!(
        network.iter().all(|summary| summary.ends_with("by its own setting")) && !network.is_empty(),
        "{network:?}"
    );
    assert!(text.contains("Consistent with (a timer and a manner alone prove none of them):"), "{text}");
    assert!(text.contains("Key=tcp.idle_timeout.seconds,Value=6000"), "{text}");
    let unstretched = stretched("idle-reset--kernel-nat-8s.json", 1.0);
    let (names, network, text) = reported(&unstretched, "idle-reset");
    assert!(names.is_empty() && !text.contains("Consistent with"), "{text}");
    assert!(!network.iter().any(|summary| summary.contains("own setting")), "{network:?}");
}

#[test]
fn a_recorded_silent_drop_at_an_hour_is_consistent_with_firewalls_and_their_knobs() {
    let evidence = stretched("idle-silent-drop--kernel-nat-30s.json", 3600.0 / 30.0);
    let (names, _, text) = reported(&evidence, "idle-silent-drop");
    assert_eq!(names, ["Cisco ASA or FTD", "FortiGate", "Palo Alto Networks firewall (PAN-OS)"]);
    for knob in ["timeout conn 2:04:00", "set timeout 7440", "raise TCP to 7440 s"] {
        assert!(text.contains(knob), "{knob} is missing in\n{text}");
    }
}

#[test]
fn a_timer_of_the_lab_names_nobody() {
    let lab = timer(5.0, 6.0, "silent");
    assert_eq!(in_json(&lab), json!([]));
    let text = full::render(&lab, &judged(&lab), &Style::default());
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
