//! Sessions carried by `ssh-doctor tap`, cut by each killer of the labs: explained without any further connection.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::lab::{Lab, Middlebox, Proxy, Run, Server, eventually};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Seconds of idle time that each device here allows: no shorter timer is taken for one.
const TIMER: u32 = 11;
/// The options that carry a session through tap.
fn tap(lab: &Lab, options: &str) -> Vec<String> {
    let state = lab.home().path("client/state");
    let command = format!(
        "ProxyCommand=env XDG_STATE_HOME={} {} tap {options} %h %p",
        state.display(),
        env!("CARGO_BIN_EXE_ssh-doctor")
    );
    vec!["-o".into(), command]
}

/// Runs a session whose standard input is what this shell command prints.
fn session(lab: &Lab, at: &str, options: &[&str], input: &str, remote: &str, deadline: u64) -> Run {
    let tap = tap(lab, "");
    let quoted = |words: &[&str]| words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let config = lab.home().config().display().to_string();
    let ssh = quoted(&[&["-F", &config, &*tap[0], &tap[1]], options, &[at]].concat());
    let said = lab.home().path(&format!("client/said-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    let script = format!("( {input} ) | timeout {deadline} ssh {ssh} {remote} 2>{}", said.display());
    let run = lab.run("sh", &["-c", &script], s(deadline + 10));
    // ssh does not wait for its proxy command.
    let speaking = |pid: &u32| std::fs::read_link(format!("/proc/{pid}/fd/2")).is_ok_and(|file| file == said);
    assert!(eventually(s(10), || !lab.client().processes().iter().any(speaking)), "tap does not end: {run:?}");
    let stderr = std::fs::read_to_string(said).expect("our own file");
    Run { stderr, ..run }
}

/// Distinguishes the sessions of all labs.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// What is recorded of the server's sessions.
fn past(lab: &Lab) -> Value {
    let run = past_run(lab, &["--format", "json"]);
    serde_json::from_str(run.stdout.lines().next().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

fn past_run(lab: &Lab, options: &[&str]) -> Run {
    let state = format!("XDG_STATE_HOME={}", lab.home().path("client/state").display());
    lab.run("env", &[&[&*state, env!("CARGO_BIN_EXE_ssh-doctor"), "sessions", "--past"], options].concat(), s(20))
}

fn codes(report: &Value) -> Vec<&str> {
    report["diagnoses"].as_array().into_iter().flatten().filter_map(|found| found["code"].as_str()).collect()
}

/// The lines that tap said, at most four and after ssh's own.
fn said(run: &Run) -> Vec<&str> {
    let lines: Vec<&str> = run.stderr.lines().collect();
    let first = lines.iter().position(|line| line.starts_with("ssh-doctor: ")).unwrap_or(lines.len());
    assert!(lines[first..].iter().all(|line| line.starts_with("ssh-doctor: ")) && lines.len() - first <= 4, "{run:?}");
    lines[first..].to_vec()
}

#[track_caller]
fn assert_explained(lab: &Lab, run: &Run, code: &str) {
    assert!(said(run).iter().any(|line| line.contains(&format!("({code})"))), "{run:?}");
    assert_eq!(codes(&past(lab)), [code], "{run:?}");
}

/// A client that speaks after the timer, and whose user gives up later.
fn speaks_after_the_timer(lab: &Lab, server: &Server, code: &str) {
    let run = session(lab, &server.url(), &["-o", "TCPKeepAlive=no"], "sleep 14; echo hi; sleep 20", "cat", 24);
    assert_explained(lab, &run, code);
    let report = past(lab);
    let idle = report["checks"].as_array().into_iter().flatten().find(|check| check["name"] == "idle");
    let seen = &idle.expect("every check is there")["evidence"]["sessions"][0];
    let quiet = seen["quiet_s"].as_f64().unwrap();
    // A login that takes long on a busy machine shortens it.
    assert!((f64::from(TIMER)..15.0).contains(&quiet), "{seen:#}");
}

#[test]
fn a_nat_that_drops_is_explained() {
    let Some(lab) = Lab::through(&[Middlebox::Forgets(TIMER)]) else { return };
    let server = lab.sshd(&[]);
    speaks_after_the_timer(&lab, &server, "idle-silent-drop");
}

#[test]
fn a_nat_that_resets_is_explained() {
    let Some(lab) = Lab::through(&[Middlebox::Resets(TIMER)]) else { return };
    let server = lab.sshd(&[]);
    speaks_after_the_timer(&lab, &server, "idle-reset");
}

#[test]
fn a_filter_before_the_server_is_explained() {
    let Some(lab) = Lab::through(&[Middlebox::GuardsServer(TIMER)]) else { return };
    let server = lab.sshd(&[]);
    speaks_after_the_timer(&lab, &server, "idle-silent-drop");
}

/// A session in which nobody says anything until something else ends it.
fn ends_in_silence(lab: &Lab, at: &str, options: &[&str], remote: &str, code: &str) {
    let run = session(lab, at, options, "sleep 25", remote, 24);
    assert_explained(lab, &run, code);
}

#[test]
fn a_reset_when_the_timer_runs_out_is_explained() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(_firewall) = lab.resetting_firewall(TIMER) else { return };
    let server = lab.sshd(&[]);
    ends_in_silence(&lab, &server.url(), &[], "cat", "idle-reset");
}

fn a_proxy_is_explained(proxy: Proxy, code: &str) {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let Some(front) = lab.behind(proxy, TIMER, &server) else { return };
    ends_in_silence(&lab, &front.url(), &[], "cat", code);
}

#[test]
fn haproxy_is_explained() {
    a_proxy_is_explained(Proxy::Haproxy, "idle-closed");
}

#[test]
fn nginx_is_explained() {
    a_proxy_is_explained(Proxy::Nginx, "idle-closed");
}

#[test]
fn a_connection_without_a_channel_is_explained() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["UnusedConnectionTimeout 12s"]);
    ends_in_silence(&lab, &server.url(), &["-N"], "", "idle-closed");
}

#[test]
fn a_shell_that_logs_out_is_explained_and_a_command_that_ends_is_not() {
    let Some(lab) = Lab::healthy() else { return };
    lab.account("/bin/bash", ".profile", "TMOUT=12\n");
    let server = lab.sshd(&[]);
    std::thread::scope(|scope| {
        let command = scope.spawn(|| session(&lab, &server.url(), &[], "sleep 20", "'sleep 14; echo done'", 24));
        let shell = session(&lab, &server.url(), &["-tt"], "sleep 25", "", 24);
        assert!(said(&shell).iter().any(|line| line.contains("(idle-shell-timeout)")), "{shell:?}");
        let command = command.join().expect("a run");
        assert_eq!((command.status, &*command.stdout, said(&command)), (Some(0), "done\n", vec![]), "{command:?}");
    });
    assert_eq!(codes(&past(&lab)), ["idle-shell-timeout"]);
    assert_eq!(past_run(&lab, &[]).status, Some(0), "a hint is no fault");
}

#[test]
fn a_limit_on_age_is_explained_once_three_sessions_met_it() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.sshd_of_age(21) else { return };
    std::thread::scope(|scope| {
        for wait in [0, 6, 12] {
            let (lab, server) = (&lab, &server);
            scope.spawn(move || {
                sleep(s(wait));
                session(lab, &server.url(), &[], "sleep 30", "'while sleep 1; do echo; done'", 28)
            });
        }
    });
    let report = past(&lab);
    assert_eq!(codes(&report), ["session-lifetime-limit"], "{report:#}");
    assert_eq!(report["diagnoses"][0]["certainty"], "certain", "{report:#}");
}

