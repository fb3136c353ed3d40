//! The same over IPv6.

use std::sync::Mutex;

use super::{
    LIMIT, assert_codes, assert_loss, assert_random_resets, assert_restart, assert_survived, assert_timer_beside_gaps,
    assert_times, s, when_idle,
};
use crate::lab::{Lab, Middlebox, Report, Server, Times, now};

fn v6(routers: &[Middlebox]) -> Option<(Lab, Server)> {
    let lab = Lab::through(routers).and_then(Lab::with_v6)?;
    let server = lab.sshd(&[&listen(&lab)]);
    Some((lab, server))
}

fn listen(lab: &Lab) -> String {
    format!("ListenAddress {}", lab.server_address_v6())
}

/// Examines over IPv6 while something goes on; the client knows the server's key by its other address.
fn examined_while(
    lab: &Lab,
    server: &Server,
    idle: &str,
    disturb: impl FnOnce(&dyn Fn() -> bool) -> Times + Send,
) -> (Report, Times) {
    let name = format!("HostName={}", lab.server_address_v6());
    let key = format!("HostKeyAlias=[{}]:{}", server.address(), server.port());
    lab.doctor_while(&server.url(), &["-o", &name, "-o", &key, "--idle", idle], LIMIT, disturb)
}

/// The same through one router that only forwards.
fn plainly_while(
    idle: &str,
    disturb: impl FnOnce(&Lab, &Server, &dyn Fn() -> bool) -> Times + Send,
) -> Option<(Report, Times)> {
    let (lab, server) = v6(&[Middlebox::Plain])?;
    Some(examined_while(&lab, &server, idle, |over| disturb(&lab, &server, over)))
}

#[test]
fn an_ipv6_path_that_is_down_for_5_s_in_every_17_is_unstable() {
    let Some((seen, done)) = plainly_while("25s", |lab, _, over| lab.flap(1, s(12), s(5), over)) else { return };
    assert_codes(&seen, &["path-unstable"]);
    assert_times(&seen, "interrupted", &done);
}

#[test]
fn an_ipv6_path_that_is_down_for_8_s_in_every_28_is_unstable() {
    let Some((seen, done)) = plainly_while("25s", |lab, _, over| lab.flap(1, s(20), s(8), over)) else { return };
    assert_codes(&seen, &["path-unstable"]);
    assert_times(&seen, "interrupted", &done);
    assert_survived(&seen, 25.0);
}

#[test]
fn an_ipv6_timer_beside_interruptions_is_found_with_its_keepalive() {
    let Some((lab, server)) = v6(&[Middlebox::Plain, Middlebox::Plain]) else { return };
    lab.filter_that_forgets(2, 25, "drop");
    let (seen, done) = examined_while(&lab, &server, "40s", |over| lab.flap(1, s(15), s(5), over));
    assert_timer_beside_gaps(&seen, &done);
}

#[test]
fn an_ipv6_filter_that_loses_its_state_is_named() {
    let Some((lab, server)) = v6(&[Middlebox::Plain, Middlebox::Plain]) else { return };
    lab.filter_that_forgets(2, 600, "drop");
    let (seen, done) = examined_while(&lab, &server, "25s", |_| {
        when_idle(&server, s(5));
        lab.lose_state(2);
        vec![(now(), now())]
    });
    assert_loss(&seen, &done);
    assert_survived(&seen, 25.0);
}

#[test]
fn a_server_that_stops_again_and_again_is_stalled_over_ipv6() {
    let Some((seen, done)) = plainly_while("25s", |lab, _, over| lab.stall(s(14), s(6), over)) else { return };
    assert_codes(&seen, &["server-stalled"]);
    assert_times(&seen, "stalled", &done);
}

#[test]
fn a_server_that_is_restarted_is_told_over_ipv6() {
    let Some((lab, first)) = v6(&[Middlebox::Plain]) else { return };
    let (url, second) = (first.url(), Mutex::new(None));
    let name = format!("HostName={}", lab.server_address_v6());
    let key = format!("HostKeyAlias=[{}]:{}", first.address(), first.port());
    let (seen, done) = lab.doctor_while(&url, &["-o", &name, "-o", &key, "--idle", "20s"], LIMIT, |_| {
        when_idle(&first, s(5));
        let from = now();
        *second.lock().expect("nobody else") = Some(lab.restart(first, s(4), &[&listen(&lab)]));
        vec![(from, now())]
    });
    assert_restart(&seen, &done);
    assert_survived(&seen, 20.0);
}

#[test]
fn resets_at_random_are_named_over_ipv6() {
    let resets = |lab: &Lab, server: &Server, over: &dyn Fn() -> bool| {
        when_idle(server, s(2));
        lab.random_resets(server.port(), &[s(3), s(5), s(4)], over)
    };
    let Some((seen, done)) = plainly_while("25s", resets) else { return };
    assert_random_resets(&seen, &done);
}

#[test]
fn a_dead_member_behind_a_hash_of_ports_is_told_over_ipv6() {
    let dead = |lab: &Lab, server: &Server, _: &dyn Fn() -> bool| {
        lab.router(1).nft(&format!("add rule inet lab forward tcp dport {} tcp sport & 2 == 2 drop", server.port()));
        vec![]
    };
    let Some((seen, _)) = plainly_while("12s", dead) else { return };
    assert_codes(&seen, &["tcp-some-flows-dead"]);
}
