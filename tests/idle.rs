//! The built doctor on paths and servers that end idle sessions: what it must measure, name and prove.

use std::time::Duration;

use serde_json::Value;

use crate::lab::{Lab, Middlebox, Report, Server, eventually};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The longest idle time that a user who knows nothing of the path would ask for here.
const LONGEST: [&str; 2] = ["--idle", "60s"];

/// The run's bound for a timer of so many seconds.
fn bound(timer: u32) -> Duration {
    Duration::from_secs_f64(2.5 * f64::from(timer) + 20.0)
}

/// The bracket holds the timer and is no wider than 30 % of it, 20 % of one of half a minute; the proven interval is shorter than it.
fn assert_measured(seen: &Report, timer: u32) {
    let timer_s = f64::from(timer);
    let bracket = &seen.idle()["timeout"];
    let (survived, died) = (bracket["survived_s"].as_f64(), bracket["died_s"].as_f64());
    let (Some(survived), Some(died)) = (survived, died) else { panic!("no bracket: {}", seen.told()) };
    assert!(survived <= timer_s && timer_s <= died, "{timer_s} is not in {survived} to {died}: {}", seen.told());
    let most = if timer_s < 30.0 { 0.3 } else { 0.2 };
    assert!(died - survived <= most * timer_s, "{survived} to {died} is too wide for {timer_s}: {}", seen.told());
    assert_eq!(seen.idle()["keepalive"]["verified"], true, "{}", seen.told());
    let interval = seen.idle()["keepalive"]["interval_s"].as_f64().expect("an interval");
    assert!(interval > 0.0 && interval < timer_s, "{interval}: {}", seen.told());
    assert!(
        seen.run.took <= bound(timer),
        "took {:?}, the bound is {:?}: {}",
        seen.run.took,
        bound(timer),
        seen.told()
    );
}

fn assert_named(seen: &Report, code: &str) {
    assert_eq!((seen.codes().first().copied(), seen.died_at()), (Some(code), Some("idle")), "{}", seen.told());
    assert_eq!((seen.json["verdict"].as_str(), seen.run.status), (Some("broken"), Some(2)), "{}", seen.told());
}

/// Not even the sessions that the path cut off are left for the server to find out about in two hours.
fn assert_tidy(lab: &Lab, server: &Server) {
    let is_gone = || server.sessions(lab).is_empty();
    assert!(eventually(s(5), is_gone), "left on the server: {:?}", server.sessions(lab));
}

/// Plain ssh with the recommended keepalive outlives the timer, and without it does not: at the same time.
fn assert_cured(lab: &Lab, server: &Server, seen: &Report, timer: u32) {
    let interval = seen.idle()["keepalive"]["interval_s"].as_f64().expect("an interval").floor();
    let option = format!("ServerAliveInterval={interval}");
    let (remote, deadline) = (format!("sleep {}; echo alive", timer + 6), s(u64::from(timer) + 14));
    std::thread::scope(|scope| {
        let plain = scope.spawn(|| lab.ssh(server, &[], &remote, deadline));
        let cured = lab.ssh(server, &["-o", &option], &remote, deadline);
        assert_eq!((cured.status, &*cured.stdout), (Some(0), "alive\n"), "{option}: {cured:?}");
        let plain = plain.join().expect("a run");
        assert_eq!((plain.status, &*plain.stdout), (None, ""), "plain ssh should hang: {plain:?}");
    });
}

fn a_silent_drop_is_found(timer: u32) {
    let Some(lab) = Lab::through(&[Middlebox::Forgets(timer)]) else { return };
    let server = lab.sshd(&[]);
    let seen = lab.doctor(&server, &LONGEST, bound(timer) + s(30));
    assert_named(&seen, "idle-silent-drop");
    assert_eq!(seen.idle()["manner"], "silent", "{}", seen.told());
    assert_measured(&seen, timer);
    assert_tidy(&lab, &server);
    assert_cured(&lab, &server, &seen, timer);
}

#[test]
fn a_nat_that_forgets_after_6_s_is_found_and_cured() {
    a_silent_drop_is_found(6);
}

#[test]
fn a_nat_that_forgets_after_14_s_is_found_and_cured() {
    a_silent_drop_is_found(14);
}

#[test]
fn a_nat_that_forgets_after_30_s_is_found_and_cured() {
    a_silent_drop_is_found(30);
}

#[test]
fn a_nat_that_resets_after_8_s_is_found() {
    let Some(lab) = Lab::through(&[Middlebox::Resets(8)]) else { return };
    let server = lab.sshd(&[]);
    let seen = lab.doctor(&server, &LONGEST, bound(8) + s(30));
    assert_named(&seen, "idle-reset");
    assert_eq!(seen.idle()["manner"], "reset", "{}", seen.told());
    assert_measured(&seen, 8);
    assert_tidy(&lab, &server);
}

