//! The report for machines: one object per target, the same keys in every run.

mod schema;
mod text;
mod timeline;

use std::borrow::Cow;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use ssh_doctor_checks::base::service::Service;
use ssh_doctor_checks::base::target::Settings;
use ssh_doctor_checks::facts::server::ServerAnswers;
use ssh_doctor_checks::facts::witness::Witness;
use ssh_doctor_checks::facts::{Check, CheckView, Evidence, Examined, Forward, Hop, Spent};

use super::Status;
use crate::diagnose::{Diagnosis, Finding, Verdict};
pub use schema::schema;
pub(crate) use schema::{schema_of, schema_text};
pub(crate) use text::{Time, to_text};
use timeline::TimelineReport;

/// The version of this format; a change that breaks a reader raises it.
pub const SCHEMA_VERSION: u32 = 1;

/// The layout of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Indented, not on one line.
    pub pretty: bool,
    /// Evidence, explanations, fixes and suspects are empty.
    pub brief: bool,
}

/// The whole report, without a line end at its end.
#[must_use]
pub fn render(evidence: &Evidence, diagnosis: &Diagnosis, shape: Shape) -> String {
    to_text(&Report::of(evidence, diagnosis, shape.brief), shape.pretty)
}

/// The examination of one target by ssh-doctor.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Report<'a> {
    /// The version of this format. Additions keep it: ignore keys that you do not know.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The program that wrote the report.
    tool: Tool,
    /// The start of the examination: RFC 3339, UTC, milliseconds.
    started_at: Time,
    /// The start of the examination in seconds since 1970-01-01T00:00:00Z.
    started_at_unix: f64,
    /// The length of the examination, milliseconds.
    duration_ms: f64,
    /// The target, resolved as ssh resolves it.
    target: &'a Examined,
    /// The address that was examined; null where none was reached directly or tried alone.
    address: Option<IpAddr>,
    /// The verdict.
    verdict: Verdict,
    /// The exit status that the verdict stands for: 0 healthy, 1 degraded, 2 broken, 3 inconclusive.
    #[schemars(range(max = 3))]
    exit_status: u8,
    /// The check at which sessions or channels die.
    died_at: Option<Check>,
    /// The idle timeout and the keepalive, as measured.
    idle: Idle,
    /// The services that were seen to work: `exec`, `shell`, `sftp`, `git`, `forward`, `program` (the account's own); null where that is not known.
    serves: Option<Vec<Service>>,
    /// The services that the account was expected to serve (`--expect`); null where nothing was expected.
    expected: Option<Vec<Service>>,
    /// Every check, in the order in which they run.
    checks: Vec<CheckReport>,
    /// The jump hosts, first hop first.
    hops: Vec<HopReport<'a>>,
    /// The server's own answers; null where it was not asked (`--server`).
    server: Option<&'a ServerAnswers>,
    /// The user's own ssh, run as far as its login; null where it was not run (`--with-ssh`).
    witness: Option<&'a Witness>,
    /// Every connection of the examination on one clock.
    timeline: TimelineReport<'a>,
    /// The causes, root cause first.
    diagnoses: Cow<'a, [Finding]>,
    /// The user's settings that matter to the judgement.
    settings: &'a Settings,
    /// The cost of the examination to the server.
    spent: Spent,
    /// True when the user or a deadline ended the examination early.
    interrupted: bool,
    /// True when a deadline did (`--deadline`, or a scrape's timeout).
    timed_out: bool,
}

/// A jump host and its checks.
#[derive(Serialize, JsonSchema)]
struct HopReport<'a> {
    /// The name in the user's settings.
    name: &'a str,
    /// The hop, resolved as ssh resolves it.
    target: &'a Examined,
    /// Its checks, in the order in which they run.
    checks: Vec<CheckReport>,
    /// The connection from it to the next hop or the target; null where it did not get that far.
    forward: Option<&'a Forward>,
}

/// The program that wrote the report.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Tool {
    /// `ssh-doctor`.
    name: &'static str,
    /// Its version.
    version: &'static str,
}

