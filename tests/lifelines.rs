//! The bars of the idle test as the text report draws them.

use serde_json::{Value, json};
use ssh_doctor::diagnose::{Diagnosis, Verdict, diagnose};
use ssh_doctor::report::{Style, full};
use ssh_doctor_checks::facts::{Check, Evidence};

use crate::support::{changed, failed, healthy, skipped};

fn arm(session: u32, moves: &str, started_s: f64, lasted_s: f64, end: &Value) -> Value {
    json!({
        "session": session, "moves": moves, "holds": "command", "speaks_first": "client", "hop": null,
        "interval_s": (moves == "keepalive").then_some(10), "started_s": started_s, "lasted_s": lasted_s,
        "age_s": 0.0, "channel_quiet_s": null, "heard_bytes": 0, "end": end,
    })
}

fn with(mut arm: Value, key: &str, value: impl Into<Value>) -> Value {
    arm[key] = value.into();
    arm
}

fn alive() -> Value {
    json!({"end": "alive", "rtt_ms": 1.0})
}

fn died(kind: &str) -> Value {
    let manner = if kind == "exit-status" { json!({"kind": kind, "status": 0}) } else { json!({"kind": kind}) };
    json!({"end": "died", "manner": manner, "sign": "after-probe", "others_alive": true, "tcp": null})
}

/// One of each sort, a timer of 40 s seen for 100 s.
fn arms() -> Vec<Value> {
    vec![
        arm(1, "nothing", 0.0, 20.0, &alive()),
        arm(1, "nothing", 20.0, 35.0, &alive()),
        arm(2, "nothing", 0.0, 42.0, &died("silent")),
        arm(3, "nothing", 0.0, 60.0, &died("reset")),
        arm(4, "nothing", 0.0, 70.0, &json!({"end": "open"})),
        with(arm(5, "nothing", 0.0, 50.0, &json!({"end": "unheard", "rtt_ms": 1.0})), "speaks_first", "server"),
        with(arm(6, "nothing", 0.0, 30.0, &died("exit-status")), "holds", "shell"),
        with(arm(7, "tcp-keepalive", 0.0, 45.0, &died("silent")), "hop", 1),
        with(arm(8, "tcp-keepalive", 0.0, 90.0, &alive()), "hop", 2),
        arm(9, "nothing", 0.0, 10.0, &alive()),
        arm(9, "keepalive", 0.0, 100.0, &alive()),
        arm(10, "channel-data", 0.0, 100.0, &json!({"end": "open"})),
    ]
}

fn tested(arms: Vec<Value>, elapsed_s: f64) -> Evidence {
    changed(&failed(&healthy(), Check::Idle), |value| {
        let facts = &mut value["idle"]["facts"];
        facts["arms"] = Value::Array(arms);
        facts["elapsed_s"] = elapsed_s.into();
    })
}

fn unjudged() -> Diagnosis {
    Diagnosis { verdict: Verdict::Broken, died_at: Some(Check::Idle), findings: Vec::new() }
}

/// The lines between the findings and the table of checks.
fn drawn(evidence: &Evidence, diagnosis: &Diagnosis, style: Style) -> Vec<String> {
    let text = full::render(evidence, diagnosis, &style);
    let parts = text.split("\n\n").filter(|part| part.starts_with("Sessions held idle") || part.starts_with("Idle: "));
    parts.flat_map(str::lines).map(ToOwned::to_owned).collect()
}

#[test]
fn each_session_is_a_bar_as_long_as_it_lived_with_its_end() {
    let lines = drawn(&tested(arms(), 100.0), &unjudged(), Style::default());
    let golden = [
        "Sessions held idle (x died, ! did not hear the server, + answered, > open at the",
        "  end of the test)",
        "                       0         30 s     60 s      90 s",
        "  silent               -------------x                    died: silent, 42 s",
        "                       ------+-----------+               answered after 35 s",
        "                       -------------------x              died: reset, 60 s",
        "  silent, server first ----------------!                 unheard after 50 s",
        "  shell at its prompt  ----------x                       died: exit-status, 30 s",
        "  TCP keepalive, hop 1 ~~~~~~~~~~~~~~x                   died: silent, 45 s",
        "  TCP keepalive, hop 2 ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~+    kept 90 s",
        "  keepalive every 10 s ===+============================+ kept 100 s",
        "  channel data         ================================> open",
        "  and 1 more",
    ];
    assert_eq!(lines, golden, "\n{}", lines.join("\n"));
}

#[test]
fn a_test_in_which_nothing_died_is_one_line() {
    let healthy = healthy();
    let diagnosis = diagnose(&healthy);
    assert_eq!(drawn(&healthy, &diagnosis, Style::default()), ["Idle: 10 sessions survived, longest 7.8 s."]);
    let without = skipped(&healthy, Check::Idle, "not asked for");
    assert!(drawn(&without, &diagnosis, Style::default()).is_empty());
}

#[test]
fn many_sessions_still_fit_on_a_screen() {
    let mut many = arms();
    for session in 20..520 {
        let lasted = f64::from(session) / 10.0;
        many.push(arm(session, "nothing", 0.0, lasted, &if lasted < 40.0 { alive() } else { died("silent") }));
        many.push(with(arm(session + 1000, "keepalive", 0.0, 99.0, &alive()), "interval_s", session));
    }
    for width in [40, 60, 80, 200] {
        for unicode in [false, true] {
            let lines = drawn(&tested(many.clone(), 100.0), &unjudged(), Style { width, unicode, color: false });
            assert!(lines.len() <= 15 && lines.iter().any(|line| line.starts_with("  and ")), "{lines:#?}");
            assert!(lines.iter().all(|line| line.chars().count() <= width), "{width}: {lines:#?}");
            assert!(unicode || lines.iter().all(|line| line.is_ascii()), "{lines:#?}");
        }
    }
}

#[test]
fn the_shortest_death_is_always_drawn() {
    let mut many: Vec<_> = (0..50).map(|n| arm(n, "nothing", 0.0, 60.0 + f64::from(n), &died("fin"))).collect();
    many.push(arm(99, "nothing", 0.0, 41.0, &died("reset")));
    let lines = drawn(&tested(many, 120.0), &unjudged(), Style::default());
    assert!(lines.iter().any(|line| line.ends_with("died: reset, 41 s")), "{lines:#?}");
}

#[test]
fn a_damaged_recording_is_drawn_without_harm() {
    for time in [1e308, -1e308, 1e-308, 0.0] {
        let arms = vec![arm(1, "nothing", time, time, &died("fin")), arm(2, "nothing", -time, time, &alive())];
        for elapsed in [time, 10.0] {
            let lines = drawn(&tested(arms.clone(), elapsed), &unjudged(), Style::default());
            assert!(lines.iter().all(|line| line.len() <= 80), "{lines:#?}");
        }
    }
}
