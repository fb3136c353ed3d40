//! Openings that are never answered while others are. Pure.

use std::net::SocketAddr;

use crate::facts::timeline::{Flow, NotOpened, Timeline};

/// An opening that was answered within this time was answered at once, seconds: before its first packet was sent again.
const AT_ONCE_OPEN_S: f64 = 0.9;
/// An opening that was not answered for this long was asked for four times (RFC 6298: after 1, 3 and 7 s).
const UNANSWERED_S: f64 = 7.0;
/// Openings so close to each other met the same path, seconds.
const NEARBY_S: f64 = 10.0;

/// A share of the openings that was never answered, while others at the same time were.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadFlows {
    /// The hops of a ProxyJump that lie before them.
    pub leg: u8,
    /// The address that they lead to; `None` behind a hop.
    pub to: Option<SocketAddr>,
    /// The number of openings that were not answered.
    pub unanswered: usize,
    /// The number of those that were.
    pub answered: usize,
    /// Source ports of those that were not answered; none behind a hop, which picks them.
    pub dead: Vec<u16>,
    /// Source ports of those that were.
    pub alive: Vec<u16>,
    /// The time that the longest of the dead ones was waited for, seconds.
    pub waited_s: f64,
    /// The property of the dead ones' ports that the others do not have.
    pub pattern: Option<&'static str>,
}

impl Timeline {
    /// The openings that were never answered while others were, on the first leg that has any.
    #[must_use]
    pub fn dead_flows(&self) -> Option<DeadFlows> {
        let legs = self.flows.iter().map(|flow| flow.leg).max().unwrap_or_default();
        (0..=legs).find_map(|leg| self.dead_flows_of(leg))
    }

    fn dead_flows_of(&self, leg: u8) -> Option<DeadFlows> {
        // A server that is silent accepts connections all the same; a hop that is opens none.
        let events = if leg == 0 { self.interruptions() } else { self.events() };
        let undisturbed = |flow: &&Flow| !events.iter().any(|event| event.covers(flow.began_s));
        let openings = || self.flows.iter().filter(|flow| flow.leg == leg).filter(undisturbed);
        let answered: Vec<&Flow> =
            openings().filter(|flow| flow.connected_s.is_some_and(|at| at - flow.began_s < AT_ONCE_OPEN_S)).collect();
        let waited = |flow: &Flow| flow.closed_s.unwrap_or(self.until_s) - flow.began_s;
        let unanswered = openings().filter(|flow| {
            let others = answered.iter().filter(|other| other.to == flow.to);
            let nearby = |other: &&Flow| (other.began_s - flow.began_s).abs() < NEARBY_S;
            flow.connected_s.is_none()
                && matches!(flow.failure, None | Some(NotOpened::Unanswered))
                && waited(flow) >= UNANSWERED_S
                && others.copied().any(|other| nearby(&other))
                && self.is_carried_well(flow)
        });
        let unanswered: Vec<&Flow> = unanswered.collect();
        let ports = |flows: &[&Flow]| flows.iter().filter_map(|flow| flow.source_port).collect::<Vec<_>>();
        let (dead, alive) = (ports(&unanswered), ports(&answered));
        // A limit on connections lets the earlier ones in and keeps the later ones out.
        let first = unanswered.first()?;
        let is_mixed = answered.iter().any(|other| other.to == first.to && other.began_s > first.began_s);
        is_mixed.then(|| DeadFlows {
            leg,
            to: first.to,
            unanswered: unanswered.len(),
            answered: answered.len(),
            pattern: pattern(&dead, &alive),
            dead,
            alive,
            waited_s: unanswered.iter().map(|flow| waited(flow)).fold(0.0, f64::max),
        })
    }

    /// True if nothing was wrong, while it was waited for, with the connection to a hop that carries it.
    fn is_carried_well(&self, flow: &Flow) -> bool {
        let over = flow.over_s();
        let is_well = |carrier: &Flow| {
            let is_disturbed = carrier.gaps.iter().any(|gap| gap.from_s < over && gap.end_s() > flow.began_s);
            !is_disturbed && carrier.end.as_ref().is_none_or(|end| end.at_s > over - 0.1)
        };
        self.carrier(flow).is_none_or(is_well)
    }
}

/// Returns the property that the ports without an answer share and the others do not have.
fn pattern(dead: &[u16], alive: &[u16]) -> Option<&'static str> {
    let all = |ports: &[u16], odd: bool| ports.iter().all(|port| (port % 2 == 1) == odd);
    if dead.len() < 2 || alive.len() < 2 {
        return None;
    }
    match (all(dead, true), all(alive, false), all(dead, false), all(alive, true)) {
        (true, true, ..) => Some("odd source ports"),
        (_, _, true, true) => Some("even source ports"),
        _ => None,
    }
}
