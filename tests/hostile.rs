//! Servers and agents that abuse whoever talks to them: the built doctor keeps to its bounds of time and memory, and says what it saw.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use ssh_doctor_fixtures::hostile::{Hostile, HostileAgent, HostileServer};
use ssh_doctor_fixtures::keys;

use crate::lab::python;

/// The most memory that may be resident before a login, and after one, bytes.
const BEFORE_LOGIN: u64 = 64 << 20;
const AFTER_LOGIN: u64 = 96 << 20;
/// ConnectTimeout and the bound on each stage, and by how much a run may exceed it; a busy machine takes a second to start a program.
const TIMEOUT: &str = "3s";
const LONGEST: Duration = Duration::from_secs(3 + 2 + 1);

/// A client of a hostile server, with a key of its own.
struct Client {
    folder: tempfile::TempDir,
    server: HostileServer,
}

/// What came of a run.
struct Seen {
    report: Value,
    stderr: String,
    /// The most memory that was resident, bytes.
    peak: u64,
    took: Duration,
}

impl Client {
    fn of(hostile: Hostile) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = hostile.start().unwrap();
        let client = Self { folder, server };
        client.write("known_hosts", &keys::known_hosts_line(client.server.address, &client.server.host_key));
        client.write("key", &keys::private_text(&keys::generate()));
        client
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn args(&self) -> Vec<String> {
        let known_hosts = format!("UserKnownHostsFile={}", self.path("known_hosts").display());
        let key = self.path("key").display().to_string();
        let url = format!("ssh://me@{}", self.server.address);
        let args = ["check", "-F", "none", "-i", &key, "-o", &known_hosts, "-o", "IdentitiesOnly=yes", "--idle", "0"];
        let rest = ["--timeout", TIMEOUT, "--format", "json", &url];
        args.iter().chain(&rest).map(ToString::to_string).collect()
    }

    fn doctor(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
        command.args(self.args()).stdin(Stdio::null()).env_remove("SSH_AUTH_SOCK").env_remove("SSH_DOCTOR_PASSWORD");
        command
    }

    fn examine(&self, prepare: impl FnOnce(&mut Command)) -> Seen {
        let mut command = self.doctor();
        prepare(&mut command);
        run(&mut command, &self.path("out"), Duration::from_mins(4))
    }
}

/// Runs a doctor to its end.
fn run(command: &mut Command, out: &Path, deadline: Duration) -> Seen {
    let err = out.with_extension("err");
    command.stdout(fs::File::create(out).unwrap()).stderr(fs::File::create(&err).unwrap());
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(resident(child.id()));
        assert!(began.elapsed() < deadline, "it does not end: {}", fs::read_to_string(&err).unwrap());
        std::thread::sleep(Duration::from_millis(10));
    }
    let took = began.elapsed();
    let report = serde_json::from_str(&fs::read_to_string(out).unwrap()).unwrap_or_default();
    Seen { report, stderr: fs::read_to_string(&err).unwrap(), peak, took }
}

/// The most memory that a process and its children ever had resident (VmHWM, proc_pid_status(5)), bytes.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    // Before its exec a child has the memory of this process.
    let status = if status.starts_with("Name:\tssh-doctor\n") { status } else { String::new() };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let own: u64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let of_children = children.split_whitespace().filter_map(|child| child.parse().ok()).map(resident);
    of_children.fold(own * 1024, u64::max)
}

fn codes(seen: &Seen) -> Vec<&str> {
    let diagnoses = seen.report["diagnoses"].as_array();
    diagnoses.into_iter().flatten().filter_map(|found| found["code"].as_str()).collect()
}

#[track_caller]
fn assert_bounded(seen: &Seen, most: u64, what: impl std::fmt::Debug) {
    assert!(seen.peak < most, "{what:?}: {} MiB", seen.peak >> 20);
    assert!(seen.took < LONGEST, "{what:?}: {:?}", seen.took);
    assert!(seen.report.is_object(), "{what:?}: {}", seen.stderr);
    let text = seen.report.to_string();
    assert!(!text.contains("correct horse"), "{what:?}");
}

