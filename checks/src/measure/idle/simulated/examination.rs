//! Plays the idle test against a simulated path: the plan is the real one, and each session does what a real one does.

use std::time::{Duration, Instant};

use super::connection::SimConnection;
use super::control::SimControl;
use super::path::{PathModel, Place, Random};
use crate::facts::channel::Lead;
use crate::facts::connection::Manner;
use crate::facts::idle::{Facts, Holds};
use crate::facts::timeline::{Flow, Timeline};
use crate::measure::idle::channel_use::ChannelUse;
use crate::measure::idle::control::Finding;
use crate::measure::idle::events::SessionEvent;
use crate::measure::idle::next_probe::NextProbe;
use crate::measure::idle::role::{MAIN, Role};
use crate::measure::idle::rungs::LATE_LINE;
use crate::measure::idle::stretch::Stretch;
use crate::measure::idle::test_run::{roles, take_by_chance};
use crate::measure::idle::test_state::TestState;

/// The time of the test's beginning in the examination, seconds.
const BEGAN_S: f64 = 2.0;
/// Sessions of the ladder and beside it.
const SESSIONS: usize = 13;
/// The longest test in multiples of its longest idle time, and seconds allowed beyond that.
const MAX_LENGTH: (f64, f64) = (6.0, 120.0);
/// Sessions that are opened within so many seconds, where they come a few at a time.
const AT_ONCE: usize = 4;
const WINDOW_S: f64 = 31.0;
/// Seconds for which sessions in doubt are waited for at the end.
const CLOSING_S: f64 = 9.0;

/// The part of a session's life.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    Opening(f64),
    Awaiting,
    Waiting(NextProbe),
    /// Asked at a moment, and not answered yet.
    Asked(Request),
    Settling(f64, Box<Stretch>),
    Gone,
}

/// A request on a session.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) probe: NextProbe,
    pub(super) asked_s: f64,
    /// The time at which the answer arrives; none on a session that is dead.
    pub(super) answers_s: f64,
    /// The time at which it is in doubt.
    pub(super) doubt_s: f64,
    /// The finding of a fresh connection, and its time.
    pub(super) found: Option<(f64, Finding)>,
    /// The time at which it is checked next whether it counts as dead.
    pub(super) look_s: f64,
    /// The last time at which the path was disturbed when that was looked at.
    pub(super) noticed_s: Option<f64>,
    /// True if what was found is told already.
    pub(super) is_told: bool,
}

/// A session of the test.
pub(super) struct Session {
    pub(super) role: Role,
    pub(super) connection: usize,
    pub(super) attempts: u32,
    pub(super) stretch: u32,
    pub(super) began_s: f64,
    pub(super) phase: Phase,
}

/// One examination.
pub(super) struct Examination {
    pub(super) path: PathModel,
    longest_s: f64,
    pub(super) random: Random,
    pub(super) start: Instant,
    pub(super) now_s: f64,
    pub(super) next_reset_s: f64,
    pub(super) state: TestState,
    pub(super) sessions: Vec<Session>,
    pub(super) connections: Vec<SimConnection>,
    pub(super) over_s: Option<f64>,
    pub(super) control: SimControl,
    /// The times at which connections were begun, or will be.
    starts_s: Vec<f64>,
    is_complete: bool,
}

/// The findings of an examination.
pub(super) struct Found {
    pub(super) facts: Facts,
    pub(super) timeline: Timeline,
}

