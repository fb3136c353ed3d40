//! The orders that sessions get, and their change while a stretch is under way.

use std::time::{Duration, Instant};

use super::strays::wait_for_another;
use super::{AT_FIRST, MAIN_INTERVAL, TestState};
use crate::measure::idle::events::{Directive, Order};
use crate::measure::idle::next_probe::{NextProbe, Redirect};
use crate::measure::idle::role::Role;
use crate::measure::idle::rungs::{DATA_INTERVAL, SERVER_INTERVAL};
use crate::measure::idle::session_view::SessionView;
use crate::measure::progress::SessionState;

impl TestState {
    pub(super) fn opened(&mut self, session: u32, now: Instant) {
        let Some(view) = self.sessions.get_mut(&session) else { return };
        view.is_settled = true;
        view.last = None;
        self.direct(session, None, now);
    }

    pub(super) fn not_opened(&mut self, session: u32, why: String) {
        let Some(view) = self.sessions.get_mut(&session) else { return };
        view.is_settled = true;
        self.no_longer_kept(session);
        self.not_opened.push(why);
    }

    /// A session takes no further part; the last one that climbs ends the test.
    pub(super) fn left(&mut self, session: u32, now: Instant) {
        let Some(view) = self.sessions.get_mut(&session) else { return };
        view.is_gone = true;
        if matches!(view.role, Role::Longest(_)) && !self.over && self.ladder.bracket().0 < self.longest {
            // An interruption may have hit each of its attempts.
            self.ladder.take_longest_back();
            self.redirect_all(now);
        }
    }

    pub(super) fn silence_began(&mut self, session: u32, began: Instant, now: Instant) {
        let kept_since = self.kept.since(session);
        let Some(view) = self.sessions.get_mut(&session) else { return };
        view.began = Some(began);
        view.state = SessionState::Waiting;
        if view.last != view.probe {
            view.kept_since = Some(kept_since.unwrap_or(began));
        }
        self.redirect(session, now);
    }

    /// Orders the next stretch of a session that has just survived `last`, or its end.
    pub(super) fn direct(&mut self, session: u32, last: Option<NextProbe>, now: Instant) {
        let mut probe = if self.over { None } else { self.next(session, last, now) };
        if probe.is_none() && !self.over && self.is_spread && self.is_on_ladder(session) {
            // It is open and lives: no other connection is needed.
            let question = self.ladder.take_question().map(NextProbe::Silence);
            probe = question.or_else(|| self.takes_proof(session, now).map(NextProbe::Keep));
        }
        let order = match probe {
            Some(probe) => Order::Probe(probe),
            None => match self.order_after_the_last(session, now) {
                Order::Leave if self.may_go_on(session, last) => Order::Probe(NextProbe::Linger),
                order => order,
            },
        };
        self.order(session, order);
    }

    /// True if a silent session may have more to do: what is taken for a death may yet turn out to be a late answer.
    fn may_go_on(&self, session: u32, last: Option<NextProbe>) -> bool {
        let is_ladder = self.is_on_ladder(session);
        let is_suspected = self.ladder.bracket().1.is_some() && !self.confirmed;
        is_ladder && is_suspected && !self.over && last.is_some_and(NextProbe::is_silence)
    }

    fn is_on_ladder(&self, session: u32) -> bool {
        self.sessions.get(&session).is_some_and(|view| view.role == Role::Ladder)
    }

    /// A session that has nothing left to do begins anew to prove a keepalive, if a proof is asked for.
    pub(super) fn order_after_the_last(&mut self, session: u32, now: Instant) -> Order {
        // One that is yet to be opened costs no further connection.
        let is_one_to_come = self.is_spread && self.climbing().any(SessionView::is_to_come);
        if !is_one_to_come && self.takes_proof(session, now).is_some() { Order::Reopen } else { Order::Leave }
    }

    pub(super) fn order(&mut self, session: u32, order: Order) {
        let stretch = self.directives.get(&session).map_or(0, |directive| directive.stretch) + 1;
        self.directives.insert(session, Directive { stretch, order });
        let Some(view) = self.sessions.get_mut(&session) else { return };
        view.began = None;
        // The test is not over before it is open again, and silent.
        view.is_settled &= order != Order::Reopen;
        if let Order::Probe(probe) = order {
            (view.probe, view.state) = (Some(probe), SessionState::Waiting);
            view.rung = probe.length();
        } else if !matches!(view.state, SessionState::Dead(_)) {
            view.probe = None;
        }
    }

