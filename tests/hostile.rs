//! Servers and agents that abuse whoever talks to them: the built doctor keeps to its bounds of time and memory, and says what it saw.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use ssh_doctor_fixtures::hostile::{Hostile, HostileAgent, HostileServer, MESSAGES, Stage};
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

/// The most memory of a doctor at a terminal where nobody answers its prompts.
fn peak_at_prompt(client: &Client, wait: Duration) -> Option<u64> {
    let python = python("pty")?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/at_terminal.py");
    let mut command = Command::new(python);
    command.args([script, "--", env!("CARGO_BIN_EXE_ssh-doctor")]).args(client.args());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).env_remove("SSH_AUTH_SOCK");
    let mut child = command.spawn().unwrap();
    let began = Instant::now();
    let mut peak = 0;
    while began.elapsed() < wait {
        peak = peak.max(resident(child.id()));
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    Some(peak)
}

#[test]
fn a_prompt_leaves_no_server_the_time_to_fill_the_memory() {
    let some: &[u8] = &[2, 20, 51, 53, 60, 80, 90];
    let numbers = if std::env::var_os("SSH_DOCTOR_FLOODS").is_some() { &MESSAGES } else { some };
    let cases: Vec<_> = [Hostile::EndlessRefusals]
        .into_iter()
        .chain(
            numbers
                .iter()
                .flat_map(|number| [Hostile::FloodAtPrompt(*number), Hostile::Flood(*number, Stage::Keys, 100)]),
        )
        .collect();
    side_by_side(&cases, |hostile| {
        let client = Client::of(*hostile);
        if matches!(hostile, Hostile::Flood(..)) {
            // The question is whether to trust the host key.
            client.write("known_hosts", "");
        } else {
            client.write("key", &keys::encrypted_text(&keys::generate(), "correct horse"));
        }
        let Some(peak) = peak_at_prompt(&client, Duration::from_secs(6)) else { return };
        println!("{hostile:?}: {} MiB, {} KiB taken", peak >> 20, client.server.flooded() >> 10);
        assert!((1..BEFORE_LOGIN).contains(&peak), "{hostile:?}: {} MiB", peak >> 20);
        assert!(client.server.flooded() < 16 << 20, "{hostile:?}: {}", client.server.flooded());
    });
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

/// Lets four runs go at the same time.
fn side_by_side<T: Sync, R: Send>(cases: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || std::iter::from_fn(|| cases.get(next.fetch_add(1, Ordering::Relaxed)).map(&run)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

#[test]
fn a_flood_of_any_message_in_any_stage_finds_bounds_and_gives_no_false_cause() {
    // All of them take minutes; a run of all tests has the small ones, which take the most memory for each byte.
    let rooms: &[usize] = if std::env::var_os("SSH_DOCTOR_FLOODS").is_some() { &[0, 100, 30_000] } else { &[8] };
    let cases: Vec<_> = MESSAGES
        .iter()
        .flat_map(|number| Stage::ALL.map(|stage| (*number, stage)))
        .flat_map(|(number, stage)| rooms.iter().map(move |room| (number, stage, *room)))
        .collect();
    let failed = side_by_side(&cases, |&(number, stage, room)| {
        let client = Client::of(Hostile::Flood(number, stage, room));
        let seen = client.examine(|command| {
            command.env("SSH_DOCTOR_PASSWORD", "correct horse");
        });
        let (memory, time) = match stage {
            Stage::Session => (AFTER_LOGIN, Duration::from_mins(3)),
            // Four runs, and as many floods, at the same time.
            _ => (BEFORE_LOGIN, 3 * LONGEST),
        };
        let false_causes = ["auth-key-rejected", "auth-password-rejected", "handshake-mac-mismatch"];
        let codes = codes(&seen);
        let holds = seen.peak < memory
            && seen.took < time
            && seen.report["verdict"].is_string()
            && seen.report["verdict"] != "healthy"
            && !codes.iter().any(|code| false_causes.contains(code));
        let line = format!(
            "{number:3} {stage:?} {room}: {} MiB, {:.1} s, {} {codes:?} {}",
            seen.peak >> 20,
            seen.took.as_secs_f64(),
            seen.report["verdict"],
            seen.stderr
        );
        println!("{line}");
        (!holds).then_some(line)
    });
    let failed: Vec<_> = failed.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Runs a doctor on a file, named relative to its folder, without a terminal.
fn on_file(folder: &Path, arguments: &[&str]) -> Seen {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).env("XDG_STATE_HOME", folder.join("state"));
    let out = tempfile::NamedTempFile::new().unwrap();
    run(&mut command, out.path(), Duration::from_mins(1))
}

#[test]
fn a_huge_file_costs_no_more_memory_than_a_session() {
    const SIZE: usize = 16 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let of = |first: &str, line: &str| first.to_owned() + &line.repeat(SIZE / line.len());
    let record =
        |rest: &str| format!(r#"{{"seq":0,"at":"2026-11-20T08:00:00Z","boot_s":null,"boot":null,{rest}}}"#) + "\n";
    let started = record(
        r#""kind":"started","journal":1,"command":"tap","version":"0","pid":7,"host":"h","port":22,"holds":null,"keep_alive_s":null"#,
    );
    let failed = vec![r#"{"address":"::","error":"","ms":0}"#; 20_000].join(",");
    let files = [
        ("nested", "[".repeat(SIZE)),
        ("objects", of("", r#"{"a":"#)),
        ("version-late", of(r#"{"arms":["#, "{},") + r#"{}],"evidence_version":1}"#),
        ("values", of(r#"{"evidence_version":1,"hops":["#, "{},") + "{}]}"),
        ("one-string", of(r#"{"evidence_version":1,"id":""#, "x")),
        ("file-sd-string", of(r#"[{"targets":[""#, "x")),
        ("file-sd-group", of(r#"[{"targets":["a""#, r#","a""#)),
        ("file-sd-labels", of(r#"[{"targets":["a"],"labels":{"a":"b""#, r#","a":"b""#)),
        ("starts.jsonl", of(&started, &started)),
        ("stops.jsonl", of(&started, &record(r#""kind":"stopped""#))),
        (
            "failures.jsonl",
            of(&started, &record(&format!(r#""kind":"not-connected","failed":[{failed}],"resolve_error":null"#))),
        ),
        ("unknown.jsonl", of(&started, &record(&format!(r#""kind":"later","x":[{}]"#, vec!["[]"; 300_000].join(","))))),
        ("one-line.jsonl", of(&started, "x")),
    ];
    fs::create_dir_all(path.join("state/ssh-doctor/tap")).unwrap();
    for (name, text) in files {
        fs::write(path.join(name), text).unwrap();
        if name.ends_with("jsonl") {
            fs::copy(path.join(name), path.join("state/ssh-doctor/tap").join(name)).unwrap();
        }
        let reading = [
            &["diagnose", name][..],
            &["report", "--html", name],
            &["watch", "--summary", name],
            &["explain", name],
            &["check", "--only", "config", "--format", "json", "--targets", name],
            &["check", "--only", "config", "--resume", name, "127.0.0.1"],
            &["serve", "--check-config", "--config", name],
            &["check", "--only", "config", "--password-file", name, "127.0.0.1"],
        ];
        // Each line of a journal is a target that is examined, one after the other.
        let reading: Vec<_> = reading
            .into_iter()
            .filter(|arguments| !(name.ends_with("jsonl") && arguments.contains(&"--targets")))
            .collect();
        side_by_side(&reading, |arguments| {
            let seen = on_file(path, arguments);
            println!("{arguments:?}: {} MiB, {:?} {}", seen.peak >> 20, seen.took, seen.stderr);
            assert!(seen.peak < AFTER_LOGIN, "{arguments:?}: {} MiB; {}", seen.peak >> 20, seen.stderr);
        });
        fs::remove_file(path.join(name)).unwrap();
    }
    let past = on_file(path, &["sessions", "--past"]);
    assert!(past.peak < AFTER_LOGIN, "{} MiB", past.peak >> 20);
}

#[test]
fn a_pipe_or_a_device_as_a_file_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    nix::unistd::mkfifo(&folder.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let cases: Vec<_> = ["pipe", "/dev/zero", "/dev/full", "/dev/urandom"]
        .iter()
        .flat_map(|file| {
            [
                vec!["diagnose", file],
                vec!["report", file],
                vec!["explain", file],
                vec!["watch", "--summary", file],
                vec!["serve", "--check-config", "--config", file],
                vec!["check", "--only", "config", "-F", file, "127.0.0.1"],
                vec!["check", "--only", "config", "--password-file", file, "127.0.0.1"],
                vec!["check", "--only", "config", "--resume", file, "127.0.0.1"],
                vec!["check", "--only", "config", "--record", file, "127.0.0.1"],
                vec!["check", "--only", "config", "--output", file, "127.0.0.1"],
            ]
        })
        .collect();
    side_by_side(&cases, |arguments| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
        command.args(arguments).current_dir(folder.path()).stdin(Stdio::null());
        let began = Instant::now();
        let output = command.output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        println!("{arguments:?}: {:?} {told}", began.elapsed());
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {told}");
        assert_eq!(told.lines().count(), 1, "{arguments:?}: {told}");
        assert!(began.elapsed() < Duration::from_secs(15), "{arguments:?}: {:?}", began.elapsed());
    });
}
