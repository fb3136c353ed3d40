//! Events seen after a disturbance of this machine blame nobody.

use std::net::{IpAddr, Ipv4Addr};

use super::super::CAUSES;
use crate::facts::connection::Manner;
use crate::facts::idle::{Facts, Incident, What};
use crate::facts::timeline::{Flow, FlowEnd, Gap, Timeline};
use crate::facts::{Evidence, Step};

/// A connection that was opened at once and answered for the last time at 10 s.
fn silenced(number: u32, acknowledged: bool) -> Flow {
    let gap = Gap { heard_s: 10.0, from_s: 12.0, until_s: None, acknowledged: Some(acknowledged), retransmissions: 0 };
    let [connected_s, version_s, logged_in_s] = [Some(0.1), Some(0.1), Some(0.2)];
    let opened_s = Some(0.3);
    let flow = Flow { number, connected_s, version_s, logged_in_s, opened_s, beat_s: Some(2.0), ..Flow::default() };
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
    let judged = CAUSES.iter().filter(|cause| (cause.judge)(&evidence).is_some());
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