    pub(super) fn next(&mut self, session: u32, last: Option<NextProbe>, now: Instant) -> Option<NextProbe> {
        match (self.sessions.get(&session)?.role, last) {
            (Role::Ladder, Some(NextProbe::Silence(_) | NextProbe::ServerFirst(_))) if self.alone.is_some() => {
                Some(NextProbe::Linger)
            }
            (Role::Ladder, _) => self.next_rung(session, last, now),
            (Role::Main, _) => {
                let late = now.saturating_duration_since(self.began) > AT_FIRST;
                Some(NextProbe::Keep(MAIN_INTERVAL[usize::from(late)]))
            }
            (Role::Longest(length), None) => Some(NextProbe::Silence(length)),
            (Role::TcpKeepalive, None) => Some(NextProbe::Await),
            (Role::Data, _) => Some(NextProbe::Keep(DATA_INTERVAL)),
            (Role::ServerData, _) => Some(NextProbe::Keep(SERVER_INTERVAL)),
            // It was probed early, for a death that turned out to be none.
            (Role::Longest(length), Some(NextProbe::Silence(probed)))
                if probed < length && !(self.ladder.bracket().1.is_some() && self.confirmed) =>
            {
                Some(NextProbe::Silence(length))
            }
            (Role::Longest(_) | Role::TcpKeepalive, Some(_)) => None,
        }
    }

    pub(super) fn next_rung(&mut self, session: u32, last: Option<NextProbe>, now: Instant) -> Option<NextProbe> {
        if last.is_none()
            && let Some(interval) = self.kept.begin_anew(session, now)
        {
            return Some(NextProbe::Keep(interval));
        }
        if self.is_spread {
            let open = self.climbing().filter(|view| view.is_settled).count();
            self.ladder.climbed_by(open);
        }
        let next = self.ladder.next(last);
        if let Some(NextProbe::Keep(interval)) = next {
            // The silence it has just survived was as long as the interval: it counts for the proof.
            let silence = match last {
                Some(NextProbe::Silence(length)) => Duration::from_secs_f64(length),
                _ => Duration::ZERO,
            };
            self.kept.keep(session, interval, now.checked_sub(silence).unwrap_or(now));
        } else {
            self.kept.drop(session);
        }
        next
    }

    /// Lets the session prove a keepalive from now on, if a proof is asked for; returns its interval.
    pub(super) fn takes_proof(&mut self, session: u32, now: Instant) -> Option<u32> {
        if self.over || !self.is_on_ladder(session) {
            return None;
        }
        let interval = self.ladder.take_proof()?;
        self.kept.drop(session);
        self.kept.keep(session, interval, now);
        Some(interval)
    }

    pub(super) fn redirect_all(&mut self, now: Instant) {
        let sessions: Vec<u32> = self.sessions.keys().copied().collect();
        for session in sessions {
            self.redirect(session, now);
        }
    }

    /// Changes the stretch under way on a session, where the plan wants another one by now. Nobody leaves for a death that may yet turn
    /// out to be a late answer.
    pub(super) fn redirect(&mut self, session: u32, now: Instant) {
        let (cut_at, alone) = (self.cut_at(), self.alone);
        let Some(view) = self.sessions.get_mut(&session) else { return };
        let (Some(probe), Some(began), SessionState::Waiting) = (view.probe, view.began, &view.state) else { return };
        let age = now.saturating_duration_since(began).as_secs_f64();
        let redirect = if cut_at.is_some_and(|at| began <= at) && !matches!(probe, NextProbe::Keep(_)) {
            // Probed at once, it shows whether it is dead too; whoever was probed since is not.
            Redirect::To(age)
        } else {
            // With TCP keepalives it has to outlast the shortest silence that kills, whatever it was to outlast before.
            let goal = if view.role == Role::TcpKeepalive { NextProbe::Await } else { probe };
            alone.map_or_else(|| self.ladder.redirect(goal, age), |first| wait_for_another(first, goal, age))
        };
        let order = match redirect {
            Redirect::Stay => return,
            Redirect::Leave if !self.confirmed => return,
            Redirect::Leave => Order::Leave,
            Redirect::To(length) => {
                let probe = NextProbe::Silence(length);
                view.probe = Some(probe);
                // Whoever lingered has one from now on.
                view.rung = view.rung.or(Some(length));
                Order::Probe(probe)
            }
        };
        if let Some(directive) = self.directives.get_mut(&session) {
            directive.order = order;
        }
    }
}
