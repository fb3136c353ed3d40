//! The conclusions from the ends of stretches: for the plan, and for the end of the test.

use std::time::{Duration, Instant};

use super::{MovingDeath, TestState};
use crate::facts::idle::advice::{self, interval};
use crate::facts::idle::bracket::{LATE_ACK_S, trial};
use crate::facts::idle::chance::ended_by_itself;
use crate::facts::idle::{Arm, Holds, Moves, Sign, Speaker, StretchEnd};
use crate::measure::idle::control::Finding;
use crate::measure::idle::events::Order;
use crate::measure::idle::next_probe::NextProbe;
use crate::measure::idle::role::Role;
use crate::measure::idle::session_view::SessionView;
use crate::measure::idle::stretch::{Owner, Stretch, classify};
use crate::measure::progress::SessionState;

impl TestState {
    pub(super) fn stretch_ended(&mut self, session: u32, stretch: &Stretch, now: Instant) {
        let Some(view) = self.sessions.get(&session) else { return };
        let role = view.role;
        let end = classify(role, stretch, self.rtt.unwrap_or_default(), view.last_rtt_ms);
        if let Some(finding) = &stretch.finding {
            self.doubt(finding);
        }
        let lived = match end {
            StretchEnd::Alive { rtt_ms } | StretchEnd::Unheard { rtt_ms } => Some(rtt_ms),
            _ => None,
        };
        if let Some(rtt_ms) = lived {
            // What was taken for a death was none.
            if stretch.finding.is_some() && stretch.probe.is_silence() && !self.confirmed {
                self.undo_death();
            }
            let took = Duration::from_secs_f64(rtt_ms / 1000.0);
            if stretch.only_late {
                self.late_by = self.late_by.max(took);
            }
            self.answered(session, stretch, took, now);
        }
        self.hops.extend(stretch.hops.iter().cloned());
        if !self.is_known_otherwise(role, stretch.probe, &end) {
            self.record(session, role, stretch, end.clone(), now);
        }
        match end {
            StretchEnd::Alive { rtt_ms } | StretchEnd::Unheard { rtt_ms } => {
                if let Some(view) = self.sessions.get_mut(&session) {
                    view.last = Some(stretch.probe);
                    view.last_rtt_ms = Some(rtt_ms);
                    let asked_early =
                        view.rung.filter(|rung| stretch.probe.length().is_some_and(|length| length < *rung));
                    match (role, asked_early, self.ladder.bracket()) {
                        // It was asked early for a death that turned out to be none.
                        (Role::Ladder, Some(rung), (_, None)) => self.ladder.put_back(rung),
                        (Role::Ladder, Some(rung), _) if !self.confirmed => self.asked_early.push(rung),
                        _ => {}
                    }
                }
                self.direct(session, Some(stretch.probe), now);
            }
            // The session without a channel is not opened again: one that was late lives all the same.
            StretchEnd::Void { .. } if stretch.goes_on() || role == Role::Main && stretch.has_answered() => {
                self.direct(session, Some(stretch.probe), now);
            }
            StretchEnd::Void { .. } if role != Role::Main => self.order(session, Order::Reopen),
            StretchEnd::Died { .. } if role != Role::Main && self.begins_anew(session, stretch) => {
                self.order(session, Order::Reopen);
            }
            // A session that was not asked is not known to live: it must not go on as if it did.
            StretchEnd::Died { .. } | StretchEnd::Open | StretchEnd::Void { .. } => {
                let order = self.order_after_the_last(session, now);
                self.order(session, order);
            }
        }
        self.drop_suspicion(now);
    }

    /// Withdraws a death that is not confirmed, once no session is left that may be dead: what was suspected was answered, or tells nothing.
    fn drop_suspicion(&mut self, now: Instant) {
        let in_doubt =
            |view: &SessionView| !view.is_gone && view.is_silent() && matches!(view.state, SessionState::Probing);
        let is_suspected = self.ladder.bracket().1.is_some() && !self.confirmed && self.alone.is_none();
        if is_suspected && !self.sessions.values().any(in_doubt) {
            self.undo_death();
        }
        if self.ladder.bracket().1.is_none() {
            // Whoever has nothing to do takes what was put back.
            self.redirect_all(now);
        }
    }

