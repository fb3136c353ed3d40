//! The result of a probe, or the reason why there is none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ssh_doctor_checks::facts::Evidence;

use super::idle::state::Measured;
use crate::diagnose::{Diagnosis, diagnose};
use crate::report::prometheus::Figures;

/// A result that several requests may share.
pub(super) type Answer = Result<Arc<ProbeResult>, Refusal>;

/// The reason why there is no result.
#[derive(Debug, Clone)]
pub(super) enum Refusal {
    /// The parameters cannot be used.
    Bad(String),
    /// The target is not on the allow-list.
    Forbidden(String),
    /// Too many probes are running.
    Busy(String),
}

/// The result of a probe.
#[derive(Debug)]
pub(super) struct ProbeResult {
    pub(super) evidence: Evidence,
    pub(super) diagnosis: Diagnosis,
    /// The path group of its idle result.
    pub(super) group: Option<String>,
    ended: Instant,
}

impl ProbeResult {
    /// Judges the evidence of a probe.
    pub(super) fn of(evidence: Evidence, group: Option<String>) -> Self {
        let diagnosis = diagnose(&evidence);
        Self { evidence, diagnosis, group, ended: Instant::now() }
    }

    /// A probe that was cut off before it had a result.
    pub(super) fn cut_off(target: &str, doing: &str) -> Self {
        let mut evidence = Evidence::unusable(target, format!("the time of the probe was over while {doing}"));
        evidence.timed_out = true;
        Self::of(evidence, None)
    }

    /// Returns the time since the probe ended.
    pub(super) fn age(&self) -> Duration {
        self.ended.elapsed()
    }

    /// Returns the figures of the result, with those of the idle test of its path.
    pub(super) fn figures(&self, measured: Option<Measured>) -> Figures {
        let figures = Figures::of(&self.evidence, &self.diagnosis, None);
        match measured {
            Some(one) => figures.with_idle(one.survived_s, one.died_s, one.interval_s, one.at_unix, one.samples),
            None => figures,
        }
    }
}
