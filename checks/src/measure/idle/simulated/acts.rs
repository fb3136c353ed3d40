//! The acts of a simulated examination's sessions: what happens on each when its time has come, and what it does as it is told.

use std::time::Duration;

use super::examination::{Examination, Phase, secs};
use super::path::Expiry;
use crate::facts::connection::Manner;
use crate::facts::idle::Holds;
use crate::measure::idle::control::Finding;
use crate::measure::idle::events::{Directive, Order, SessionEvent};
use crate::measure::idle::next_probe::NextProbe;
use crate::measure::idle::role::Role;
use crate::measure::idle::stretch::{Stretch, StretchOutcome};

/// The number of times that a session is opened again.
const REOPENED: u32 = 5;

impl Examination {
    pub(super) fn act(&mut self, number: usize) {
        let now_s = self.now_s;
        let session = &self.sessions[number];
        let (role, at) = (session.role, session.connection);
        match session.phase.clone() {
            Phase::Opening(_) if !self.connections[at].is_open() => self.reopen(number),
            Phase::Opening(_) => {
                self.connections[at].moves(now_s);
                self.connections[at].expect(None, false, now_s);
                self.sessions[number].phase = Phase::Awaiting;
                self.tell(number, SessionEvent::Opened(None));
            }
            Phase::Waiting(probe) if !self.connections[at].is_open() => {
                let manner = self.connections[at].flow.end.as_ref().map_or(Manner::Fin, |end| end.manner.clone());
                self.tell(number, SessionEvent::Asked);
                self.settle(number, probe, StretchOutcome::EndedItself(manner), 0.3);
            }
            Phase::Waiting(probe) => {
                let expires = self.connections[at].expires_s(self.path.timer).is_some_and(|at_s| at_s <= now_s);
                match self.path.timer.map(|(_, expiry)| expiry).filter(|_| expires) {
                    Some(Expiry::Reset) => self.connections[at].end(now_s, Manner::Reset, false),
                    Some(_) => self.connections[at].is_forgotten = true,
                    None => self.due(number, role, probe),
                }
            }
            Phase::Asked(request) => self.asked(number, request),
            Phase::Settling(_, stretch) => self.ended(number, stretch),
            Phase::Awaiting | Phase::Gone => {}
        }
    }

    /// The time of a stretch has come: it is asked, or the server's line comes.
    fn due(&mut self, number: usize, role: Role, probe: NextProbe) {
        let now_s = self.now_s;
        let at = self.sessions[number].connection;
        let is_line = matches!(probe, NextProbe::ServerFirst(_)) || role == Role::ServerData;
        if self.connections[at].is_forgotten {
            self.tell(number, SessionEvent::Asked);
            if self.path.timer.is_some_and(|(_, expiry)| expiry == Expiry::Rejected) {
                self.connections[at].end(now_s, Manner::Reset, true);
                self.settle(number, probe, StretchOutcome::Unanswered(Some(Manner::Reset)), 0.3);
            } else {
                self.connections[at].freezes(now_s);
                self.ask(number, probe, f64::INFINITY);
            }
            return;
        }
        self.connections[at].catch_up(now_s);
        let sent_s = self.sessions[number].began_s + probe.length().unwrap_or_default();
        let came_s = if is_line { self.path.through_s(sent_s) } else { now_s };
        if is_line {
            self.connections[at].lost(sent_s, came_s);
        }
        let is_late = is_line && (came_s > now_s || self.random.between((0.0, 1.0)) < self.path.late_lines);
        if is_line && !is_late {
            self.connections[at].moves(now_s);
            self.settle(number, probe, StretchOutcome::Heard, 0.0);
            return;
        }
        self.tell(number, SessionEvent::Asked);
        // What was sent first arrives first.
        let answers_s = self.path.through_s(now_s).max(came_s);
        if answers_s > now_s {
            self.connections[at].lost(now_s, answers_s);
            self.ask(number, probe, answers_s);
        } else {
            self.connections[at].moves(now_s);
            self.settle(number, probe, StretchOutcome::Answered(Duration::from_millis(1)), 0.0);
        }
    }

