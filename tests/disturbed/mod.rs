//! Paths and servers that change while one looks: what happened to several sessions at one moment is named with its times, and no idle
//! timer is made of it.

mod beside;
mod jump;
mod losses;
mod servers;
mod v6;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::lab::{Lab, Middlebox, Report, Server, Times, eventually};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The longest that an examination may take: six times an idle time of 40 s and two minutes, as docs/idle-test.md says, and half a minute for
/// the checks before and behind it. Where the path is down again and again, some need it.
const LIMIT: Duration = s(6 * 40 + 120 + 30);
/// How far a time in the report may lie from what the test did, seconds.
const NEAR_S: f64 = 1.0;
/// What happens at the very end, when few sessions are left to see it, need not be seen.
const AT_THE_END_S: f64 = 6.0;

/// The events of this kind in the report match what was done, and there are no others.
fn assert_times(seen: &Report, kind: &str, done: &Times) {
    let timeline = &seen.json["timeline"];
    let end = timeline["until_s"].as_f64().expect("a timeline");
    let events = timeline["events"].as_array().into_iter().flatten().filter(|event| event["kind"] == kind);
    let events: Times =
        events.map(|event| (event["from_s"].as_f64().unwrap(), event["until_s"].as_f64().unwrap_or(end))).collect();
    let is_near = |a: &(f64, f64), b: &(f64, f64)| {
        let length = |span: &(f64, f64)| span.1 - span.0;
        (a.0 - b.0).abs() <= NEAR_S && (length(a) - length(b)).abs() <= NEAR_S
    };
    let missed =
        done.iter().filter(|span| span.1 < end - AT_THE_END_S && !events.iter().any(|event| is_near(event, span)));
    let missed: Vec<_> = missed.collect();
    let invented: Vec<_> = events.iter().filter(|event| !done.iter().any(|span| is_near(event, span))).collect();
    let invented: Vec<_> = invented.iter().filter(|event| event.1 < end - AT_THE_END_S).collect();
    assert!(missed.is_empty() && invented.is_empty(), "done {done:.1?}, seen {events:.1?}: {}", seen.told());
}

/// The interruptions in the report are some of those that were, two at least.
fn assert_times_of_some(seen: &Report, done: &Times) {
    let events = seen.json["timeline"]["events"].as_array().into_iter().flatten();
    let events: Times = events
        .filter(|event| event["kind"] == "interrupted")
        .filter_map(|event| Some((event["from_s"].as_f64()?, event["until_s"].as_f64()?)))
        .collect();
    let was = |event: &&(f64, f64)| {
        done.iter().any(|span| (span.0 - event.0).abs() <= NEAR_S && (span.1 - event.1).abs() <= NEAR_S)
    };
    let right = events.iter().filter(was).count();
    assert!(right > 1 && right == events.len(), "done {done:.1?}, seen {events:.1?}: {}", seen.told());
}

/// These causes are named, the worst first, and no idle test fell short.
fn assert_codes(seen: &Report, codes: &[&str]) {
    assert_eq!(seen.codes(), codes, "{}", seen.told());
}

/// These causes are named in any order, and no others.
#[track_caller]
fn assert_same_codes(seen: &Report, codes: &[&str]) {
    let sorted = |codes: &[&str]| codes.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&seen.codes()), sorted(codes), "{}", seen.told());
}

/// The whole of the idle time that was asked for was tested, and survived.
fn assert_survived(seen: &Report, asked_s: f64) {
    let timeout = &seen.idle()["timeout"];
    let survived = timeout["survived_s"].as_f64().unwrap_or_default();
    assert!(survived > asked_s - 0.5 && timeout["died_s"].is_null(), "{timeout}: {}", seen.told());
}

/// Connections were reset at random, and nothing else is said: no session that was reset has shortened the idle time that was survived.
#[track_caller]
fn assert_random_resets(seen: &Report, done: &Times) {
    assert!(done.len() > 2, "{done:?}: {}", seen.told());
    assert_codes(seen, &["path-random-resets"]);
    assert!(seen.idle()["timeout"]["died_s"].is_null(), "{}", seen.told());
}

/// All state was lost at the moment at which the test did it.
#[track_caller]
fn assert_loss(seen: &Report, done: &Times) {
    assert_codes(seen, &["path-state-lost"]);
    let cut = &seen.idle()["cuts"][0]["at_s"];
    let at = cut.as_f64().zip(seen.idle()["began_s"].as_f64()).map_or(0.0, |(at, began)| began + at);
    assert!((at - done[0].0).abs() < NEAR_S, "{at} for {done:?}: {}", seen.told());
}

