//! Servers whose commands get no end of their input, or stop midway in their output, on loopback.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use ssh_doctor_fixtures::keys;
use ssh_doctor_fixtures::server::{Harm, Login, Server};

/// Examines a server with one thread that does this to the output of commands.
fn examined(harm: Harm) -> Value {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (host_key, key) = (keys::generate(), keys::generate());
    let public = host_key.public_key().clone();
    let login = Login { user: "me".to_owned(), keys: vec![key.public_key().clone()], ..Login::default() };
    let server = Server { harm: Some(harm), ..Server::new(host_key, login) };
    let service = runtime.block_on(server.start()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [known_hosts, file] = ["known_hosts", "key"].map(|name| folder.path().join(name));
    fs::write(&known_hosts, keys::known_hosts_line(service.address, &public)).unwrap();
    fs::write(&file, keys::private_text(&key)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    doctor.args([
        "check",
        "-F",
        "none",
        "-o",
        "IdentitiesOnly=yes",
        "--idle",
        "0",
        "--timeout",
        "3s",
        "--format",
        "json",
    ]);
    doctor.arg("-o").arg(format!("UserKnownHostsFile={}", known_hosts.display())).arg("-i").arg(file);
    let output = doctor.arg(format!("ssh://me@{}", service.address)).env_remove("SSH_AUTH_SOCK").output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn an_input_that_never_ends_is_named_also_where_the_end_of_the_output_is_lost() {
    let lost = ["exit-output-lost", "session-input-lost"];
    std::thread::scope(|scope| {
        for (after, codes, verdict) in [(u64::MAX, &lost[1..], "healthy"), (1000, &lost[..], "broken")] {
            scope.spawn(move || {
                let report = examined(Harm::KeepsInputOpen(after));
                let found: Vec<_> = report["diagnoses"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|found| found["code"].as_str().unwrap())
                    .collect();
                assert_eq!((&found[..], report["verdict"].as_str()), (codes, Some(verdict)), "{after}: {report:#}");
            });
        }
    });
}

#[test]
fn output_that_stops_midway_with_every_other_answer_is_waited_for() {
    let report = examined(Harm::Freezes(Duration::from_secs(5)));
    let exit = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "exit").unwrap();
    assert_eq!((&report["verdict"], &exit["status"]), (&"healthy".into(), &"pass".into()), "{report:#}");
    assert!(exit["duration_ms"].as_f64() > Some(4900.0), "it did not stop: {exit:#}");
}
