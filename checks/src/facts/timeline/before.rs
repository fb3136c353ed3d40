//! The timeline up to the moment at which something happened to this machine: later observations blame nobody else.

use std::borrow::Cow;

use super::{Flow, Timeline};
use crate::facts::idle::Incident;
use crate::facts::{Evidence, Step};

impl Evidence {
    /// The timeline as far as it may be judged: until this machine was suspended, stopped or lost its address.
    #[must_use]
    pub fn undisturbed_timeline(&self) -> Cow<'_, Timeline> {
        let Step::Void(idle) = &self.idle.step else { return Cow::Borrowed(&self.timeline) };
        let earliest = idle.incidents.iter().map(Incident::earliest_s).reduce(f64::min);
        earliest.map_or(Cow::Borrowed(&*self.timeline), |at_s| Cow::Owned(self.timeline.before(idle.began_s + at_s)))
    }
}

impl Timeline {
    /// The records up to a moment; a gap that was open then is left out, as nothing is known of its end.
    #[must_use]
    pub fn before(&self, at_s: f64) -> Self {
        let flows = self.flows.iter().filter(|flow| flow.began_s < at_s).map(|flow| flow.before(at_s));
        Self {
            flows: flows.collect(),
            hops: self.hops.iter().filter(|sample| sample.at_s < at_s).cloned().collect(),
            blind: self.blind.iter().filter(|span| span.from_s < at_s).copied().collect(),
            until_s: self.until_s.min(at_s),
            left_out: self.left_out,
        }
    }
}

impl Flow {
    fn before(&self, at_s: f64) -> Self {
        let happened = |moment: Option<f64>| moment.filter(|moment| *moment < at_s);
        let failed = self.closed_s.is_some_and(|closed| closed < at_s);
        Self {
            connected_s: happened(self.connected_s),
            failure: self.failure.clone().filter(|_| failed),
            version: self.version.clone().filter(|_| happened(self.version_s).is_some()),
            version_s: happened(self.version_s),
            logged_in_s: happened(self.logged_in_s),
            opened_s: happened(self.opened_s),
            beat_until_s: happened(self.beat_until_s),
            gaps: self.gaps.iter().filter(|gap| gap.end_s() < at_s).copied().collect(),
            heard_s: self.heard_s.map(|heard| heard.min(at_s)),
            answered_s: self.answered_s.map(|answered| answered.min(at_s)),
            end: self.end.clone().filter(|end| end.at_s < at_s),
            closed_s: happened(self.closed_s),
            ..self.clone()
        }
    }
}
