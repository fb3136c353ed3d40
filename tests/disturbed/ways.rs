//! The same over IPv6, and on either leg of a way through a jump host.

use super::{assert_codes, assert_times, s, when_idle};
use crate::lab::{Lab, Middlebox, Server, eventually};

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
        assert!(eventually(s(40), || server.log().matches("Accepted publickey").count() > 12), "{}", server.log());
        std::thread::sleep(s(5));
        lab.lose_state(2);
        vec![]
    });
    assert_codes(&seen, &["path-state-lost"]);
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
