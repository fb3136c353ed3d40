//! Proxies end TCP themselves: the kernel's keepalives die at them, bytes of SSH do not.

use super::{
    CLOSED, RESET, SILENT, SSH_KEEPALIVE, TCP_KEEPALIVE, WAIT, assert_bracket, assert_codes, assert_died,
    assert_keepalive_proven, assert_lived, assert_manner, assert_tidy, examine, side_by_side,
};
use crate::lab::{Lab, Proxy};

/// Seconds of silence that each proxy here allows.
const TIMER: u32 = 6;

/// Plain ssh dies at a proxy with a word, TCP keepalives or not, and lives with those of SSH.
fn kills_all_but_ssh_bytes(proxy: Proxy, words: &[&str]) {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let Some(front) = lab.behind(proxy, TIMER, &server) else { return };
    lab.tcp_keepalive(2);
    let [silent, kernel, ssh] = side_by_side(&lab, &front, [&SILENT, &TCP_KEEPALIVE, &SSH_KEEPALIVE], WAIT);
    for dead in [silent, kernel] {
        assert_died(&dead, 5..10, words);
    }
    assert_lived(&ssh);
}

/// The doctor names the proxy's timer, and proves the keepalive on it.
fn is_named(proxy: Proxy) {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let Some(front) = lab.behind(proxy, TIMER, &server) else { return };
    let lingerless = matches!(proxy, Proxy::HaproxyNoLinger);
    let seen = examine(&lab, &front, 3 * TIMER);
    assert_codes(&seen, &["idle-closed-by-proxy", "idle-no-keepalive"]);
    // haproxy closes and then resets: the reset may overtake the end of file.
    let manner = seen.idle()["manner"].as_str();
    assert!(manner == Some("fin") || lingerless && manner == Some("reset"), "{}", seen.told());
    assert_bracket(&seen, f64::from(TIMER));
    assert_keepalive_proven(&seen);
    assert_tidy(&lab, &server);
}

#[test]
fn haproxy_closes_what_only_the_kernel_keeps_alive() {
    kills_all_but_ssh_bytes(Proxy::Haproxy, CLOSED);
}

#[test]
fn haproxy_is_named() {
    is_named(Proxy::Haproxy);
}

#[test]
fn haproxy_without_lingering_resets_what_only_the_kernel_keeps_alive() {
    kills_all_but_ssh_bytes(Proxy::HaproxyNoLinger, &[CLOSED, RESET].concat());
}

#[test]
fn haproxy_without_lingering_is_named() {
    is_named(Proxy::HaproxyNoLinger);
}

#[test]
fn haproxy_with_a_timer_for_each_direction_is_named() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let Some(front) = lab.behind(Proxy::HaproxyOneWay, TIMER, &server) else { return };
    let seen = examine(&lab, &front, 3 * TIMER);
    assert_codes(&seen, &["idle-closed-by-proxy", "idle-no-keepalive"]);
    let because = seen.json["diagnoses"][0]["because"].to_string();
    let words = "data from the server alone did not keep a session alive: only data from the client counts";
    assert!(because.contains(words), "{}", seen.told());
    assert_manner(&seen, "fin");
    assert_bracket(&seen, f64::from(TIMER));
    assert_keepalive_proven(&seen);
    assert_tidy(&lab, &server);
}

#[test]
fn nginx_closes_what_only_the_kernel_keeps_alive() {
    kills_all_but_ssh_bytes(Proxy::Nginx, CLOSED);
}

#[test]
fn nginx_is_named() {
    is_named(Proxy::Nginx);
}

#[test]
fn socat_closes_what_only_the_kernel_keeps_alive() {
    kills_all_but_ssh_bytes(Proxy::Socat, CLOSED);
}

#[test]
fn socat_is_named() {
    is_named(Proxy::Socat);
}
