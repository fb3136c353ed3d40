//! `ssh-doctor watch` over real killers: every loss is journalled, and each killer has its name in the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::lab::{Lab, Middlebox, Run, Server, eventually, has};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A watch that runs in the background.
struct Watching<'a> {
    lab: &'a Lab,
    child: Child,
    journal: PathBuf,
}

impl<'a> Watching<'a> {
    fn start(lab: &'a Lab, server: &Server, options: &[&str]) -> Self {
        let journal = lab.home().path("client/watch.jsonl");
        let mut watch = lab.client().command(env!("CARGO_BIN_EXE_ssh-doctor"));
        let config = lab.home().config().display().to_string();
        watch.env("HOME", lab.home().path("client")).args(["watch", "-F", &config, "--format", "json", "--journal"]);
        watch.arg(&journal).args(options).arg(server.url());
        let output = |name: &str| fs::File::create(lab.home().path(&format!("client/{name}"))).unwrap();
        watch.stdin(Stdio::null()).stdout(output("watch.out")).stderr(output("watch.err"));
        Self { lab, child: watch.spawn().expect("ip netns exec"), journal }
    }

    fn records(&self, kind: &str) -> Vec<Value> {
        let text = fs::read_to_string(&self.journal).unwrap_or_default();
        let records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        records.filter(|record| record["kind"] == kind).collect()
    }

    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.lab.home().path(&format!("client/{name}"))).unwrap_or_default()
    }

    /// Waits until so many sessions were opened.
    #[track_caller]
    fn await_opened(&self, count: usize, deadline: u64) {
        let opened = eventually(s(deadline), || self.records("connected").len() >= count);
        assert!(opened, "{} {}", self.said("watch.err"), fs::read_to_string(&self.journal).unwrap_or_default());
    }

    fn signal(&self, name: &str) {
        let _ = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
    }

    /// Ends it as a user does; its report and its exit status.
    fn end(mut self) -> (Value, Option<i32>) {
        self.signal("TERM");
        let ended = eventually(s(20), || self.child.try_wait().unwrap().is_some());
        let status = self.child.wait().unwrap().code();
        assert!(ended, "{}", self.said("watch.err"));
        assert_eq!(self.records("stopped").len(), 1);
        let report = serde_json::from_str(&self.said("watch.out"));
        (
            report.unwrap_or_else(|error| panic!("{error}: {} {}", self.said("watch.out"), self.said("watch.err"))),
            status,
        )
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.signal("KILL");
        let _ = self.child.wait();
    }
}

fn codes(report: &Value) -> Vec<&str> {
    report["diagnoses"].as_array().into_iter().flatten().filter_map(|found| found["code"].as_str()).collect()
}

fn summary(lab: &Lab, journal: &Path, options: &[&str]) -> Run {
    let journal = journal.display().to_string();
    lab.tool(&[&["watch", "--summary", &journal], options].concat(), s(20))
}

/// A NAT that drops idle connections, a shell that leaves, and a server that ends sessions at an age.
fn three_killers(lab: &Lab, (tmout, age): (u32, u32), time: u64) -> (Value, PathBuf) {
    lab.account("/bin/bash", ".profile", &format!("TMOUT={tmout}\n"));
    let server = lab.sshd_of_age(age).expect("socat");
    let watch = Watching::start(lab, &server, &["--keepalive", "5s"]);
    sleep(s(time));
    let journal = watch.journal.clone();
    let (report, status) = watch.end();
    let losses = summary(lab, &journal, &[]).stdout;
    assert_eq!(status, Some(2), "{losses}");
    (report, journal)
}

#[track_caller]
fn assert_three_killers(lab: &Lab, report: &Value, journal: &Path) {
    let text = || summary(lab, journal, &[]).stdout;
    let mut found = codes(report);
    found.sort_unstable();
    assert_eq!(found, ["idle-shell-timeout", "idle-silent-drop", "session-lifetime-limit"], "{}", text());
    // The journal alone tells the same, to whoever asks later.
    let again: Value = serde_json::from_str(&summary(lab, journal, &["--format", "json"]).stdout).unwrap();
    assert_eq!(codes(&again), codes(report));
    assert!(text().contains("watched for") && text().contains("idle-silent-drop"), "{}", text());
}