#[test]
fn a_server_that_abuses_a_login_is_named_within_bounds_of_time_and_memory() {
    let runs: Vec<_> = Hostile::BEFORE_LOGIN
        .map(|hostile| {
            let name = format!("{hostile:?}");
            (
                hostile,
                std::thread::Builder::new().name(name).spawn(move || {
                    let client = Client::of(hostile);
                    let seen = client.examine(|command| {
                        command.env("SSH_DOCTOR_PASSWORD", "correct horse");
                    });
                    assert!(client.server.flooded() < 16 << 20, "{hostile:?}: {}", client.server.flooded());
                    seen
                }),
            )
        })
        .into();
    for (hostile, run) in runs {
        let seen = run.unwrap().join().unwrap();
        assert_bounded(&seen, BEFORE_LOGIN, hostile);
        let codes = codes(&seen);
        let expected: &[&str] = match hostile {
            Hostile::EndlessRefusals
            | Hostile::RefusesTwice
            | Hostile::EndlessDebug
            | Hostile::EndlessIgnore
            | Hostile::EndlessBanners
            | Hostile::MalformedExtInfo => &["auth-protocol-violation"],
            Hostile::EndlessQuestions | Hostile::SecondQuestion => &["auth-question-unanswered"],
            Hostile::LongInstruction(_) | Hostile::ImitatesDoctor => &["auth-password-rejected"],
            // ssh answers what it does not know and goes on; our library does not.
            Hostile::UnknownMessage | Hostile::EndlessGlobalRequests => &[],
            _ => unreachable!("{hostile:?}"),
        };
        assert_eq!(codes, expected, "{hostile:?}: {:#}", seen.report["checks"]);
        let verdict = if expected.is_empty() { "inconclusive" } else { "broken" };
        assert_eq!(seen.report["verdict"], verdict, "{hostile:?}");
    }
}

#[test]
fn a_server_that_abuses_a_session_finds_bounds_too() {
    for hostile in Hostile::AFTER_LOGIN {
        let seen = Client::of(hostile).examine(|_| {});
        assert!(seen.peak < AFTER_LOGIN, "{hostile:?}: {} MiB", seen.peak >> 20);
        // What a flood costs is decryption: minutes on a machine that is busy with other tests.
        assert!(seen.took < Duration::from_mins(3), "{hostile:?}: {:?}", seen.took);
        assert!(seen.report["verdict"].is_string(), "{hostile:?}: {}", seen.stderr);
    }
}

#[test]
fn a_prompt_leaves_no_server_the_time_to_fill_the_memory() {
    let Some(python) = python("pty") else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/at_terminal.py");
    let client = Client::of(Hostile::EndlessRefusals);
    let mut command = Command::new(python);
    command.args([script, "--", env!("CARGO_BIN_EXE_ssh-doctor")]).args(client.args());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).env_remove("SSH_AUTH_SOCK");
    let mut child = command.spawn().unwrap();
    let began = Instant::now();
    let mut peak = 0;
    // Nobody answers the prompt.
    while began.elapsed() < Duration::from_secs(8) {
        peak = peak.max(resident(child.id()));
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!((1..BEFORE_LOGIN).contains(&peak), "{} MiB", peak >> 20);
    assert!(client.server.flooded() < 16 << 20, "{}", client.server.flooded());
}

#[test]
fn a_hostile_agent_costs_no_more_than_its_deadline() {
    for agent in HostileAgent::ALL {
        let client = Client::of(Hostile::RefusesKeys);
        let socket = client.path("agent");
        agent.start(&socket).unwrap();
        let seen = client.examine(|command| {
            command.env("SSH_AUTH_SOCK", &socket).args(["-o", "IdentitiesOnly=no"]);
        });
        assert!(seen.peak < BEFORE_LOGIN, "{agent:?}: {} MiB", seen.peak >> 20);
        assert!(seen.took < Duration::from_secs(12), "{agent:?}: {:?}", seen.took);
        assert!(seen.report.is_object(), "{agent:?}: {}", seen.stderr);
    }
}
