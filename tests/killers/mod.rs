//! Every killer of idle sessions, set up for real: first proven with plain ssh, then put before the doctor.

mod ages;
mod hops;
mod paths;
mod proxies;
mod servers;
mod v6;

use std::time::Duration;

use crate::lab::{Lab, Report, Run, Server, eventually};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Waits in silence for longer than any timer here, then says that it lived.
const WAIT: &str = "sleep 12; echo hi";

/// Keepalives of SSH at an interval shorter than any timer here.
const SSH_KEEPALIVE: [&str; 2] = ["-o", "ServerAliveInterval=2"];
/// Nothing of the kernel's either.
const SILENT: [&str; 2] = ["-o", "TCPKeepAlive=no"];
/// The kernel's keepalives, which ssh has on by itself; a test sets their interval.
const TCP_KEEPALIVE: [&str; 2] = ["-o", "TCPKeepAlive=yes"];

/// Runs the same command with each of the options at the same time.
fn side_by_side<const N: usize>(lab: &Lab, server: &Server, options: [&[&str]; N], remote: &str) -> [Run; N] {
    std::thread::scope(|scope| {
        let runs = options.map(|options| scope.spawn(move || lab.ssh(server, options, remote, s(27))));
        runs.map(|run| run.join().expect("a run"))
    })
}

#[track_caller]
fn assert_lived(run: &Run) {
    assert_eq!((run.status, &*run.stdout), (Some(0), "hi\n"), "{run:?}");
}

/// It hung without a word until we gave up.
#[track_caller]
fn assert_hung(run: &Run) {
    assert_eq!((run.status, &*run.stdout, &*run.stderr), (None, "", ""), "{run:?}");
}

/// The text that ssh prints when the other side closes the connection.
const CLOSED: &[&str] = &["closed by remote host"];
/// The text that ssh prints after a reset: it depends on whether it reads or writes next.
const RESET: &[&str] = &["reset by peer", "Broken pipe"];

/// ssh gave up with one of these words, so many seconds after it began.
#[track_caller]
fn assert_died(run: &Run, seconds: std::ops::Range<u64>, words: &[&str]) {
    assert_eq!(run.status, Some(255), "{run:?}");
    assert!((s(seconds.start)..s(seconds.end)).contains(&run.took), "{run:?}");
    assert!(words.iter().any(|word| run.stderr.contains(word)), "{run:?}");
}

/// The text that the doctor says of a lab when it may test silences of so many seconds.
fn examine(lab: &Lab, server: &Server, idle: u32) -> Report {
    lab.doctor(server, &["--idle", &format!("{idle}s")], s(3 * u64::from(idle) + 30))
}

/// These codes of the idle test and no other of any check, the first one the root cause.
#[track_caller]
fn assert_codes(seen: &Report, codes: &[&str]) {
    assert_eq!(seen.codes(), codes, "{}", seen.told());
    // What only warns kills no session of the test.
    let died_at = (seen.json["diagnoses"][0]["severity"] == "critical").then_some("idle");
    assert_eq!(seen.died_at(), died_at, "{}", seen.told());
}

#[track_caller]
fn assert_manner(seen: &Report, manner: &str) {
    assert_eq!(seen.idle()["manner"], manner, "{}", seen.told());
}

/// The bracket holds the timer, give or take when its owner starts to count, and is no wider than 30 % of it.
#[track_caller]
fn assert_bracket(seen: &Report, timer: f64) {
    let bracket = &seen.idle()["timeout"];
    let (Some(survived), Some(died)) = (bracket["survived_s"].as_f64(), bracket["died_s"].as_f64()) else {
        panic!("no bracket: {}", seen.told())
    };
    assert!(survived <= timer && timer <= 1.05 * died, "{timer} is not in {survived} to {died}: {}", seen.told());
    assert!(died - survived <= 0.3 * timer, "{survived} to {died} is too wide for {timer}: {}", seen.told());
}

/// A keepalive was proven, and the root cause has it as a fix of the client.
#[track_caller]
fn assert_keepalive_proven(seen: &Report) {
    assert_eq!(seen.idle()["keepalive"]["verified"], true, "{}", seen.told());
    let proven = seen.fixes().any(|fix| fix["side"] == "client" && fix["verified"] == true);
    assert!(proven, "no proven fix: {}", seen.told());
}

/// No fix of any cause is called proven, and no keepalive is sold.
#[track_caller]
fn assert_nothing_proven(seen: &Report) {
    assert_ne!(seen.idle()["keepalive"]["verified"], true, "{}", seen.told());
    let causes = seen.json["diagnoses"].as_array().into_iter().flatten();
    let mut fixes = causes.flat_map(|cause| cause["fixes"].as_array().into_iter().flatten());
    assert!(!fixes.any(|fix| fix["verified"] == true), "{}", seen.told());
    let snippets = seen.fixes().filter_map(|fix| fix["snippet"].as_str());
    assert!(!snippets.into_iter().any(|snippet| snippet.contains("ServerAliveInterval")), "{}", seen.told());
}

/// No hop of the path is accused.
#[track_caller]
fn assert_no_hop(seen: &Report) {
    assert!(seen.idle()["killer"]["hop"].is_null(), "{}", seen.told());
}

#[track_caller]
fn assert_healthy(seen: &Report) {
    assert_eq!((seen.codes(), seen.run.status), (vec![], Some(0)), "{}", seen.told());
}

/// Not even the sessions that were cut off are left for the server to find out about in two hours.
#[track_caller]
fn assert_tidy(lab: &Lab, server: &Server) {
    let is_gone = || server.sessions(lab).is_empty();
    assert!(eventually(s(5), is_gone), "left on the server: {:?}", server.sessions(lab));
}
