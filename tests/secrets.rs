//! Secrets in the user's own settings, and in what their commands print: in no report, in no recording, on no terminal.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::reports;

/// What must not be seen anywhere.
const SECRET: &str = "hunter2";

fn doctor(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    command.args(args).stdin(Stdio::null()).env_remove("SSH_DOCTOR_PASSWORD").env_remove("SSH_AUTH_SOCK");
    command
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A folder with a configuration in it.
struct Settings {
    folder: tempfile::TempDir,
}

impl Settings {
    fn of(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config"), config).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Examines `db` with these settings in every format, and returns all that was said, written and recorded.
    fn examined(&self, more: &[&str]) -> String {
        let (config, record) = (self.path("config"), self.path("record"));
        let mut all = String::new();
        for format in ["text", "json", "nagios", "prometheus"] {
            let args =
                ["check", "-vv", "-F", config.to_str().unwrap(), "--record", record.to_str().unwrap(), "--idle", "0"];
            let output = doctor(&[&args[..], &["--timeout", "3s", "--format", format], more, &["db"]].concat())
                .output()
                .unwrap();
            assert!(matches!(output.status.code(), Some(0..=3)), "{}", words(&output));
            all += &words(&output);
            all += &fs::read_to_string(&record).unwrap_or_default();
            let _ = fs::remove_file(&record);
        }
        all
    }
}

#[test]
fn a_password_in_a_url_is_refused_and_not_repeated() {
    let settings = Settings::of(&format!(
        "Host db\n ProxyJump ssh://u:{SECRET}@gate\nHost named\n HostName ssh://u:{SECRET}@h\nHost known\n HostKeyAlias ssh://u:{SECRET}@h\n"
    ));
    let config = settings.path("config").display().to_string();
    let (jump, option) = (format!("ssh://u:{SECRET}@gate"), format!("ProxyJump=ssh://u:{SECRET}@gate"));
    let with_path = format!("ssh://u:{SECRET}@db/path");
    let foreign = format!("http://u:{SECRET}@db");
    let (one_slash, no_scheme) = (format!("ssh:/u:{SECRET}@db"), format!("//u:{SECRET}@db"));
    for args in [
        &["-F", "none", "-J", &jump, "db"][..],
        &["-F", "none", "-o", &option, "db"],
        &["-F", &config, "db"],
        &["-F", &config, "named"],
        &["-F", &config, "known"],
        &["-F", "none", &jump],
        &["-F", "none", &with_path],
        &["-F", "none", &foreign],
        &["-F", "none", &one_slash],
        &["-F", "none", &no_scheme],
        &["-F", "none", "-J", &one_slash, "db"],
    ] {
        for format in ["text", "json", "nagios"] {
            let output = doctor(&[&["check", "--idle", "0", "--timeout", "1s", "--format", format][..], args].concat())
                .output()
                .unwrap();
            let words = words(&output);
            assert!(!words.contains(SECRET), "{args:?}: {words}");
            assert!(words.contains("password"), "{args:?}: {words}");
            assert!(matches!(output.status.code(), Some(2 | 3)), "{args:?}: {words}");
        }
    }
    let several =
        doctor(&["check", "-F", "none", "--idle", "0", "--timeout", "1s", "a.invalid", &jump]).output().unwrap();
    assert!(!words(&several).contains(SECRET) && words(&several).contains("password"), "{}", words(&several));
    for args in [
        &[][..],
        &["watch", "--for", "1s"],
        &["sessions"],
        &["compare", "a.json"],
        &["diagnose"],
        &["explain"],
        &["demo"],
        &["check", "--targets"],
        &["check", "127.0.0.1", "--resume"],
        &["check", "127.0.0.1", "--password-file"],
        &["check", "127.0.0.1", "--idle"],
        &["serve", "--config"],
    ] {
        let output = doctor(&[args, &[&jump]].concat()).output().unwrap();
        assert!(!words(&output).contains(SECRET), "{args:?}: {}", words(&output));
    }
    for target in [&jump, &one_slash, &format!("u:{SECRET}@db")] {
        let output = doctor(&["tap", target, "22"]).output().unwrap();
        let words = words(&output);
        assert!(!words.contains(SECRET) && output.status.code() == Some(3), "{target}: {words}");
    }
}

#[test]
fn a_command_and_its_output_are_told_by_length_and_hash_alone() {
    let config = Settings::of(&format!(
        "Host db\n HostName 127.0.0.1\n ProxyCommand sh -c 'echo token={SECRET} >&2; echo {SECRET}: Connection refused >&2; exit 3'\n \
         RemoteCommand mysql -p{SECRET}\n LocalCommand echo {SECRET}\n PermitLocalCommand yes\n KnownHostsCommand /bin/echo {SECRET}\n \
         SetEnv TOKEN={SECRET}\n SendEnv {SECRET}\n"
    ));
    let all = config.examined(&[]);
    assert!(!all.contains(SECRET), "{all}");
    assert!(all.contains("it printed \\\"Connection refused\\\"") && all.contains("bytes, SHA-256 begins"), "{all}");
    let option = format!("ProxyCommand=sh -c 'echo {SECRET} >&2; exit 3'");
    let all = config.examined(&["-o", &option]);
    assert!(!all.contains(SECRET), "{all}");
    let plain = config.examined(&["--record-plain"]);
    for command in ["mysql -phunter2", "it printed \"token=hunter2\"", "KnownHostsCommand /bin/echo hunter2"] {
        assert!(plain.contains(command), "{command}: {plain}");
    }
}

#[test]
fn a_recording_masks_the_files_of_the_settings() {
    let files = ["ControlPath", "PKCS11Provider", "SecurityKeyProvider", "IdentityAgent", "CertificateFile"];
    let files = files.iter().chain(&["RevokedHostKeys", "UserKnownHostsFile", "GlobalKnownHostsFile", "XAuthLocation"]);
    let set: Vec<_> = files.map(|keyword| format!(" {keyword} /srv/acme-payroll/{SECRET}.file\n")).collect();
    let set = set.concat();
    let settings = Settings::of(&format!("Host db\n HostName 127.0.0.1\n{set}"));
    let (config, record) = (settings.path("config"), settings.path("record"));
    let (config, record_name) = (config.to_str().unwrap(), record.to_str().unwrap());
    let check = ["check", "--idle", "0", "-F", config, "--record", record_name, "db"];
    assert!(words(&doctor(&check).output().unwrap()).contains("Written to"));
    let recorded = fs::read_to_string(record).unwrap();
    assert!(!recorded.contains(SECRET) && !recorded.contains("acme") && !recorded.contains("payroll"), "{recorded}");
}

#[test]
fn what_a_match_exec_command_prints_is_not_told() {
    let config =
        Settings::of(&format!("Match exec \"echo {SECRET} >&2\"\n User me\nHost db\n NoSuchKeyword {SECRET}\n"));
    let all = config.examined(&[]);
    assert!(!all.contains(SECRET) && all.to_lowercase().contains("nosuchkeyword"), "{all}");
}

#[test]
fn a_password_file_may_be_a_pipe_and_one_that_nobody_writes_to_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let began = Instant::now();
    let args = ["check", "-F", "none", "--timeout", "1s", "127.0.0.1:9", "--password-file"];
    let output = doctor(&[&args[..], &[pipe.to_str().unwrap()]].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", words(&output));
    assert!(words(&output).contains("nothing writes to this pipe"), "{}", words(&output));
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    // bash has process substitution.
    let script = r#"exec "$0" "${@}" <(sleep 0.3; echo secret)"#;
    let output = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_ssh-doctor")])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
}

#[test]
fn a_limit_on_files_is_an_error_and_no_death() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("record");
    let script = r#"ulimit -f 0; exec "$0" "$@""#;
    let args = ["check", "-F", "none", "--timeout", "1s", "127.0.0.1:9", "--record", record.to_str().unwrap()];
    let output = Command::new("sh").args(["-c", script, env!("CARGO_BIN_EXE_ssh-doctor")]).args(args).output().unwrap();
    assert_eq!((output.status.code(), output.status.signal()), (Some(2), None), "{}", words(&output));
    assert!(words(&output).contains("cannot record to"), "{}", words(&output));
    assert!(!record.exists());
}

#[test]
fn a_hop_that_no_path_has_makes_a_recording_a_damaged_one() {
    let recorded =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recorded/idle-silent-drop--kernel-nat-30s.json");
    let text = fs::read_to_string(recorded).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let changed = folder.path().join("changed.json");
    for (right, wrong) in [("number\": 1", 0), ("number\": 1", 255), ("hops\": 2", 0), ("hop\": null", 0)] {
        let (key, _) = right.split_once(' ').unwrap();
        assert!(text.contains(right), "{right}");
        fs::write(&changed, text.replacen(right, &format!("{key} {wrong}"), 1)).unwrap();
        let output = doctor(&["diagnose", changed.to_str().unwrap()]).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{right}, {wrong}: {}", words(&output));
        assert!(words(&output).contains(&format!("there is no hop {wrong}")), "{}", words(&output));
    }
}

#[test]
fn a_recording_has_no_name_of_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let (key, record) = (folder.path().join("acme-payroll"), folder.path().join("record"));
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "acme-comment", "-f"])
        .arg(&key)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED there is no ssh-keygen");
        return;
    }
    let server = ssh_doctor_fixtures::hostile::Hostile::RefusesKeys.start().unwrap();
    let known_hosts = folder.path().join("known_hosts");
    fs::write(&known_hosts, ssh_doctor_fixtures::keys::known_hosts_line(server.address, &server.host_key)).unwrap();
    let known_hosts = format!("UserKnownHostsFile={}", known_hosts.display());
    let url = format!("ssh://me@{}", server.address);
    let args = [
        "check",
        "-F",
        "none",
        "-o",
        &known_hosts,
        "-i",
        key.to_str().unwrap(),
        "--format",
        "json",
        "--idle",
        "0",
        "--record",
    ];
    let output = doctor(&[&args[..], &[record.to_str().unwrap(), &url]].concat()).output().unwrap();
    assert!(words(&output).contains("acme-payroll"), "{}", words(&output));
    let recording = fs::read_to_string(&record).unwrap();
    assert!(!recording.contains("acme"), "{recording}");
    assert!(recording.contains("/keys/key-1") && recording.contains("\"comment 1\""), "{recording}");
    let again = doctor(&["diagnose", "--format", "json", record.to_str().unwrap()]).output().unwrap();
    let codes = |output: &Output| -> Vec<String> {
        let found = reports(std::str::from_utf8(&output.stdout).unwrap()).pop().unwrap()["diagnoses"].clone();
        found.as_array().unwrap().iter().map(|found| found["code"].to_string()).collect()
    };
    assert_eq!(codes(&again), codes(&output));
}
