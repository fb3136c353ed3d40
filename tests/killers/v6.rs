//! Stateful packet filters over IPv6, without any NAT: named, and located with their addresses.

use super::{
    RESET, SILENT, SSH_KEEPALIVE, WAIT, assert_bracket, assert_codes, assert_died, assert_hung,
    assert_keepalive_proven, assert_lived, assert_manner, assert_tidy, s, side_by_side,
};
use crate::lab::{Lab, Middlebox, Server};

/// Seconds of silence that the filters allow.
const TIMER: u32 = 8;
/// What a filter does with a packet of a connection that it has forgotten.
const DROP: &str = "drop";
const REJECT: &str = "meta l4proto tcp reject with tcp reset";

/// A path of three routers, of which one forgets, and a server that listens for IPv6.
fn filtered(hop: usize, unknown: &str) -> Option<(Lab, Server)> {
    let lab = Lab::through(&[Middlebox::Plain; 3]).and_then(Lab::with_v6)?;
    lab.filter_that_forgets(hop, TIMER, unknown);
    let server = lab.sshd(&[&format!("ListenAddress {}", lab.server_address_v6())]);
    Some((lab, server))
}

/// Options with which a client reaches the server over IPv6, whose key it knows by its other address.
fn over_v6(lab: &Lab, server: &Server) -> [String; 2] {
    [format!("HostName={}", lab.server_address_v6()), format!("HostKeyAlias=[{}]:{}", server.address(), server.port())]
}

fn is_located(hop: usize, unknown: &str, code: &str, manner: &str) {
    let Some((lab, server)) = filtered(hop, unknown) else { return };
    let [name, key] = over_v6(&lab, &server);
    let idle = format!("{}s", 3 * TIMER);
    let seen = lab.doctor(&server, &["-o", &name, "-o", &key, "--idle", &idle], s(3 * u64::from(3 * TIMER) + 30));
    assert_codes(&seen, &[code, "idle-no-keepalive"]);
    assert_manner(&seen, manner);
    assert_bracket(&seen, f64::from(TIMER));
    assert_keepalive_proven(&seen);
    let (killer, router) = (&seen.idle()["killer"], lab.router_address_v6(hop).to_string());
    assert_eq!((&killer["hop"], &killer["address"]), (&hop.into(), &router.into()), "{}", seen.told());
    let routers = [1, 2, 3].map(|hop| lab.router_address_v6(hop).to_string());
    for (listed, router) in seen.idle()["path"]["hops"].as_array().expect("the hops").iter().zip(routers) {
        assert_eq!(listed["address"], router, "{}", seen.told());
    }
    assert_tidy(&lab, &server);
}

#[test]
fn a_filter_that_drops_forgets_for_plain_ssh_too() {
    let Some((lab, server)) = filtered(2, DROP) else { return };
    let [name, key] = over_v6(&lab, &server);
    let with = |options: [&'static str; 2]| [&["-o", &*name, "-o", &*key][..], &options].concat();
    let (silent, kept) = (with(SILENT), with(SSH_KEEPALIVE));
    let [silent, kept] = side_by_side(&lab, &server, [&silent, &kept], WAIT);
    assert_hung(&silent);
    assert_lived(&kept);
}

#[test]
fn a_filter_that_resets_ends_plain_ssh_too() {
    let Some((lab, server)) = filtered(2, REJECT) else { return };
    let [name, key] = over_v6(&lab, &server);
    let late = ["-o", &name, "-o", &key, "-o", "ServerAliveInterval=10"];
    let [ended] = side_by_side(&lab, &server, [&late], WAIT);
    assert_died(&ended, 9..14, RESET);
}

#[test]
fn a_filter_that_drops_at_hop_1_is_located() {
    is_located(1, DROP, "idle-silent-drop", "silent");
}

#[test]
fn a_filter_that_drops_at_hop_2_is_located() {
    is_located(2, DROP, "idle-silent-drop", "silent");
}

#[test]
fn a_filter_that_drops_at_hop_3_is_located() {
    is_located(3, DROP, "idle-silent-drop", "silent");
}

#[test]
fn a_filter_that_resets_at_hop_1_is_located() {
    is_located(1, REJECT, "idle-reset", "reset");
}

#[test]
fn a_filter_that_resets_at_hop_2_is_located() {
    is_located(2, REJECT, "idle-reset", "reset");
}

#[test]
fn a_filter_that_resets_at_hop_3_is_located() {
    is_located(3, REJECT, "idle-reset", "reset");
}
