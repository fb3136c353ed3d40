//! Lost connections, grouped by time: all at one moment, some of the new ones, or one now and then. Pure.

use super::{Flow, FlowEnd, NotOpened, Timeline};
use crate::facts::connection::Manner;

/// Losses within this time are one event, seconds: the slowest beat, and a retransmission or two.
const AT_ONCE_S: f64 = 6.0;
/// Connections that must be lost at once to be spoken of.
const SEVERAL: usize = 3;
/// A connection that is heard so much later than others were lost was spared, seconds.
const SPARED_S: f64 = 3.0;
/// An opening that was answered within this time was answered at once, seconds: before its first packet was sent again.
const AT_ONCE_OPEN_S: f64 = 0.9;
/// An opening that was not answered for this long was asked for four times (RFC 6298: after 1, 3 and 7 s).
const UNANSWERED_S: f64 = 7.0;
/// Openings so close to each other met the same path, seconds.
const NEARBY_S: f64 = 10.0;
/// A connection on which something moved so short a time ago was busy, seconds.
const BUSY_S: f64 = 2.6;

/// Every connection of a moment was dead when it was used next, while new ones worked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StateLoss {
    /// The time at which a connection was last heard that was lost.
    pub at_s: f64,
    /// Connections that were lost.
    pub lost: usize,
    /// The number of lost connections that had been busy.
    pub busy: usize,
    /// True if they were reset when they were used.
    pub reset: bool,
    /// Seconds until a new connection was open.
    pub new_after_s: f64,
}

/// The other end, or a device on the way, ended every connection at one moment, without a packet from us.
#[derive(Debug, Clone, PartialEq)]
pub struct MassEnd {
    /// The time.
    pub at_s: f64,
    /// Connections that ended.
    pub ended: usize,
    /// The manner.
    pub manner: Manner,
    /// Seconds until a new connection got as far as the server's identification; `None` where none did.
    pub new_after_s: Option<f64>,
    /// Seconds that a new connection may take at a healthy server.
    pub slow_greeting_s: f64,
    /// New connections that were refused meanwhile.
    pub refused: usize,
    /// The server's identification before and after, where it is another one.
    pub versions: Option<(String, String)>,
}

/// A share of the openings that was never answered, while others at the same time were.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadFlows {
    /// Source ports of those that were not answered.
    pub dead: Vec<u16>,
    /// Source ports of those that were.
    pub alive: Vec<u16>,
    /// The time that the longest of the dead ones was waited for, seconds.
    pub waited_s: f64,
    /// The property of the dead ones' ports that the others do not have.
    pub pattern: Option<&'static str>,
}

/// Resets that depend neither on silence nor on age.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomResets {
    /// The time of each reset, the idle time of the connection then, and its age; seconds.
    pub resets: Vec<(f64, f64, f64)>,
    /// The number of resets on a busy connection.
    pub busy: usize,
    /// True if some were behind a jump host, which tells of a reset by the end of the channel.
    pub behind_a_hop: bool,
}

impl Timeline {
    /// The moment at which every connection was lost, if there was one.
    #[must_use]
    pub fn state_loss(&self) -> Option<StateLoss> {
        self.state_loss_after(0.0)
    }

    /// As [`state_loss`](Self::state_loss), for the first one after `since_s`.
    #[must_use]
    pub fn state_loss_after(&self, since_s: f64) -> Option<StateLoss> {
        let lost_at = self.flows.iter().filter(|flow| flow.beat_s.is_some()).filter_map(Flow::lost_s);
        let mut moments: Vec<f64> = lost_at.filter(|at| *at > since_s).collect();
        moments.sort_by(f64::total_cmp);
        moments.iter().find_map(|first| self.state_loss_at(*first))
    }

