//! Stateful devices in the path, which look at packets: any packet of the right side keeps them quiet.

use super::servers::{CLIENT_ALIVE_2, assert_speaks_every};
use super::{
    RESET, SILENT, SSH_KEEPALIVE, TCP_KEEPALIVE, WAIT, assert_bracket, assert_codes, assert_died, assert_healthy,
    assert_hung, assert_keepalive_proven, assert_lived, assert_manner, assert_tidy, examine, s, side_by_side,
};
use crate::lab::{Heeded, Lab, Middlebox, Report};

/// Seconds of silence that each device here allows.
const TIMER: u32 = 6;

/// A keepalive that comes only after the timer, and whose loss is noticed.
const LATE_KEEPALIVE: [&str; 4] = ["-o", "ServerAliveInterval=8", "-o", "ServerAliveCountMax=1"];

#[test]
fn a_nat_is_kept_quiet_by_the_kernel_too() {
    let Some(lab) = Lab::through(&[Middlebox::Forgets(TIMER)]) else { return };
    let server = lab.sshd(&[]);
    lab.tcp_keepalive(2);
    let [silent, kernel, ssh] = side_by_side(&lab, &server, [&SILENT, &TCP_KEEPALIVE, &SSH_KEEPALIVE], WAIT);
    assert_hung(&silent);
    assert_lived(&kernel);
    assert_lived(&ssh);
}

#[test]
fn a_nat_that_drops_is_named() {
    is_named(&[Middlebox::Forgets(TIMER)], "idle-silent-drop", "silent");
}

#[test]
fn a_nat_that_resets_is_named() {
    is_named(&[Middlebox::Resets(TIMER)], "idle-reset", "reset");
}

#[test]
fn a_nat_that_drops_behind_a_slow_line_is_named() {
    const LONGER: u32 = 2 * TIMER;
    let Some(lab) = Lab::through(&[Middlebox::Forgets(LONGER)]).and_then(|lab| lab.with_slow_link(0, (128, 128)))
    else {
        return;
    };
    let server = lab.sshd(&[]);
    let seen = lab.doctor(&server, &["--idle", "36s"], s(150));
    assert_codes(&seen, &["idle-silent-drop", "idle-no-keepalive"]);
    // Answers that wait for other packets widen it.
    let bracket = &seen.idle()["timeout"];
    let bounds = (bracket["survived_s"].as_f64(), bracket["died_s"].as_f64());
    let is_right =
        matches!(bounds, (Some(survived), Some(died)) if survived <= 12.0 && 12.0 <= died && died - survived <= 6.0);
    assert!(is_right, "{bounds:?}: {}", seen.told());
    assert_keepalive_proven(&seen);
}

fn is_named(routers: &[Middlebox], code: &str, manner: &str) {
    let Some(lab) = Lab::through(routers) else { return };
    let server = lab.sshd(&[]);
    let seen = examine(&lab, &server, 3 * TIMER);
    assert_codes(&seen, &[code, "idle-no-keepalive"]);
    assert_manner(&seen, manner);
    assert_bracket(&seen, f64::from(TIMER));
    assert_keepalive_proven(&seen);
    assert_tidy(&lab, &server);
}

#[test]
fn a_firewall_resets_both_ends_when_the_timer_runs_out() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(_firewall) = lab.resetting_firewall(TIMER) else { return };
    let server = lab.sshd(&[]);
    lab.tcp_keepalive(2);
    let [silent, kernel, ssh] = side_by_side(&lab, &server, [&SILENT, &TCP_KEEPALIVE, &SSH_KEEPALIVE], WAIT);
    assert_died(&silent, 5..10, RESET);
    assert_lived(&kernel);
    assert_lived(&ssh);
    assert!(server.log().contains("reset by peer"), "the server is reset too: {}", server.log());
}

#[test]
fn a_reset_when_the_timer_runs_out_is_named() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(_firewall) = lab.resetting_firewall(TIMER) else { return };
    let server = lab.sshd(&[]);
    let seen = examine(&lab, &server, 3 * TIMER);
    assert_codes(&seen, &["idle-reset", "idle-no-keepalive"]);
    assert_manner(&seen, "reset");
    assert_bracket(&seen, f64::from(TIMER));
    assert_keepalive_proven(&seen);
    assert_tidy(&lab, &server);
}

#[test]
fn a_filter_before_the_server_loses_what_the_client_says_first() {
    let Some(lab) = Lab::through(&[Middlebox::GuardsServer(TIMER)]) else { return };
    let (server, speaking) = (lab.sshd(&[]), lab.sshd(&["ClientAliveInterval 2"]));
    std::thread::scope(|scope| {
        let saved = scope.spawn(|| lab.ssh(&speaking, &LATE_KEEPALIVE, "sleep 18; echo hi", s(25)));
        let options: [&[&str]; 3] = [&SILENT, &LATE_KEEPALIVE, &SSH_KEEPALIVE];
        let [server_first, client_first, kept] = side_by_side(&lab, &server, options, "sleep 18; echo hi");
        assert_lived(&server_first);
        assert_died(&client_first, 15..19, &["not responding"]);
        assert_lived(&kept);
        assert_lived(&saved.join().expect("a run"));
    });
}

#[test]
fn a_filter_before_the_server_is_named_and_the_server_can_mend_it() {
    let Some(lab) = Lab::through(&[Middlebox::GuardsServer(TIMER)]) else { return };
    let server = lab.sshd(&[]);
    let seen = examine(&lab, &server, 3 * TIMER);
    assert_codes(&seen, &["idle-silent-drop", "idle-no-keepalive"]);
    assert_manner(&seen, "silent");
    assert_bracket(&seen, f64::from(TIMER));
    assert_keepalive_proven(&seen);
    let asks = |fix: &serde_json::Value| {
        fix["snippet"].as_str().is_some_and(|snippet| snippet.contains("ClientAliveInterval"))
    };
    assert!(seen.fixes().any(|fix| fix["side"] == "server" && asks(fix)), "{}", seen.told());
    assert_tidy(&lab, &server);
}

