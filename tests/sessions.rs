//! The sessions that are open now, on real connections: which are alive, frozen, dead, and for whom.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::lab::{HeldSession, Lab, Middlebox, Run, Server, eventually, has, skip};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Enough logins at a time for every test here.
const MANY: &str = "MaxStartups 100";
/// Nothing of the kernel's moves either.
const SILENT: [&str; 2] = ["-o", "TCPKeepAlive=no"];

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

fn listed(lab: &Lab, options: &[&str]) -> (Value, Run) {
    let run = lab.tool(&[&["sessions", "--format", "json"], options].concat(), s(20));
    (json(&run), run)
}

/// The entry of a session's own connection.
#[track_caller]
fn entry(list: &Value, session: &HeldSession) -> Value {
    let pid = session.pid();
    let mut sessions = list["sessions"].as_array().into_iter().flatten();
    sessions.find(|entry| entry["pid"] == pid).unwrap_or_else(|| panic!("no session of {pid}: {list:#}")).clone()
}

fn states<'a>(list: &Value, sessions: impl IntoIterator<Item = &'a HeldSession>) -> Vec<String> {
    sessions.into_iter().map(|session| entry(list, session)["state"].as_str().unwrap_or_default().to_owned()).collect()
}

fn hold_many(lab: &Lab, server: &Server, options: &[&str], count: usize) -> Vec<HeldSession> {
    (0..count).map(|_| lab.hold(server, options, "cat")).collect()
}

#[test]
fn a_probe_tells_dead_sessions_from_idle_ones_twenty_times_of_twenty() {
    const TIMES: usize = 20;
    let Some(lab) = Lab::through(&[Middlebox::Forgets(20)]) else { return };
    let server = lab.sshd(&[MANY]);
    let mut dead = hold_many(&lab, &server, &SILENT, TIMES);
    let forgotten = std::time::Instant::now() + s(22);
    // As idle as the others, on a path that something keeps open.
    let mut healthy = hold_many(&lab, &server, &["-o", "ServerAliveInterval=5"], TIMES);
    sleep(forgotten.saturating_duration_since(std::time::Instant::now()));
    let (before, unprobed) = listed(&lab, &[]);
    assert_eq!(unprobed.status, Some(0), "without a probe both look alike: {unprobed:?}");
    assert!(states(&before, &dead).iter().all(|state| state == "idle"), "{before:#}");
    let (list, run) = listed(&lab, &["--probe"]);
    assert_eq!(states(&list, &dead), vec!["dead"; TIMES], "{list:#}");
    assert!(states(&list, &healthy).iter().all(|state| state == "idle" || state == "active"), "{list:#}");
    assert_eq!((run.status, &list["verdict"]), (Some(2), &Value::from("broken")));
    // What was borrowed is as it was.
    let (after, _) = listed(&lab, &[]);
    for session in dead.iter().chain(&healthy) {
        assert_eq!(entry(&after, session)["tcp_keepalive"], entry(&before, session)["tcp_keepalive"]);
    }
    assert!(dead.iter_mut().chain(&mut healthy).all(HeldSession::runs), "a probe ends no session");
    let text = lab.tool(&["sessions", "--probe", &dead[0].pid().to_string()], s(20));
    assert!(text.stdout.contains("no ACK") && text.stdout.contains(&format!("kill {}", dead[0].pid())), "{text:?}");
}

#[test]
fn a_session_whose_packets_are_not_acknowledged_is_frozen() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let (mut typing, silent) = (lab.hold(&server, &SILENT, "cat"), lab.hold(&server, &SILENT, "cat"));
    lab.cut();
    typing.type_line("anybody there?");
    let typed = std::time::Instant::now();
    sleep(s(6));
    let (list, run) = listed(&lab, &[]);
    let frozen = entry(&list, &typing);
    assert_eq!((frozen["state"].as_str(), run.status), (Some("frozen"), Some(2)), "{list:#}");
    let since = frozen["unanswered_s"].as_f64().unwrap();
    assert!((since - typed.elapsed().as_secs_f64()).abs() < 1.5, "{since} of {:?}: {list:#}", typed.elapsed());
    let gives_up = frozen["gives_up_s"].as_f64().unwrap();
    assert!((900.0..925.0).contains(&gives_up), "{list:#}");
    assert_eq!(entry(&list, &silent)["state"], "idle");
    // Its own retransmissions ask already: no keepalive is set on it.
    let (probed, _) = listed(&lab, &["--probe"]);
    assert_eq!(entry(&probed, &typing)["probe"]["outcome"], "not-probed");
    assert_eq!(states(&probed, [&typing, &silent]), ["frozen", "dead"]);
    lab.restore();
}

#[test]
fn a_program_that_does_not_read_and_a_side_that_has_closed_are_told_apart() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[MANY]);
    let flooded = lab.hold(&server, &[], "sleep 1; yes");
    let left = lab.hold(&server, &[], "sleep 2; kill -9 $PPID");
    flooded.signal("STOP");
    left.signal("STOP");
    // Until the receive window is full, and the server asks whether it opens.
    sleep(s(6));
    let (list, run) = listed(&lab, &[]);
    assert_eq!(states(&list, [&flooded, &left]), ["reader-stuck", "half-closed"], "{list:#}");
    assert_eq!(run.status, Some(1));
    let at_server = json(&lab.tool_at_server(&["sessions", "--format", "json"], s(20)));
    let closed = at_server["sessions"].as_array().unwrap().iter().any(|entry| entry["state"] == "window-closed");
    assert!(closed, "{at_server:#}");
}