#[test]
fn three_killers_are_told_apart() {
    let Some(lab) = Lab::through(&[Middlebox::Forgets(12)]) else { return };
    if !has("socat") || !Path::new("/bin/bash").exists() {
        return;
    }
    let (report, journal) = three_killers(&lab, (12, 45), 150);
    assert_three_killers(&lab, &report, &journal);
}

#[test]
#[ignore = "half an hour"]
fn three_killers_are_told_apart_in_half_an_hour() {
    let Some(lab) = Lab::through(&[Middlebox::Forgets(100)]) else { return };
    let (report, journal) = three_killers(&lab, (200, 400), 1800);
    assert_three_killers(&lab, &report, &journal);
    let _ = fs::copy(&journal, std::env::temp_dir().join("ssh-doctor-watch.jsonl"));
}

#[test]
fn a_healthy_path_loses_nothing() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let watch = Watching::start(&lab, &server, &["--keepalive", "2s", "-o", "ServerAliveInterval=3"]);
    watch.await_opened(5, 90);
    // A second one must not write the same journal.
    let journal = watch.journal.display().to_string();
    let config = lab.home().config().display().to_string();
    let second = lab.tool(&["watch", "-F", &config, "--journal", &journal, &server.url()], s(20));
    assert!(second.status == Some(3) && second.stderr.contains("written by another process"), "{second:?}");
    let journal = watch.journal.clone();
    sleep(s(20));
    let (report, status) = watch.end();
    assert_eq!((status, codes(&report), &report["verdict"]), (Some(0), vec![], &Value::from("healthy")), "{report:#}");
    let sessions = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "idle").unwrap();
    let sessions = sessions["evidence"]["sessions"].as_array().unwrap();
    assert_eq!(sessions.iter().filter(|session| session["end"]["end"] == "closed-here").count(), 5, "{report:#}");
    let left = || lab.server_host().processes().len();
    assert!(eventually(s(10), || left() <= 1), "{:?}", lab.server_host().processes());
    assert!(summary(&lab, &journal, &[]).stdout.contains("5 sessions held, 0 lost"));
    let none = summary(&lab, Path::new("/dev/null"), &[]);
    assert!(none.status == Some(3) && none.stderr.contains("no journal"), "{none:?}");
}

#[test]
fn an_outage_is_journalled_with_the_return() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let watch = Watching::start(&lab, &server, &["--keepalive", "4s"]);
    watch.await_opened(3, 60);
    sleep(s(6));
    lab.cut();
    let lost = eventually(s(120), || watch.records("ended").len() >= 2);
    assert!(lost, "{}", watch.said("watch.err"));
    let opened = watch.records("connected").len();
    lab.restore();
    watch.await_opened(opened + 2, 150);
    let controls = watch.records("controlled");
    assert!(controls.iter().any(|control| control["answered"] == false), "{controls:#?}");
    let (report, status) = watch.end();
    assert_eq!((codes(&report), status), (vec!["network-outage"], Some(2)), "{report:#}");
}

#[test]
fn a_machine_that_slept_is_told_from_a_path_that_died() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["ClientAliveInterval 3", "ClientAliveCountMax 2"]);
    let watch = Watching::start(&lab, &server, &["--keepalive", "4s"]);
    watch.await_opened(2, 60);
    sleep(s(2));
    for signal in ["STOP", "CONT"] {
        for pid in lab.client().processes() {
            let _ = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status();
        }
        sleep(if signal == "STOP" { s(20) } else { s(0) });
    }
    assert!(eventually(s(60), || watch.records("ended").len() >= 2), "{}", watch.said("watch.err"));
    let machine = watch.records("machine");
    assert!(machine.iter().any(|record| record["what"] == "not-run"), "{machine:#?}");
    let (report, _) = watch.end();
    assert_eq!(codes(&report), ["session-client-suspended"], "{report:#}");
}

