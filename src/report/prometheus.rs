//! The report for Prometheus: the text exposition format, as a textfile collector or a scrape reads it.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, LabelSetEncoder, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use ssh_doctor_checks::facts::{Check, Evidence};

use super::Status;
use super::finding::severity;
use crate::diagnose::{Diagnosis, Verdict};

/// The Content-Type of the exposition.
pub use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

/// The figures of one examination: what is kept of it until all are written.
#[derive(Debug, Clone)]
pub struct Figures {
    /// The target as the user named it; no label of one target alone.
    target: Option<String>,
    verdict: Verdict,
    duration_s: f64,
    checks: Vec<(Check, Status, f64)>,
    diagnoses: Vec<Labels>,
    idle: IdleFigures,
    timed_out: bool,
}

/// The label values of a diagnosis; all of them are the catalogue's.
type Labels = [(&'static str, &'static str); 3];

/// The figures of an idle test, seconds; not a number where they are not known.
#[derive(Debug, Clone, Copy)]
struct IdleFigures {
    survived: f64,
    died: f64,
    recommended: f64,
    effective: f64,
    measured_at: f64,
    samples: f64,
}

impl Figures {
    /// The figures of an examination; with the target's name as a label where that is given.
    #[must_use]
    pub fn of(evidence: &Evidence, diagnosis: &Diagnosis, target: Option<&str>) -> Self {
        let checks = evidence.checks();
        let checks = checks.iter().map(|view| {
            let status = Status::of(view, &diagnosis.findings);
            (view.check, status, view.duration_ms / 1000.0)
        });
        let mut diagnoses: Vec<Labels> = Vec::new();
        for found in &diagnosis.findings {
            let labels = [("code", found.code), ("stage", found.stage.name()), ("severity", severity(found.severity))];
            // A cause at a jump host and at the target is one series.
            if !diagnoses.contains(&labels) {
                diagnoses.push(labels);
            }
        }
        Self {
            target: target.map(ToOwned::to_owned),
            verdict: diagnosis.verdict,
            duration_s: evidence.duration_ms / 1000.0,
            checks: checks.collect(),
            diagnoses,
            idle: IdleFigures::of(evidence),
            timed_out: evidence.timed_out,
        }
    }
}

impl Figures {
    /// Metrics with the result of an idle test of the same path, seconds; `measured_at` is Unix time.
    #[must_use]
    pub fn with_idle(
        mut self,
        survived: Option<f64>,
        died: Option<f64>,
        recommended: Option<u32>,
        measured_at: f64,
        samples: u32,
    ) -> Self {
        let known = |value: Option<f64>| value.unwrap_or(f64::NAN);
        self.idle = IdleFigures {
            survived: known(survived),
            died: known(died),
            recommended: known(recommended.map(f64::from)),
            measured_at,
            samples: f64::from(samples),
            ..self.idle
        };
        self
    }
}

impl IdleFigures {
    fn of(evidence: &Evidence) -> Self {
        let known = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let facts = evidence.idle.facts();
        let ended_ms = evidence.started_at.as_millisecond() as f64 + evidence.duration_ms;
        Self {
            survived: known(facts.and_then(|facts| facts.timeout().survived_s)),
            died: known(facts.and_then(|facts| facts.timeout().died_s)),
            recommended: known(facts.and_then(|facts| facts.keepalive().interval_s).map(f64::from)),
            // Nothing is known of settings that could not be read.
            effective: if evidence.settings.source.is_empty() {
                f64::NAN
            } else {
                evidence.settings.server_alive_interval_s as f64
            },
            measured_at: known(facts.map(|_| (ended_ms / 1000.0).round())),
            samples: f64::from(u8::from(facts.is_some())),
        }
    }
}

/// The exposition of these examinations, families grouped; it ends with a line end.
#[must_use]
pub fn render(figures: Vec<Figures>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Examined(figures)));
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = prometheus_text::encode(&mut text, &registry);
    text
}

/// The examinations of one exposition.
#[derive(Debug)]
struct Examined(Vec<Figures>);

