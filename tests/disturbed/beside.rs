//! Changing paths beside a real idle timer: both are named, and the keepalive is proven.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{LIMIT, assert_same_codes, s, when_idle};
use crate::lab::{Lab, Middlebox, Report, Server, Times, now};

/// The timer, seconds, and the idle time that is asked for.
const TIMER_S: u32 = 14;
const IDLE: &str = "25s";
/// The time in which sessions are reset at random.
const RESETS: Duration = s(14);

/// Examines a server behind the timer while something else goes on; the timer must be found beside what is expected of that.
fn beside_a_timer(expected: &[&str], disturb: impl FnOnce(&Lab, &Server, &dyn Fn() -> bool) -> Times + Send) {
    let Some(lab) = Lab::through(&[Middlebox::Plain, Middlebox::Forgets(TIMER_S)]) else { return };
    let server = lab.sshd(&[]);
    let (seen, _) = lab.doctor_while(&server.url(), &["--idle", IDLE], LIMIT, |over| disturb(&lab, &server, over));
    assert_timer(&seen, &[&["idle-silent-drop"], expected].concat());
}

/// Both were found, and the keepalive was proven.
#[track_caller]
fn assert_timer(seen: &Report, expected: &[&str]) {
    assert_same_codes(seen, expected);
    let bracket = &seen.idle()["timeout"];
    let timer = f64::from(TIMER_S);
    let (survived, died) = (bracket["survived_s"].as_f64(), bracket["died_s"].as_f64());
    assert!(survived <= Some(timer + 0.5) && died >= Some(timer - 0.5), "{}", seen.told());
    assert_eq!(seen.idle()["keepalive"]["verified"], true, "{}", seen.told());
    // The second router is the one that forgets, whatever else ended sessions of the search.
    let hop = &seen.idle()["killer"]["hop"];
    assert!(*hop == 2 || hop.is_null() || seen.told().contains("one of the machines from"), "{}", seen.told());
}

#[test]
fn a_timer_is_found_although_the_server_stops_again_and_again() {
    beside_a_timer(&["server-stalled", "idle-no-keepalive"], |lab, _, over| lab.stall(s(16), s(5), over));
}

#[test]
fn a_timer_is_found_although_the_server_stopped_once() {
    beside_a_timer(&["server-stalled", "idle-no-keepalive"], |lab, server, over| {
        when_idle(server, s(3));
        lab.stall_once(s(0), s(9), over)
    });
}

/// Resets a session every two or three seconds, and leaves off in time: were it to go on, none might be left that proves the keepalive.
fn reset_some(lab: &Lab, server: &Server, over: &dyn Fn() -> bool) -> Times {
    when_idle(server, s(2));
    let began = Instant::now();
    lab.random_resets(server.port(), &[s(2), s(3), s(2)], &|| over() || began.elapsed() > RESETS)
}

#[test]
fn a_timer_is_found_although_some_sessions_are_reset() {
    beside_a_timer(&["path-random-resets", "idle-no-keepalive"], reset_some);
}

#[test]
fn a_timer_that_resets_is_told_from_resets_at_random() {
    let Some(lab) = Lab::through(&[Middlebox::Plain, Middlebox::Resets(TIMER_S)]) else { return };
    let server = lab.sshd(&[]);
    let (seen, _) = lab.doctor_while(&server.url(), &["--idle", IDLE], LIMIT, |over| reset_some(&lab, &server, over));
    assert_timer(&seen, &["idle-reset", "path-random-resets", "idle-no-keepalive"]);
}

#[test]
fn a_timer_is_found_although_one_member_of_two_is_dead() {
    beside_a_timer(&["tcp-some-flows-dead", "idle-no-keepalive"], |lab, server, _| {
        lab.router(1).nft(&format!("add rule inet lab forward tcp dport {} tcp sport & 2 == 2 drop", server.port()));
        vec![(now(), now())]
    });
}

#[test]
fn a_timer_is_found_although_the_server_was_restarted() {
    let Some(lab) = Lab::through(&[Middlebox::Plain, Middlebox::Forgets(TIMER_S)]) else { return };
    let first = lab.sshd(&[]);
    let (url, second) = (first.url(), Mutex::new(None));
    let (seen, _) = lab.doctor_while(&url, &["--idle", IDLE], LIMIT, |_| {
        when_idle(&first, s(4));
        *second.lock().expect("nobody else") = Some(lab.restart(first, s(3), &[]));
        vec![]
    });
    assert_timer(&seen, &["idle-silent-drop", "server-restarted", "idle-no-keepalive"]);
}