impl Tool {
    /// This build.
    pub(crate) const THIS: Self = Self { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
}

/// One check and its outcome.
#[derive(Serialize, JsonSchema)]
struct CheckReport {
    /// The check.
    name: Check,
    /// Its outcome.
    status: Status,
    /// Its wall time, milliseconds.
    duration_ms: f64,
    /// One line for people: the observation, or the reason why there is none.
    summary: String,
    /// The observed facts; null where the check did not run, empty with `--brief`. Keys may come and go between versions.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    evidence: Value,
}

/// The idle timeout and the keepalive, as measured; null is not known.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Idle {
    /// The idle time that was asked for, seconds; where `survived_s` is less and nothing died, that much was not tested.
    asked_s: Option<f64>,
    /// The longest idle time that a session survived, seconds.
    survived_s: Option<f64>,
    /// The shortest idle time that ended a session, seconds.
    died_s: Option<f64>,
    /// The keepalive interval to set, seconds.
    interval_s: Option<u32>,
    /// True where a session with that keepalive outlived the timeout, false where it did not.
    verified: Option<bool>,
    /// The user's own keepalive interval, seconds.
    own_interval_s: Option<u64>,
    /// True where a session with the user's own keepalive outlived the timeout, false where it did not.
    own_holds: Option<bool>,
}

impl<'a> Report<'a> {
    fn of(evidence: &'a Evidence, diagnosis: &'a Diagnosis, brief: bool) -> Self {
        let findings = &diagnosis.findings;
        let checks = evidence.checks().into_iter().map(|view| CheckReport::of(view, findings, brief)).collect();
        let started_at = Time(evidence.started_at);
        Self {
            schema_version: SCHEMA_VERSION,
            tool: Tool::THIS,
            started_at,
            started_at_unix: started_at.unix_s(),
            duration_ms: evidence.duration_ms,
            target: &evidence.target,
            address: evidence.address(),
            verdict: diagnosis.verdict,
            exit_status: diagnosis.verdict.exit_status(),
            died_at: diagnosis.died_at,
            idle: Idle::of(evidence),
            serves: evidence.serves(),
            expected: Some(evidence.expected.clone()).filter(|expected| !expected.is_empty()),
            checks,
            hops: evidence.hops.iter().map(|hop| HopReport::of(hop, findings, brief)).collect(),
            server: evidence.server.as_ref().filter(|_| !brief),
            witness: evidence.witness.as_deref().filter(|_| !brief),
            timeline: TimelineReport::of(evidence, brief),
            diagnoses: if brief { findings.iter().map(Finding::brief).collect() } else { findings.into() },
            settings: &evidence.settings,
            spent: evidence.spent,
            interrupted: evidence.interrupted,
            timed_out: evidence.timed_out,
        }
    }
}

impl<'a> HopReport<'a> {
    fn of(hop: &'a Hop, findings: &[Finding], brief: bool) -> Self {
        let own = findings.iter().filter(|found| found.hop.as_ref() == Some(&hop.name));
        let own: Vec<_> = own.map(|found| Finding { hop: None, ..found.clone() }).collect();
        let checks = hop.evidence.checks().into_iter().map(|view| CheckReport::of(view, &own, brief)).collect();
        Self { name: &hop.name, target: &hop.evidence.target, checks, forward: hop.forward.as_ref() }
    }
}

impl CheckReport {
    fn of(view: CheckView, findings: &[Finding], brief: bool) -> Self {
        let status = Status::of(&view, findings);
        let CheckView { check, summary, duration_ms, facts, .. } = view;
        Self { name: check, status, duration_ms, summary, evidence: if brief { json!({}) } else { facts } }
    }
}

impl Idle {
    fn of(evidence: &Evidence) -> Self {
        let own = evidence.settings.server_alive_interval_s;
        let own_interval_s = (own > 0).then_some(own);
        let Some(facts) = evidence.idle.facts() else { return Self { own_interval_s, ..Self::default() } };
        Self {
            asked_s: Some(facts.longest_s).filter(|asked| *asked > 0.0),
            survived_s: facts.timeout().survived_s,
            died_s: facts.timeout().died_s,
            interval_s: facts.keepalive().interval_s,
            verified: facts.keepalive().verified,
            own_interval_s,
            own_holds: facts.own_holds(),
        }
    }
}
