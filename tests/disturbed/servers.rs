//! Servers that stop for a while, or come back as others.

use std::sync::Mutex;

use super::{LIMIT, assert_codes, assert_restart, assert_survived, assert_times, s, when_idle};
use crate::lab::{Lab, eventually, now};

#[test]
fn a_server_that_stops_for_6_s_in_every_20_is_stalled_and_the_path_is_not_blamed() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let (seen, done) = lab.doctor_while(&server.url(), &["--idle", "30s"], LIMIT, |over| lab.stall(s(14), s(6), over));
    assert_codes(&seen, &["server-stalled"]);
    assert_times(&seen, "stalled", &done);
    assert_survived(&seen, 30.0);
}

#[test]
fn a_server_that_stops_for_40_s_is_stalled_and_the_network_is_not_out() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let (seen, done) =
        lab.doctor_while(&server.url(), &["--idle", "25s"], LIMIT, |over| lab.stall_once(s(10), s(40), over));
    assert_codes(&seen, &["server-stalled"]);
    assert_times(&seen, "stalled", &done);
}

#[test]
fn a_server_that_stops_during_the_login_is_stalled_whatever_step_it_hit() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let (seen, done) = lab.doctor_while(&server.url(), &["--idle", "0"], LIMIT, |over| {
        assert!(eventually(s(20), || server.log().contains("Accepted publickey")), "{}", server.log());
        lab.stall_once(s(0), s(12), over)
    });
    assert_codes(&seen, &["server-stalled"]);
    assert_times(&seen, "stalled", &done);
}

#[test]
fn a_server_that_is_restarted_is_told_from_a_clock_on_the_wall() {
    let Some(lab) = Lab::healthy() else { return };
    let first = lab.sshd(&[]);
    let (url, second) = (first.url(), Mutex::new(None));
    let (seen, done) = lab.doctor_while(&url, &["--idle", "20s"], LIMIT, |_| {
        when_idle(&first, s(5));
        let from = now();
        *second.lock().expect("nobody else") = Some(lab.restart(first, s(4), &[]));
        vec![(from, now())]
    });
    assert_restart(&seen, &done);
    assert_survived(&seen, 20.0);
}
