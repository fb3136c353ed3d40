//! Evidence for tests: a believable healthy run, and the same run with checks that failed or did not run.

pub(crate) mod exporter;
pub(crate) mod loopback;

use std::fs::OpenOptions;
use std::io::Write;

use serde_json::{Value, json};
use ssh_doctor_checks::facts::{Check, Evidence};

/// A run in which every check passed.
pub(crate) fn healthy() -> Evidence {
    serde_json::from_str(include_str!("healthy.json")).unwrap()
}

/// Evidence with `check` failed, its facts as they were.
pub(crate) fn failed(evidence: &Evidence, check: Check) -> Evidence {
    changed(evidence, |value| value[check.name()]["step"] = json!("failed"))
}

/// Evidence with `check` skipped for a reason.
pub(crate) fn skipped(evidence: &Evidence, check: Check, why: &str) -> Evidence {
    changed(evidence, |value| value[check.name()] = json!({"step": "skipped", "facts": why, "duration_ms": 0.0}))
}

/// Evidence with `check` not done through our own fault.
pub(crate) fn errored(evidence: &Evidence, check: Check, why: &str) -> Evidence {
    changed(evidence, |value| value[check.name()] = json!({"step": "error", "facts": why, "duration_ms": 3.0}))
}

/// Evidence after a change to its recording.
pub(crate) fn changed(evidence: &Evidence, change: impl FnOnce(&mut Value)) -> Evidence {
    let mut value = serde_json::to_value(evidence).unwrap();
    change(&mut value);
    serde_json::from_value(value).unwrap()
}

/// Keeps what a run printed with `--format json` for tests/run, which validates the reports of all tests against the schema.
pub(crate) fn keep_reports(stdout: &str) {
    let Some(file) = std::env::var_os("SSH_DOCTOR_TEST_REPORTS") else { return };
    let mut file = OpenOptions::new().append(true).create(true).open(file).unwrap();
    for line in stdout.lines().filter(|line| line.starts_with(r#"{"schema_version""#)) {
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

/// The reports that a run of the doctor printed, one a line.
pub(crate) fn reports(stdout: &str) -> Vec<Value> {
    keep_reports(stdout);
    stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}
