//! The report for machines: one object a target, the same keys in every run.

use std::fmt::Write as _;

use serde::Serialize;

use serde_json::Value;

use ssh_doctor_checks::base::service::Service;
use ssh_doctor_checks::base::target::Settings;
use ssh_doctor_checks::base::text::is_unprintable;
use ssh_doctor_checks::facts::server::Answers;
use ssh_doctor_checks::facts::{Check, CheckView, Evidence, Examined, Forward, Hop, Spent};

use super::Status;

use crate::diagnose::{Diagnosis, Finding, Verdict};

/// The version of this format; a change that breaks a reader raises it.
pub const SCHEMA_VERSION: u32 = 1;

/// The whole report on one line, or indented; without a line end at its end.
#[must_use]
pub fn render(evidence: &Evidence, diagnosis: &Diagnosis, pretty: bool) -> String {
    let report = Report::of(evidence, diagnosis);
    let json = if pretty { serde_json::to_string_pretty(&report) } else { serde_json::to_string(&report) };
    // Serialization of plain data into memory fails only on a map key that is no string, which no fact has.
    unprintable_escaped(&json.unwrap_or_default())
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    tool: Tool,
    started_at: jiff::Timestamp,
    duration_ms: f64,
    target: &'a Examined,
    verdict: Verdict,
    died_at: Option<Check>,
    serves: Option<Vec<Service>>,
    expected: &'a [Service],
    checks: Vec<CheckReport>,
    hops: Vec<HopReport<'a>>,
    server: Option<&'a Answers>,
    diagnoses: &'a [Finding],
    settings: &'a Settings,
    spent: Spent,
    interrupted: bool,
}

#[derive(Serialize)]
struct HopReport<'a> {
    name: &'a str,
    target: &'a Examined,
    checks: Vec<CheckReport>,
    forward: Option<&'a Forward>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct CheckReport {
    name: &'static str,
    status: Status,
    duration_ms: f64,
    summary: String,
    evidence: Value,
}

impl<'a> Report<'a> {
    fn of(evidence: &'a Evidence, diagnosis: &'a Diagnosis) -> Self {
        let findings = &diagnosis.findings;
        let checks = evidence.checks().into_iter().map(|view| CheckReport::of(view, findings)).collect();
        Self {
            schema_version: SCHEMA_VERSION,
            tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            started_at: evidence.started_at,
            duration_ms: evidence.duration_ms,
            target: &evidence.target,
            verdict: diagnosis.verdict,
            died_at: diagnosis.died_at,
            serves: evidence.serves(),
            expected: &evidence.expected,
            checks,
            hops: evidence.hops.iter().map(|hop| HopReport::of(hop, findings)).collect(),
            server: evidence.server.as_ref(),
            diagnoses: findings,
            settings: &evidence.settings,
            spent: evidence.spent,
            interrupted: evidence.interrupted,
        }
    }
}

impl<'a> HopReport<'a> {
    fn of(hop: &'a Hop, findings: &[Finding]) -> Self {
        let own = findings.iter().filter(|found| found.hop.as_ref() == Some(&hop.name));
        let own: Vec<_> = own.map(|found| Finding { hop: None, ..found.clone() }).collect();
        let checks = hop.evidence.checks().into_iter().map(|view| CheckReport::of(view, &own)).collect();
        Self { name: &hop.name, target: &hop.evidence.target, checks, forward: hop.forward.as_ref() }
    }
}

impl CheckReport {
    fn of(view: CheckView, findings: &[Finding]) -> Self {
        let status = Status::of(&view, findings);
        let CheckView { check, summary, duration_ms, facts, .. } = view;
        Self { name: check.name(), status, duration_ms, summary, evidence: facts }
    }
}

/// JSON leaves DEL, the C1 controls and bidirectional marks as they are; a terminal would obey them.
///
/// Outside strings they cannot occur, so each can be replaced wherever it stands; line ends are the layout's own.
fn unprintable_escaped(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_unprintable(c) {
            // Writing to a string cannot fail.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}
