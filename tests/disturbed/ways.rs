//! Changing paths over IPv6, and on either leg of a way through a jump host.

use std::time::Duration;

use super::{assert_codes, assert_times, s, when_idle};
use crate::lab::{Lab, Middlebox, Report, Server, Times, eventually};

/// Options with which a client reaches the server over IPv6, whose key it knows by its other address.
fn over_v6(lab: &Lab, server: &Server) -> [String; 2] {
    [format!("HostName={}", lab.server_address_v6()), format!("HostKeyAlias=[{}]:{}", server.address(), server.port())]
}

fn v6(routers: &[Middlebox]) -> Option<(Lab, Server)> {
    let lab = Lab::through(routers).and_then(Lab::with_v6)?;
    let server = lab.sshd(&[&format!("ListenAddress {}", lab.server_address_v6())]);
    Some((lab, server))
}

#[test]
fn an_ipv6_path_that_is_down_for_5_s_in_every_17_is_unstable() {
    let Some((lab, server)) = v6(&[Middlebox::Plain]) else { return };
    let [name, key] = over_v6(&lab, &server);
    let options = ["-o", &name, "-o", &key, "--idle", "25s"];
    let (seen, done) = lab.doctor_while(&server.url(), &options, s(240), |over| lab.flap(1, s(12), s(5), over));
    assert_codes(&seen, &["path-unstable"]);
    assert_times(&seen, "interrupted", &done);
}

#[test]
fn an_ipv6_filter_that_loses_its_state_is_named() {
    let Some((lab, server)) = v6(&[Middlebox::Plain, Middlebox::Plain]) else { return };
    lab.filter_that_forgets(2, 600, "drop");
    let [name, key] = over_v6(&lab, &server);
    let options = ["-o", &name, "-o", &key, "--idle", "25s"];
    let (seen, _) = lab.doctor_while(&server.url(), &options, s(240), |_| {
        when_logged_in(&server, s(5));
        lab.lose_state(2);
        vec![]
    });
    assert_codes(&seen, &["path-state-lost"]);
}

/// Examines over IPv6 while something goes on.
fn over_v6_while(
    idle: &str,
    disturb: impl FnOnce(&Lab, &Server, &dyn Fn() -> bool) -> Times + Send,
) -> Option<(Report, Times)> {
    let (lab, server) = v6(&[Middlebox::Plain])?;
    let [name, key] = over_v6(&lab, &server);
    let options = ["-o", &name, "-o", &key, "--idle", idle];
    Some(lab.doctor_while(&server.url(), &options, s(240), |over| disturb(&lab, &server, over)))
}

/// Waits until the sessions of the idle test are logged in, and for as long after that: connections over IPv6 are not counted.
fn when_logged_in(server: &Server, after: Duration) {
    assert!(eventually(s(40), || server.log().matches("Accepted publickey").count() > 12), "{}", server.log());
    std::thread::sleep(after);
}

#[test]
fn a_server_that_stops_again_and_again_is_stalled_over_ipv6() {
    let Some((seen, done)) = over_v6_while("25s", |lab, _, over| lab.stall(s(14), s(6), over)) else { return };
    assert_codes(&seen, &["server-stalled"]);
    assert_times(&seen, "stalled", &done);
}

#[test]
fn resets_at_random_are_named_over_ipv6() {
    let resets = |lab: &Lab, server: &Server, over: &dyn Fn() -> bool| {
        when_logged_in(server, s(2));
        lab.random_resets(server.port(), &[s(3), s(5), s(4)], over)
    };
    let Some((seen, done)) = over_v6_while("25s", resets) else { return };
    assert!(done.len() > 2, "{done:?}: {}", seen.told());
    assert_eq!(seen.codes().first(), Some(&"path-random-resets"), "{}", seen.told());
}

#[test]
fn a_dead_member_behind_a_hash_of_ports_is_told_over_ipv6() {
    let dead = |lab: &Lab, server: &Server, _: &dyn Fn() -> bool| {
        lab.router(1).nft(&format!("add rule inet lab forward tcp dport {} tcp sport & 2 == 2 drop", server.port()));
        vec![]
    };
    let Some((seen, _)) = over_v6_while("12s", dead) else { return };
    assert_codes(&seen, &["tcp-some-flows-dead"]);
}

