//! The state of the idle test, and what follows from each event of a session. Pure: the moment is an argument.

mod learning;
mod orders;
mod strays;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::events::{Directive, Overview, SessionEvent};
use super::kept::KeptSessions;
use super::ladder::Ladder;
use super::role::Role;
use super::session_view::SessionView;
use crate::base::text::seconds;
use crate::facts::connection::Manner;
use crate::facts::idle::advice::interval;
use crate::facts::idle::{Arm, Facts, Holds, HopState, Moves, StretchEnd};
use crate::measure::progress::{IdleState, SessionState};

/// The intervals at which the main session is kept alive, seconds: short at first, when a short timer is still possible.
const MAIN_INTERVAL: [u32; 2] = [2, 5];
/// The time for which the shorter one is used.
const AT_FIRST: Duration = Duration::from_mins(1);
/// Busy sessions that are found dead within this time died together: one is asked more often than the other, and each has its deadline.
const AT_ONCE: Duration = Duration::from_secs(15);
/// Those that ended by themselves ended together within this time: no deadline is between.
const AT_ONE_MOMENT: Duration = Duration::from_millis(2500);
/// The time that a session with data is watched after the last death, where a session died that was kept alive: sessions are opened within this
/// time, and what ends them at one age or at one moment ends it too.
const MAY_END_TOO: Duration = Duration::from_secs(2);

/// A session that died although something moved on it.
#[derive(Debug, Clone, Copy)]
struct MovingDeath {
    moves: Moves,
    at: Instant,
    /// True if it ended by itself, at that very moment.
    by_itself: bool,
}

impl MovingDeath {
    /// True if both may be of one moment.
    fn is_near(self, other: Self) -> bool {
        let within = if self.by_itself && other.by_itself { AT_ONE_MOMENT } else { AT_ONCE };
        self.at.max(other.at).saturating_duration_since(self.at.min(other.at)) < within
    }
}

/// The state of the test.
pub(super) struct TestState {
    began: Instant,
    longest: f64,
    ladder: Ladder,
    sessions: BTreeMap<u32, SessionView>,
    directives: BTreeMap<u32, Directive>,
    arms: Vec<Arm>,
    kept: KeptSessions,
    not_opened: Vec<String>,
    hops: Vec<HopState>,
    started: Vec<(u32, u32)>,
    rtt: Option<Duration>,
    /// The longest time that an answer took because the path delivered the request late.
    late_by: Duration,
    last_answer: Option<Instant>,
    /// True if the death that the ladder knows is beyond doubt.
    confirmed: bool,
    /// The rungs of those that were asked early for a death that is not confirmed, seconds.
    asked_early: Vec<f64>,
    /// Sessions that died on which something moved.
    moving_deaths: Vec<MovingDeath>,
    /// The time at which the last session died.
    last_death: Option<Instant>,
    /// Sessions that ended after less silence than others survive.
    strays: u32,
    /// The silence after which a session ended by itself, the only one so far, seconds: another one will be silent for as long soon.
    alone: Option<f64>,
    /// The times of resets at random, seconds since the test began.
    resets_s: Vec<f64>,
    /// True if sessions are opened a few at a time.
    is_spread: bool,
    over: bool,
}

impl TestState {
    /// A test of silences of up to `longest` seconds by sessions with these parts; the server can be asked to speak, or not.
    pub(super) fn new(
        longest: f64,
        roles: impl IntoIterator<Item = (u32, Role)>,
        server_speaks: bool,
        now: Instant,
    ) -> Self {
        let sessions: BTreeMap<_, _> =
            roles.into_iter().map(|(number, role)| (number, SessionView::new(role))).collect();
        let climbing = sessions.values().filter(|session| session.role.climbs()).count();
        let mut ladder = Ladder::new(longest, climbing, server_speaks);
        if sessions.values().any(|session| session.role == Role::Longest(longest)) {
            // One session is silent for the longest time from the start: the ladder need not get there.
            ladder.leave_out_longest();
        }
        Self {
            began: now,
            longest,
            ladder,
            sessions,
            directives: BTreeMap::new(),
            arms: Vec::new(),
            kept: KeptSessions::default(),
            not_opened: Vec::new(),
            hops: Vec::new(),
            started: Vec::new(),
            rtt: None,
            late_by: Duration::ZERO,
            last_answer: None,
            confirmed: false,
            asked_early: Vec::new(),
            moving_deaths: Vec::new(),
            last_death: None,
            strays: 0,
            alone: None,
            resets_s: Vec::new(),
            is_spread: false,
            over: false,
        }
    }

    /// Sets the channel that the sessions hold.
    pub(super) fn holding(self, holds: Holds) -> Self {
        Self { kept: KeptSessions::holding(holds), ..self }
    }

    /// Sets whether sessions are opened a few at a time.
    pub(super) fn spread(self, is_spread: bool) -> Self {
        Self { is_spread, ..self }
    }

    /// Takes in what happened to a session.
    pub(super) fn take(&mut self, session: u32, event: SessionEvent, now: Instant) {
        match event {
            SessionEvent::Opened(pids) => {
                self.started.extend(pids);
                self.opened(session, now);
            }
            SessionEvent::NotOpened(why) => self.not_opened(session, why),
            SessionEvent::Doubt(finding) => self.doubt(&finding),
            SessionEvent::Began(began) => self.silence_began(session, began, now),
            SessionEvent::Asked => {
                if let Some(session) = self.sessions.get_mut(&session) {
                    session.state = SessionState::Probing;
                }
            }
            SessionEvent::Suspected(probe, lasted) => self.suspect(probe, lasted, now),
            SessionEvent::TerminalEnded(lasted) => {
                self.ladder.compare(lasted.as_secs_f64());
                self.redirect_all(now);
            }
            SessionEvent::Ended(stretch) => self.stretch_ended(session, &stretch, now),
            SessionEvent::Left => self.left(session, now),
        }
        self.confirm_alone(now);
        let is_known = self.is_known(now) || self.climbing().next().is_none();
        if is_known && !self.may_end_too(now) {
            self.finish();
        }
    }