#[test]
fn a_keepalive_is_left_on_a_running_session_and_taken_away_again() {
    let Some(lab) = Lab::through(&[Middlebox::Forgets(6)]) else { return };
    let server = lab.sshd(&[]);
    let (saved, lost) = (lab.hold(&server, &SILENT, "cat"), lab.hold(&server, &SILENT, "cat"));
    let pid = saved.pid().to_string();
    let before = entry(&listed(&lab, &[]).0, &saved)["tcp_keepalive"].clone();
    let set = lab.tool(&["sessions", "--keep-alive", "2s", &pid], s(20));
    assert_eq!(set.status, Some(0), "{set:?}");
    sleep(s(9));
    let (list, _) = listed(&lab, &["--probe"]);
    assert_eq!(states(&list, [&lost]), ["dead"], "{list:#}");
    let kept = entry(&list, &saved);
    assert_eq!((kept["state"].as_str(), kept["tcp_keepalive"]["idle_s"].as_u64()), (Some("idle"), Some(2)), "{list:#}");
    // What it says undoes it.
    let undo = set.stdout.lines().find_map(|line| line.split_once("ssh-doctor ")).expect("a command").1;
    assert_eq!(undo, format!("sessions --keep-alive off,7200s,75s,9 {pid}"));
    lab.tool(&undo.split(' ').collect::<Vec<_>>(), s(20));
    assert_eq!(entry(&listed(&lab, &[]).0, &saved)["tcp_keepalive"], before);
}

#[test]
fn those_who_share_a_master_are_counted_and_sshfs_is_named() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[MANY]);
    let control = format!("ControlPath={}", lab.home().path("client/ctl").display());
    let master = lab.hold(&server, &["-o", "ControlMaster=yes", "-o", &control, "-N"], "");
    let ready = eventually(s(10), || lab.home().path("client/ctl").exists());
    assert!(ready, "no master: {}", server.log());
    let share = |_| {
        let mut ssh = lab.client().command("ssh");
        ssh.env("HOME", lab.home().path("client")).args(["-F".as_ref(), lab.home().config().as_os_str()]);
        HeldSession::start(ssh.args(["-o", &control, &server.url(), "cat"]))
    };
    let sharing: Vec<HeldSession> = (0..4).map(share).collect();
    let counted = || {
        let (list, _) = listed(&lab, &[]);
        entry(&list, &master)["used_by"].as_array().is_some_and(|used| used.len() == 4)
    };
    assert!(eventually(s(10), counted), "{:#}", listed(&lab, &[]).0);
    let (list, _) = listed(&lab, &[]);
    assert_eq!(entry(&list, &master)["program"], "ssh master, shared by 4");
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1, "{list:#}");
    drop(sharing);
}

#[test]
fn a_forwarding_is_no_session_of_its_own() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let to = format!("4711:{}:{}", server.address(), server.port());
    let session = lab.hold(&server, &["-L", &to], "cat");
    let mut through = lab.client().command("sh");
    through.args(["-c", "exec 3<>/dev/tcp/127.0.0.1/4711; cat"]);
    let mut bash = lab.client().command("bash");
    let _through = HeldSession::start(bash.args(["-c", "exec 3<>/dev/tcp/127.0.0.1/4711; cat"]));
    assert!(eventually(s(10), || server.connections() == 2), "{}", server.log());
    let (list, _) = listed(&lab, &[]);
    let of_ssh: Vec<_> =
        list["sessions"].as_array().unwrap().iter().filter(|entry| entry["pid"] == session.pid()).collect();
    assert_eq!(of_ssh.len(), 1, "{list:#}");
    assert_eq!(of_ssh[0]["remote"], format!("{}:{}", server.address(), server.port()));
}

#[test]
fn another_user_is_told_what_is_not_known() {
    let Some(lab) = Lab::healthy() else { return };
    if !has("setpriv") {
        return;
    }
    let server = lab.sshd(&[]);
    let session = lab.hold(&server, &[], "cat");
    // The folder of the build may not be readable for everybody.
    let copy = lab.home().path("ssh-doctor");
    std::fs::copy(env!("CARGO_BIN_EXE_ssh-doctor"), &copy).unwrap();
    let run =
        lab.run("setpriv", &["--reuid=65534", "--clear-groups", &copy.to_string_lossy(), "sessions", "--probe"], s(20));
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(run.stdout.contains("Not known"), "{run:?}");
    assert!(!run.stdout.contains(&session.pid().to_string()), "{run:?}");
}

#[test]
fn sshfs_is_named_with_its_mount() {
    let Some(lab) = Lab::healthy() else { return };
    if !has("sshfs") || (!std::path::Path::new("/dev/fuse").exists() && skip::<()>("/dev/fuse").is_none()) {
        return;
    }
    let server = lab.sshd(&[]);
    let mount = lab.home().path("client/mnt");
    std::fs::create_dir(&mount).unwrap();
    let config = lab.home().config().display().to_string();
    let (port, source) = (server.port().to_string(), format!("{}:", server.address()));
    let args = ["-f", "-F", &config, "-p", &port, &source, &mount.to_string_lossy()];
    let mut sshfs = lab.client().command("sshfs");
    let sshfs = HeldSession::start(sshfs.env("HOME", lab.home().path("client")).args(args));
    let named = || {
        let (list, _) = listed(&lab, &[]);
        list["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| entry["program"].as_str().is_some_and(|name| name.starts_with("sshfs")))
    };
    let seen = eventually(s(10), named);
    let (list, _) = listed(&lab, &[]);
    drop(sshfs);
    let _ = Command::new("umount").arg("-l").arg(&mount).output();
    assert!(seen, "{list:#}");
}