#[test]
fn an_outage_in_the_middle_of_work_is_explained() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    std::thread::scope(|scope| {
        let working = scope.spawn(|| {
            let input = "while sleep 0.5; do echo hi || exit; done";
            session(
                &lab,
                &server.url(),
                &["-o", "ServerAliveInterval=3", "-o", "ServerAliveCountMax=2"],
                input,
                "cat",
                24,
            )
        });
        sleep(s(4));
        lab.cut();
        let run = working.join().expect("a run");
        assert_explained(&lab, &run, "network-outage");
    });
}

#[test]
fn an_interruption_that_a_session_survives_is_journalled_and_no_fault() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    std::thread::scope(|scope| {
        let input = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do echo $i; sleep 1; done";
        let working = scope.spawn(|| session(&lab, &server.url(), &[], input, "cat", 40));
        sleep(s(4));
        lab.cut();
        sleep(s(4));
        lab.restore();
        let run = working.join().expect("a run");
        assert_eq!((run.status, said(&run)), (Some(0), vec![]), "{run:?}");
    });
    assert_eq!(codes(&past(&lab)), Vec::<&str>::new());
    let journals = std::fs::read_dir(lab.home().path("client/state/ssh-doctor/tap")).unwrap();
    let text: String = journals.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    assert!(text.contains("\"kind\":\"stalled\"") && text.contains("\"kind\":\"recovered\""), "{text}");
}

