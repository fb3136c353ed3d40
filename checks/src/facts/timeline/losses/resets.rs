//! Resets of one connection now and then. Pure.

use super::{BUSY_S, SEVERAL};
use crate::facts::connection::Manner;
use crate::facts::timeline::{Flow, FlowEnd, Timeline};

/// A connection ends so soon after the one that carries it, seconds.
const WITH_ITS_CARRIER_S: f64 = 0.5;

/// Resets that depend neither on silence nor on age.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomResets {
    /// The time of each reset, the idle time of the connection then, and its age; seconds.
    pub resets: Vec<(f64, f64, f64)>,
    /// The number of resets on a busy connection.
    pub busy: usize,
    /// The hops of a ProxyJump that lie before them; behind one, a reset is seen as the end of the channel.
    pub leg: u8,
}

impl Timeline {
    /// The resets that neither silence nor age nor a moment explains.
    #[must_use]
    pub fn random_resets(&self) -> Option<RandomResets> {
        let legs = self.flows.iter().map(|flow| flow.leg).max().unwrap_or_default();
        (0..=legs).find_map(|leg| self.random_resets_of(leg))
    }

    fn random_resets_of(&self, leg: u8) -> Option<RandomResets> {
        // A jump host tells of a reset behind it by the end of the channel.
        let is_reset = |end: &FlowEnd| end.manner == Manner::Reset || leg > 0 && end.manner == Manner::Fin;
        // What ends with the connection that carries it was not reset itself.
        let is_itself = |flow: &Flow, end: &FlowEnd| {
            let carrier = self.carrier(flow).and_then(|carrier| carrier.end.as_ref());
            carrier.is_none_or(|carrier| (carrier.at_s - end.at_s).abs() > WITH_ITS_CARRIER_S)
        };
        let reset: Vec<(&Flow, &FlowEnd)> = self
            .flows
            .iter()
            .filter(|flow| flow.leg == leg && flow.connected_s.is_some())
            .filter_map(|flow| Some((flow, flow.end.as_ref()?)))
            .filter(|(flow, end)| is_reset(end) && is_itself(flow, end))
            // What is reset when it is used after a silence may have a timer.
            .filter(|(flow, end)| !end.spoke_last || self.is_busy_at(flow, end))
            .collect();
        // Those that end together are one event, and have another name.
        let mut alone: Vec<_> = reset
            .iter()
            .filter(|(_, end)| reset.iter().filter(|(_, other)| (other.at_s - end.at_s).abs() < 1.0).count() < SEVERAL)
            .filter(|(flow, end)| self.outlived(flow, end.at_s))
            .collect();
        alone.sort_by(|(_, a), (_, b)| a.at_s.total_cmp(&b.at_s));
        let busy: Vec<_> = alone.iter().filter(|(flow, end)| self.is_busy_at(flow, end)).collect();
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
            leg,
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

    /// True if something had moved on it just before its end, or on what it carries.
    fn is_busy_at(&self, flow: &Flow, end: &FlowEnd) -> bool {
        let carried = self.flows.iter().filter(|other| other.through == Some(flow.number));
        let beats = carried.chain([flow]).filter_map(|flow| flow.beat_s);
        end.quiet_s < BUSY_S || beats.reduce(f64::max).is_some_and(|beat| end.quiet_s < beat + 1.0)
    }
}
