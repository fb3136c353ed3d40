//! The two files: a report of `--format json`, or what `--record` wrote.

use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ssh_doctor_checks::facts::{Check, Evidence};

use super::outcome::Outcome;
use crate::diagnose::diagnose;
use crate::named_file;
use crate::report::json;

/// Bytes read of a file at most: a report holds its evidence beside explanations and fixes.
const LARGEST: u64 = 16 << 20;

/// A report, whichever file it comes from.
#[derive(Debug)]
pub(super) struct Report {
    file: String,
    value: Value,
    is_recording: bool,
}

impl Report {
    /// Reads a file.
    pub(super) fn load(path: &Path) -> Result<Self> {
        let file = path.display().to_string();
        let text = read(path).with_context(|| format!("cannot read {file}"))?;
        if let Ok(evidence) = Evidence::from_json(&text) {
            let rendered = json::render(&evidence, &diagnose(&evidence), json::Shape::default());
            return Ok(Self { file, value: serde_json::from_str(&rendered)?, is_recording: true });
        }
        let mut reports = serde_json::Deserializer::from_slice(&text).into_iter::<Value>();
        let value = match (reports.next(), reports.next()) {
            (Some(Ok(value)), None) => value,
            (Some(Ok(_)), Some(_)) => bail!("{file} holds more than one report: give a file with one"),
            _ => bail!("{file} is neither a report (check --format json) nor a recording (check --record)"),
        };
        if !value["checks"].is_array() || !value["verdict"].is_string() {
            bail!("{file} is neither a report (check --format json) nor a recording (check --record)");
        }
        Ok(Self { file, value, is_recording: false })
    }

    #[cfg(test)]
    pub(super) fn of(value: Value) -> Self {
        Self { file: "test".into(), value, is_recording: false }
    }

    /// True if hosts, accounts and addresses stand for others.
    pub(super) fn is_anonymous(&self) -> bool {
        self.is_recording
    }

    /// A value by its JSON pointer.
    pub(super) fn at(&self, pointer: &str) -> &Value {
        self.value.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Returns the result of a check; null where it is not in the report.
    pub(super) fn check(&self, check: Check) -> &Value {
        let checks = self.value["checks"].as_array();
        checks.and_then(|checks| checks.iter().find(|one| one["name"] == check.name())).unwrap_or(&Value::Null)
    }

    /// Returns a fact of a check, by a JSON pointer into its evidence.
    pub(super) fn seen(&self, check: Check, pointer: &str) -> &Value {
        self.check(check)["evidence"].pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The way it came out.
    pub(super) fn outcome(&self) -> Outcome {
        let text = |pointer: &str| self.at(pointer).as_str().unwrap_or_default().to_owned();
        let findings = self.value["diagnoses"].as_array().into_iter().flatten();
        let grave = findings.filter(|found| found["severity"] != "info");
        Outcome {
            file: self.file.clone(),
            target: text("/target/input"),
            started_at: text("/started_at"),
            verdict: text("/verdict"),
            died_at: self.at("/died_at").as_str().map(ToOwned::to_owned),
            codes: grave.filter_map(|found| found["code"].as_str()).map(ToOwned::to_owned).collect(),
        }
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(LARGEST + 1).read_to_end(&mut text)?;
    } else {
        named_file::open(path)?.take(LARGEST + 1).read_to_end(&mut text)?;
    }
    if text.len() as u64 > LARGEST {
        return Err(io::Error::other("it is larger than 16 MiB, and no report"));
    }
    Ok(text)
}
