//! The hop that forgets, in chains of routers: located with its address, whatever the length of the path.

use super::{assert_codes, assert_keepalive_proven, assert_tidy, examine};
use crate::lab::{Lab, Middlebox, Report};

/// Seconds of silence that the NAT allows.
const TIMER: u32 = 8;
/// A path of so many routers, of which one forgets.
fn chain(routers: usize, hop: usize) -> Option<Lab> {
    let mut chain = vec![Middlebox::Plain; routers];
    chain[hop - 1] = Middlebox::Forgets(TIMER);
    Lab::through(&chain)
}

fn is_located(routers: usize, hop: usize) {
    let Some(lab) = chain(routers, hop) else { return };
    let server = lab.sshd(&[]);
    let seen = examine(&lab, &server, 3 * TIMER);
    assert_located(&seen, hop, &lab.router_address(hop).to_string());
    assert_codes(&seen, &["idle-silent-drop", "idle-no-keepalive"]);
    assert_keepalive_proven(&seen);
    assert_listed(&seen, &(1..=routers).map(|hop| lab.router_address(hop).to_string()).collect::<Vec<_>>());
    assert_tidy(&lab, &server);
}

/// This hop and no other is accused.
#[track_caller]
fn assert_located(seen: &Report, hop: usize, address: &str) {
    let killer = &seen.idle()["killer"];
    assert_eq!(killer["hop"], hop, "{}", seen.told());
    assert_eq!(killer["address"], address, "{}", seen.told());
    let found = &seen.idle()["search"]["found"];
    assert_eq!((&found["after"], &found["doubt"]), (&(hop - 1).into(), &serde_json::Value::Null), "{}", seen.told());
    let told = format!("what forgets is hop {hop} ({address}, a private address)");
    assert!(seen.told().contains(&told), "{}", seen.told());
}

/// Every router of the path is listed with its round-trip time.
#[track_caller]
fn assert_listed(seen: &Report, routers: &[String]) {
    let hops = seen.idle()["path"]["hops"].as_array().expect("the hops");
    let listed: Vec<_> =
        hops.iter().filter(|hop| hop["rtt_ms"].is_number()).map(|hop| hop["address"].as_str()).collect();
    assert_eq!(listed.len(), routers.len() + 1, "{}", seen.told());
    assert!(listed.iter().zip(routers).all(|(listed, router)| *listed == Some(router)), "{}", seen.told());
}

#[test]
fn a_nat_at_hop_1_of_3_is_located() {
    is_located(3, 1);
}

#[test]
fn a_nat_at_hop_2_of_3_is_located() {
    is_located(3, 2);
}

#[test]
fn a_nat_at_hop_3_of_3_is_located() {
    is_located(3, 3);
}

#[test]
fn a_nat_at_hop_1_of_5_is_located() {
    is_located(5, 1);
}

#[test]
fn a_nat_at_hop_2_of_5_is_located() {
    is_located(5, 2);
}

#[test]
fn a_nat_at_hop_3_of_5_is_located() {
    is_located(5, 3);
}

#[test]
fn a_nat_at_hop_5_of_5_is_located() {
    is_located(5, 5);
}

#[test]
fn a_nat_at_hop_3_of_8_is_located() {
    is_located(8, 3);
}

#[test]
fn a_nat_at_hop_5_of_8_is_located() {
    is_located(8, 5);
}

#[test]
fn a_nat_at_hop_7_of_8_is_located() {
    is_located(8, 7);
}
