use super::*;
use crate::base::own_ssh::Setting;
use crate::facts::config;
use crate::facts::connection::{Manner, Ran};
use crate::facts::tcp::TcpInfo;
use crate::facts::transfer::{OneWay, Rekey};
use crate::facts::{Evidence, Step, Timed};

fn evidence(facts: Facts) -> Evidence {
    Evidence { transfer: Timed { step: Step::Failed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() }
}

fn fired(facts: Facts) -> Vec<&'static str> {
    let evidence = evidence(facts);
    CAUSES.iter().filter(|cause| (cause.judge)(&evidence).is_some()).map(|cause| cause.code).collect()
}

fn half(ran: Ran) -> Facts {
    Facts { sent_bytes: 1 << 20, returned_bytes: 1 << 19, ran, ..Facts::default() }
}

#[test]
fn what_stalls_both_ways_at_once_and_passes_each_way_is_no_stall_of_the_path() {
    let tried = |from_server, to_server, tcp: TcpInfo| {
        let one_way = Some(OneWay { bytes: 1 << 20, from_server, to_server });
        let facts = half(Ran { gave_up: Some(GaveUp::Silence), ..Ran::default() });
        Facts { one_way, tcp: Some(tcp), ..facts }
    };
    let lost = TcpInfo { unacked: 3, backoff: 2, retransmits: 2, ..TcpInfo::default() };
    assert!(tried(true, true, TcpInfo::default()).passes_each_way());
    for facts in [
        tried(false, true, TcpInfo::default()),
        tried(true, false, TcpInfo::default()),
        tried(true, true, lost),
        Facts { rekeys: vec![Rekey::default()], ..tried(true, true, TcpInfo::default()) },
        Facts { one_way: None, ..tried(true, true, TcpInfo::default()) },
    ] {
        assert!(!facts.passes_each_way(), "{facts:?}");
    }
    let found = |rekeys| {
        let facts = Facts { rekeys, ..tried(true, true, TcpInfo::default()) };
        let step = Step::Passed(facts);
        let evidence = Evidence { transfer: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() };
        assert!((STALLED.judge)(&evidence).is_none());
        (IN_TURNS.judge)(&evidence).and_then(|found| found.severity)
    };
    assert_eq!(found(vec![]), None, "its own severity for the amount that everyone moves");
    assert_eq!(found(vec![Rekey { ms: Some(1.0), ..Rekey::default() }]), Some(Severity::Info));
}

#[test]
fn each_way_of_losing_data_has_its_own_name() {
    assert_eq!(fired(half(Ran { gave_up: Some(GaveUp::Silence), ..Ran::default() })), ["transfer-stalled"]);
    assert_eq!(fired(half(Ran { closed: true, ..Ran::default() })), ["transfer-truncated"]);
    let altered = |in_place| Facts {
        first_difference: Some(7),
        difference: Some(Difference { in_place, ..Difference::default() }),
        returned_bytes: 1 << 20,
        ..half(Ran { closed: true, ..Ran::default() })
    };
    assert_eq!(fired(altered(true)), ["transfer-corrupted"]);
    let sure = |in_place| (CORRUPTED.judge)(&evidence(altered(in_place))).unwrap().certainty;
    assert_eq!((sure(true), sure(false)), (Certainty::Certain, Certainty::Likely));
    let line_ends = Difference { line_ends: true, ..Difference::default() };
    let found = (CORRUPTED.judge)(&evidence(Facts { difference: Some(line_ends), ..altered(false) })).unwrap();
    assert_eq!(found.certainty, Certainty::Certain);
    assert!(found.title.is_some_and(|title| title.contains("Line ends")));
}

#[test]
fn data_that_is_altered_without_a_mac_error_is_not_blamed_on_the_path() {
    let summaries = |evidence: &Evidence| {
        let fits = |fix: &&Fix| (fix.when)(evidence);
        CORRUPTED.fixes.iter().filter(fits).map(|fix| fix.summary).collect::<Vec<_>>().join("; ")
    };
    let altered = Facts { first_difference: Some(7), ..half(Ran { closed: true, ..Ran::default() }) };
    let altered = evidence(altered);
    assert!(!summaries(&altered).contains("offloading") && summaries(&altered).contains("in front of commands"));
    assert!((CORRUPTED.judge)(&altered).unwrap().title.is_some_and(|title| title.contains("at one end")));
    let in_a_log = summaries(&Evidence::unexamined());
    assert!(in_a_log.contains("offloading") && !in_a_log.contains("in front of commands"));
}

