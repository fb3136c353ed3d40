//! The built binary on a lab's client, and its report.

use std::time::Duration;

use serde_json::Value;

use super::{Lab, Run, Server, python};

/// What one run of `ssh-doctor check --format json` said.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) run: Run,
    /// The report's object; null where none was printed.
    pub(crate) json: Value,
}

impl Lab {
    /// Examines a server with these options of `check`.
    pub(crate) fn doctor(&self, server: &Server, options: &[&str], deadline: Duration) -> Report {
        self.doctor_at(&server.url(), options, deadline)
    }

    /// Examines a server at a terminal, where these answers are typed, one to each question; none without Python.
    pub(crate) fn doctor_at_terminal(
        &self,
        server: &Server,
        options: &[&str],
        answers: &[&str],
        deadline: Duration,
    ) -> Option<Report> {
        let python = python("pty")?;
        let typist = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/at_terminal.py");
        let config = self.home.config().display().to_string();
        let check = ["--", env!("CARGO_BIN_EXE_ssh-doctor"), "check", "--format", "json", "--quiet", "-F", &config];
        let url = server.url();
        let args = [&[typist], answers, &check, options, &[&url]].concat();
        let run = self.run(&python, &args, deadline);
        let json = serde_json::from_str(&run.stdout).unwrap_or_default();
        Some(Report { run, json })
    }

    /// Examines whatever a target names.
    pub(crate) fn doctor_at(&self, target: &str, options: &[&str], deadline: Duration) -> Report {
        let config = self.home.config();
        let config = config.to_string_lossy();
        let args = [&["check", "--format", "json", "-F", &config], options, &[target]].concat();
        let run = self.run(env!("CARGO_BIN_EXE_ssh-doctor"), &args, deadline);
        let json = serde_json::from_str(&run.stdout).unwrap_or_default();
        Report { run, json }
    }
}

impl Report {
    pub(crate) fn died_at(&self) -> Option<&str> {
        self.json["died_at"].as_str()
    }

    /// The codes of the diagnoses, the root cause first.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let diagnoses = self.json["diagnoses"].as_array();
        diagnoses.into_iter().flatten().filter_map(|diagnosis| diagnosis["code"].as_str()).collect()
    }

    /// The fixes of the root cause.
    pub(crate) fn fixes(&self) -> impl Iterator<Item = &Value> {
        self.json["diagnoses"][0]["fixes"].as_array().into_iter().flatten()
    }

    /// The record of one check.
    pub(crate) fn check(&self, name: &str) -> &Value {
        let checks = self.json["checks"].as_array();
        checks.into_iter().flatten().find(|check| check["name"] == name).unwrap_or(&Value::Null)
    }

    /// What the idle test measured.
    pub(crate) fn idle(&self) -> &Value {
        &self.check("idle")["evidence"]
    }

    /// What matters of it, for the message of a test that fails: without the evidence of checks that passed.
    pub(crate) fn told(&self) -> String {
        let mut report = self.json.clone();
        for check in report["checks"].as_array_mut().into_iter().flatten() {
            if check["status"] == "pass" && check["name"] != "idle" {
                check["evidence"] = Value::Null;
            }
        }
        let Run { status, took, stderr, stdout } = &self.run;
        let stdout = if self.json.is_null() { stdout } else { "" };
        format!("status {status:?} after {took:?}\n{report:#}\n{stdout}\n{stderr}")
    }
}