#[test]
fn a_filter_before_the_client_loses_what_the_server_says_first() {
    let Some(lab) = Lab::through(&[Middlebox::GuardsClient(TIMER)]) else { return };
    let server = lab.sshd(&[]);
    let [server_first, client_first, kept] =
        side_by_side(&lab, &server, [&SILENT, &LATE_KEEPALIVE, &SSH_KEEPALIVE], WAIT);
    assert_hung(&server_first);
    assert_lived(&client_first);
    assert_lived(&kept);
}

fn one_way_is_named(router: Middlebox) {
    let Some(lab) = Lab::through(&[router]) else { return };
    let server = lab.sshd(&[]);
    let seen = examine(&lab, &server, 3 * TIMER);
    assert_codes(&seen, &["idle-one-way-drop", "idle-no-keepalive"]);
    assert_keepalive_proven(&seen);
    assert_tidy(&lab, &server);
}

#[test]
fn a_filter_before_the_client_is_named() {
    one_way_is_named(Middlebox::GuardsClient(TIMER));
}

#[test]
fn a_nat_that_picks_flows_up_again_is_named() {
    // What the server says first is not only lost here: the router itself answers it with a reset.
    one_way_is_named(Middlebox::PicksUp(TIMER));
}

/// The server says a line every second, for longer than any timer here; the client says nothing.
const TALK: &str = "for line in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1; echo; done";

#[test]
fn a_timer_of_the_clients_data_ends_a_talking_session_unless_the_client_talks_too() {
    let Some(lab) = Lab::through(&[Middlebox::Heeds(Heeded::OutboundData, TIMER)]) else { return };
    let server = lab.sshd(&["ClientAliveInterval 2"]);
    let along =
        format!("while sleep 2; do echo; done | ssh -F {} {} '{TALK}'", lab.home().config().display(), server.url());
    std::thread::scope(|scope| {
        let talking = scope.spawn(|| lab.run("sh", &["-c", &along], s(25)));
        let idle = scope.spawn(|| lab.ssh(&server, &SSH_KEEPALIVE, WAIT, s(25)));
        // The keepalives of both ends begin when the lines no longer come, which is too late.
        assert_died(&lab.ssh(&server, &SSH_KEEPALIVE, TALK, s(25)), 10..18, &["not responding"]);
        assert_eq!(talking.join().expect("a run").status, Some(0));
        assert_lived(&idle.join().expect("a run"));
    });
}

#[test]
fn a_timer_of_the_clients_data_is_named() {
    let Some(lab) = Lab::through(&[Middlebox::Heeds(Heeded::OutboundData, TIMER)]) else { return };
    let server = lab.sshd(&[]);
    let seen = examine(&lab, &server, 3 * TIMER);
    assert_codes(&seen, &["idle-one-way-refresh", "idle-no-keepalive"]);
    assert_manner(&seen, "silent");
    assert_bracket(&seen, f64::from(TIMER));
    // It is proven for silent sessions, and this cause is about those on which the server talks.
    assert_eq!(seen.idle()["keepalive"]["verified"], true, "{}", seen.told());
    assert!(!seen.fixes().any(|fix| fix["verified"] == true), "{}", seen.told());
    assert_tidy(&lab, &server);
}

/// The sessions on which only the server spoke: how they ended, and after how many seconds.
fn of_the_server(seen: &Report) -> Vec<(&str, f64)> {
    let arms = seen.idle()["arms"].as_array().into_iter().flatten().filter(|arm| arm["moves"] == "server-data");
    arms.filter_map(|arm| Some((arm["end"]["end"].as_str()?, arm["lasted_s"].as_f64()?))).collect()
}

/// Any data of one side is acknowledged by the other: a timer of one direction is wound up by both.
fn is_wound_up_by_the_server_too(packets: Heeded) {
    let Some(lab) = Lab::through(&[Middlebox::Heeds(packets, TIMER)]) else { return };
    let server = lab.sshd(&[]);
    let seen = examine(&lab, &server, 3 * TIMER);
    assert_codes(&seen, &["idle-silent-drop", "idle-no-keepalive"]);
    assert_bracket(&seen, f64::from(TIMER));
    assert_keepalive_proven(&seen);
    let arms = of_the_server(&seen);
    let lived = matches!(arms[..], [("alive", lasted)] if lasted > f64::from(TIMER));
    assert!(lived, "{arms:?}: {}", seen.told());
    assert_tidy(&lab, &server);
}

#[test]
fn a_timer_of_outbound_packets_is_wound_up_by_acknowledgements() {
    is_wound_up_by_the_server_too(Heeded::Outbound);
}

#[test]
fn a_timer_of_inbound_packets_is_wound_up_by_what_the_server_sends() {
    is_wound_up_by_the_server_too(Heeded::Inbound);
}

#[test]
fn a_server_that_speaks_often_enough_makes_a_nat_harmless() {
    let Some(lab) = Lab::through(&[Middlebox::Forgets(TIMER)]) else { return };
    let server = lab.sshd(&["ClientAliveInterval 2", "ClientAliveCountMax 3"]);
    assert_lived(&lab.ssh(&server, &SILENT, WAIT, s(20)));
    let seen = examine(&lab, &server, 2 * TIMER);
    assert_healthy(&seen);
    assert_speaks_every(&seen, CLIENT_ALIVE_2);
}