/// Examines through a bastion behind one router, with another one before the server, while something goes on.
fn through_a_bastion_while(
    idle: &str,
    disturb: impl FnOnce(&Lab, &Server, &dyn Fn() -> bool) -> Times + Send,
) -> Option<(Report, Times)> {
    let lab = Lab::through(&[Middlebox::Plain, Middlebox::Bastion, Middlebox::Plain])?;
    let (bastion, server) = (lab.bastion(2, &[]), lab.sshd(&[]));
    let hop = bastion.hop();
    Some(lab.doctor_while(&server.url(), &["-J", &hop, "--idle", idle], s(240), |over| disturb(&lab, &server, over)))
}

#[test]
fn a_server_behind_the_bastion_that_stops_again_and_again_is_stalled() {
    let Some((seen, done)) = through_a_bastion_while("25s", |lab, _, over| lab.stall(s(14), s(6), over)) else {
        return;
    };
    assert_codes(&seen, &["server-stalled"]);
    assert_times(&seen, "stalled", &done);
}

#[test]
fn resets_at_random_behind_the_bastion_are_named() {
    let resets = |lab: &Lab, server: &Server, over: &dyn Fn() -> bool| {
        when_idle(server, s(2));
        lab.random_resets(server.port(), &[s(3), s(5), s(4)], over)
    };
    let Some((seen, done)) = through_a_bastion_while("25s", resets) else { return };
    assert!(done.len() > 2, "{done:?}: {}", seen.told());
    assert_codes(&seen, &["path-random-resets"]);
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(because.contains("ended behind the jump host"), "{}", seen.told());
}

#[test]
fn a_dead_member_before_the_bastion_is_told_by_the_ports() {
    let Some(lab) = Lab::through(&[Middlebox::Plain, Middlebox::Bastion, Middlebox::Plain]) else { return };
    let (bastion, server) = (lab.bastion(2, &[]), lab.sshd(&[]));
    let hop = bastion.hop();
    lab.router(1).nft("add rule inet lab forward tcp sport & 2 == 2 ct state new drop");
    let seen = lab.doctor(&server, &["-J", &hop, "--idle", "12s"], s(240));
    assert!(!seen.codes().iter().any(|code| code.starts_with("idle-")), "{}", seen.told());
    assert_codes(&seen, &["tcp-some-flows-dead"]);
}

/// A way through a bastion, one leg of which is interrupted for 5 s in every 17; the legs are told by their numbers.
fn a_leg_is_interrupted(routers: &[Middlebox], bastion: usize, router: usize, leg: u64) {
    let Some(lab) = Lab::through(routers) else { return };
    let (bastion, server) = (lab.bastion(bastion, &[]), lab.sshd(&[]));
    let hop = bastion.hop();
    let options = ["-J", &hop, "--idle", "25s"];
    let (seen, done) = lab.doctor_while(&server.url(), &options, s(240), |over| lab.flap(router, s(12), s(5), over));
    assert_codes(&seen, &["path-unstable"]);
    let events: Vec<_> = seen.json["timeline"]["events"].as_array().into_iter().flatten().collect();
    assert!(!events.is_empty() && events.iter().all(|event| event["leg"] == leg), "{done:?}, {events:?}");
}

#[test]
fn an_interruption_before_the_bastion_is_told_from_one_behind_it() {
    a_leg_is_interrupted(&[Middlebox::Plain, Middlebox::Bastion], 2, 1, 0);
}

#[test]
fn an_interruption_behind_the_bastion_is_told_from_one_before_it() {
    a_leg_is_interrupted(&[Middlebox::Bastion, Middlebox::Plain], 1, 2, 1);
}

#[test]
fn a_firewall_behind_the_bastion_that_loses_its_state_is_named() {
    let Some(lab) = Lab::through(&[Middlebox::Bastion, Middlebox::Forgets(600)]) else { return };
    let (bastion, server) = (lab.bastion(1, &[]), lab.sshd(&[]));
    let hop = bastion.hop();
    let (seen, _) = lab.doctor_while(&server.url(), &["-J", &hop, "--idle", "25s"], s(240), |_| {
        when_idle(&server, s(5));
        lab.lose_state(2);
        vec![]
    });
    assert_codes(&seen, &["path-state-lost"]);
}
