//! Servers that serve one connection at a time: another one waits for its greeting until the first is over, and that is no silence of the server.

use crate::facts::timeline::{Flow, Timeline};

/// The time beyond three round trips within which a server that is back greets those who wait, seconds.
const GREETS_S: f64 = 1.5;
/// The time beyond three round trips within which the next in turn is greeted once the one before is over, seconds.
const NEXT_S: f64 = 0.5;

impl Timeline {
    /// True if a connection of this leg was kept waiting for its greeting while another one was being served, and no longer.
    pub(super) fn serves_in_turns(&self, leg: u8) -> bool {
        let of_leg = || self.flows.iter().filter(move |flow| flow.leg == leg);
        let waits = || of_leg().filter(|flow| flow.connected_s.is_some());
        waits().any(|waiting| of_leg().any(|served| waiting.was_behind(served)))
    }
}

impl Flow {
    /// True if the server answered on the other connection and did not greet this one, or greeted it as soon as the other was over.
    fn was_behind(&self, served: &Self) -> bool {
        let (Some(since_s), Some(greeted_s)) = (self.connected_s, served.version_s) else { return false };
        let patience_s = 3.0 * served.rtt_s;
        if greeted_s > since_s || served.over_s() < since_s {
            return false;
        }
        // A gap ends with an answer, and begins behind one.
        let answered = || {
            let around = served.gaps.iter().flat_map(|gap| [Some(gap.heard_s), gap.until_s]);
            around.chain([served.answered_s]).flatten().filter(|at| *at > since_s + GREETS_S + patience_s)
        };
        let was_waiting = |at: f64| self.version_s.is_none_or(|greeted| greeted > at) && self.over_s() > at;
        let is_overlooked = answered().any(|at| was_waiting(at + GREETS_S + patience_s));
        let is_next = self.version_s.zip(served.closed_s).is_some_and(|(greeted, closed)| {
            let waited = closed > since_s + GREETS_S + patience_s;
            waited && answered().next().is_none() && (closed..closed + NEXT_S + patience_s).contains(&greeted)
        });
        is_overlooked || is_next
    }
}
