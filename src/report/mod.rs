//! A diagnosis in the formats that people and machines read. Nothing is decided here.

mod channels;
pub(crate) mod ends;
pub(crate) mod finding;
pub mod full;
mod headline;
pub mod html;
pub mod json;
mod lifelines;
pub mod line;
pub mod nagios;
mod path;
pub mod prometheus;
pub(crate) mod style;
mod suspects;
mod table;
pub mod text;

use schemars::JsonSchema;
use serde::Serialize;
use ssh_doctor_checks::causes::Severity;
use ssh_doctor_checks::facts::{CheckView, Step};

pub use style::Style;

use crate::diagnose::Finding;

/// The status of a check, in the words of every report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It did its job.
    Pass,
    /// It did its job, and a finding that needs care shows at it.
    Warn,
    /// The checked thing did not work.
    Fail,
    /// It did not run.
    Skip,
    /// We could not do it, or not so that it may be judged, through no fault of the target.
    Error,
}

impl Status {
    /// The status of a check, given all that was found.
    #[must_use]
    pub fn of(view: &CheckView, findings: &[Finding]) -> Self {
        let needs_care =
            |found: &Finding| found.hop.is_none() && found.stage == view.check && found.severity != Severity::Info;
        match view.step {
            Step::Passed(()) if findings.iter().any(needs_care) => Self::Warn,
            Step::Passed(()) => Self::Pass,
            Step::Failed(()) => Self::Fail,
            Step::Skipped(_) => Self::Skip,
            Step::Void(()) | Step::Error(_) => Self::Error,
        }
    }

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Error => "error",
        }
    }
}
