//! Differences, and which of them may explain different outcomes.

use serde::Serialize;
use serde_json::Value;
use ssh_doctor_checks::facts::Check;

use super::aspects::{ASPECTS, Aspect, Noise, Place};
use super::input::Report;
use super::masked::{self, Masked};

/// One difference.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Difference {
    /// The check that it belongs to.
    pub check: Check,
    /// The aspect that differs.
    pub what: &'static str,
    /// The value in the first report; null where it has none.
    pub a: Value,
    /// The value in the second report.
    pub b: Value,
    /// True if it comes before the outcome, and may explain it.
    pub may_explain: bool,
    #[serde(skip)]
    is_result: bool,
}

/// Everything that differs beyond noise, in the order of the checks, and what cannot be compared.
pub(super) fn between(a: &Report, b: &Report, without_names: bool) -> (Vec<Difference>, Vec<Masked>) {
    let mut masked = Vec::new();
    let aspects = ASPECTS.iter().filter(|aspect| !(without_names && aspect.noise == Noise::Name));
    let differences = aspects.filter_map(|aspect| differing(aspect, a, b, &mut masked)).collect();
    (differences, masked)
}

fn differing(aspect: &Aspect, a: &Report, b: &Report, masked: &mut Vec<Masked>) -> Option<Difference> {
    let of = |report: &Report| match aspect.place {
        Place::Top(pointer) => report.at(pointer).clone(),
        Place::Seen(pointer) => report.seen(aspect.check, pointer).clone(),
        Place::Made(make) => make(report),
    };
    let (mut in_a, mut in_b) = (of(a), of(b));
    if a.is_anonymous() || b.is_anonymous() {
        let values = masked::set_aside(&mut in_a, &mut in_b);
        if !values.is_empty() {
            masked.push(Masked { check: aspect.check, what: aspect.what, values });
        }
    }
    if is_noise(aspect.noise, &in_a, &in_b) || is_unseen(aspect, a, &in_a) || is_unseen(aspect, b, &in_b) {
        return None;
    }
    let (in_a, in_b) = apart(in_a, in_b);
    let is_result = aspect.is_result;
    Some(Difference { check: aspect.check, what: aspect.what, a: in_a, b: in_b, may_explain: false, is_result })
}

/// True if a report does not say, because the check did not run or the report holds no evidence.
fn is_unseen(aspect: &Aspect, report: &Report, value: &Value) -> bool {
    let check = report.check(aspect.check);
    let status = check["status"].as_str();
    let is_evidence = !matches!(aspect.place, Place::Top(_));
    let has_none = matches!(status, None | Some("skip")) || is_evidence && check["evidence"].is_null();
    // What a check that failed did not come to.
    let has_no_result = aspect.is_result && status != Some("pass");
    (value.is_null() || value.as_array().is_some_and(Vec::is_empty)) && (has_none || has_no_result)
}

/// Bytes per second, at which the transfer takes a fifth of a second: a busy machine is as slow for once.
const FAST: f64 = 5_000_000.0;

fn is_noise(noise: Noise, a: &Value, b: &Value) -> bool {
    if a == b {
        return true;
    }
    let numbers = a.as_f64().zip(b.as_f64());
    let close = |times: f64, least: f64| {
        numbers.is_some_and(|(a, b)| {
            let (less, more) = if a < b { (a, b) } else { (b, a) };
            more - less < least || more < less * times
        })
    };
    match noise {
        Noise::None => false,
        Noise::Name | Noise::Order => sorted(a).is_some_and(|all| Some(all) == sorted(b)),
        Noise::Ms => close(3.0, 200.0) || numbers.is_none(),
        Noise::RoundTrip => close(2.0, 10.0) || numbers.is_none(),
        Noise::Rate => close(3.0, 0.0) || numbers.is_none_or(|(a, b)| a.min(b) > FAST && a.max(b) < a.min(b) * 6.0),
        Noise::Seconds => close(1.25, 2.0),
    }
}

fn sorted(value: &Value) -> Option<Vec<String>> {
    let mut all: Vec<_> = value.as_array()?.iter().map(ToString::to_string).collect();
    all.sort_unstable();
    Some(all)
}

