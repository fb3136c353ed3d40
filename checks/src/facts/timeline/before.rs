//! The common clock up to the moment at which something happened to this machine: what is seen afterwards is nobody else's fault.

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

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use crate::facts::connection::Manner;
    use crate::facts::idle::{Facts, Incident, What};
    use crate::facts::timeline::{Flow, FlowEnd, Gap, Timeline};
    use crate::facts::{Evidence, Step};

    /// A connection that was opened at once and answered for the last time at 10 s.
    fn silenced(number: u32, acknowledged: bool) -> Flow {
        let gap =
            Gap { heard_s: 10.0, from_s: 12.0, until_s: None, acknowledged: Some(acknowledged), retransmissions: 0 };
        let [connected_s, version_s, logged_in_s] = [Some(0.1), Some(0.1), Some(0.2)];
        let flow = Flow { number, connected_s, version_s, logged_in_s, beat_s: Some(2.0), ..Flow::default() };
        Flow { heard_s: Some(10.0), answered_s: Some(10.0), gaps: vec![gap], ..flow }
    }

    /// A connection that was reset at 30 s, when it was used again.
    fn reset(number: u32) -> Flow {
        let end = FlowEnd { at_s: 30.0, manner: Manner::Reset, quiet_s: 20.0, spoke_last: true };
        Flow { end: Some(end), gaps: Vec::new(), ..silenced(number, false) }
    }

    /// A connection that was opened after all that.
    fn new() -> Flow {
        let [connected_s, version_s, logged_in_s] = [Some(31.1), Some(31.2), Some(31.3)];
        Flow { number: 9, began_s: 31.0, connected_s, version_s, logged_in_s, ..Flow::default() }
    }

    fn codes(flows: Vec<Flow>, incidents: Vec<Incident>) -> Vec<&'static str> {
        let timeline = Box::new(Timeline { flows, until_s: 60.0, ..Timeline::default() });
        let mut evidence = Evidence { timeline, ..Evidence::unexamined() };
        let facts = Facts { incidents, began_s: 0.5, ..Facts::default() };
        evidence.idle.step = if facts.incidents.is_empty() { Step::Failed(facts) } else { Step::Void(facts) };
        let judged = crate::causes::timeline::CAUSES.iter().filter(|cause| (cause.judge)(&evidence).is_some());
        judged.map(|cause| cause.code).collect()
    }

    #[test]
    fn what_is_seen_after_this_machine_lost_its_address_or_was_stopped_blames_nobody() {
        let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let gone = Incident { at_s: 10.5, what: What::AddressGone { from, to: None } };
        let stopped = Incident { at_s: 29.0, what: What::NotRun { late_s: 18.0 } };
        let stalled = || (0..3).map(|number| silenced(number, true)).collect::<Vec<_>>();
        let lost = || (0..4).map(reset).chain([new()]).collect::<Vec<_>>();
        assert_eq!(codes(stalled(), vec![]), ["server-stalled"]);
        assert_eq!(codes(lost(), vec![]), ["path-state-lost"]);
        for incident in [gone, stopped] {
            assert_eq!(codes(stalled(), vec![incident]), Vec::<&str>::new(), "{incident:?}");
            assert_eq!(codes(lost(), vec![incident]), Vec::<&str>::new(), "{incident:?}");
        }
        // What was over by then stays what it was.
        let late = Incident { at_s: 50.0, ..gone };
        assert_eq!(codes(lost(), vec![late]), ["path-state-lost"]);
    }
}