impl Collector for Examined {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = |name: &str, help: &str, samples: &dyn Fn(&Figures) -> Vec<Sample>| -> fmt::Result {
            let mut metric = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for figures in &self.0 {
                for (labels, value) in samples(figures) {
                    let labels = Series { target: figures.target.as_deref(), labels: &labels };
                    let mut series = metric.encode_family(&labels)?;
                    // A whole number is written as one.
                    #[allow(clippy::cast_possible_truncation, reason = "it is a small whole number")]
                    if value.fract() == 0.0 && value.abs() < 1e15 {
                        series.encode_gauge(&(value as i64))?;
                    } else {
                        series.encode_gauge(&value)?;
                    }
                }
            }
            Ok(())
        };
        let one = |value: f64| vec![(Vec::new(), value)];
        family("probe_success", "1 where SSH works: the verdict is healthy or degraded", &|of| {
            one(f64::from(u8::from(matches!(of.verdict, Verdict::Healthy | Verdict::Degraded))))
        })?;
        family("probe_duration_seconds", "Duration of the examination", &|of| one(of.duration_s))?;
        family("ssh_doctor_verdict", "1 for the verdict on the target", &|of| {
            vec![(vec![("verdict", of.verdict.name())], 1.0)]
        })?;
        family("ssh_doctor_check_status", "1 for the outcome of each check", &|of| {
            let sample = |(check, status, _): &(Check, Status, f64)| {
                (vec![("check", check.name()), ("status", status.name())], 1.0)
            };
            of.checks.iter().map(sample).collect()
        })?;
        family("ssh_doctor_check_duration_seconds", "Duration of each check, 0 where it did not run", &|of| {
            of.checks.iter().map(|(check, _, seconds)| (vec![("check", check.name())], *seconds)).collect()
        })?;
        family("ssh_doctor_diagnosis", "1 for each cause that was found", &|of| {
            of.diagnoses.iter().map(|labels| (labels.to_vec(), 1.0)).collect()
        })?;
        idle(&mut family, &one)?;
        family("ssh_doctor_timed_out", "1 where a deadline ended the examination early", &|of| {
            one(f64::from(u8::from(of.timed_out)))
        })
    }
}

/// A sample: its labels and its value.
type Sample = (Vec<(&'static str, &'static str)>, f64);

/// Writes one family: its name, its help text, its samples of each examination.
type Family<'a> = &'a mut dyn FnMut(&str, &str, &dyn Fn(&Figures) -> Vec<Sample>) -> fmt::Result;

fn idle(family: Family<'_>, one: &dyn Fn(f64) -> Vec<Sample>) -> fmt::Result {
    family(
        "ssh_doctor_idle_survived_seconds",
        "Longest idle time that a session survived when last measured (cached), NaN where none was measured",
        &|of| one(of.idle.survived),
    )?;
    family(
        "ssh_doctor_idle_died_seconds",
        "Shortest idle time that ended a session when last measured (cached), NaN where none did",
        &|of| one(of.idle.died),
    )?;
    family(
        "ssh_doctor_keepalive_recommended_seconds",
        "Keepalive interval that suits the measured idle timeout (cached), NaN where there is none",
        &|of| one(of.idle.recommended),
    )?;
    family(
        "ssh_doctor_keepalive_effective_seconds",
        "Keepalive interval of the user's own settings, 0 where ssh sends none",
        &|of| one(of.idle.effective),
    )?;
    family(
        "ssh_doctor_idle_measured_timestamp_seconds",
        "Unix time at which the idle timeout was last measured, NaN where it never was",
        &|of| one(of.idle.measured_at),
    )?;
    family("ssh_doctor_idle_samples", "Targets of this path that were measured for the idle timeout (cached)", &|of| {
        one(of.idle.samples)
    })
}

/// The labels of a series: its own, and before them the target where there are several.
#[derive(Debug)]
struct Series<'a> {
    target: Option<&'a str>,
    labels: &'a [(&'static str, &'static str)],
}

impl EncodeLabelSet for Series<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        if let Some(target) = self.target {
            [("target", target)].encode(encoder)?;
        }
        self.labels.encode(encoder)
    }
}
