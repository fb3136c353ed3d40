//! The user's own keepalive on paths with a timer: seen to hold it makes the verdict healthy, and where it does not, the reason is named.

use std::time::Duration;

use crate::lab::{Lab, Middlebox, Proxy, Report, Server};
use crate::own_ssh::settle;

/// Seconds of silence that each device here allows.
const TIMER: u32 = 6;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The doctor as its user runs it, with the settings of the user's own file.
fn check(lab: &Lab) -> Report {
    let run = lab.run(env!("CARGO_BIN_EXE_ssh-doctor"), &["check", "--format", "json", "--idle", "18s", "db"], s(90));
    let json = serde_json::from_str(&run.stdout).unwrap_or_default();
    Report { run, json }
}

/// The lab and its server behind such a device, with these lines in the user's settings.
fn behind(middlebox: Middlebox, own: &str) -> Option<(Lab, Server)> {
    let lab = Lab::through(&[middlebox])?;
    let server = lab.sshd(&[]);
    settle(&lab, &server, own);
    Some((lab, server))
}

#[track_caller]
fn assert_holds(seen: &Report, code: &str) {
    assert_eq!((seen.codes(), seen.run.status), (vec![code], Some(0)), "{}", seen.told());
    assert_eq!(seen.json["verdict"], "healthy", "{}", seen.told());
    assert_eq!(seen.json["diagnoses"][0]["severity"], "info", "{}", seen.told());
    assert_eq!((seen.died_at(), &seen.check("idle")["status"]), (None, &"pass".into()), "{}", seen.told());
    assert_eq!(seen.json["idle"]["own_holds"], true, "{}", seen.told());
}

#[track_caller]
fn assert_fails_for(seen: &Report, codes: &[&str], because: &str) {
    assert_eq!((seen.codes(), seen.run.status), (codes.to_vec(), Some(2)), "{}", seen.told());
    assert_eq!(seen.json["idle"]["own_holds"], false, "{}", seen.told());
    let named = codes.iter().position(|code| code.starts_with("config-keepalive")).expect("a cause of the settings");
    let said = seen.json["diagnoses"][named]["because"].to_string();
    assert!(said.contains(because), "{said}: {}", seen.told());
}

#[test]
fn the_printed_keepalive_pasted_turns_the_verdict() {
    let Some((lab, server)) = behind(Middlebox::Forgets(TIMER), "") else { return };
    let before = check(&lab);
    assert_eq!((before.codes()[0], before.run.status), ("idle-silent-drop", Some(2)), "{}", before.told());
    assert_eq!(before.json["idle"]["own_holds"], false, "{}", before.told());
    let mut snippets = before.fixes().filter_map(|fix| fix["snippet"].as_str());
    let printed = snippets.find(|snippet| snippet.contains("ServerAliveInterval")).expect("a keepalive").to_owned();
    assert!(printed.starts_with("Host db\n"), "{printed}");
    settle(&lab, &server, &printed);
    let after = check(&lab);
    assert_holds(&after, "idle-silent-drop");
    assert!(after.json["idle"]["own_interval_s"].is_u64(), "{}", after.told());
    let because = after.json["diagnoses"][0]["because"][0].as_str().unwrap_or_default();
    assert!(because.contains("with your own") && because.contains("~/.ssh/config line"), "{because}");
}

#[test]
fn a_keepalive_that_comes_too_late_is_named() {
    let Some((lab, _server)) = behind(Middlebox::Resets(TIMER), "ServerAliveInterval 8") else { return };
    assert_fails_for(&check(&lab), &["idle-reset", "config-keepalive-ineffective"], "above the idle timeout");
}

#[test]
fn the_kernels_keepalives_are_enough_for_a_nat_and_not_for_a_proxy() {
    let Some((lab, server)) = behind(Middlebox::Forgets(TIMER), "") else { return };
    lab.tcp_keepalive(2);
    assert_holds(&check(&lab), "idle-silent-drop");
    drop((lab, server));
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let Some(proxy) = lab.behind(Proxy::Haproxy, TIMER, &server) else { return };
    lab.tcp_keepalive(2);
    settle(&lab, &proxy, "");
    let seen = check(&lab);
    assert_fails_for(&seen, &["idle-closed-by-proxy", "config-keepalive-ineffective"], "TCP keepalives alone");
}

#[test]
fn a_count_of_zero_ends_what_is_idle_for_one_interval() {
    let Some((lab, _server)) = behind(Middlebox::Forgets(TIMER), "ServerAliveInterval 2\nServerAliveCountMax 0") else {
        return;
    };
    let ssh = lab.run("ssh", &["db", "sleep 10"], s(8));
    assert!(ssh.status == Some(255) && ssh.stderr.contains("not responding"), "{ssh:?}");
    let seen = check(&lab);
    assert_fails_for(&seen, &["idle-silent-drop", "config-keepalive-count-zero"], "ServerAliveCountMax is 0");
}

#[test]
fn settings_that_are_thought_to_keep_or_to_end_a_session_are_worth_a_word() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["ClientAliveInterval 30", "ClientAliveCountMax 0", "ChannelTimeout session=5m"]);
    settle(&lab, &server, "TCPKeepAlive yes");
    let run = lab.run(
        env!("CARGO_BIN_EXE_ssh-doctor"),
        &["check", "--format", "json", "--idle", "0", "--server", "db"],
        s(60),
    );
    let json = serde_json::from_str(&run.stdout).unwrap_or_default();
    let seen = Report { run, json };
    let words = ["config-keepalive-tcp-only", "config-keepalive-server-count", "config-keepalive-channel-timeout"];
    assert!(words.iter().all(|code| seen.codes().contains(code)), "{:?}: {}", seen.codes(), seen.told());
    assert_eq!(seen.run.status, Some(0), "none of it ends a session: {}", seen.told());
}