#[test]
fn a_channel_timeout_is_named_and_no_keepalive_is_sold_for_it() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["ChannelTimeout session:*=7s"]);
    let seen = lab.doctor(&server, &["--idle", "20s"], s(90));
    assert_named(&seen, "idle-channel-timeout");
    assert_eq!(seen.idle()["manner"], "channel-close", "{}", seen.told());
    assert_ne!(seen.idle()["keepalive"]["verified"], true, "{}", seen.told());
    assert_tidy(&lab, &server);
}

#[test]
fn a_prompt_that_comes_late_does_not_shorten_the_longest_silence() {
    let Some(lab) = Lab::healthy() else { return };
    lab.account("/bin/bash", ".profile", "if [ -t 0 ]; then sleep 4; fi\n");
    let server = lab.sshd(&[]);
    let seen = lab.doctor(&server, &["--idle", "12s"], s(60));
    assert_eq!((seen.codes(), seen.json["verdict"].as_str()), (vec![], Some("healthy")), "{}", seen.told());
    let survived = seen.idle()["timeout"]["survived_s"].as_f64();
    assert!(survived.is_some_and(|survived| survived >= 11.8), "{survived:?}: {}", seen.told());
}

/// Cuts the path for good some time after the idle sessions were opened.
fn cut_while_idle(lab: &Lab, server: &Server, after: Duration) -> Report {
    std::thread::scope(|scope| {
        let seen = scope.spawn(|| lab.doctor(server, &["--idle", "30s"], s(120)));
        assert!(eventually(s(20), || server.connections() >= 2 || seen.is_finished()), "{}", server.log());
        std::thread::sleep(after);
        lab.cut();
        seen.join().expect("a report")
    })
}

#[test]
fn an_outage_during_the_login_is_no_login_that_hangs() {
    let Some(lab) = Lab::healthy() else { return };
    let keys = lab.home().path("server/.ssh/authorized_keys");
    let begun = lab.home().path("server/lookup-begun");
    let lookup = format!("touch {}; sleep 3; cat {}", begun.display(), keys.display());
    let command = format!("AuthorizedKeysCommand /bin/sh -c \"{lookup}\"");
    let server = lab.sshd(&[&command, "AuthorizedKeysCommandUser root", "AuthorizedKeysFile none"]);
    let seen = std::thread::scope(|scope| {
        let seen = scope.spawn(|| lab.doctor(&server, &["--idle", "20s"], s(90)));
        assert!(eventually(s(20), || begun.exists() || seen.is_finished()), "{}", server.log());
        lab.cut();
        seen.join().expect("a report")
    });
    assert_eq!(seen.codes(), ["network-outage"], "{}", seen.told());
    assert_eq!((seen.died_at(), seen.run.status), (Some("auth"), Some(2)), "{}", seen.told());
    assert_eq!(seen.json["diagnoses"][0]["certainty"], "likely", "{}", seen.told());
}

#[test]
fn an_outage_is_never_called_an_idle_timer() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let seen = cut_while_idle(&lab, &server, s(5));
    let codes = seen.codes();
    assert_eq!(codes.first(), Some(&"network-outage"), "{}", seen.told());
    assert!(!codes.iter().any(|code| code.starts_with("idle-")), "{}", seen.told());
    assert_ne!(seen.idle()["keepalive"]["verified"], true, "{}", seen.told());
    assert!(seen.run.status.is_some_and(|status| status > 0), "{}", seen.told());
}

#[test]
fn an_outage_behind_a_forgetful_nat_is_still_an_outage() {
    let Some(lab) = Lab::through(&[Middlebox::Forgets(600)]) else { return };
    let server = lab.sshd(&[]);
    let seen = cut_while_idle(&lab, &server, s(2));
    assert_eq!(seen.codes().first(), Some(&"network-outage"), "{}", seen.told());
}

/// A server on which every login takes its time, so that the idle sessions are being opened for seconds.
fn slow_to_let_in(lab: &Lab) -> Server {
    let keys = lab.home().path("server/.ssh/authorized_keys");
    let command = format!("AuthorizedKeysCommand /bin/sh -c \"sleep 1; cat {}\"", keys.display());
    lab.sshd(&["AuthorizedKeysFile none", "AuthorizedKeysCommandUser root", &command])
}

/// Does something to the path when the first idle sessions are being opened, and none is open yet.
fn changed_while_opening(lab: &Lab, server: &Server, happens: impl FnOnce()) -> Report {
    std::thread::scope(|scope| {
        let seen = scope.spawn(|| lab.doctor(server, &["--idle", "20s"], s(180)));
        assert!(eventually(s(30), || server.connections() >= 3 || seen.is_finished()), "{}", server.log());
        happens();
        seen.join().expect("a report")
    })
}

#[test]
fn a_path_that_goes_down_while_the_sessions_are_opened_is_an_outage() {
    let Some(lab) = Lab::healthy() else { return };
    let server = slow_to_let_in(&lab);
    let seen = changed_while_opening(&lab, &server, || lab.cut());
    assert_named(&seen, "network-outage");
    assert_eq!(seen.codes(), ["network-outage"], "{}", seen.told());
    assert!(seen.idle()["outages"][0]["ended_s"].is_null(), "{}", seen.told());
    assert!(seen.run.took < s(90), "{:?}: {}", seen.run.took, seen.told());
}