/// Of two long lists only what the other does not have; both whole where only their order differs.
fn apart(a: Value, b: Value) -> (Value, Value) {
    let (Value::Array(in_a), Value::Array(in_b)) = (&a, &b) else { return (a, b) };
    let only = |these: &[Value], others: &[Value]| -> Vec<Value> {
        these.iter().filter(|one| !others.contains(one)).cloned().collect()
    };
    let (only_a, only_b) = (only(in_a, in_b), only(in_b, in_a));
    if only_a.is_empty() && only_b.is_empty() {
        return (a, b);
    }
    (Value::Array(only_a), Value::Array(only_b))
}

/// Marks what comes before the first check that came out otherwise, and what the verdict on it depends on; that check's own first.
pub(super) fn mark_explanations(differences: &mut [Difference], a: &Report, b: &Report) {
    let Some(first) = first_apart(a, b) else { return };
    for difference in differences.iter_mut() {
        let comes_before = difference.check < first || difference.check == first && !difference.is_result;
        difference.may_explain = comes_before && difference.what != "ssh-doctor";
    }
    differences.sort_by_key(|difference| {
        let distance = Check::ALL.iter().filter(|check| (difference.check..=first).contains(check)).count();
        (!difference.may_explain, if difference.may_explain { distance } else { 0 })
    });
}

/// The first check that came out otherwise.
fn first_apart(a: &Report, b: &Report) -> Option<Check> {
    let died = |report: &Report| {
        let name = report.at("/died_at").as_str()?.to_owned();
        Check::ALL.into_iter().find(|check| check.name() == name)
    };
    let status = |report: &Report, check: Check| report.check(check)["status"].as_str().map(ToOwned::to_owned);
    let apart = Check::ALL.into_iter().find(|check| {
        let both = (status(a, *check), status(b, *check));
        both.0 != both.1 && [&both.0, &both.1].iter().any(|one| one.as_deref() == Some("fail"))
    });
    apart.or_else(|| died(a).into_iter().chain(died(b)).min())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{between, mark_explanations};
    use crate::compare::input::Report;

    fn report(interval: u64, idle: &str, rtt: f64, ciphers: &[&str]) -> Report {
        Report::of(json!({
            "verdict": if idle == "fail" { "broken" } else { "healthy" },
            "died_at": if idle == "fail" { json!("idle") } else { Value::Null },
            "settings": {"server_alive_interval_s": interval},
            "checks": [
                {"name": "tcp", "status": "pass", "evidence": {"path": {"rtt_ms": rtt}}},
                {"name": "handshake", "status": "pass", "evidence": {"client_offer": {"cipher": ciphers}}},
                {"name": "idle", "status": idle, "evidence": {}},
            ],
        }))
    }

    #[test]
    fn run_to_run_noise_is_no_difference() {
        let (a, b) = (report(0, "pass", 12.0, &["a"]), report(0, "pass", 19.0, &["a"]));
        assert!(between(&a, &b, false).0.is_empty());
    }

    #[test]
    fn what_comes_before_the_failure_may_explain_it() {
        let (a, b) = (report(0, "fail", 12.0, &["a", "b"]), report(30, "pass", 60.0, &["b", "c"]));
        let (mut differences, _) = between(&a, &b, false);
        mark_explanations(&mut differences, &a, &b);
        let what: Vec<_> = differences.iter().map(|one| (one.what, one.may_explain)).collect();
        assert_eq!(what, [("ServerAliveInterval", true), ("ciphers of ssh", true), ("round trip, ms", true)]);
        assert_eq!((&differences[1].a, &differences[1].b), (&json!(["a"]), &json!(["c"])));
    }

    #[test]
    fn what_one_report_does_not_hold_is_no_difference() {
        let bare = Report::of(json!({"verdict": "healthy", "checks": [
            {"name": "tcp", "status": "pass", "evidence": null},
            {"name": "handshake", "status": "skip", "evidence": null},
            {"name": "idle", "status": "skip", "evidence": null},
        ]}));
        assert!(between(&report(0, "pass", 12.0, &["a"]), &bare, false).0.is_empty());
    }
}