impl Examination {
    /// Examines a path for silences of up to so many seconds.
    pub(super) fn of(path: PathModel, longest_s: f64, seed: u64) -> Found {
        let mut random = Random(seed);
        let start = Instant::now() + Duration::from_secs(1000);
        let use_ = ChannelUse::Command { lead: Lead::default(), mark: "mark".to_owned() };
        let roles = [Role::Main].into_iter().chain(roles(SESSIONS, longest_s, &use_, path.spread));
        let roles: Vec<_> = (MAIN..).zip(roles).collect();
        let state = TestState::new(longest_s, roles.iter().copied(), true, start + secs(BEGAN_S))
            .holding(Holds::Command)
            .spread(path.spread);
        let next_reset_s = path.resets.map_or(f64::INFINITY, |pauses| BEGAN_S + random.between((0.0, 3.0 + pauses.1)));
        let mut this = Self {
            path,
            longest_s,
            random,
            start,
            now_s: 0.0,
            next_reset_s,
            state,
            sessions: Vec::new(),
            connections: Vec::new(),
            over_s: None,
            control: SimControl::default(),
            starts_s: Vec::new(),
            is_complete: true,
        };
        for (number, role) in roles {
            let asked_s = this.turn_s(if number == MAIN { 0.0 } else { BEGAN_S });
            let connection = this.connect(asked_s);
            let takes_s = this.random.between((0.3, 1.2));
            let opened_s = if number == MAIN { BEGAN_S } else { path.through_s(path.connects_s(asked_s) + takes_s) };
            let phase = Phase::Opening(opened_s);
            this.sessions.push(Session { role, connection, attempts: 0, stretch: 0, began_s: BEGAN_S, phase });
        }
        this.now_s = BEGAN_S;
        this.run();
        this.found()
    }

    /// The time at which a connection may be opened that is wanted at a moment.
    pub(super) fn turn_s(&mut self, wanted_s: f64) -> f64 {
        let over = self.starts_s.len().checked_sub(AT_ONCE).filter(|_| self.path.spread);
        let at_s = over.map_or(wanted_s, |over| wanted_s.max(self.starts_s[over] + WINDOW_S));
        self.starts_s.push(at_s);
        at_s
    }

    pub(super) fn connect(&mut self, at_s: f64) -> usize {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let through = (self.path.place != Place::Direct).then(|| {
            let carrier = SimConnection::new(self.path, number(self.connections.len()), None, at_s);
            self.connections.push(carrier);
            number(self.connections.len() - 1)
        });
        self.connections.push(SimConnection::new(self.path, number(self.connections.len()), through, at_s));
        self.connections.len() - 1
    }

    pub(super) fn at(&self, at_s: f64) -> Instant {
        self.start + secs(at_s)
    }

    fn run(&mut self) {
        while self.sessions.iter().any(|session| !matches!(session.phase, Phase::Gone)) {
            let of_sessions = (0..self.sessions.len()).filter_map(|number| Some((self.due_s(number)?, Some(number))));
            let next = of_sessions.chain([(self.next_reset_s, None)]).min_by(|a, b| a.0.total_cmp(&b.0));
            let Some((due_s, number)) = next.filter(|(due_s, _)| due_s.is_finite()) else { return };
            let most_s = self.longest_s * MAX_LENGTH.0 + MAX_LENGTH.1;
            if due_s > BEGAN_S + most_s && self.over_s.is_none() {
                self.is_complete = false;
                self.state.finish();
                self.over_s = Some(self.now_s);
            }
            if self.over_s.is_some_and(|over_s| due_s > over_s + CLOSING_S) {
                return;
            }
            self.now_s = self.now_s.max(due_s);
            match number {
                Some(number) => self.act(number),
                None => self.reset_one(),
            }
            self.obey();
        }
    }

    /// The time at which something happens on a session.
    fn due_s(&self, number: usize) -> Option<f64> {
        let session = &self.sessions[number];
        let connection = &self.connections[session.connection];
        let expires = connection.expires_s(self.path.timer).unwrap_or(f64::INFINITY);
        match &session.phase {
            Phase::Opening(at_s) | Phase::Settling(at_s, _) => Some(*at_s),
            Phase::Waiting(_) if !connection.is_open() && session.role != Role::Main => Some(self.now_s),
            Phase::Waiting(probe) => {
                let due = probe.length().map_or(f64::INFINITY, |length| session.began_s + length);
                let heard = matches!(probe, NextProbe::ServerFirst(_)) || session.role == Role::ServerData;
                // What the server says goes the way that our words go.
                let late_s = due + LATE_LINE.as_secs_f64();
                let due = match heard {
                    true if connection.is_forgotten => late_s,
                    true if due.is_finite() => self.path.through_s(due).min(late_s),
                    _ => due,
                };
                Some(due.min(expires))
            }
            Phase::Asked(request) => Some(request.due_s()),
            Phase::Awaiting | Phase::Gone => None,
        }
    }