    /// The session's stretch ends with this outcome, which is known so much later.
    pub(super) fn settle(&mut self, number: usize, probe: NextProbe, outcome: StretchOutcome, later_s: f64) {
        let request = match &self.sessions[number].phase {
            Phase::Asked(request) => Some(request.clone()),
            _ => None,
        };
        let session = &self.sessions[number];
        let connection = &self.connections[session.connection];
        let by_itself = matches!(outcome, StretchOutcome::EndedItself(_));
        let ended_s = connection.flow.end.as_ref().filter(|_| by_itself).map_or(self.now_s, |end| end.at_s);
        let asked_s = request.as_ref().map_or(ended_s, |request| request.asked_s);
        // In an interruption no request of ours ended the silence.
        let is_unanswered = request.is_some() && matches!(outcome, StretchOutcome::Unanswered(_));
        let silent_until_s = self.disturbed_until_s(asked_s).filter(|_| is_unanswered).unwrap_or_default();
        let opened_s = connection.flow.opened_s.unwrap_or(ended_s);
        let is_doubtful = matches!(outcome, StretchOutcome::EndedItself(_) | StretchOutcome::Unanswered(_));
        let main = &self.connections[self.sessions[0].connection];
        let others = self.sessions.iter().enumerate().filter(|(other, view)| {
            let is_talking = matches!(view.phase, Phase::Waiting(NextProbe::Keep(_)));
            *other != number && is_talking && self.connections[view.connection].is_open()
        });
        let others_alive = is_doubtful && others.count() > 0;
        let stretch = Stretch {
            probe,
            holds: if session.role == Role::Main { Holds::Nothing } else { held(session.role) },
            began: self.at(session.began_s),
            ended: self.at(if by_itself { ended_s } else { asked_s }),
            quiet: secs(asked_s.max(silent_until_s) - session.began_s),
            channel_quiet: (session.role != Role::Main).then(|| secs(asked_s - opened_s)),
            age: secs(ended_s - connection.flow.began_s),
            heard_bytes: 0,
            outcome,
            finding: match request.as_ref().and_then(|request| request.found.clone()) {
                Some((_, finding)) => Some(finding),
                None => is_doubtful.then_some(Finding::Fine { kept_alive: main.is_open() }),
            },
            was_disturbed: request.is_some_and(|request| self.is_disturbed_since(request.due_since_s(session.role))),
            only_late: false,
            line_came: matches!(probe, NextProbe::ServerFirst(_)) && self.path.gaps.is_some(),
            others_alive,
            tcp: None,
            hops: Vec::new(),
        };
        let later_s = if later_s > 0.0 { later_s + self.random.between((0.0, 0.6)) } else { 0.0 } + self.late_s();
        if later_s > 0.0 {
            self.sessions[number].phase = Phase::Settling(self.now_s + later_s, Box::new(stretch));
        } else {
            self.ended(number, Box::new(stretch));
        }
    }

    fn ended(&mut self, number: usize, stretch: Box<Stretch>) {
        self.sessions[number].phase = Phase::Awaiting;
        let by_itself = stretch.has_ended_itself();
        if by_itself {
            self.look_for_resets();
        }
        self.tell(number, SessionEvent::Ended(stretch));
        if by_itself {
            self.look_for_resets();
        }
    }

    /// Lets every session do what it is told by now.
    pub(super) fn obey(&mut self) {
        loop {
            let Some((number, directive)) = self.news() else { return };
            match (self.sessions[number].phase.clone(), directive.order) {
                (Phase::Waiting(_), Order::Probe(changed)) if self.over_s.is_none() => {
                    self.sessions[number].phase = Phase::Waiting(changed);
                }
                (Phase::Waiting(probe), _) => self.settle(number, probe, StretchOutcome::Dismissed, 0.0),
                (_, Order::Probe(probe)) => {
                    self.sessions[number].stretch = directive.stretch;
                    self.begin(number, probe);
                }
                (_, Order::Reopen) => {
                    self.sessions[number].stretch = directive.stretch;
                    self.reopen(number);
                }
                (_, Order::Leave) => self.leave(number),
            }
        }
    }

    /// A session that is told something which it has not done yet.
    fn news(&self) -> Option<(usize, Directive)> {
        self.state.directives().find_map(|(session, directive)| {
            let number = usize::try_from(session).ok()?;
            let view = self.sessions.get(number)?;
            let is_same = directive.stretch == view.stretch;
            let is_news = match (&view.phase, directive.order) {
                (Phase::Awaiting, _) => directive.stretch > view.stretch,
                (Phase::Waiting(_), _) if self.over_s.is_some() => true,
                (Phase::Waiting(probe), Order::Probe(changed)) => is_same && *probe != changed,
                (Phase::Waiting(_), _) => is_same,
                _ => false,
            };
            is_news.then_some((number, directive))
        })
    }

    fn begin(&mut self, number: usize, probe: NextProbe) {
        let (now_s, role, at) = (self.now_s, self.sessions[number].role, self.sessions[number].connection);
        let beat_s = match (role, probe) {
            (Role::ServerData | Role::TcpKeepalive, _) => Some(1.0),
            (_, NextProbe::Keep(interval)) => Some(f64::from(interval)),
            _ => None,
        };
        self.connections[at].expect(beat_s, role == Role::TcpKeepalive, now_s);
        // A silence counts from the last byte: the answer to the request that ended the last one.
        let began_s = self.connections[at].moved_s + 0.001;
        self.sessions[number].began_s = began_s;
        self.sessions[number].phase = Phase::Waiting(probe);
        let began = self.at(began_s);
        self.tell(number, SessionEvent::Began(began));
    }

    fn reopen(&mut self, number: usize) {
        let at = self.sessions[number].connection;
        self.close(at);
        self.sessions[number].attempts += 1;
        if self.sessions[number].attempts > REOPENED || self.over_s.is_some() {
            self.leave(number);
            return;
        }
        let takes_s = self.random.between((0.3, 0.9));
        let asked_s = self.turn_s(self.now_s);
        let opened_s = self.path.through_s(self.path.connects_s(asked_s) + takes_s);
        self.sessions[number].connection = self.connect(asked_s);
        self.sessions[number].phase = Phase::Opening(opened_s);
    }

    fn leave(&mut self, number: usize) {
        let at = self.sessions[number].connection;
        self.close(at);
        self.sessions[number].phase = Phase::Gone;
        self.tell(number, SessionEvent::Left);
    }

    fn close(&mut self, at: usize) {
        let now_s = self.now_s;
        let carrier = self.connections[at].flow.through.and_then(|number| usize::try_from(number).ok());
        for at in [Some(at), carrier].into_iter().flatten() {
            self.connections[at].catch_up(now_s);
            self.connections[at].flow.closed_s.get_or_insert(now_s);
        }
    }
}

fn held(role: Role) -> Holds {
    if matches!(role, Role::Longest(_)) { Holds::Shell } else { Holds::Command }
}