#[test]
fn a_path_that_lost_one_sessions_state_is_explained_by_the_next_connection() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    std::thread::scope(|scope| {
        let working = scope.spawn(|| {
            let input = "while sleep 0.5; do echo hi || exit; done";
            session(
                &lab,
                &server.url(),
                &["-o", "ServerAliveInterval=3", "-o", "ServerAliveCountMax=3"],
                input,
                "cat",
                30,
            )
        });
        assert!(eventually(s(10), || server.connections() == 1));
        sleep(s(3));
        // Every port of a connection that is open now.
        let open = lab.run("ss", &["-Htn", "state", "established"], s(5)).stdout;
        let port =
            open.split_whitespace().nth(2).and_then(|local| local.rsplit_once(':')).expect("a connection").1.to_owned();
        lab.forward(&format!("tcp sport {port} drop"));
        // Until something of the first session is on its way in vain.
        sleep(s(2));
        let new = session(&lab, &server.url(), &[], "true", "true", 20);
        assert_eq!((new.status, said(&new)), (Some(0), vec![]), "{new:?}");
        working.join().expect("a run");
    });
    let report = past(&lab);
    assert_eq!(codes(&report), ["path-state-lost"], "{report:#}");
}

#[test]
fn a_server_that_answers_no_more_is_told_from_a_dead_path() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let options = ["-o", "ServerAliveInterval=2", "-o", "ServerAliveCountMax=2"];
            session(&lab, &server.url(), &options, "sleep 25", "cat", 24)
        });
        assert!(eventually(s(10), || server.log().contains("Starting session")));
        sleep(s(3));
        for pid in lab.server_host().processes() {
            let _ = std::process::Command::new("kill").args(["-STOP", &pid.to_string()]).status();
        }
        let run = waiting.join().expect("a run");
        assert!(run.stderr.contains("not responding"), "{run:?}");
        assert_explained(&lab, &run, "server-stalled");
    });
}

/// Sends every process on the client that carries or is a session a signal.
fn signal_clients(lab: &Lab, signal: &str) {
    for pid in lab.client().processes() {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        if ["ssh", "ssh-doctor"].contains(&name.trim()) {
            let _ = std::process::Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status();
        }
    }
}

#[test]
fn a_laptop_that_slept_is_explained() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["ClientAliveInterval 3", "ClientAliveCountMax 2"]);
    std::thread::scope(|scope| {
        let sleeping = scope.spawn(|| session(&lab, &server.url(), &[], "sleep 40", "cat", 38));
        assert!(eventually(s(10), || server.log().contains("Starting session")));
        sleep(s(2));
        signal_clients(&lab, "STOP");
        sleep(s(26));
        signal_clients(&lab, "CONT");
        let run = sleeping.join().expect("a run");
        assert!(server.log().contains("Timeout, client not responding"), "{}", server.log());
        assert_explained(&lab, &run, "session-client-suspended");
    });
}

#[test]
fn an_address_that_changes_is_explained() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    std::thread::scope(|scope| {
        let moving = scope.spawn(|| {
            let options = ["-o", "ServerAliveInterval=3", "-o", "ServerAliveCountMax=2"];
            session(&lab, &server.url(), &options, "sleep 25", "cat", 24)
        });
        assert!(eventually(s(10), || server.log().contains("Starting session")));
        sleep(s(2));
        lab.move_client(7);
        let run = moving.join().expect("a run");
        assert_explained(&lab, &run, "path-address-changed");
    });
}

#[test]
fn a_session_that_ends_in_order_is_recorded_and_nothing_is_said() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let run = session(&lab, &server.url(), &[], "sleep 2; echo hi", "cat", 20);
    assert_eq!((run.status, &*run.stdout, said(&run)), (Some(0), "hi\n", vec![]), "{run:?}");
    let report = past(&lab);
    assert_eq!((codes(&report), &report["verdict"]), (vec![], &Value::from("healthy")), "{report:#}");
}
