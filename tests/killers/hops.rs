//! The hop that forgets, in a chain of routers.

use super::{assert_codes, assert_keepalive_proven, assert_tidy, examine};
use crate::lab::{Lab, Middlebox};

/// Seconds of silence that the NAT allows.
const TIMER: u32 = 8;

fn is_located(hop: usize) {
    let mut routers = [Middlebox::Plain; 3];
    routers[hop - 1] = Middlebox::Forgets(TIMER);
    let Some(lab) = Lab::through(&routers) else { return };
    let server = lab.sshd(&[]);
    let seen = examine(&lab, &server, 3 * TIMER);
    assert_codes(&seen, &["idle-silent-drop", "idle-no-keepalive"]);
    assert_keepalive_proven(&seen);
    let killer = &seen.idle()["killer"];
    assert_eq!(killer["hop"], hop, "{}", seen.told());
    assert_eq!(killer["address"], lab.router_address(hop).to_string(), "{}", seen.told());
    assert_tidy(&lab, &server);
}

#[test]
fn a_nat_at_hop_1_is_located() {
    is_located(1);
}

#[test]
fn a_nat_at_hop_2_is_located() {
    is_located(2);
}

#[test]
fn a_nat_at_hop_3_is_located() {
    is_located(3);
}
