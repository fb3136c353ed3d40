//! The hops of the path as the text report lists them.

use serde_json::{Value, json};
use ssh_doctor::diagnose::diagnose;
use ssh_doctor::report::{Style, text};
use ssh_doctor_checks::facts::{Check, Evidence};

use crate::support::{changed, failed, healthy};

/// A path of five hops, the third silent, on which a timer was found.
fn searched(search: &Value, change: impl FnOnce(&mut Value)) -> Evidence {
    changed(&failed(&healthy(), Check::Idle), |value| {
        let facts = &mut value["idle"]["facts"];
        facts["search"] = search.clone();
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

fn found(hop: u8, after: u8, doubt: &Value) -> Value {
    json!({"found": {"hop": hop, "after": after, "certainty": "likely", "doubt": doubt}})
}

/// The lines of the section, from its heading on.
fn listed(evidence: &Evidence) -> Vec<String> {
    let text = text::render(evidence, &diagnose(evidence), &Style::default());
    let lines = text.lines().skip_while(|line| *line != "Hops to the server").skip(1);
    lines.take_while(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
}

#[test]
fn each_hop_is_listed_with_its_time_and_the_one_that_forgets_is_told() {
    let lines = listed(&searched(&found(2, 1, &Value::Null), |_| {}));
    let expected = [
        "   1  192.168.1.1     0.8 ms  your router",
        "   2  100.64.0.1      7.1 ms  forgets",
        "   3  no answer",
        "   4  192.0.2.4      12.0 ms  the last before the server",
        "   5  192.0.2.5     112.2 ms  the server",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn of_a_range_each_may_forget() {
    let lines = listed(&searched(&found(4, 2, &json!("untried")), |_| {}));
    assert_eq!(lines[1], "   2  100.64.0.1      7.1 ms");
    assert_eq!(lines[2], "   3  no answer               may forget");
    assert_eq!(lines[3], "   4  192.0.2.4      12.0 ms  may forget; the last before the server");
}

#[test]
fn several_routes_and_an_unknown_distance_are_told() {
    let lines = listed(&searched(&json!({"untold": "so"}), |path| {
        path["hops"][1]["others"] = json!(["100.64.0.9"]);
        path["distance"] = Value::Null;
    }));
    assert_eq!(lines[1], "   2  100.64.0.1      7.1 ms  also 100.64.0.9: several routes");
    assert_eq!(lines[4], "   5  192.0.2.5     112.2 ms", "nobody knows whether it is the server");
    assert!(lines[5].starts_with("  How far the server is could not be told"), "{lines:?}");
    let by_tcp = listed(&searched(&json!({"untold": "so"}), |path| path["distance"]["by"] = "tcp".into()));
    assert!(by_tcp[5].starts_with("  The server's distance was counted by TCP"), "{by_tcp:?}");
}

#[test]
fn where_no_timer_was_found_no_path_is_listed() {
    assert!(listed(&searched(&json!("none"), |_| {})).is_empty());
    assert!(listed(&healthy()).is_empty());
}