    /// True if the end of this stretch is told by what is known of the session at the end of the test: since when it is kept, and that it
    /// answers. Of sessions with data only the last word is wanted.
    pub(super) fn is_known_otherwise(&self, role: Role, probe: NextProbe, end: &StretchEnd) -> bool {
        let lived = matches!(end, StretchEnd::Alive { .. } | StretchEnd::Unheard { .. });
        matches!(probe, NextProbe::Keep(_))
            && match role {
                Role::Ladder => lived || *end == StretchEnd::Open,
                Role::Main => lived,
                _ => lived && !self.over,
            }
    }

    pub(super) fn answered(&mut self, session: u32, stretch: &Stretch, rtt: Duration, now: Instant) {
        let Some(view) = self.sessions.get_mut(&session) else { return };
        let moves = view.role.moves(stretch.probe);
        view.state = SessionState::Alive;
        // What the server says without being asked does not show that it hears us.
        if moves != Moves::ServerData {
            self.last_answer = Some(now);
        }
        if !rtt.is_zero() {
            self.rtt = Some(self.rtt.map_or(rtt, |shortest| shortest.min(rtt)));
        }
        if let (NextProbe::Keep(interval), Moves::Keepalive) = (stretch.probe, moves) {
            self.kept.answered(session, interval, stretch.began, now);
        }
    }

    /// Stores the end of a stretch, and what follows from it for the plan.
    pub(super) fn record(&mut self, session: u32, role: Role, stretch: &Stretch, end: StretchEnd, now: Instant) {
        let kept_since = self.sessions.get(&session).and_then(|view| view.kept_since);
        let kept_since = kept_since.filter(|_| matches!(stretch.probe, NextProbe::Keep(_)));
        let arm = stretch.arm(Owner { session, role, kept_since, test_began: self.began }, end);
        if let Some(view) = self.sessions.get_mut(&session) {
            match &arm.end {
                StretchEnd::Died { manner, .. } => view.state = SessionState::Dead(manner.words()),
                StretchEnd::Void { .. } => view.state = SessionState::Dead("not judged".to_owned()),
                StretchEnd::Alive { .. } | StretchEnd::Unheard { .. } | StretchEnd::Open => {}
            }
        }
        let was_cut = self.is_cut();
        if arm.death().is_some() {
            self.last_death = Some(now);
            if arm.moves != Moves::Nothing {
                let by_itself = stretch.has_ended_itself();
                let at = if by_itself { stretch.ended } else { now };
                self.moving_deaths.push(MovingDeath { moves: arm.moves, at, by_itself });
            }
        }
        let turn = self.learn(&arm, now) || !was_cut && self.is_cut();
        self.arms.push(arm);
        if turn {
            self.redirect_all(now);
        }
    }

    /// Tells the plan how a stretch ended; whether silent sessions should think again.
    pub(super) fn learn(&mut self, arm: &Arm, now: Instant) -> bool {
        match (&arm.end, arm.moves) {
            (StretchEnd::Alive { .. }, Moves::Nothing) => {
                self.ladder.alive(arm.lasted_s, arm.speaks_first);
                return self.outlasted(arm.lasted_s);
            }
            // A terminal may have a clock of its own: a shell's end says nothing of the path until others end too.
            (StretchEnd::Died { sign, .. }, Moves::Nothing)
                if arm.holds != Holds::Shell || *sign == Sign::AfterProbe =>
            {
                if *sign == Sign::BeforeProbe && (self.is_stray(arm, now) || self.is_by_chance(arm)) {
                    self.strays += 1;
                    self.put_back(arm);
                    return true;
                }
                if ended_by_itself(arm).is_some() {
                    if self.ended_alone(arm.lasted_s, now) {
                        self.put_back(arm);
                        return self.dead(arm.lasted_s);
                    }
                } else {
                    self.outlasted(arm.lasted_s);
                }
                let confirms = !self.confirmed;
                (self.confirmed, self.alone) = (true, None);
                // Another one's late answer may have undone it meanwhile.
                return self.dead(arm.lasted_s) || confirms;
            }
            (StretchEnd::Unheard { .. }, _) => {
                if self.ladder.unheard(arm.lasted_s) {
                    self.confirmed = true;
                    let shortest = self.ladder.shortest_unheard().unwrap_or(arm.lasted_s);
                    return self.dead(shortest);
                }
                return true;
            }
            // It begins anew; so does one whose interruption voided it.
            (StretchEnd::Died { .. }, Moves::Keepalive) if !self.is_at_random(arm) => self.no_longer_kept(arm.session),
            (StretchEnd::Void { .. }, Moves::Nothing) => {
                self.put_back(arm);
                return true;
            }
            _ => {}
        }
        false
    }