/// The server ended all and was back when the test did it.
#[track_caller]
fn assert_restart(seen: &Report, done: &Times) {
    assert_codes(seen, &["server-restarted"]);
    let because: Vec<_> = seen.json["diagnoses"][0]["because"].as_array().into_iter().flatten().collect();
    let figure = |words: &str| {
        let fact = because.iter().filter_map(|fact| fact.as_str()).find(|fact| fact.contains(words));
        let number = fact.and_then(|fact| fact.split(' ').find_map(|word| word.parse::<f64>().ok()));
        number.unwrap_or_else(|| panic!("{words}: {}", seen.told()))
    };
    let ended = figure("into the run");
    let back = ended + figure("a new connection was answered");
    let near = |seen: f64, done: f64| (seen - done).abs() < NEAR_S;
    assert!(near(ended, done[0].0) && near(back, done[0].1), "{ended} to {back} for {done:?}: {}", seen.told());
}

/// Waits until the sessions of the idle test are open, and for as long after that.
fn when_idle(server: &Server, after: Duration) {
    let logins = || server.log().matches("Accepted publickey").count();
    assert!(eventually(s(40), || logins() > 12), "{}", server.log());
    std::thread::sleep(after);
}

/// Interrupts the path at hop 1 again and again.
fn interrupted(routers: &[Middlebox], up: Duration, down: Duration, options: &[&str]) -> Option<(Report, Times)> {
    let lab = Lab::through(routers)?;
    let server = lab.sshd(&[]);
    Some(lab.doctor_while(&server.url(), options, LIMIT, |over| lab.flap(1, up, down, over)))
}

#[test]
fn a_path_that_is_down_for_4_s_in_every_16_is_unstable_and_has_no_timer() {
    let Some((seen, done)) = interrupted(&[Middlebox::Plain, Middlebox::Plain], s(12), s(4), &["--idle", "30s"]) else {
        return;
    };
    assert_codes(&seen, &["path-unstable"]);
    assert_eq!(seen.run.status, Some(1), "{}", seen.told());
    assert_times(&seen, "interrupted", &done);
    assert_survived(&seen, 30.0);
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(because.contains("still answered and hop 2"), "the hop at which it breaks: {}", seen.told());
}

#[test]
fn a_path_that_is_down_for_8_s_in_every_28_is_unstable_and_has_no_timer() {
    let Some((seen, done)) = interrupted(&[Middlebox::Plain], s(20), s(8), &["--idle", "30s"]) else { return };
    assert_codes(&seen, &["path-unstable"]);
    assert_times(&seen, "interrupted", &done);
    assert_survived(&seen, 30.0);
}

#[test]
fn a_path_that_is_down_for_2_s_in_every_9_is_unstable_although_most_sessions_are_silent() {
    let Some((seen, done)) = interrupted(&[Middlebox::Plain], s(7), s(2), &["--idle", "30s"]) else { return };
    assert_codes(&seen, &["path-unstable"]);
    assert_times_of_some(&seen, &done);
    assert_survived(&seen, 30.0);
}

#[test]
fn a_timer_beside_interruptions_is_found_with_its_keepalive() {
    let routers = [Middlebox::Plain, Middlebox::Forgets(25)];
    let Some((seen, done)) = interrupted(&routers, s(15), s(5), &["--idle", "40s"]) else { return };
    assert_timer_beside_gaps(&seen, &done);
}

/// A timer of 25 s and the interruptions of 5 s beside it were both found, and a keepalive that outlives both was proven.
#[track_caller]
fn assert_timer_beside_gaps(seen: &Report, done: &Times) {
    assert_codes(seen, &["idle-silent-drop", "path-unstable", "idle-no-keepalive"]);
    assert_times(seen, "interrupted", done);
    let bracket = &seen.idle()["timeout"];
    let (survived, died) = (bracket["survived_s"].as_f64(), bracket["died_s"].as_f64());
    assert!(survived <= Some(25.0) && died >= Some(25.0), "{}", seen.told());
    assert!(died.zip(survived).is_some_and(|(died, survived)| died - survived < 16.0), "{}", seen.told());
    let keepalive = &seen.idle()["keepalive"];
    assert_eq!(keepalive["verified"], true, "{}", seen.told());
    let numbers = keepalive["interval_s"].as_f64().zip(keepalive["count_max"].as_f64());
    assert!(numbers.is_some_and(|(interval, count)| interval < 25.0 && interval * (count + 1.0) > 10.0), "{keepalive}");
}
