//! Limits on what the process may have, files that never end, and environments that nobody tried: a sentence, never a panic, never a false
//! cause.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::lab::Lab;

const DOCTOR: &str = env!("CARGO_BIN_EXE_ssh-doctor");

/// What a shell makes of a script, in which `$0` is the doctor.
fn sh(script: &str) -> Output {
    Command::new("sh").args(["-c", script, DOCTOR]).stdin(Stdio::null()).output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn assert_one_sentence(output: &Output, holding: &str) {
    let words = words(output);
    let is_one = words.lines().count() == 1 && words.starts_with("ssh-doctor: ") && words.contains(holding);
    assert!(output.status.code() == Some(3) && is_one, "{:?} {words}", output.status);
}

#[test]
fn too_few_files_are_an_error_with_the_limit_in_it() {
    for files in [4, 6, 8, 12, 16, 17, 20, 23] {
        for command in
            ["check --only config 127.0.0.1", "check --only config a b", "watch --for 1s a", "demo forced-command"]
        {
            assert_one_sentence(&sh(&format!("ulimit -n {files}; exec \"$0\" {command}")), "ulimit -n");
        }
    }
}

#[test]
fn few_files_give_no_false_cause() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    crate::own_ssh::settle(&lab, &server, "");
    for files in [24, 25, 26, 28, 30, 32, 40, 48, 64] {
        let check = format!("ulimit -n {files}; exec \"$0\" check --idle 0 --format json db");
        let run = lab.run("sh", &["-c", &check, DOCTOR], Duration::from_mins(1));
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_default();
        let codes = report["diagnoses"].as_array().map_or(1, Vec::len);
        let is_true = codes == 0 && (report["verdict"] == "healthy" || report["verdict"] == "inconclusive");
        assert!(is_true, "{files} files: {run:?}");
    }
}

#[test]
fn too_few_processes_are_an_error() {
    // A limit on processes does not hold for root.
    let Some(lab) = Lab::healthy() else { return };
    let as_nobody =
        ["--reuid=61234", "--clear-groups", "prlimit", "--nproc=1", DOCTOR, "check", "--only", "config", "a"];
    let run = lab.run("setpriv", &as_nobody, Duration::from_secs(20));
    // Where another user may not read the doctor's folder, prlimit says so.
    assert!(matches!(run.status, Some(3 | 126)) && !run.stderr.contains("panicked"), "{run:?}");
}

#[test]
fn a_list_without_an_end_is_refused() {
    for device in ["/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"] {
        assert_one_sentence(&sh(&format!("exec \"$0\" check --only config --targets {device}")), "is a device");
        assert_one_sentence(&sh(&format!("exec \"$0\" check --only config --targets - <{device}")), "is a device");
    }
    assert_eq!(sh("exec \"$0\" check --only config --targets /dev/null").status.code(), Some(0));
    assert_eq!(sh("echo 127.0.0.1 | \"$0\" check --only config --targets -").status.code(), Some(0));
    let began = Instant::now();
    assert_one_sentence(
        &sh("d=$(mktemp -d); mkfifo $d/p; \"$0\" check --targets $d/p; s=$?; rm -r $d; exit $s"),
        "nothing writes",
    );
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn streams_that_are_closed_and_folders_that_are_gone_or_read_only_are_no_matter() {
    for closed in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let output = sh(&format!("exec \"$0\" check --only config 127.0.0.1 {closed}"));
        assert_eq!(output.status.code(), Some(0), "{closed}: {}", words(&output));
    }
    for place in [
        "cd /proc",
        "d=$(mktemp -d); cd $d; rmdir $d",
        "unset HOME",
        "HOME=",
        "HOME=/proc",
        "HOME=x",
        "HOME='/a\nb'",
        "unset PATH",
    ] {
        let output = sh(&format!("{place}; exec \"$0\" check --only config 127.0.0.1"));
        assert_eq!(output.status.code(), Some(0), "{place}: {}", words(&output));
    }
}

#[test]
fn bytes_that_are_no_text_and_words_without_an_end_are_one_sentence() {
    let odd = OsStr::from_bytes(b"a\xff\xfe");
    let long = "a".repeat(100_000);
    let long = OsStr::new(&long);
    let option = OsStr::new("-o");
    for (args, status) in [
        (&[odd][..], 3),
        (&[OsStr::new("-l"), odd, OsStr::new("127.0.0.1")], 3),
        (&[OsStr::new("-i"), odd, OsStr::new("127.0.0.1")], 3),
        (&[long], 3),
        (&[OsStr::new("a\u{1b}[31mb")], 3),
        (&[OsStr::new("a\nb")], 3),
        // ssh does not know the option: that has a report.
        (&[option, long, OsStr::new("127.0.0.1")], 2),
    ] {
        let output =
            Command::new(DOCTOR).args(["check", "--only", "config"]).args(args).stdin(Stdio::null()).output().unwrap();
        let words = words(&output);
        let is_one = words.lines().count() == 1 && words.len() < 1000 && !words.contains('\u{1b}');
        assert!(output.status.code() == Some(status) && is_one, "{words}");
    }
    let variables = ["HOME", "TERM", "LANG", "COLUMNS", "NO_COLOR", "XDG_STATE_HOME", "SSH_AUTH_SOCK", "TZ"];
    let output = Command::new(DOCTOR)
        .args(["check", "--only", "config", "127.0.0.1"])
        .envs(variables.map(|name| (name, odd)))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    let output = Command::new(DOCTOR).args(["check", "127.0.0.1"]).env("SSH_DOCTOR_PASSWORD", odd).output().unwrap();
    assert_one_sentence(&output, "not UTF-8");
}
