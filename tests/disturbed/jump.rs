//! The same on either leg of a way through a jump host.

use std::sync::Mutex;

use super::{
    LIMIT, assert_codes, assert_loss, assert_random_resets, assert_restart, assert_survived, assert_times, s, when_idle,
};
use crate::lab::{Lab, Middlebox, Report, Server, Times, now};

/// A client, a router, the bastion at hop 2, another router and the server.
const ROUTERS: [Middlebox; 3] = [Middlebox::Plain, Middlebox::Bastion, Middlebox::Plain];

/// The legs of the way: the number of each, and the router on it.
#[derive(Clone, Copy)]
enum Leg {
    Before,
    Behind,
}

impl Leg {
    fn number(self) -> u64 {
        match self {
            Self::Before => 0,
            Self::Behind => 1,
        }
    }

    fn router(self) -> usize {
        match self {
            Self::Before => 1,
            Self::Behind => 3,
        }
    }
}

/// Examines through the bastion while something goes on.
fn examined_while(
    routers: &[Middlebox],
    idle: &str,
    disturb: impl FnOnce(&Lab, [&Server; 2], &dyn Fn() -> bool) -> Times + Send,
) -> Option<(Report, Times)> {
    let lab = Lab::through(routers)?;
    let (bastion, server) = (lab.bastion(2, &[]), lab.sshd(&[]));
    let hop = bastion.hop();
    let options = ["-J", &hop, "--idle", idle];
    Some(lab.doctor_while(&server.url(), &options, LIMIT, |over| disturb(&lab, [&bastion, &server], over)))
}

/// All events of the timeline are on this leg, and so is what the first diagnosis says of its place.
#[track_caller]
fn assert_leg(seen: &Report, leg: Leg) {
    let events: Vec<_> = seen.json["timeline"]["events"].as_array().into_iter().flatten().collect();
    assert!(!events.is_empty() && events.iter().all(|event| event["leg"] == leg.number()), "{}", seen.told());
}

/// One of the facts of the first diagnosis contains this.
#[track_caller]
fn assert_because(seen: &Report, words: &str) {
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(because.contains(words), "{words}: {}", seen.told());
}

fn is_interrupted(leg: Leg, up: u64, down: u64) {
    let flap = |lab: &Lab, _: [&Server; 2], over: &dyn Fn() -> bool| lab.flap(leg.router(), s(up), s(down), over);
    let Some((seen, done)) = examined_while(&ROUTERS, "25s", flap) else { return };
    assert_codes(&seen, &["path-unstable"]);
    assert_leg(&seen, leg);
    assert_times(&seen, "interrupted", &done);
    assert_survived(&seen, 25.0);
}

#[test]
fn an_interruption_of_5_s_before_the_bastion_is_told_from_one_behind_it() {
    is_interrupted(Leg::Before, 12, 5);
}

#[test]
fn an_interruption_of_5_s_behind_the_bastion_is_told_from_one_before_it() {
    is_interrupted(Leg::Behind, 12, 5);
}

#[test]
fn an_interruption_of_8_s_before_the_bastion_is_told_from_one_behind_it() {
    is_interrupted(Leg::Before, 20, 8);
}

#[test]
fn an_interruption_of_8_s_behind_the_bastion_is_told_from_one_before_it() {
    is_interrupted(Leg::Behind, 20, 8);
}

fn has_a_timer_beside_gaps(leg: Leg, routers: &[Middlebox]) {
    let flap = |lab: &Lab, _: [&Server; 2], over: &dyn Fn() -> bool| lab.flap(leg.router(), s(15), s(5), over);
    let Some((seen, done)) = examined_while(routers, "40s", flap) else { return };
    super::assert_timer_beside_gaps(&seen, &done);
    assert_leg(&seen, leg);
}

#[test]
fn a_timer_beside_interruptions_before_the_bastion_is_found() {
    has_a_timer_beside_gaps(Leg::Before, &[Middlebox::Forgets(25), Middlebox::Bastion, Middlebox::Plain]);
}

#[test]
fn a_timer_beside_interruptions_behind_the_bastion_is_found() {
    has_a_timer_beside_gaps(Leg::Behind, &[Middlebox::Plain, Middlebox::Bastion, Middlebox::Forgets(25)]);
}

/// A NAT on a leg loses its state once.
fn loses_its_state(leg: Leg, routers: &[Middlebox]) {
    let lose = |lab: &Lab, [_, server]: [&Server; 2], _: &dyn Fn() -> bool| {
        when_idle(server, s(5));
        lab.lose_state(leg.router());
        vec![(now(), now())]
    };
    let Some((seen, done)) = examined_while(routers, "25s", lose) else { return };
    assert_loss(&seen, &done);
    assert_survived(&seen, 25.0);
    let place = match leg {
        Leg::Before => "the state was lost before that host",
        Leg::Behind => "the state was lost behind that host",
    };
    assert_because(&seen, place);
}

#[test]
fn a_firewall_before_the_bastion_that_loses_its_state_is_named() {
    loses_its_state(Leg::Before, &[Middlebox::Forgets(600), Middlebox::Bastion, Middlebox::Plain]);
}

