//! The clock that all connections of an examination share.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;
use ssh_doctor_checks::facts::Evidence;
use ssh_doctor_checks::facts::timeline::{Event, Timeline};

/// The events on the connections, and the notes on each. Times are seconds since the examination began.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TimelineReport<'a> {
    /// Interruptions of the path and times in which the server was silent, in their order.
    events: Vec<Event>,
    /// The notes on each connection; empty with `--brief`.
    #[serde(flatten)]
    timeline: Cow<'a, Timeline>,
}

impl<'a> TimelineReport<'a> {
    pub(super) fn of(evidence: &'a Evidence, brief: bool) -> Self {
        let events = evidence.undisturbed_timeline().events();
        let timeline = &*evidence.timeline;
        Self { events, timeline: if brief { Cow::default() } else { Cow::Borrowed(timeline) } }
    }
}
