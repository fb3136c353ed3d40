//! A session as the coordinator knows it, and whether the test waits for it.

use std::time::{Duration, Instant};

use super::ladder::longer;
use super::next_probe::NextProbe;
use super::role::Role;
use super::rungs::{LATE_LINE, SERVER_INTERVAL};
use crate::facts::idle::Moves;
use crate::measure::progress::{SessionRow, SessionState};

/// The part of the test's length that it may take longer for a line of the server that is due: few sessions wait for one where they are opened a few
/// at a time.
const SOON: f64 = 0.15;

/// A session that takes part.
#[derive(Debug)]
pub(super) struct SessionView {
    pub(super) role: Role,
    /// Its current probe; `None` before its first stretch and after its last.
    pub(super) probe: Option<NextProbe>,
    /// The silence that was planned for the stretch, seconds, regardless of later changes.
    pub(super) rung: Option<f64>,
    /// The stretch before.
    pub(super) last: Option<NextProbe>,
    /// The time at which the silence of the stretch began.
    pub(super) began: Option<Instant>,
    /// The time since which it is kept alive at its interval, or has data.
    pub(super) kept_since: Option<Instant>,
    /// True if it is to be opened again after the end of its stretch, which told nothing.
    pub(super) begins_anew: bool,
    /// The time that its last answer took, milliseconds.
    pub(super) last_rtt_ms: Option<f64>,
    /// True if it is open, or could not be opened: false while it is being opened, for the first time or again.
    pub(super) is_settled: bool,
    /// True if it takes part no longer.
    pub(super) is_gone: bool,
    pub(super) state: SessionState,
}

impl SessionView {
    pub(super) fn new(role: Role) -> Self {
        Self {
            role,
            probe: None,
            rung: None,
            last: None,
            began: None,
            kept_since: None,
            begins_anew: false,
            last_rtt_ms: None,
            is_settled: false,
            is_gone: false,
            state: SessionState::Waiting,
        }
    }

    /// Returns the traffic on it.
    pub(super) fn moves(&self) -> Option<Moves> {
        self.probe.map(|probe| self.role.moves(probe))
    }

    fn is_under_way(&self) -> bool {
        matches!(self.state, SessionState::Waiting | SessionState::Probing)
    }

    /// True if a silence whose length is under test is under way on it.
    pub(super) fn is_silent(&self) -> bool {
        self.moves() == Some(Moves::Nothing) && self.probe.is_some_and(NextProbe::is_silence) && self.is_under_way()
    }

    /// True if a line of the server is asked for on it, or may yet be.
    pub(super) fn may_hear(&self) -> bool {
        matches!(self.probe, Some(NextProbe::ServerFirst(_) | NextProbe::Linger)) && self.is_under_way()
    }

    /// True if a line of the server is due on it within a little more than the time of a test of `longest` seconds.
    pub(super) fn hears_soon(&self, longest: f64, now: Instant) -> bool {
        let Some((NextProbe::ServerFirst(after), began)) = self.probe.zip(self.began) else { return false };
        let left = f64::from(after) - now.saturating_duration_since(began).as_secs_f64();
        self.is_under_way() && !self.is_gone && left < longest * SOON
    }

    /// True if it is being opened, or waits for its turn.
    pub(super) fn is_to_come(&self) -> bool {
        !self.is_settled && !self.is_gone
    }

    /// True if it is a silent session that is still there.
    pub(super) fn may_compare(&self) -> bool {
        self.moves() == Some(Moves::Nothing) && !matches!(self.state, SessionState::Dead(_))
    }

    /// True if this session's answer will narrow the bracket, or tell what kind of timer it is. A bracket that is narrow enough waits for
    /// no more than what has been asked already.
    pub(super) fn is_awaited(&self, (survived, died): (f64, f64), narrow: bool, now: Instant) -> bool {
        let Some(probe) = self.probe else {
            return self.is_to_come() && matches!(self.role, Role::TcpKeepalive | Role::ServerData);
        };
        let asked = matches!(self.state, SessionState::Probing);
        let length = probe.length().filter(|_| probe.is_silence());
        let narrows = length.is_some_and(|length| length > survived && (asked || length < died && !narrow));
        // A silence a little longer than what killed is tried where the server had spoken first, and the client had not.
        let tells = length.is_some_and(|length| (died..=longer(died) + 0.01).contains(&length));
        // A line that came after the idle time that killed has come by then, or is missed.
        let heard_until = died + f64::from(SERVER_INTERVAL) + LATE_LINE.as_secs_f64();
        let age = self.shown_since().map(|since| now.saturating_duration_since(since).as_secs_f64());
        let hears = self.role == Role::ServerData && (asked || age.is_some_and(|age| age < heard_until));
        self.is_under_way() && (narrows || tells || hears || self.role == Role::TcpKeepalive)
    }

    /// Returns the time since which it has been silent, or the server has been heard on it.
    fn shown_since(&self) -> Option<Instant> {
        if self.role == Role::ServerData { self.kept_since } else { self.began }
    }

    /// The session as the onlooker sees it.
    pub(super) fn row(&self, now: Instant) -> Option<SessionRow> {
        let probe = self.probe?;
        let label = match (self.role.moves(probe), probe) {
            (Moves::Keepalive, NextProbe::Keep(interval)) => format!("keepalive every {interval} s"),
            (Moves::ServerData, NextProbe::Keep(interval)) => format!("server data every {interval} s"),
            (Moves::ChannelData, NextProbe::Keep(interval)) => format!("data every {interval} s"),
            (Moves::TcpKeepalive, _) => "TCP keepalives".to_owned(),
            (_, NextProbe::ServerFirst(_)) => "silent, server first".to_owned(),
            _ => "silent".to_owned(),
        };
        let until = probe.length().filter(|_| probe.is_silence()).map(Duration::from_secs_f64);
        // The main session is never silent for long enough to be shown so.
        let since = self.shown_since().filter(|_| self.role != Role::Main);
        let idle = since.map(|since| now.saturating_duration_since(since)).unwrap_or_default();
        Some(SessionRow { label, idle, until, state: self.state.clone() })
    }
}
