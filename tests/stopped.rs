//! The result before the idle test, and a run that is ended by Ctrl-C: nothing that was found is lost.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// A demo that is ended as soon as standard error has a line that the condition holds for; its exit status, output and errors.
fn ended_at(case: &str, args: &[&str], when: fn(&str) -> bool) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    command.args(["demo", case]).args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut doctor = command.spawn().unwrap();
    let said = interrupted_at(&mut doctor, when);
    let mut stdout = String::new();
    doctor.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    (doctor.wait().unwrap().code(), stdout, said)
}

fn interrupted_at(doctor: &mut Child, when: fn(&str) -> bool) -> String {
    let mut said = String::new();
    let mut lines = BufReader::new(doctor.stderr.take().unwrap()).lines().map_while(Result::ok);
    for line in lines.by_ref() {
        let is_time = when(&line);
        said.extend([line.as_str(), "\n"]);
        if is_time {
            kill(Pid::from_raw(doctor.id().cast_signed()), Signal::SIGINT).unwrap();
            break;
        }
    }
    lines.for_each(|line| said.extend([line.as_str(), "\n"]));
    said
}

#[test]
fn a_death_that_was_seen_is_reported_when_the_proof_of_the_fix_is_interrupted() {
    let args = ["--format", "json", "-vv"];
    let (status, stdout, said) = ended_at("silent-drop", &args, |line| line.contains("idle killed a session"));
    assert!(said.contains("proving a keepalive every"), "{said}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["diagnoses"][0]["code"], "idle-silent-drop", "{report:#}\n{said}");
    assert_eq!((status, &report["verdict"], &report["interrupted"]), (Some(2), &"broken".into(), &true.into()));
}

#[test]
fn the_result_before_the_idle_test_is_printed_first_and_an_interrupted_healthy_run_says_how_far_it_came() {
    let (status, stdout, said) = ended_at("silent-drop", &["-vv"], |line| line.contains(" idle survived"));
    let quick = said.lines().find(|line| line.contains("so far")).unwrap_or_else(|| panic!("{said}"));
    assert!(quick.starts_with("HEALTHY so far (") && quick.contains("Ctrl-C reports."), "{quick}");
    assert!(quick.lines().all(|line| line.len() < 80), "{quick}");
    assert!(stdout.contains("stopped; nothing wrong up to"), "{stdout}\n{said}");
    assert_eq!(status, Some(3));
}

#[test]
fn an_outage_that_goes_on_is_reported_when_the_wait_for_its_end_is_interrupted() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    let mut doctor =
        command.args(["demo", "outage", "--quiet", "--format", "json"]).stdout(Stdio::piped()).spawn().unwrap();
    // The path goes down within 6 s, and an outage counts as lasting after 15 s.
    sleep(Duration::from_secs(24));
    kill(Pid::from_raw(doctor.id().cast_signed()), Signal::SIGINT).unwrap();
    let began = Instant::now();
    let mut stdout = String::new();
    doctor.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["diagnoses"][0]["code"], "network-outage", "{report:#}");
    assert_eq!((doctor.wait().unwrap().code(), &report["interrupted"]), (Some(2), &true.into()), "{report:#}");
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
}

#[test]
fn a_server_that_had_long_been_silent_is_reported_when_the_wait_for_it_is_interrupted() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    command.args(["check", "-F", "none", "-p", &port, "--format", "json", "-v", "127.0.0.1"]);
    let mut doctor = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    interrupted_at(&mut doctor, |line| line.contains("ssh waits without a limit"));
    let mut stdout = String::new();
    doctor.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(doctor.wait().unwrap().code(), Some(2), "{report}");
    let first = &report["diagnoses"][0];
    assert_eq!((&first["code"], &first["certainty"]), (&"handshake-no-banner".into(), &"likely".into()), "{report}");
}