    /// True if a session with data may yet end as others have just done: where one died that was kept alive, it was no silence.
    fn may_end_too(&self, now: Instant) -> bool {
        let is_busy = |view: &SessionView| {
            view.role == Role::Data && !view.is_gone && !matches!(view.state, SessionState::Dead(_))
        };
        let recent = self.last_death.is_some_and(|at| now.saturating_duration_since(at) < MAY_END_TOO);
        let kept_died = self.moving_deaths.iter().any(|death| death.moves == Moves::Keepalive);
        recent && kept_died && self.sessions.values().any(is_busy)
    }

    /// Ends the test.
    pub(super) fn finish(&mut self) {
        self.over = true;
    }

    /// True if busy sessions died together: whatever it was, it was no silence, and all others are probably dead too.
    pub(super) fn is_cut(&self) -> bool {
        self.cut_at().is_some()
    }

    /// The last moment at which that happened.
    fn cut_at(&self) -> Option<Instant> {
        let has_data = self.sessions.values().any(|session| session.role == Role::Data);
        let first = if has_data { Moves::ChannelData } else { Moves::Keepalive };
        let near = |death: MovingDeath| self.moving_deaths.iter().filter(move |other| death.is_near(**other));
        let firsts = self.moving_deaths.iter().filter(|death| death.moves == first);
        firsts.filter(|death| near(**death).count() > 1).filter_map(|death| near(*death).map(|it| it.at).max()).max()
    }

    /// True if the test is over.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// True if a session was asked and has not answered yet.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.sessions.values().any(|view| !view.is_gone && matches!(view.state, SessionState::Probing))
    }

    /// No session is there any more.
    pub(super) fn all_left(&mut self) {
        self.sessions.values_mut().for_each(|session| session.is_gone = true);
    }

    /// The order for each session.
    pub(super) fn directives(&self) -> impl Iterator<Item = (u32, Directive)> {
        self.directives.iter().map(|(session, directive)| (*session, *directive))
    }

    /// The state as far as all sessions may know it.
    pub(super) fn overview(&self) -> Overview {
        let (survived, died) = self.ladder.bracket();
        let silently =
            |arm: &Arm| arm.moves == Moves::Nothing && arm.death().is_some_and(|(manner, _)| *manner == Manner::Silent);
        let asked = |arm: &&Arm| arm.moves == Moves::TcpKeepalive && arm.end != StretchEnd::Open;
        Overview {
            over: self.over,
            rtt: self.rtt.unwrap_or_default(),
            late_by: self.late_by,
            last_answer: self.last_answer,
            survived,
            died,
            died_silently: self.arms.iter().any(silently),
            kept: died.is_some_and(|died| self.proven(died).is_some()),
            climbing: self.climbing().count(),
            kernel_keepalive: self.arms.iter().find(asked).cloned(),
        }
    }

    /// The state as the onlooker sees it.
    pub(super) fn shown(&self, now: Instant) -> IdleState {
        let elapsed = now.saturating_duration_since(self.began);
        let died = self.ladder.bracket().1;
        let phase = match died {
            None if self.ladder.bracket().0 < 1.0 => "testing idle time".to_owned(),
            None => format!("{} idle survived", seconds(self.ladder.bracket().0)),
            Some(died) => {
                let proving = match interval(self.ladder.bracket().0) {
                    Some(interval) => format!("proving a keepalive every {interval} s"),
                    None => "no keepalive to prove".to_owned(),
                };
                format!("{} idle killed a session; {proving}", seconds(died))
            }
        };
        // Once something has died, it takes as long as the proof: nobody knows how long yet.
        let left = died.map_or(Duration::from_secs_f64(self.longest), |_| Duration::ZERO).saturating_sub(elapsed);
        let rows = self.sessions.values().filter_map(|session| session.row(now)).collect();
        IdleState { phase, elapsed, left, rows }
    }

    /// The processes of every session that there was, each with its parent.
    pub(super) fn processes(&self) -> &[(u32, u32)] {
        &self.started
    }

    fn climbing(&self) -> impl Iterator<Item = &SessionView> {
        self.sessions.values().filter(|session| session.role.climbs() && !session.is_gone)
    }

    /// All that was seen.
    pub(super) fn facts(&self, now: Instant) -> Facts {
        let mut arms = self.arms.clone();
        arms.extend(self.kept.arms(self.began, self.rtt.unwrap_or_default()));
        arms.sort_by(|a, b| {
            let by_length = a.lasted_s.total_cmp(&b.lasted_s);
            (a.moves == Moves::Keepalive).cmp(&(b.moves == Moves::Keepalive)).then(by_length)
        });
        Facts {
            longest_s: self.longest,
            elapsed_s: now.saturating_duration_since(self.began).as_secs_f64(),
            rtt_ms: self.rtt.map(|rtt| rtt.as_secs_f64() * 1000.0),
            not_opened: self.not_opened.clone(),
            legs: self.hops.clone(),
            arms,
            ..Facts::default()
        }
    }
}

#[cfg(test)]
mod tests;
