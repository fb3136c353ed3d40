//! The background idle tests of the exporter, with a real sshd behind a proxy that closes idle connections.

#![allow(clippy::float_cmp, reason = "counters and copies of a value are compared")]

use std::time::Duration;

use crate::lab::eventually;
use crate::support::exporter::Exporter;
use crate::support::loopback::LoopbackSshd;

/// The first wait of up to 30 s and a test, and a minute and a test more where a busy machine left the first one without a result.
const PATIENCE: Duration = Duration::from_mins(3);

#[test]
fn an_idle_timeout_is_measured_once_for_a_path_and_survives_kill_9() {
    let Some(sshd) = LoopbackSshd::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let yaml = format!(
        "state_dir: {}\nmin_interval: 0s\nallow: {{networks: [127.0.0.0/8]}}\nmodules:\n  login:\n    only: [auth]\n{}    \
         idle: {{longest: 6s, every: 3m, at_once: 2}}\n",
        folder.path().join("state").display(),
        sshd.module()
    );
    let timed = sshd.behind_idle_proxy(Duration::from_secs(3));
    let mut exporter = Exporter::start(folder.path(), &yaml, &[]);
    let probe = |exporter: &Exporter, host: &str, port: u16| exporter.get(&format!("/probe?target={host}:{port}"));
    let died = "ssh_doctor_idle_died_seconds";
    let first = probe(&exporter, "127.0.1.1", timed);
    assert!(first.has("probe_success 1") && first.has("ssh_doctor_idle_samples 0"), "{}", first.0);
    assert!(first.value("ssh_doctor_idle_measured_timestamp_seconds").is_nan());
    assert!(probe(&exporter, "127.0.2.1", sshd.port).has("probe_success 1"));

    // Another member of the network has its result, though it was never measured; another network has its own.
    let measured = |exporter: &Exporter| probe(exporter, "127.0.1.2", timed).value(died);
    assert!(eventually(PATIENCE, || !measured(&exporter).is_nan()), "{}", exporter.log());
    let shortest = measured(&exporter);
    assert!((2.9..6.0).contains(&shortest), "{shortest}");
    let other = || probe(&exporter, "127.0.2.9", sshd.port);
    assert!(eventually(PATIENCE, || other().has("ssh_doctor_idle_samples 1")), "{}", exporter.log());
    assert!(other().value(died).is_nan() && other().value("ssh_doctor_idle_survived_seconds") > 4.0);
    let [tests, failures] =
        ["tests", "test_failures"].map(|what| exporter.metric(&format!("ssh_doctor_idle_{what}_total")));
    assert_eq!(tests - failures, 2.0, "{}", exporter.log());
    assert_eq!(exporter.metric("ssh_doctor_idle_groups_measured"), 2.0);

    exporter.signal("-KILL");
    exporter.ended();
    let exporter = Exporter::again(folder.path(), &[]);
    let again = probe(&exporter, "127.0.1.3", timed);
    // A number read from JSON may be off by its last bit.
    assert!((again.value(died) - shortest).abs() < 1e-9, "{} and {shortest}", again.value(died));
    assert!(again.value("ssh_doctor_idle_measured_timestamp_seconds") > 1e9);
    assert_eq!(exporter.metric("ssh_doctor_idle_tests_total"), 0.0);
}

#[test]
fn a_module_says_what_the_account_must_serve() {
    let Some(sshd) = LoopbackSshd::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let yaml =
        format!("allow: {{networks: [127.0.0.0/8]}}\nmodules:\n  login:\n    expect: [sftp, shell]\n{}", sshd.module());
    let exporter = Exporter::start(folder.path(), &yaml, &[]);
    let answer = exporter.get(&format!("/probe?format=json&target=127.0.0.1:{}", sshd.port));
    let report: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
    assert_eq!(report["verdict"], "healthy", "{report:#}");
    assert_eq!(report["expected"], serde_json::json!(["sftp", "shell"]));
    // The same account at a server without sftp.
    let Some(sshd) = LoopbackSshd::with("Subsystem other internal-sftp\n") else { return };
    let folder = tempfile::tempdir().unwrap();
    let module = sshd.module();
    let yaml = format!(
        "allow: {{networks: [127.0.0.0/8]}}\nmodules:\n  files:\n    expect: [sftp]\n{module}  login:\n    expect: [exec]\n{module}"
    );
    let exporter = Exporter::start(folder.path(), &yaml, &[]);
    let probe = |rest: &str| exporter.get(&format!("/probe?target=127.0.0.1:{}&module={rest}", sshd.port));
    let answer = probe("files");
    let metrics = answer.body();
    assert!(metrics.contains("\nprobe_success 0\n"), "{metrics}");
    let causes = |code: &str| metrics.contains(&format!("\nssh_doctor_diagnosis{{code=\"{code}\","));
    assert!(causes("session-restricted") && causes("session-subsystem-missing"), "{metrics}");
    let report: serde_json::Value = serde_json::from_str(probe("files&format=json").body()).unwrap();
    assert_eq!(
        (&report["verdict"], &report["expected"]),
        (&"broken".into(), &serde_json::json!(["sftp"])),
        "{report:#}"
    );
    assert!(probe("login").body().contains("\nprobe_success 1\n"));
}