    /// The death that was known is none: those that were asked early for it try again.
    pub(super) fn undo_death(&mut self) {
        self.ladder.undo_death();
        for rung in std::mem::take(&mut self.asked_early) {
            self.ladder.put_back(rung);
        }
    }

    /// The rung of a silence that tells nothing is to be tried again.
    fn put_back(&mut self, arm: &Arm) {
        let view = self.sessions.get_mut(&arm.session);
        let rung = view.and_then(|view| {
            view.begins_anew = true;
            view.rung
        });
        self.ladder.put_back(rung.unwrap_or(arm.lasted_s));
    }

    /// A session is not kept alive any more; another one may be at its interval.
    pub(super) fn no_longer_kept(&mut self, session: u32) {
        if let Some(interval) = self.kept.drop(session) {
            self.ladder.unkeep(interval);
        }
    }

    /// A silence is as good as proven to kill: the other sessions turn to what is still to be learnt.
    pub(super) fn suspect(&mut self, probe: NextProbe, lasted: Duration, now: Instant) {
        let Some(length) = probe.length().filter(|_| probe.is_silence()) else { return };
        if self.dead(length.min(lasted.as_secs_f64())) {
            if probe.speaker() == Speaker::Server {
                self.ladder.contrast();
            }
            self.redirect_all(now);
        }
    }

    /// A silence of `length` seconds kills: asks for the proof of the interval that follows. Whether that is news.
    pub(super) fn dead(&mut self, length: f64) -> bool {
        let news = self.ladder.dead(length);
        if let (true, Some(interval)) = (news, interval(self.ladder.bracket().0)) {
            self.ladder.prove(interval);
        }
        news
    }

    /// Takes note of what a fresh connection showed: where none is to be had any more, the test is over.
    pub(super) fn doubt(&mut self, finding: &Finding) {
        // What is noted of the path itself, the recorder has.
        if matches!(finding, Finding::NoPath { .. }) {
            self.finish();
        }
    }

    /// True if nothing is left to learn: the longest silence was survived, or a death is confirmed, its bracket narrowed and its keepalive
    /// proven or disproven.
    pub(super) fn is_known(&self, now: Instant) -> bool {
        let (survived, died) = self.ladder.bracket();
        let any = |is: fn(&SessionView) -> bool| self.sessions.values().any(is);
        let reached = died.is_none() && survived >= 0.999 * self.longest - LATE_ACK_S;
        // One line of the server that did not come may have been late: a second one tells.
        let is_asked_again = self.ladder.is_one_unheard() && any(SessionView::may_hear);
        match died {
            None if is_asked_again => false,
            _ if reached => !(self.is_spread && self.sessions.values().any(|view| view.hears_soon(self.longest, now))),
            // Whoever is kept alive would go on for ever: with the last silence the test is over.
            None => {
                let is_compared = self.ladder.compares() && any(SessionView::may_compare);
                self.climbing().all(|session| session.is_settled)
                    && self.ladder.is_climbed()
                    && !is_compared
                    && !any(SessionView::is_silent)
            }
            Some(died) => {
                let narrow = self.ladder.is_narrow();
                let awaited = |session: &SessionView| session.is_awaited((survived, died), narrow, now);
                let narrowing = self.sessions.values().any(awaited);
                let is_asked =
                    self.is_spread && self.ladder.has_question() && self.climbing().any(SessionView::is_to_come);
                self.confirmed && !narrowing && !is_asked && (self.proven(died).is_some() || !self.proof_to_come())
            }
        }
    }

    /// The longest recommendable interval at which a session outlived a silence of `died` seconds that kills.
    pub(super) fn proven(&self, died: f64) -> Option<u32> {
        let least = self.ladder.longest_lived().max(died).max(trial(&self.not_by_chance()));
        advice::proven(self.kept.proofs(), self.ladder.bracket().0, least)
    }

    /// True if a session is being kept at an interval that may yet be proven.
    pub(super) fn proof_to_come(&self) -> bool {
        let most = interval(self.ladder.bracket().0);
        self.ladder.is_proving() || self.kept.any_within(most)
    }
}
