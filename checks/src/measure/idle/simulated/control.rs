//! Requests of a simulated examination that are not answered at once, and the fresh connections that settle their doubts.

use std::time::Duration;

use super::examination::{Examination, Phase, Request, secs};
use crate::measure::idle::control::Finding;
use crate::measure::idle::events::SessionEvent;
use crate::measure::idle::next_probe::NextProbe;
use crate::measure::idle::role::{MAIN, Role};
use crate::measure::idle::stretch::StretchOutcome;

/// Seconds until a request without an answer is in doubt, and until its session is dead.
const DOUBT_S: f64 = 0.6;
const DEAD_S: f64 = 7.0;
/// A fresh connection that takes longer shows a path that is disturbed, seconds.
const PROMPT_S: f64 = 2.0;
/// Doubts that arise within this time share one answer, seconds.
const SHARED_S: f64 = 1.0;
/// The longest wait for any answer, seconds.
const MOST_S: f64 = 75.0;
/// Seconds by which a task of a machine under load is late, at most.
const LATE_S: f64 = 2.0;
/// Seconds after which it is checked again whether an answer is overdue.
const AGAIN_S: f64 = 1.0;

/// The task that opens fresh connections, one after the other.
#[derive(Debug, Default)]
pub(super) struct SimControl {
    free_s: f64,
    /// The last one: when it was asked for, when it was done, and what it showed.
    last: Option<(f64, f64, Finding)>,
}

impl Request {
    /// The time at which something happens to it.
    pub(super) fn due_s(&self) -> f64 {
        let over_s = self.answers_s.min(self.look_s);
        match &self.found {
            None => over_s.min(self.doubt_s),
            Some((found_s, _)) if !self.is_told => *found_s,
            Some((found_s, _)) => over_s.max(*found_s),
        }
    }

    /// The time since which an interruption may have been in its way.
    pub(super) fn due_since_s(&self, role: Role) -> f64 {
        match self.probe {
            _ if role == Role::ServerData => self.asked_s - 2.5,
            NextProbe::ServerFirst(_) => self.asked_s - 1.5,
            _ => self.asked_s,
        }
    }
}

impl Examination {
    /// Asks a session that answers only then.
    pub(super) fn ask(&mut self, number: usize, probe: NextProbe, answers_s: f64) {
        let asked_s = self.now_s;
        // On these a doubt arises once they count as dead.
        let is_patient = matches!(self.sessions[number].role, Role::Data | Role::Main);
        let doubt_s = if is_patient { f64::INFINITY } else { asked_s + DOUBT_S + self.late_s() };
        let look_s = asked_s + AGAIN_S;
        let request =
            Request { probe, asked_s, answers_s, doubt_s, found: None, look_s, noticed_s: None, is_told: false };
        self.sessions[number].phase = Phase::Asked(request);
    }

    /// Something happens to a request that was not answered at once.
    pub(super) fn asked(&mut self, number: usize, mut request: Request) {
        let (now_s, at) = (self.now_s, self.sessions[number].connection);
        let role = self.sessions[number].role;
        if request.answers_s <= now_s {
            self.connections[at].moves(request.answers_s);
        }
        match &request.found {
            None if request.answers_s > now_s && request.doubt_s <= now_s => {
                let (found_s, finding) = self.look(request.doubt_s.min(request.asked_s + DOUBT_S));
                request.found = Some((found_s + self.late_s(), finding));
            }
            Some((_, finding)) if !request.is_told => {
                request.is_told = true;
                let in_doubt = request.answers_s > now_s && !self.is_disturbed_since(request.due_since_s(role));
                if matches!(finding, Finding::Fine { .. }) && in_doubt && role != Role::Data {
                    let lasted = secs(request.asked_s - self.sessions[number].began_s);
                    self.tell(number, SessionEvent::Suspected(request.probe, lasted));
                }
            }
            _ if request.answers_s <= now_s => {
                let took = secs(request.answers_s - request.asked_s).max(Duration::from_millis(1));
                return self.settle(number, request.probe, StretchOutcome::Answered(took), 0.0);
            }
            _ => match self.overdue_s(&mut request) {
                Some(dead_s) if dead_s <= now_s => {
                    if self.disturbed_until_s(request.asked_s).is_some() || request.found.is_none() {
                        request.found = Some(self.look(now_s));
                    }
                    let manner = self.connections[at].flow.end.as_ref().map(|end| end.manner.clone());
                    self.sessions[number].phase = Phase::Asked(request.clone());
                    return self.settle(number, request.probe, StretchOutcome::Unanswered(manner), 0.0);
                }
                later => request.look_s = later.unwrap_or(f64::INFINITY).min(now_s + AGAIN_S),
            },
        }
        self.sessions[number].phase = Phase::Asked(request);
    }

    /// The time at which an answer is overdue; none while the path is disturbed.
    fn overdue_s(&self, request: &mut Request) -> Option<f64> {
        if self.now_s > request.asked_s + MOST_S {
            return Some(self.now_s);
        }
        if self.events().iter().any(|(_, until_s)| until_s.is_none()) {
            request.noticed_s = Some(self.now_s);
            return None;
        }
        let ended_s = self.disturbed_until_s(request.asked_s);
        let until_s = ended_s.into_iter().chain(request.noticed_s).reduce(f64::max);
        let again = until_s.map(|until_s| until_s + (until_s - request.asked_s) + 3.0);
        Some((request.asked_s + DEAD_S).max(again.unwrap_or_default()))
    }

    /// The finding of a fresh connection for a doubt that arose at a moment, and its time.
    fn look(&mut self, since_s: f64) -> (f64, Finding) {
        let now_s = self.now_s;
        if let Some((asked_s, done_s, finding)) = &self.control.last
            && asked_s + SHARED_S > since_s
        {
            return (done_s.max(now_s), finding.clone());
        }
        let asked_s = self.control.free_s.max(now_s);
        let beside_s = asked_s + PROMPT_S;
        let first_s = self.path.logs_in_s(asked_s);
        let done_s = if first_s > beside_s { first_s.min(self.path.logs_in_s(beside_s)) } else { first_s };
        let main = &self.connections[self.sessions[MAIN as usize].connection];
        let finding = if done_s < beside_s {
            Finding::Fine { kept_alive: main.is_open() }
        } else {
            Finding::Disturbed { outage: (self.at(asked_s), self.at(done_s)) }
        };
        let done_s = done_s.max(self.path.through_s(asked_s));
        self.control = SimControl { free_s: done_s, last: Some((asked_s, done_s, finding.clone())) };
        (done_s, finding)
    }

    /// The times in which the path is known to have been disturbed by now.
    fn events(&self) -> Vec<(f64, Option<f64>)> {
        if self.path.gaps.is_none() {
            return Vec::new();
        }
        self.timeline().events().into_iter().map(|event| (event.from_s, event.until_s)).collect()
    }

    pub(super) fn disturbed_until_s(&self, since_s: f64) -> Option<f64> {
        self.events().into_iter().filter_map(|(_, until_s)| until_s.filter(|at| *at > since_s)).reduce(f64::max)
    }

    pub(super) fn is_disturbed_since(&self, since_s: f64) -> bool {
        self.events().iter().any(|(_, until_s)| until_s.is_none_or(|until_s| until_s > since_s))
    }

    /// Seconds by which a task is late.
    pub(super) fn late_s(&mut self) -> f64 {
        let is_late = self.path.load > 0.0 && self.random.between((0.0, 1.0)) < self.path.load;
        if is_late { self.random.between((0.0, LATE_S)) } else { 0.0 }
    }
}
