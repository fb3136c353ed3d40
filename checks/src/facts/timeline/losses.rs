//! Lost connections, grouped by time: all at one moment, some of the new ones, or one now and then. Pure.

mod flows;
mod resets;

use super::{Flow, FlowEnd, NotOpened, Timeline};
use crate::facts::connection::Manner;

pub use flows::DeadFlows;
pub use resets::RandomResets;

/// Losses within this time are one event, seconds: the slowest beat, and a retransmission or two.
const AT_ONCE_S: f64 = 6.0;
/// Connections that must be lost at once to be spoken of.
const SEVERAL: usize = 3;
/// A connection that is heard so much later than others were lost was spared, seconds.
const SPARED_S: f64 = 3.0;
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
    /// The hops of a ProxyJump that lie before the first connections that were lost.
    pub leg: u8,
}

/// A server that is back sooner after it ended all sessions may only have ended these, seconds.
const PAUSE_S: f64 = 2.5;

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
    /// The hops of a ProxyJump that lie before it.
    pub leg: u8,
}

impl MassEnd {
    /// True if the server was not there for a while afterwards, or was another one, and is back.
    #[must_use]
    pub fn is_restart(&self) -> bool {
        let paused = self.new_after_s.is_some_and(|after| after > PAUSE_S + self.slow_greeting_s);
        self.new_after_s.is_some() && (self.refused > 0 || paused || self.versions.is_some())
    }
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
            leg: self.first_lost_leg(&lost),
        })
    }

    /// The leg of the connections that were lost, or of those that carried them, where these were lost too.
    fn first_lost_leg(&self, lost: &[&Flow]) -> u8 {
        let mut first: Vec<&Flow> = lost.to_vec();
        loop {
            let carriers: Vec<&Flow> = first.iter().filter_map(|flow| self.carrier(flow)).collect();
            let dead = carriers.iter().filter(|flow| flow.lost_s().is_some()).count();
            if dead == 0 {
                return first.first().map_or(0, |flow| flow.leg);
            }
            first = carriers;
        }
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
        // With a hop all that goes through it ends.
        ends.sort_by(|(flow, a), (other, b)| flow.leg.cmp(&other.leg).then(a.at_s.total_cmp(&b.at_s)));
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
            leg,
        })
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
}

#[cfg(test)]
mod tests;