    pub(super) fn look_for_resets(&mut self) {
        let found = self.timeline().random_resets();
        let Some(found) = found else { return };
        let at: Vec<Instant> = found.resets.iter().map(|(at_s, ..)| self.at(*at_s)).collect();
        let now = self.at(self.now_s);
        self.state.resets_at_random(&at, now);
    }

    pub(super) fn tell(&mut self, number: usize, event: SessionEvent) {
        let session = u32::try_from(number).unwrap_or(u32::MAX);
        let now = self.at(self.now_s);
        self.state.take(session, event, now);
        if self.state.is_over() && self.over_s.is_none() {
            self.over_s = Some(self.now_s);
        }
    }

    /// Resets a connection at random, if one is open.
    fn reset_one(&mut self) {
        let now_s = self.now_s;
        self.next_reset_s = self.path.resets.map_or(f64::INFINITY, |pauses| now_s + self.random.between(pauses));
        let is_target =
            |connection: &SimConnection| connection.flow.through.is_some() || self.path.place == Place::Direct;
        let open: Vec<usize> = (0..self.connections.len())
            .filter(|at| is_target(&self.connections[*at]) && self.connections[*at].is_open())
            .filter(|at| self.connections[*at].flow.began_s <= now_s && !self.connections[*at].is_forgotten)
            .collect();
        let Some(at) = open.get(self.random.below(open.len())).copied() else { return };
        match (self.path.place, self.connections[at].flow.through.and_then(|number| usize::try_from(number).ok())) {
            (Place::Direct, _) => self.connections[at].end(now_s, Manner::Reset, false),
            (Place::BeforeHop, Some(carrier)) => {
                let quiet = self.connections[at].noted(now_s).heard_s.unwrap_or(now_s);
                self.connections[carrier].moves(quiet);
                self.connections[carrier].end(now_s, Manner::Reset, false);
                self.connections[at].end(now_s + 0.002, Manner::Fin, false);
            }
            _ => self.connections[at].end(now_s, Manner::Fin, false),
        }
    }

    pub(super) fn timeline(&self) -> Timeline {
        let known = self.connections.iter().filter(|connection| connection.flow.began_s <= self.now_s);
        let mut flows: Vec<Flow> = known.map(|connection| connection.noted(self.now_s)).collect();
        let heard: Vec<_> = flows.iter().filter_map(|flow| Some((flow.through?, flow.heard_s?))).collect();
        for (carrier, heard_s) in heard {
            let carrier = flows.iter_mut().find(|flow| flow.number == carrier);
            if let Some(own_s) = carrier.and_then(|flow| flow.heard_s.as_mut()) {
                *own_s = own_s.max(heard_s);
            }
        }
        Timeline { flows, until_s: self.now_s, ..Timeline::default() }
    }

    fn found(self) -> Found {
        let timeline = self.timeline();
        let mut facts = self.state.facts(self.at(self.now_s));
        let resets = timeline.random_resets().map(|found| found.resets).unwrap_or_default();
        let resets_s: Vec<f64> = resets.iter().map(|(at_s, ..)| at_s - BEGAN_S).collect();
        facts.random_resets = take_by_chance(&mut facts, &resets_s);
        facts.began_s = BEGAN_S;
        facts.complete = self.is_complete;
        Found { facts, timeline }
    }
}

pub(super) fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.max(0.0))
}