    fn state_loss_at(&self, first: f64) -> Option<StateLoss> {
        let near = |at: f64| (first - 0.1..first + AT_ONCE_S).contains(&at);
        let busy: Vec<&Flow> =
            self.flows.iter().filter(|flow| flow.beat_s.is_some() && flow.lost_s().is_some_and(near)).collect();
        // The last word that came through on any of them.
        let at_s = busy.iter().filter_map(|flow| flow.last_heard_before_loss()).fold(first, f64::max);
        let before = || self.flows.iter().filter(|flow| flow.leg == busy.first().map_or(0, |flow| flow.leg));
        let open = || before().filter(|flow| flow.is_open_at(at_s - 0.1) && flow.logged_in_s.is_some());
        let lost: Vec<&Flow> =
            open().filter(|flow| flow.lost_s().is_some_and(|lost| lost > at_s - AT_ONCE_S)).collect();
        let spared = open().any(|flow| flow.heard_s.is_some_and(|heard| heard > at_s + SPARED_S));
        let new =
            before().filter(|flow| flow.began_s > at_s - 0.1).filter_map(|flow| flow.logged_in_s).reduce(f64::min)?;
        let ended_unasked = lost.iter().filter(|flow| flow.end.as_ref().is_some_and(|end| !end.spoke_last)).count();
        (lost.len() >= SEVERAL && busy.len() > 1 && !spared && ended_unasked * 2 < lost.len()).then(|| StateLoss {
            at_s,
            lost: lost.len(),
            busy: busy.len(),
            reset: lost.iter().filter(|flow| flow.end.is_some()).count() * 2 > lost.len(),
            new_after_s: new - at_s,
        })
    }

    /// The moment at which every connection was ended, if there was one.
    #[must_use]
    pub fn mass_end(&self) -> Option<MassEnd> {
        let mut ends: Vec<(&Flow, &FlowEnd)> = self
            .flows
            .iter()
            .filter(|flow| flow.logged_in_s.is_some())
            .filter_map(|flow| Some((flow, flow.end.as_ref().filter(|end| end.is_from_elsewhere())?)))
            .collect();
        ends.sort_by(|(_, a), (_, b)| a.at_s.total_cmp(&b.at_s));
        ends.iter().find_map(|(flow, first)| self.mass_end_at(flow.leg, first.at_s, &ends))
    }

    fn mass_end_at(&self, leg: u8, at_s: f64, ends: &[(&Flow, &FlowEnd)]) -> Option<MassEnd> {
        let at_once: Vec<_> =
            ends.iter().filter(|(flow, end)| flow.leg == leg && (at_s..at_s + 2.0).contains(&end.at_s)).collect();
        let of_leg = || self.flows.iter().filter(|flow| flow.leg == leg);
        let open = of_leg().filter(|flow| flow.is_open_at(at_s - 0.1) && flow.logged_in_s.is_some()).count();
        let unasked = at_once.iter().filter(|(_, end)| !end.spoke_last || end.quiet_s < BUSY_S).count();
        if at_once.len() < SEVERAL || at_once.len() * 10 < open * 9 || unasked * 2 < at_once.len() {
            return None;
        }
        let after = || of_leg().filter(|flow| flow.began_s > at_s - 0.1);
        let new = after().filter_map(|flow| flow.version_s).reduce(f64::min);
        let refused =
            after().filter(|flow| flow.failure == Some(NotOpened::Refused) && new.is_none_or(|new| flow.began_s < new));
        let before_version = of_leg().filter(|flow| flow.began_s < at_s).find_map(|flow| flow.version.clone());
        let after_version = after().find_map(|flow| flow.version.clone());
        Some(MassEnd {
            at_s,
            ended: at_once.len(),
            manner: at_once.first()?.1.manner.clone(),
            new_after_s: new.map(|new| new - at_s),
            slow_greeting_s: self.openings(at_once.first()?.0.leg, at_s, at_s).slow_greeting_s(),
            refused: refused.count(),
            versions: before_version.zip(after_version).filter(|(before, after)| before != after),
        })
    }

