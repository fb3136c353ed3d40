//! A doctor that is stopped for longer than its deadlines, at any moment of a run against a healthy server: nobody is blamed.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use ssh_doctor_fixtures::keys;
use ssh_doctor_fixtures::server::{Login, Server};

/// The bound on connecting and on each stage; a stop is longer.
const TIMEOUT: &str = "3s";
const STOP: Duration = Duration::from_millis(4500);
/// How many moments are tried; `SSH_DOCTOR_STOPS` is another number.
const MOMENTS: u32 = 6;

struct Healthy {
    folder: tempfile::TempDir,
    url: String,
}

impl Healthy {
    fn command(&self) -> Command {
        let [known_hosts, key] = ["known_hosts", "key"].map(|name| self.folder.path().join(name).display().to_string());
        let known_hosts = format!("UserKnownHostsFile={known_hosts}");
        let args = ["check", "-F", "none", "-i", &key, "-o", &known_hosts, "-o", "IdentitiesOnly=yes", "--idle", "0"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
        // How much data moves in this time depends on the machine.
        command.args(args).args(["--skip", "transfer,exit", "--timeout", TIMEOUT, "--format", "json", &self.url]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("SSH_AUTH_SOCK");
        command
    }

    /// The report of a run that is stopped so long after its start.
    fn stopped_after(&self, moment: Duration) -> Value {
        let mut child = self.command().spawn().unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        sleep(moment);
        if child.try_wait().unwrap().is_none() {
            kill(pid, Signal::SIGSTOP).unwrap();
            sleep(STOP);
            kill(pid, Signal::SIGCONT).unwrap();
        }
        read(&child.wait_with_output().unwrap())
    }
}

fn read(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn codes(report: &Value) -> BTreeSet<String> {
    let found = report["diagnoses"].as_array().into_iter().flatten();
    found.filter_map(|found| found["code"].as_str()).map(ToOwned::to_owned).collect()
}

#[test]
fn a_stop_at_any_moment_of_a_run_gives_no_cause() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (host_key, key) = (keys::generate(), keys::generate());
    let public = host_key.public_key().clone();
    let server = Server::new(
        host_key,
        Login { user: "me".to_owned(), keys: vec![key.public_key().clone()], ..Login::default() },
    );
    let service = runtime.block_on(server.start()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("known_hosts"), keys::known_hosts_line(service.address, &public)).unwrap();
    fs::write(folder.path().join("key"), keys::private_text(&key)).unwrap();
    fs::set_permissions(folder.path().join("key"), fs::Permissions::from_mode(0o600)).unwrap();
    let healthy = Healthy { folder, url: format!("ssh://me@{}", service.address) };
    let began = Instant::now();
    let usual = read(&healthy.command().output().unwrap());
    let (usual_codes, length) = (codes(&usual), usual["duration_ms"].as_f64().unwrap_or_default() / 1000.0);
    assert!(usual["verdict"] == "healthy" || usual["verdict"] == "degraded", "{usual:#}");
    let moments = std::env::var("SSH_DOCTOR_STOPS").ok().and_then(|text| text.parse().ok()).unwrap_or(MOMENTS);
    std::thread::scope(|scope| {
        for number in 0..moments {
            let (healthy, usual_codes) = (&healthy, &usual_codes);
            // The start of the program is before the first check.
            let moment = Duration::from_secs_f64((length + 0.15) * f64::from(number) / f64::from(moments));
            scope.spawn(move || {
                let report = healthy.stopped_after(moment);
                assert!(codes(&report).is_subset(usual_codes), "{moment:?}: {report:#}");
                assert_ne!(report["verdict"], "broken", "{moment:?}: {report:#}");
            });
            // A few at a time: their own load is no pause.
            if number % 3 == 2 {
                sleep(STOP);
            }
        }
    });
    println!("{moments} stops, {:?}", began.elapsed());
}

/// The time in which ssh has to print its settings, and a little more.
const SETTINGS: Duration = Duration::from_millis(15_500);

#[test]
fn a_stop_while_ssh_reads_its_settings_is_no_hang_of_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let ssh = folder.path().join("ssh");
    fs::write(&ssh, "#!/bin/sh\nsleep 2\nexec /usr/bin/ssh \"$@\"\n").unwrap();
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    command.args(["check", "-F", "none", "--only", "config", "--format", "json", "127.0.0.1"]).env("PATH", path);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    sleep(Duration::from_secs(1));
    assert!(child.try_wait().unwrap().is_none(), "it was not reading its settings");
    let pid = Pid::from_raw(child.id().cast_signed());
    kill(pid, Signal::SIGSTOP).unwrap();
    sleep(SETTINGS);
    kill(pid, Signal::SIGCONT).unwrap();
    let report = read(&child.wait_with_output().unwrap());
    assert!(codes(&report).is_empty() && report["verdict"] == "healthy", "{report:#}");
}