#[test]
fn an_address_that_changed_is_told_from_a_path_that_died() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let watch = Watching::start(&lab, &server, &["--keepalive", "4s"]);
    watch.await_opened(3, 60);
    sleep(s(2));
    lab.move_client(7);
    assert!(eventually(s(90), || watch.records("ended").len() >= 3), "{}", watch.said("watch.err"));
    // The sessions are opened again from the new address.
    let new = lab.client_address(7).to_string();
    let back = || watch.records("connected").iter().any(|record| record["local"].to_string().contains(&new));
    assert!(eventually(s(60), back), "{}", watch.said("watch.err"));
    let (report, status) = watch.end();
    assert_eq!((codes(&report), status), (vec!["path-address-changed"], Some(2)), "{report:#}");
}

/// A timer on a way through a bastion.
fn a_timer_and_a_bastion(routers: &[Middlebox; 2]) {
    let Some(lab) = Lab::through(routers) else { return };
    let hop = 1 + routers.iter().position(|router| matches!(router, Middlebox::Bastion)).expect("a bastion");
    let (bastion, server) = (lab.bastion(hop, &[]), lab.sshd(&[]));
    let watch = Watching::start(&lab, &server, &["--keepalive", "4s", "-J", &bastion.hop()]);
    watch.await_opened(3, 60);
    let of_silent = |record: &Value| record["facts"]["traffic"]["moves"] == "nothing";
    assert!(eventually(s(150), || watch.records("ended").iter().any(of_silent)), "{}", watch.said("watch.err"));
    let journal = watch.journal.clone();
    let (report, status) = watch.end();
    let text = summary(&lab, &journal, &[]).stdout;
    assert_eq!((codes(&report), status), (vec!["idle-silent-drop"], Some(2)), "{text}");
    let journalled = fs::read_to_string(&journal).unwrap();
    let records = journalled.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let died = records.filter(|record| record["facts"]["end"]["end"] == "died");
    let shortest = died.filter_map(|record| record["facts"]["quiet_s"].as_f64()).fold(f64::MAX, f64::min);
    assert!((11.5..40.0).contains(&shortest), "{shortest}: {text}");
    assert!(eventually(s(10), || bastion.connections() == 0 && server.connections() == 0), "{}", bastion.log());
}

#[test]
fn a_timer_before_a_bastion_is_named() {
    a_timer_and_a_bastion(&[Middlebox::Forgets(12), Middlebox::Bastion]);
}

#[test]
fn a_timer_behind_a_bastion_is_named() {
    a_timer_and_a_bastion(&[Middlebox::Bastion, Middlebox::Forgets(12)]);
}

#[test]
fn a_server_that_went_down_is_named() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let watch = Watching::start(&lab, &server, &["--keepalive", "4s"]);
    watch.await_opened(3, 60);
    sleep(s(2));
    for pid in lab.server_host().processes() {
        let _ = Command::new("kill").arg(pid.to_string()).status();
    }
    assert!(eventually(s(60), || watch.records("ended").len() >= 3), "{}", watch.said("watch.err"));
    let (report, _) = watch.end();
    assert_eq!(codes(&report), ["server-restarted"], "{report:#}");
}

#[test]
fn a_login_that_is_no_longer_accepted_is_tried_once() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let mut watch = Watching::start(&lab, &server, &["--keepalive", "4s"]);
    watch.await_opened(1, 60);
    fs::write(lab.home().path("server/.ssh/authorized_keys"), "").unwrap();
    assert!(eventually(s(60), || watch.child.try_wait().unwrap().is_some()), "{}", watch.said("watch.err"));
    assert!(watch.said("watch.err").contains("could lock the account"), "{}", watch.said("watch.err"));
    assert_eq!(watch.child.wait().unwrap().code(), Some(3));
    assert_eq!(server.log().matches("Connection closed by authenticating user").count(), 1, "{}", server.log());
}

#[test]
fn the_example_unit_is_one_that_systemd_takes() {
    if !has("systemd-analyze") {
        return;
    }
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring/ssh-doctor-watch@.service");
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("ssh-doctor-watch@db.service");
    let text = fs::read_to_string(unit).unwrap().replace("/usr/bin/ssh-doctor", env!("CARGO_BIN_EXE_ssh-doctor"));
    fs::write(&copy, text).unwrap();
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
