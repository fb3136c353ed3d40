//! Programs that ssh's settings have the doctor start: what they learn, and how they end.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::lab::eventually;

/// Longer than anything here takes on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// The doctor on a host that only this proxy command reaches, with a password in its environment, in a process group of its own.
fn doctor(folder: &Path, proxy: &str) -> Command {
    let script = folder.join("proxy");
    fs::write(&script, format!("#!/bin/sh\n{proxy}\n")).unwrap();
    let seen = folder.join("match").display().to_string();
    let config = format!("Match exec \"env > '{seen}'\"\n  ProxyCommand sh '{}'\n", script.display());
    fs::write(folder.join("config"), config).unwrap();
    // No shell can trap what was ignored when it was started, as under nohup.
    let mut command = Command::new("env");
    command.args(["--default-signal=HUP", env!("CARGO_BIN_EXE_ssh-doctor")]);
    command.args(["check", "--format", "json", "--idle", "0", "-F"]).arg(folder.join("config")).arg("nowhere.invalid");
    command.env("SSH_DOCTOR_PASSWORD", "correct horse").env_remove("SSH_AUTH_SOCK").process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn no_program_that_is_started_learns_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("proxied");
    let output = doctor(folder.path(), &format!("env > '{}'", seen.display())).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    for file in ["match", "proxied"] {
        let environment = fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(environment.contains("PATH="), "{file}: {environment}");
        assert!(!environment.contains("SSH_DOCTOR_PASSWORD"), "{file}: {environment}");
        assert!(!environment.contains("correct horse"), "{file}: {environment}");
    }
}

#[test]
fn a_proxy_command_outlives_ctrl_c_and_is_hung_up_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes");
    let noted = || fs::read_to_string(&notes).unwrap_or_default();
    let said = notes.display();
    let script = format!(
        "trap 'echo hung up >> \"{said}\"; exit' HUP\ntrap 'echo interrupted >> \"{said}\"' INT\n\
         echo started $$ >> '{said}'\nwhile :; do sleep 0.1; done"
    );
    let doctor = doctor(folder.path(), &script).spawn().unwrap();
    assert!(eventually(SOON, || noted().contains("started ")), "the command was not started");
    let group = format!("-{}", doctor.id());
    assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
    let output = doctor.wait_with_output().unwrap();
    // The first Ctrl-C ends the examination with a report.
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert_eq!((output.status.code(), report["interrupted"].as_bool()), (Some(3), Some(true)), "{output:?}");
    assert!(eventually(SOON, || noted().contains("hung up")), "{}", noted());
    assert!(!noted().contains("interrupted"), "{}", noted());
    let pid = noted().split_whitespace().nth(1).map(ToOwned::to_owned).unwrap();
    assert!(eventually(SOON, || !Path::new("/proc").join(&pid).exists()), "it is still there");
}
