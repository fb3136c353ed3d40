//! The hops of the path as the text report lists them.

use serde_json::{Value, json};
use ssh_doctor::diagnose::diagnose;
use ssh_doctor::report::{Style, full};
use ssh_doctor_checks::facts::{Check, Evidence};

use crate::support::{changed, failed, healthy};

/// A session: what moved on it, how often, up to which hop, for how long, and whether it was alive then.
fn arm(moves: &str, interval: Option<u8>, hop: Option<u8>, lasted_s: f64, alive: bool) -> Value {
    let died =
        json!({"end": "died", "manner": {"kind": "silent"}, "sign": "after-probe", "others_alive": true, "tcp": null});
    json!({
        "session": 7, "moves": moves, "hop": hop, "interval_s": interval, "started_s": 0.0, "lasted_s": lasted_s, "age_s": lasted_s,
        "channel_quiet_s": lasted_s, "heard_bytes": 0, "end": if alive { json!({"end": "alive", "rtt_ms": 1.0}) } else { died },
    })
}

/// A path of five hops, the third silent, on which a timer was found; the sessions that were refreshed up to a hop, and lived or not.
fn searched(probes: &[(u8, bool)], change: impl FnOnce(&mut Value)) -> Evidence {
    changed(&failed(&healthy(), Check::Idle), |value| {
        let facts = &mut value["idle"]["facts"];
        let probes = probes.iter().map(|(hop, alive)| arm("tcp-keepalive", Some(1), Some(*hop), 12.0, *alive));
        let timer = [
            arm("nothing", None, None, 9.0, true),
            arm("nothing", None, None, 11.0, false),
            arm("keepalive", Some(2), None, 20.0, true),
        ];
        facts["arms"] = timer.into_iter().chain(probes).collect();
        facts["hop_search"] = json!({});
        facts["path"] = json!({
            "hops": [
                {"number": 1, "address": "192.168.1.1", "rtt_ms": 0.84},
                {"number": 2, "address": "100.64.0.1", "rtt_ms": 7.1},
                {"number": 3, "address": null, "rtt_ms": null},
                {"number": 4, "address": "192.0.2.4", "rtt_ms": 12.0},
                {"number": 5, "address": "192.0.2.5", "rtt_ms": 112.25},
            ],
            "distance": {"hops": 5, "by": "udp"},
        });
        change(&mut facts["path"]);
    })
}

/// The lines of the section, from its heading on.
fn listed(evidence: &Evidence) -> Vec<String> {
    let text = full::render(evidence, &diagnose(evidence), &Style::default());
    let lines = text.lines().skip_while(|line| *line != "Hops to the server").skip(1);
    lines.take_while(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
}

#[test]
fn each_hop_is_listed_with_its_time_and_the_one_that_forgets_is_told() {
    let lines = listed(&searched(&[(1, false), (2, true)], |_| {}));
    let expected = [
        "   1  192.168.1.1     0.8 ms  your router",
        "   2  100.64.0.1      7.1 ms  drops idle connections",
        "   3  no answer",
        "   4  192.0.2.4      12.0 ms  the last before the server",
        "   5  192.0.2.5     112.2 ms  the server",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn of_a_range_each_may_forget() {
    let lines = listed(&searched(&[(2, false), (4, true)], |_| {}));
    assert_eq!(lines[1], "   2  100.64.0.1      7.1 ms");
    assert_eq!(lines[2], "   3  no answer               may drop idle connections");
    assert_eq!(lines[3], "   4  192.0.2.4      12.0 ms  may drop idle connections; the last before the");
}

#[test]
fn several_routes_and_an_unknown_distance_are_told() {
    let lines = listed(&searched(&[], |path| {
        path["hops"][1]["others"] = json!(["100.64.0.9"]);
        path["distance"] = Value::Null;
    }));
    assert_eq!(lines[1], "   2  100.64.0.1      7.1 ms  also 100.64.0.9: several routes");
    assert_eq!(lines[4], "   5  192.0.2.5     112.2 ms", "nobody knows whether it is the server");
    assert!(lines[5].starts_with("  The distance to the server is not known"), "{lines:?}");
    let by_tcp = listed(&searched(&[], |path| path["distance"]["by"] = "tcp".into()));
    assert!(by_tcp[5].starts_with("  The server's distance was counted by TCP"), "{by_tcp:?}");
}

#[test]
fn where_no_timer_was_found_no_path_is_listed() {
    assert!(listed(&healthy()).is_empty());
}
