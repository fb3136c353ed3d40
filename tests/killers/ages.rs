//! Ends that have nothing to do with silence: a session's age, and one instant for all.

use super::{
    CLOSED, SSH_KEEPALIVE, WAIT, assert_codes, assert_died, assert_lived, assert_no_hop, assert_nothing_proven,
    assert_tidy, examine, s,
};
use crate::lab::{Lab, Server, eventually};

/// How old a session may get, seconds.
const AGE: u32 = 9;

#[test]
fn a_bastion_cuts_each_session_at_the_same_age() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.sshd_of_age(AGE) else { return };
    std::thread::scope(|scope| {
        let talking = scope.spawn(|| lab.ssh(&server, &[], "while sleep 1; do echo; done", s(20)));
        let later = scope.spawn(|| {
            std::thread::sleep(s(3));
            lab.ssh(&server, &SSH_KEEPALIVE, WAIT, s(20))
        });
        let kept = lab.ssh(&server, &SSH_KEEPALIVE, WAIT, s(20));
        for run in [kept, talking.join().expect("a run"), later.join().expect("a run")] {
            assert_died(&run, 8..11, CLOSED);
        }
    });
}

#[test]
fn a_limit_on_age_is_named() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.sshd_of_age(AGE) else { return };
    let seen = examine(&lab, &server, 3 * AGE);
    assert_codes(&seen, &["session-lifetime-limit"]);
    assert_nothing_proven(&seen);
    assert_no_hop(&seen);
    assert!(seen.idle()["timeout"]["died_s"].is_null(), "no silence killed: {}", seen.told());
    assert_tidy(&lab, &server);
}

#[test]
fn a_limit_on_age_is_named_where_the_first_session_is_the_oldest_by_far() {
    // The transfer takes its 7 s on the connection that the idle test keeps.
    let Some(lab) = Lab::healthy().and_then(|lab| lab.with_slow_uplink(1200)) else { return };
    let Some(server) = lab.sshd_of_age(2 * AGE) else { return };
    let seen = lab.doctor(&server, &["--idle", "40s"], s(120));
    // A queue that runs over may be told beside it.
    assert_eq!(seen.codes().first(), Some(&"session-lifetime-limit"), "{}", seen.told());
    assert_nothing_proven(&seen);
    assert_tidy(&lab, &server);
}

#[test]
fn few_sessions_name_a_limit_on_age_too() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.sshd_of_age(AGE) else { return };
    for sessions in ["4", "8"] {
        let seen = lab.doctor(&server, &["--idle", "27s", "--sessions", sessions], s(120));
        assert_codes(&seen, &["session-lifetime-limit"]);
        assert_nothing_proven(&seen);
    }
    assert_tidy(&lab, &server);
}

fn end_all_sessions(lab: &Lab, server: &Server, after: u64) {
    assert!(eventually(s(20), || server.connections() >= 2), "{}", server.log());
    std::thread::sleep(s(after));
    server.end_sessions(lab.server_host());
}

#[test]
fn one_instant_ends_all_sessions_whatever_their_age() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    std::thread::scope(|scope| {
        let early = scope.spawn(|| lab.ssh(&server, &SSH_KEEPALIVE, WAIT, s(20)));
        let late = scope.spawn(|| {
            std::thread::sleep(s(3));
            lab.ssh(&server, &SSH_KEEPALIVE, WAIT, s(20))
        });
        end_all_sessions(&lab, &server, 3);
        let [early, late] = [early, late].map(|run| run.join().expect("a run"));
        assert_died(&early, 5..12, CLOSED);
        assert_died(&late, 2..9, CLOSED);
        assert!(early.took > late.took + s(2), "{early:?} {late:?}");
    });
    assert_lived(&lab.ssh(&server, &[], "echo hi", s(10)));
}

#[test]
fn a_cut_at_one_instant_is_named() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let seen = std::thread::scope(|scope| {
        let seen = scope.spawn(|| examine(&lab, &server, 20));
        end_all_sessions(&lab, &server, 8);
        seen.join().expect("a report")
    });
    assert_codes(&seen, &["session-wall-clock-cut"]);
    assert_nothing_proven(&seen);
    assert_no_hop(&seen);
    assert!(seen.idle()["timeout"]["died_s"].is_null(), "no silence killed: {}", seen.told());
    assert_tidy(&lab, &server);
}