#[test]
fn a_firewall_behind_the_bastion_that_loses_its_state_is_named() {
    loses_its_state(Leg::Behind, &[Middlebox::Plain, Middlebox::Bastion, Middlebox::Forgets(600)]);
}

#[test]
fn a_dead_member_before_the_bastion_is_told_by_the_ports() {
    let dead = |lab: &Lab, _: [&Server; 2], _: &dyn Fn() -> bool| {
        lab.router(1).nft("add rule inet lab forward tcp sport & 2 == 2 ct state new drop");
        vec![]
    };
    let Some((seen, _)) = examined_while(&ROUTERS, "12s", dead) else { return };
    assert_codes(&seen, &["tcp-some-flows-dead"]);
}

#[test]
fn a_dead_member_behind_the_bastion_is_named() {
    let dead = |lab: &Lab, [_, server]: [&Server; 2], _: &dyn Fn() -> bool| {
        lab.router(3).nft(&format!("add rule inet lab forward tcp dport {} tcp sport & 2 == 2 drop", server.port()));
        vec![]
    };
    let Some((seen, _)) = examined_while(&ROUTERS, "12s", dead) else { return };
    assert_codes(&seen, &["tcp-some-flows-dead"]);
    assert_because(&seen, "behind the jump host");
    // No opening was cut short by our own leaving of the bastion before it could tell.
    let flows = seen.json["timeline"]["flows"].as_array().into_iter().flatten();
    let cut_short: Vec<_> = flows.filter(|flow| flow["leg"] == 1 && flow["failure"]["kind"] == "other").collect();
    assert!(cut_short.is_empty(), "{cut_short:?}: {}", seen.told());
}

#[test]
fn a_bastion_that_stops_again_and_again_is_stalled_itself() {
    let stall = |lab: &Lab, _: [&Server; 2], over: &dyn Fn() -> bool| lab.stall_bastion(2, s(14), s(6), over);
    let Some((seen, done)) = examined_while(&ROUTERS, "25s", stall) else { return };
    assert_codes(&seen, &["server-stalled"]);
    assert_leg(&seen, Leg::Before);
    assert_times(&seen, "stalled", &done);
    assert_because(&seen, "jump host");
}

#[test]
fn a_server_behind_the_bastion_that_stops_again_and_again_is_stalled() {
    let stall = |lab: &Lab, _: [&Server; 2], over: &dyn Fn() -> bool| lab.stall(s(14), s(6), over);
    let Some((seen, done)) = examined_while(&ROUTERS, "25s", stall) else { return };
    assert_codes(&seen, &["server-stalled"]);
    assert_leg(&seen, Leg::Behind);
    assert_times(&seen, "stalled", &done);
}

/// The bastion or the server is restarted.
fn is_restarted(leg: Leg) {
    let Some(lab) = Lab::through(&ROUTERS) else { return };
    let (bastion, server) = (lab.bastion(2, &[]), lab.sshd(&[]));
    let (hop, url) = (bastion.hop(), server.url());
    let kept = Mutex::new(Vec::new());
    let (seen, done) = lab.doctor_while(&url, &["-J", &hop, "--idle", "20s"], LIMIT, |_| {
        when_idle(&server, s(5));
        let from = now();
        let both = match leg {
            Leg::Before => [lab.restart_bastion(2, bastion, s(4)), server],
            Leg::Behind => [bastion, lab.restart(server, s(4), &[])],
        };
        kept.lock().expect("nobody else").extend(both);
        vec![(from, now())]
    });
    assert_restart(&seen, &done);
    assert_survived(&seen, 20.0);
    assert_because(
        &seen,
        match leg {
            Leg::Before => "the jump host",
            Leg::Behind => "behind the jump host",
        },
    );
}

#[test]
fn a_bastion_that_is_restarted_is_named() {
    is_restarted(Leg::Before);
}

#[test]
fn a_server_behind_the_bastion_that_is_restarted_is_named() {
    is_restarted(Leg::Behind);
}

#[test]
fn resets_at_random_before_the_bastion_are_named() {
    let resets = |lab: &Lab, [bastion, server]: [&Server; 2], over: &dyn Fn() -> bool| {
        when_idle(server, s(2));
        lab.random_resets_at_bastion(2, bastion.port(), &[s(3), s(5), s(4)], over)
    };
    let Some((seen, done)) = examined_while(&ROUTERS, "25s", resets) else { return };
    assert_random_resets(&seen, &done);
    assert_because(&seen, "to the jump host");
}

#[test]
fn resets_at_random_behind_the_bastion_are_named() {
    let resets = |lab: &Lab, [_, server]: [&Server; 2], over: &dyn Fn() -> bool| {
        when_idle(server, s(2));
        lab.random_resets(server.port(), &[s(3), s(5), s(4)], over)
    };
    let Some((seen, done)) = examined_while(&ROUTERS, "25s", resets) else { return };
    assert_random_resets(&seen, &done);
    assert_because(&seen, "behind the jump host");
}
