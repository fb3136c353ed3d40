//! A session as the onlooker sees it, and whether the test waits for it.

use std::time::{Duration, Instant};

use super::goal::Goal;
use super::ladder::longer;
use super::session::{LATE_LINE, SERVER_INTERVAL};
use crate::facts::idle::Moves;
use crate::measure::progress::{Lane, LaneState};

/// A lane as the onlooker sees it.
pub(super) struct Shown {
    pub(super) goal: Goal,
    pub(super) moves: Moves,
    pub(super) began: Option<Instant>,
    pub(super) state: LaneState,
}

impl Shown {
    /// Whether a silence whose length is under test is under way on it.
    pub(super) fn is_silent(&self) -> bool {
        self.goal.is_silence()
            && self.moves == Moves::Nothing
            && matches!(self.state, LaneState::Waiting | LaneState::Probing)
    }

    /// Whether a line of the server is asked for on it, or may yet be.
    pub(super) fn may_hear(&self) -> bool {
        matches!(self.goal, Goal::ServerFirst(_) | Goal::Linger)
            && matches!(self.state, LaneState::Waiting | LaneState::Probing)
    }

    /// Whether it is a silent session that is still there.
    pub(super) fn may_compare(&self) -> bool {
        self.moves == Moves::Nothing && !matches!(self.state, LaneState::Dead(_))
    }

    /// Whether this session's answer will narrow the bracket, or tell what kind of timer it is. A bracket that is narrow enough waits for
    /// no more than what has been asked already.
    pub(super) fn is_awaited(&self, (survived, died): (f64, f64), narrow: bool) -> bool {
        let asked = matches!(self.state, LaneState::Probing);
        let waiting = asked || matches!(self.state, LaneState::Waiting);
        let length = self.goal.length().filter(|_| self.goal.is_silence());
        let narrows = length.is_some_and(|length| length > survived && (asked || length < died && !narrow));
        // A silence a little longer than what killed is tried where the server had spoken first, and the client had not.
        let tells = length.is_some_and(|length| (died..=longer(died) + 0.01).contains(&length));
        // A line that came after the silence that killed has come by then, or is missed.
        let heard_until = died + f64::from(SERVER_INTERVAL) + LATE_LINE.as_secs_f64();
        let age = self.began.map(|began| began.elapsed().as_secs_f64());
        let hears = self.moves == Moves::ServerData && (asked || age.is_some_and(|age| age < heard_until));
        waiting && (narrows || tells || hears || self.moves == Moves::TcpKeepalive)
    }

    pub(super) fn lane(&self) -> Lane {
        let label = match (self.moves, self.goal) {
            (Moves::Keepalive, Goal::Keep(interval)) => format!("keepalive every {interval} s"),
            (Moves::ServerData, Goal::Keep(interval)) => format!("server data every {interval} s"),
            (Moves::ChannelData, Goal::Keep(interval)) => format!("data every {interval} s"),
            (Moves::TcpKeepalive, _) => "TCP keepalives".to_owned(),
            (_, Goal::ServerFirst(_)) => "silent, server first".to_owned(),
            _ => "silent".to_owned(),
        };
        let until = self.goal.length().filter(|_| self.goal.is_silence()).map(Duration::from_secs_f64);
        let idle = self.began.map(|began| began.elapsed()).unwrap_or_default();
        Lane { label, idle, until, state: self.state.clone() }
    }
}
