//! The time that connections take to open at a server that is well: a silence of that length is no stall.

use super::STALLED_S;
use crate::facts::timeline::{Flow, Timeline};

/// The factor by which a step may exceed its usual time and still count as slow only.
const SLOWER: f64 = 3.0;

/// The usual times of the connections on a leg, and how many were being opened in a span.
#[derive(Debug, Clone, Copy)]
pub(in crate::facts::timeline) struct Openings {
    /// The shortest time until the server's identification, of those that came before the span; seconds.
    pub(super) greeting_s: Option<f64>,
    /// The shortest time until a login, of those before the span; seconds.
    login_s: Option<f64>,
    /// Connections that were being opened: on a server with a slow processor each takes this many times as long.
    at_once: f64,
}

impl Timeline {
    /// The openings before a span, and in it.
    pub(in crate::facts::timeline) fn openings(&self, leg: u8, from_s: f64, until_s: f64) -> Openings {
        let of_leg = || self.flows.iter().filter(|flow| flow.leg == leg);
        let shortest = |step: &dyn Fn(&Flow) -> Option<f64>| {
            let before = of_leg().filter_map(|flow| Some((flow.connected_s?, step(flow).filter(|at| *at <= from_s)?)));
            before.map(|(connected, at)| at - connected).reduce(f64::min)
        };
        // A connection to a hop is open when it carries something.
        let carries = |flow: &Flow| self.flows.iter().any(|other| other.through == Some(flow.number));
        let is_opening = |flow: &&Flow| {
            let opened_s = flow.opened_s.or_else(|| flow.logged_in_s.filter(|_| carries(flow)));
            let over = opened_s.unwrap_or_else(|| flow.over_s());
            flow.began_s < until_s && over > from_s
        };
        let count = u32::try_from(of_leg().filter(is_opening).count()).unwrap_or(u32::MAX);
        Openings {
            greeting_s: shortest(&|flow| flow.version_s),
            login_s: shortest(&|flow| flow.logged_in_s),
            at_once: f64::from(count),
        }
    }
}

impl Openings {
    /// The longest time that the server's identification may take and still be no sign of a stall, seconds.
    pub(in crate::facts::timeline) fn slow_greeting_s(&self) -> f64 {
        SLOWER * self.greeting_s.unwrap_or_default() * self.at_once.max(1.0)
    }

    /// True if a silence of this length is more than the openings in it account for. `overdue_s` is how long a session in use waited for an
    /// answer in it, if one did: where none did, all that was slow were logins.
    pub(super) fn leave_a_stall(&self, length_s: f64, overdue_s: Option<f64>) -> bool {
        match overdue_s {
            Some(_) if self.at_once < 1.0 => true,
            Some(overdue_s) => overdue_s >= STALLED_S,
            None => length_s >= STALLED_S + SLOWER * self.login_s.unwrap_or_default() * self.at_once,
        }
    }
}