#[test]
fn a_path_that_comes_back_while_the_sessions_are_opened_is_examined_after_all() {
    let Some(lab) = Lab::healthy() else { return };
    let server = slow_to_let_in(&lab);
    let seen = changed_while_opening(&lab, &server, || {
        lab.cut();
        std::thread::sleep(s(12));
        lab.restore();
    });
    assert_eq!((seen.codes(), seen.run.status), (vec!["path-unstable"], Some(1)), "{}", seen.told());
    assert!(seen.idle()["timeout"]["survived_s"].as_f64() >= Some(19.0), "{}", seen.told());
    assert_tidy(&lab, &server);
}

#[test]
fn a_connection_given_up_in_an_interruption_does_not_stay_on_the_server() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    // The main session goes on; of all others the server hears nothing but that they are open, for a while not even that they are given up.
    lab.router(1).nft("add table inet outage");
    lab.router(1).nft("add set inet outage first { type inet_service; size 1; flags dynamic; }");
    lab.router(1).nft("add chain inet outage forward { type filter hook forward priority -300; }");
    let rule =
        |rule: &str| lab.router(1).nft(&format!("add rule inet outage forward tcp dport {} {rule}", server.port()));
    rule("tcp flags & (syn | ack) == syn add @first { tcp sport } accept");
    rule("tcp sport @first accept");
    rule("tcp flags & (psh | rst | fin) != 0 drop");
    std::thread::scope(|scope| {
        let seen = scope.spawn(|| lab.doctor(&server, &["--idle", "10s", "--timeout", "6s"], s(150)));
        assert!(eventually(s(30), || server.connections() >= 3 || seen.is_finished()), "{}", server.log());
        // The connections are given up after 6 s, and no other is tried when two more seconds have brought no answer.
        std::thread::sleep(Duration::from_millis(6800));
        lab.restore();
        // By then what was lost is sent again, 12.6 s after the first time; sshd itself would wait for two minutes.
        let given_up = || {
            server
                .sessions(&lab)
                .iter()
                .filter(|session| session.contains("[accepted]") || session.contains("[net]"))
                .count()
        };
        assert!(eventually(s(12), || given_up() == 0), "{:?}", server.sessions(&lab));
        assert!(!seen.is_finished(), "{:?}", seen.join().map(|seen| seen.told()));
    });
    assert_tidy(&lab, &server);
}

#[test]
fn a_server_that_lets_in_no_second_session_is_no_outage() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    // Whoever has knocked first may knock again; the others get no answer.
    lab.router(1).nft("add set inet lab first { type inet_service; size 1; flags dynamic; }");
    lab.forward("tcp flags & (syn | ack) == syn add @first { tcp sport } accept");
    lab.forward("tcp flags & (syn | ack) == syn drop");
    let seen = lab.doctor(&server, &["--idle", "20s"], s(150));
    let codes = seen.codes();
    assert!(!codes.iter().any(|code| code.starts_with("network-") || code.starts_with("idle-")), "{}", seen.told());
    assert_eq!(seen.check("idle")["status"], "error", "{}", seen.told());
    let summary = seen.check("idle")["summary"].as_str().unwrap_or_default();
    assert!(summary.contains("while one that was open answered"), "{summary}: {}", seen.told());
    assert_eq!(seen.run.status, Some(3), "{}", seen.told());
    assert_tidy(&lab, &server);
}

#[test]
fn a_server_that_ends_the_connection_where_no_terminal_can_be_had_is_measured_by_commands() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh(&["0", "no-terminals"]) else { return };
    let seen = lab.doctor(&server, &["--idle", "6s"], s(60));
    assert_eq!((seen.codes(), &seen.check("idle")["status"]), (vec![], &"pass".into()), "{}", seen.told());
    assert!(seen.idle()["timeout"]["survived_s"].as_f64() >= Some(4.0), "{}", seen.told());
    let not_opened = &seen.check("idle")["evidence"]["not_opened"];
    let failed = &seen.json["spent"]["failed_logins"];
    assert_eq!((not_opened, failed), (&Value::Array(vec![]), &0.into()), "{}", seen.told());
    assert_tidy(&lab, &server);
}

#[test]
fn a_shell_that_does_not_know_exec_holds_idle_sessions_too() {
    let Some(lab) = Lab::healthy() else { return };
    lab.server_shell("/bin/rbash");
    let server = lab.sshd(&[]);
    let seen = lab.doctor(&server, &["--idle", "4s", "--sessions", "4"], s(40));
    assert_eq!((seen.codes(), seen.check("idle")["status"].as_str()), (vec![], Some("pass")), "{}", seen.told());
    assert!(seen.told().contains("\"holds\": \"command\""), "{}", seen.told());
    assert_tidy(&lab, &server);
}
