//! A known product that what was seen is consistent with, as reports tell it.

use schemars::JsonSchema;
use serde::Serialize;
use ssh_doctor_checks::causes::suspects::{Clock, Suspect, SuspectKind};
use ssh_doctor_checks::causes::{FixKind, Side};

use crate::fixes::FilledFix;

/// A product or service whose timer and manner fit; that it is the one is not proven.
#[derive(Debug, Clone, JsonSchema, Serialize)]
pub struct Suspected {
    /// The name that its maker uses.
    pub name: &'static str,
    /// Its idle timer as it comes, seconds; `null` where it limits the age.
    pub idle_s: Option<u32>,
    /// Its limit on a connection's age, seconds; `null` where it limits the silence.
    pub age_s: Option<u32>,
    /// Its timer and its manner in words.
    pub why: String,
    /// The setting to change on it; `null` where its maker fixes the timer.
    pub knob: Option<FilledFix>,
    /// The document that says so.
    pub source: &'static str,
}

impl From<&Suspect> for Suspected {
    fn from(suspect: &Suspect) -> Self {
        let limit = |clock| (suspect.clock == clock).then_some(suspect.limit_s);
        let side = if suspect.kind == SuspectKind::Server { Side::Server } else { Side::Network };
        let knob = suspect.turned().map(|(summary, snippet)| FilledFix {
            side,
            kind: FixKind::Change,
            summary,
            file: None,
            snippet,
            verified: None,
            caution: None,
            note: None,
        });
        Self {
            name: suspect.name,
            idle_s: limit(Clock::Idle),
            age_s: limit(Clock::Age),
            why: suspect.why(),
            knob,
            source: suspect.source,
        }
    }
}
