//! The hop that forgets, in chains of routers: located with its address, whatever the length of the path.

use super::{assert_codes, assert_keepalive_proven, assert_no_hop, assert_tidy, examine, s};
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
    let told = format!("dropped by hop {hop} ({address}, a private address)");
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

#[test]
fn few_sessions_locate_it_too() {
    let Some(lab) = chain(3, 2) else { return };
    let server = lab.sshd(&[]);
    let seen = lab.doctor(&server, &["--idle", "24s", "--sessions", "12"], s(150));
    assert_located(&seen, 2, &lab.router_address(2).to_string());
    assert_keepalive_proven(&seen);
    assert_tidy(&lab, &server);
}

#[test]
fn a_router_that_says_nothing_is_located_by_its_number() {
    let Some(lab) = chain(3, 2) else { return };
    lab.router(2).nft(SAYS_NOTHING);
    let server = lab.sshd(&[]);
    let seen = examine(&lab, &server, 3 * TIMER);
    assert_eq!(seen.idle()["killer"], serde_json::json!({"hop": 2, "address": null}), "{}", seen.told());
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(because.contains("hop 2 (it does not say its address), a machine in the middle"), "{}", seen.told());
    let hops = &seen.idle()["path"]["hops"];
    assert_eq!((&hops[1]["number"], &hops[1]["address"]), (&2.into(), &serde_json::Value::Null), "{}", seen.told());
    assert_tidy(&lab, &server);
}

const SAYS_NOTHING: &str = "add table inet own\nadd chain inet own output { type filter hook output priority 0; }\n\
     add rule inet own output meta l4proto icmp drop";

#[test]
fn what_a_word_of_ours_mends_accuses_no_hop() {
    let Some(lab) = Lab::through(&[Middlebox::Plain, Middlebox::PicksUp(TIMER)]) else { return };
    let server = lab.sshd(&[]);
    let seen = examine(&lab, &server, 3 * TIMER);
    assert_codes(&seen, &["idle-one-way-drop", "idle-no-keepalive"]);
    assert_no_hop(&seen);
    let why = seen.idle()["search"]["untold"].as_str().unwrap_or_default();
    assert!(why.contains("a word of ours"), "{}", seen.told());
    assert_tidy(&lab, &server);
}

#[test]
fn behind_a_jump_it_is_said_that_no_hop_can_be_told() {
    let Some(lab) = Lab::through(&[Middlebox::Bastion, Middlebox::Forgets(TIMER)]) else { return };
    let (bastion, server) = (lab.bastion(1, &[]), lab.sshd(&[]));
    let seen = lab.doctor(&server, &["-J", &bastion.hop(), "--idle", "24s"], s(120));
    assert_codes(&seen, &["idle-silent-drop", "idle-no-keepalive"]);
    assert_no_hop(&seen);
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(
        because.contains("the hop that drops it is not known: the connection goes through a proxy command or a jump"),
        "{}",
        seen.told()
    );
}