#[test]
fn a_rekey_that_is_not_done_is_the_cause_of_what_follows() {
    let rekey =
        |ms| crate::facts::transfer::Rekey { ms, deadline_ms: 10_000.0, ..crate::facts::transfer::Rekey::default() };
    let facts = |ms| Facts { rekeys: vec![rekey(ms)], sent_bytes: 1, returned_bytes: 1, ..Facts::default() };
    assert_eq!(fired(facts(None)), ["rekey-failed"]);
    assert!(fired(facts(Some(9.0))).is_empty());
    let severity = |evidence: &Evidence| {
        (rekey::FAILED.judge)(evidence).map(|found| found.severity.unwrap_or(rekey::FAILED.severity))
    };
    assert_eq!(severity(&evidence(facts(None))), Some(Severity::Critical), "no data was on its way");
    let loaded = Facts { rekeys: vec![Rekey { under_load: true, ..rekey(None) }], ..facts(None) };
    assert_eq!(severity(&evidence(loaded.clone())), Some(Severity::Warning), "ssh asks for new keys after 1 GB");
    let mut early = evidence(loaded);
    let limit = Setting { keyword: "RekeyLimit".into(), value: Some("64M 600".into()), from: String::new() };
    let config = config::Facts { settings: vec![limit], ..config::Facts::default() };
    *early.config = Timed { step: Step::Passed(config), duration_ms: 1.0 };
    assert_eq!(severity(&early), Some(Severity::Critical));
}

#[test]
fn data_that_stalls_with_new_keys_and_without_them_does_not_stall_for_them() {
    let stalled = |ms, without_rekey| {
        let loaded = Rekey { under_load: true, ms, deadline_ms: 20_000.0, ..Rekey::default() };
        let rekeys = vec![Rekey { ms: Some(3.0), ..Rekey::default() }, loaded];
        let ran = Ran { gave_up: Some(GaveUp::Silence), ..Ran::default() };
        Facts { rekeys, without_rekey, tcp: Some(TcpInfo::default()), ..half(ran) }
    };
    for ms in [None, Some(40.0)] {
        let for_them = stalled(ms, Some(true));
        assert!(for_them.stops_after_rekey() && for_them.fails_by_rekey() && !for_them.is_held_back());
        let evidence = |facts| Evidence {
            transfer: Timed { step: Step::Passed(facts), duration_ms: 1.0 },
            ..Evidence::unexamined()
        };
        let found = (rekey::FAILED.judge)(&evidence(for_them)).expect("it failed");
        assert_eq!((found.certainty, found.severity), (Certainty::Likely, Some(Severity::Info)));
        let once = evidence(Facts { with_rekey: Some(true), ..stalled(ms, Some(true)) });
        assert!((rekey::FAILED.judge)(&once).is_none() && (STALLED.judge)(&once).is_none(), "it passed with them too");
        let twice = evidence(Facts { with_rekey: Some(false), ..stalled(ms, Some(true)) });
        assert_eq!((rekey::FAILED.judge)(&twice).map(|found| found.because.len()), Some(4));
        let anyway = stalled(ms, Some(false));
        assert!(!anyway.fails_by_rekey() && anyway.is_held_back());
        assert_eq!(fired(anyway), ["transfer-stalled"]);
    }
}

#[test]
fn a_slow_link_that_still_moves_is_none_of_these() {
    assert!(fired(half(Ran { gave_up: Some(GaveUp::Total), ..Ran::default() })).is_empty());
}

#[test]
fn a_connection_that_ends_with_new_keys_and_without_them_does_not_end_for_them() {
    let manner = Manner::Fin;
    let loaded = Rekey { under_load: true, ms: None, deadline_ms: 900.0, ending: Some(manner.clone()) };
    let rekeys = vec![Rekey { ms: Some(3.0), ..Rekey::default() }, loaded];
    let ran = Ran { closed: true, connection_lost: true, ..Ran::default() };
    let ended = |without_rekey| Facts {
        rekeys: rekeys.clone(),
        without_rekey,
        ending: Some(manner.clone()),
        ..half(ran.clone())
    };
    assert!(ended(None).stops_after_rekey() && ended(None).fails_by_rekey());
    assert!(ended(Some(true)).fails_by_rekey() && !ended(Some(false)).fails_by_rekey());
    assert_eq!(fired(ended(Some(false))), ["transfer-truncated"]);
    let once = Facts { with_rekey: Some(true), ..ended(Some(true)) };
    assert_eq!((once.fails_by_rekey(), fired(once)), (false, vec!["transfer-truncated"]));
}
