//! Connections that are lost all at once, at random, or never get through.

use super::{LIMIT, assert_codes, assert_loss, assert_random_resets, assert_survived, s, when_idle};
use crate::lab::{Lab, Middlebox, now};

#[test]
fn a_firewall_that_loses_its_state_once_is_told_from_a_timer() {
    let Some(lab) = Lab::through(&[Middlebox::Plain, Middlebox::Forgets(600)]) else { return };
    let server = lab.sshd(&[]);
    let (seen, done) = lab.doctor_while(&server.url(), &["--idle", "30s"], LIMIT, |_| {
        when_idle(&server, s(6));
        lab.lose_state(2);
        vec![(now(), now())]
    });
    assert_loss(&seen, &done);
    assert_eq!(seen.run.status, Some(2), "{}", seen.told());
    assert_survived(&seen, 30.0);
}

#[test]
fn a_timer_is_found_although_the_state_was_lost_meanwhile() {
    let Some(lab) = Lab::through(&[Middlebox::Plain, Middlebox::Forgets(14)]) else { return };
    let server = lab.sshd(&[]);
    let (seen, _) = lab.doctor_while(&server.url(), &["--idle", "25s"], LIMIT, |_| {
        when_idle(&server, s(4));
        lab.lose_state(2);
        vec![]
    });
    assert_codes(&seen, &["idle-silent-drop", "path-state-lost", "idle-no-keepalive"]);
    assert_eq!(seen.idle()["keepalive"]["verified"], true, "{}", seen.told());
}

#[test]
fn resets_at_random_are_neither_a_timer_nor_a_limit_on_age() {
    let Some(lab) = Lab::through(&[Middlebox::Plain]) else { return };
    let server = lab.sshd(&[]);
    let (seen, done) = lab.doctor_while(&server.url(), &["--idle", "25s"], LIMIT, |over| {
        when_idle(&server, s(2));
        lab.random_resets(server.port(), &[s(3), s(5), s(4)], over)
    });
    assert_random_resets(&seen, &done);
}

#[test]
fn a_dead_member_behind_a_hash_of_ports_is_told_by_the_ports() {
    let Some(lab) = Lab::through(&[Middlebox::Plain]) else { return };
    let server = lab.sshd(&[]);
    // The kernel gives every connection that names no port an even one: a hash that looks at the next bit.
    lab.router(1).nft(&format!("add rule inet lab forward tcp dport {} tcp sport & 2 == 2 drop", server.port()));
    let seen = lab.doctor(&server, &["--idle", "12s"], LIMIT);
    assert_eq!(seen.codes().first(), Some(&"tcp-some-flows-dead"), "{}", seen.told());
    assert!(!seen.codes().iter().any(|code| code.starts_with("idle-")), "{}", seen.told());
}