    /// The openings that were never answered while others were.
    #[must_use]
    pub fn dead_flows(&self) -> Option<DeadFlows> {
        let interruptions = self.interruptions();
        let undisturbed = |flow: &&Flow| !interruptions.iter().any(|event| event.covers(flow.began_s));
        let openings = || self.flows.iter().filter(|flow| flow.leg == 0).filter(undisturbed);
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
        });
        let unanswered: Vec<&Flow> = unanswered.collect();
        let ports = |flows: &[&Flow]| flows.iter().filter_map(|flow| flow.source_port).collect::<Vec<_>>();
        let (dead, alive) = (ports(&unanswered), ports(&answered));
        let waited_s = unanswered.iter().map(|flow| waited(flow)).fold(0.0, f64::max);
        // A limit on connections lets the earlier ones in and keeps the later ones out.
        let first = unanswered.first()?;
        let is_mixed = answered.iter().any(|other| other.to == first.to && other.began_s > first.began_s);
        is_mixed.then(|| DeadFlows { pattern: pattern(&dead, &alive), dead, alive, waited_s })
    }

    /// The resets that neither silence nor age nor a moment explains.
    #[must_use]
    pub fn random_resets(&self) -> Option<RandomResets> {
        // A jump host tells of a reset behind it by the end of the channel.
        let is_reset = |flow: &&Flow| {
            let is = |end: &FlowEnd| end.manner == Manner::Reset || flow.leg > 0 && end.manner == Manner::Fin;
            flow.end.as_ref().is_some_and(is)
        };
        let reset: Vec<(&Flow, &FlowEnd)> = self
            .flows
            .iter()
            .filter(|flow| flow.connected_s.is_some())
            .filter(is_reset)
            .filter_map(|flow| Some((flow, flow.end.as_ref()?)))
            .collect();
        // Those that end together are one event, and have another name.
        let mut alone: Vec<_> = reset
            .iter()
            .filter(|(_, end)| reset.iter().filter(|(_, other)| (other.at_s - end.at_s).abs() < 1.0).count() < SEVERAL)
            // What is reset when it is used after a silence may have a timer.
            .filter(|(flow, end)| !end.spoke_last || flow.is_busy_at(end))
            .filter(|(flow, end)| self.outlived(flow, end.at_s))
            .collect();
        alone.sort_by(|(_, a), (_, b)| a.at_s.total_cmp(&b.at_s));
        let busy: Vec<_> = alone.iter().filter(|(flow, end)| flow.is_busy_at(end)).collect();
        let age = |(flow, end): &&&(&Flow, &FlowEnd)| end.at_s - flow.began_s;
        let ages: Vec<f64> = busy.iter().map(age).collect();
        let apart = |values: &[f64], least: f64| {
            let (min, max) =
                (values.iter().copied().fold(f64::INFINITY, f64::min), values.iter().copied().fold(0.0, f64::max));
            max > min * 1.3 + least
        };
        let times: Vec<f64> = alone.iter().map(|(_, end)| end.at_s).collect();
        let is_no_age = ages.len() > 1 && apart(&ages, 0.5) || self.outlived_age(&ages);
        (alone.len() > 1 && !busy.is_empty() && is_no_age && apart(&times, 1.0)).then(|| RandomResets {
            resets: alone.iter().map(|(flow, end)| (end.at_s, end.quiet_s, end.at_s - flow.began_s)).collect(),
            busy: busy.len(),
            behind_a_hop: alone.iter().any(|(flow, _)| flow.leg > 0),
        })
    }

    /// True if a connection on which something moves became much older than the youngest that was reset.
    fn outlived_age(&self, ages: &[f64]) -> bool {
        let youngest = ages.iter().copied().fold(f64::INFINITY, f64::min);
        let talking = self.flows.iter().filter(|flow| flow.beat_s.is_some() && flow.end.is_none());
        talking.filter_map(|flow| Some(flow.heard_s? - flow.began_s)).any(|age| age > youngest * 1.3 + 1.0)
    }

    /// True if another connection was heard after that moment.
    fn outlived(&self, lost: &Flow, at_s: f64) -> bool {
        self.flows
            .iter()
            .filter(|flow| flow.leg == lost.leg && flow.number != lost.number && flow.is_open_at(at_s - 0.1))
            .any(|flow| flow.heard_s.is_some_and(|heard| heard > at_s + 0.5))
    }
}

impl FlowEnd {
    /// True if the other end or something on the way brought it about, and no program's protocol.
    fn is_from_elsewhere(&self) -> bool {
        matches!(self.manner, Manner::Fin | Manner::Reset | Manner::Disconnect { .. })
    }
}

impl Flow {
    /// Returns the time at which it was lost: nothing was heard on it after that although it was used, or it was reset
    /// when it was.
    fn lost_s(&self) -> Option<f64> {
        let lasting = self.gaps.last().filter(|gap| gap.until_s.is_none() && gap.acknowledged != Some(true));
        let reset = self.end.as_ref().filter(|end| end.manner == Manner::Reset && end.spoke_last);
        lasting.map(|gap| gap.from_s).or(reset.map(|end| end.at_s))
    }

    fn last_heard_before_loss(&self) -> Option<f64> {
        let lasting = self.gaps.last().filter(|gap| gap.until_s.is_none()).map(|gap| gap.heard_s);
        lasting.or_else(|| self.end.as_ref().map(|end| end.at_s - end.quiet_s.min(BUSY_S)))
    }

    /// True if something had moved on it just before its end.
    fn is_busy_at(&self, end: &FlowEnd) -> bool {
        end.quiet_s < BUSY_S || self.beat_s.is_some_and(|beat| end.quiet_s < beat + 1.0)
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

#[cfg(test)]
mod tests;
