//! The state of the idle test, and the consequences of each event of a session. Pure: the moment is an argument.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::control::Finding;
use super::events::{Directive, Order, Overview, SessionEvent};
use super::kept::KeptSessions;
use super::ladder::Ladder;
use super::next_probe::{NextProbe, Redirect};
use super::role::Role;
use super::rungs::{DATA_INTERVAL, SERVER_INTERVAL};
use super::session_view::SessionView;
use super::stretch::{Owner, Stretch, classify};
use crate::base::text::seconds;
use crate::facts::connection::Manner;
use crate::facts::idle::advice::{self, interval};
use crate::facts::idle::bracket::{LATE_ACK_S, channel_quiet_at_death};
use crate::facts::idle::{Arm, Facts, Holds, HopState, Moves, Sign, Speaker, StretchEnd};
use crate::measure::progress::{IdleState, SessionState};

/// The keepalive interval of the main session, seconds: short at first, when a short timer is still possible.
const MAIN_INTERVAL: [u32; 2] = [2, 5];
/// The duration of the first interval.
const AT_FIRST: Duration = Duration::from_mins(1);
/// The time within which busy sessions found dead died together: one is probed more often than the other, and each has its deadline.
const AT_ONCE: Duration = Duration::from_secs(15);
/// The time that a session with data is watched after the last death, where a session died that was kept alive: sessions are opened within this
/// time, and what ends them at one age or at one moment ends it too.
const MAY_END_TOO: Duration = Duration::from_secs(2);
/// Sessions that end after less silence than others survive, and are no reason to end the test: more of them make a timer that is not sharp.
const STRAYS: u32 = 3;

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
    last_answer: Option<Instant>,
    /// True if the death that the ladder knows is beyond doubt.
    confirmed: bool,
    /// Deaths of sessions with traffic: its kind, and the time.
    moving_deaths: Vec<(Moves, Instant)>,
    /// The time at which the last session died.
    last_death: Option<Instant>,
    /// Sessions that ended after less silence than others survive.
    strays: u32,
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
            last_answer: None,
            confirmed: false,
            moving_deaths: Vec::new(),
            last_death: None,
            strays: 0,
            over: false,
        }
    }

    /// The same with sessions that hold this.
    pub(super) fn holding(self, holds: Holds) -> Self {
        Self { kept: KeptSessions::holding(holds), ..self }
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
            SessionEvent::Left => self.left(session),
        }
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
        let kept_died = self.moving_deaths.iter().any(|(moves, _)| *moves == Moves::Keepalive);
        recent && kept_died && self.sessions.values().any(is_busy)
    }

    /// Ends the test.
    pub(super) fn finish(&mut self) {
        self.over = true;
    }

    /// True if busy sessions died together: the reason was no silence, and all others are probably dead too.
    pub(super) fn is_cut(&self) -> bool {
        self.cut_at().is_some()
    }

    /// The last moment at which that happened.
    fn cut_at(&self) -> Option<Instant> {
        let has_data = self.sessions.values().any(|session| session.role == Role::Data);
        let first = if has_data { Moves::ChannelData } else { Moves::Keepalive };
        let is_near = |at: Instant, other: Instant| at.max(other).saturating_duration_since(at.min(other)) < AT_ONCE;
        let near =
            |at: Instant| self.moving_deaths.iter().map(|(_, other)| *other).filter(move |other| is_near(at, *other));
        let firsts = self.moving_deaths.iter().filter(|(moves, _)| *moves == first).map(|(_, at)| *at);
        firsts.filter(|at| near(*at).count() > 1).filter_map(|at| near(at).max()).max()
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

    /// Returns the directive for each session.
    pub(super) fn directives(&self) -> impl Iterator<Item = (u32, Directive)> {
        self.directives.iter().map(|(session, directive)| (*session, *directive))
    }

    /// Returns the state that everyone may read.
    pub(super) fn overview(&self) -> Overview {
        let (survived, died) = self.ladder.bracket();
        let silently =
            |arm: &Arm| arm.moves == Moves::Nothing && arm.death().is_some_and(|(manner, _)| *manner == Manner::Silent);
        let asked = |arm: &&Arm| arm.moves == Moves::TcpKeepalive && arm.end != StretchEnd::Open;
        Overview {
            over: self.over,
            rtt: self.rtt.unwrap_or_default(),
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

    fn opened(&mut self, session: u32, now: Instant) {
        let Some(view) = self.sessions.get_mut(&session) else { return };
        view.is_settled = true;
        view.last = None;
        self.direct(session, None, now);
    }

    fn not_opened(&mut self, session: u32, why: String) {
        let Some(view) = self.sessions.get_mut(&session) else { return };
        view.is_settled = true;
        if matches!(view.role, Role::Longest(_)) {
            self.ladder.take_longest_back();
        }
        self.not_opened.push(why);
    }

    /// Removes a session from the test; the last one that climbs ends the test.
    fn left(&mut self, session: u32) {
        if let Some(view) = self.sessions.get_mut(&session) {
            view.is_gone = true;
        }
    }

    fn silence_began(&mut self, session: u32, began: Instant, now: Instant) {
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
    fn direct(&mut self, session: u32, last: Option<NextProbe>, now: Instant) {
        let probe = if self.over { None } else { self.next(session, last, now) };
        let order = match probe {
            Some(probe) => Order::Probe(probe),
            None => self.order_after_the_last(session, now),
        };
        self.order(session, order);
    }

    /// A session that has nothing left to do begins anew to prove a keepalive, if a proof is asked for.
    fn order_after_the_last(&mut self, session: u32, now: Instant) -> Order {
        if self.takes_proof(session, now) { Order::Reopen } else { Order::Leave }
    }

    fn order(&mut self, session: u32, order: Order) {
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

    fn next(&mut self, session: u32, last: Option<NextProbe>, now: Instant) -> Option<NextProbe> {
        match (self.sessions.get(&session)?.role, last) {
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
                if probed < length && self.ladder.bracket().1.is_none() =>
            {
                Some(NextProbe::Silence(length))
            }
            (Role::Longest(_) | Role::TcpKeepalive, Some(_)) => None,
        }
    }

    fn next_rung(&mut self, session: u32, last: Option<NextProbe>, now: Instant) -> Option<NextProbe> {
        if last.is_none()
            && let Some(interval) = self.kept.begin_anew(session, now)
        {
            return Some(NextProbe::Keep(interval));
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

    /// Lets the session prove a keepalive with a connection yet to be opened, if a proof is asked for.
    fn takes_proof(&mut self, session: u32, now: Instant) -> bool {
        let is_ladder = self.sessions.get(&session).is_some_and(|view| view.role == Role::Ladder);
        if self.over || !is_ladder {
            return false;
        }
        let Some(interval) = self.ladder.take_proof() else { return false };
        self.kept.drop(session);
        self.kept.keep(session, interval, now);
        true
    }

    fn stretch_ended(&mut self, session: u32, stretch: &Stretch, now: Instant) {
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
                self.ladder.undo_death();
            }
            self.answered(session, stretch, Duration::from_secs_f64(rtt_ms / 1000.0), now);
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
                }
                self.direct(session, Some(stretch.probe), now);
            }
            StretchEnd::Void { .. } if stretch.goes_on() => self.direct(session, Some(stretch.probe), now),
            StretchEnd::Void { .. } if role != Role::Main => self.order(session, Order::Reopen),
            // A session that was not asked is not known to live: it must not go on as if it did.
            StretchEnd::Died { .. } | StretchEnd::Open | StretchEnd::Void { .. } => {
                let order = self.order_after_the_last(session, now);
                self.order(session, order);
            }
        }
    }

    /// True if the end of this stretch is told by what is known of the session at the end of the test: since when it is kept, and that it
    /// answers. Of sessions with data only the last word is wanted.
    fn is_known_otherwise(&self, role: Role, probe: NextProbe, end: &StretchEnd) -> bool {
        let lived = matches!(end, StretchEnd::Alive { .. } | StretchEnd::Unheard { .. });
        matches!(probe, NextProbe::Keep(_))
            && match role {
                Role::Ladder => lived || *end == StretchEnd::Open,
                Role::Main => lived,
                _ => lived && !self.over,
            }
    }

    fn answered(&mut self, session: u32, stretch: &Stretch, rtt: Duration, now: Instant) {
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

    /// Stores the end of a stretch, and its consequences for the plan.
    fn record(&mut self, session: u32, role: Role, stretch: &Stretch, end: StretchEnd, now: Instant) {
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
                self.moving_deaths.push((arm.moves, now));
            }
        }
        let turn = self.learn(&arm) || !was_cut && self.is_cut();
        self.arms.push(arm);
        if turn {
            self.redirect_all(now);
        }
    }

    /// Informs the plan of the end of a stretch; returns true if silent sessions should be redirected.
    fn learn(&mut self, arm: &Arm) -> bool {
        match (&arm.end, arm.moves) {
            (StretchEnd::Alive { .. }, Moves::Nothing) => self.ladder.alive(arm.lasted_s, arm.speaks_first),
            // A terminal may have a clock of its own: a shell's end says nothing of the path until others end too.
            (StretchEnd::Died { sign, .. }, Moves::Nothing)
                if arm.holds != Holds::Shell || *sign == Sign::AfterProbe =>
            {
                if *sign == Sign::BeforeProbe && self.is_stray(arm.lasted_s) {
                    self.strays += 1;
                    return false;
                }
                let confirms = !self.confirmed;
                self.confirmed = true;
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
            (StretchEnd::Died { .. } | StretchEnd::Void { .. }, Moves::Keepalive) => {
                self.kept.drop(arm.session);
            }
            (StretchEnd::Void { .. }, Moves::Nothing) => {
                let rung = self.sessions.get(&arm.session).and_then(|view| view.rung);
                self.ladder.put_back(rung.unwrap_or(arm.lasted_s));
            }
            _ => {}
        }
        false
    }

    /// True if others survive so much longer a silence that no timer ended one after this: the test goes on, unless that happens often.
    fn is_stray(&self, lasted_s: f64) -> bool {
        self.strays < STRAYS && self.ladder.bracket().1.is_none() && self.ladder.longest_lived() > lasted_s * 1.3 + 0.5
    }

    /// A silence is as good as proven to kill: the other sessions turn to what is still to be learnt.
    fn suspect(&mut self, probe: NextProbe, lasted: Duration, now: Instant) {
        let Some(length) = probe.length().filter(|_| probe.is_silence()) else { return };
        if self.dead(length.min(lasted.as_secs_f64())) {
            if probe.speaker() == Speaker::Server {
                self.ladder.contrast();
            }
            self.redirect_all(now);
        }
    }

    /// Notes that a silence of `length` seconds kills: requests the proof of the interval that follows. Returns true if
    /// that is news.
    fn dead(&mut self, length: f64) -> bool {
        let news = self.ladder.dead(length);
        if let (true, Some(interval)) = (news, interval(self.ladder.bracket().0)) {
            self.ladder.prove(interval);
        }
        news
    }

    fn redirect_all(&mut self, now: Instant) {
        let sessions: Vec<u32> = self.sessions.keys().copied().collect();
        for session in sessions {
            self.redirect(session, now);
        }
    }

    /// Changes the stretch under way on a session, where the plan wants another one by now. Nobody leaves for a death that may yet turn
    /// out to be a late answer.
    fn redirect(&mut self, session: u32, now: Instant) {
        let cut_at = self.cut_at();
        let Some(view) = self.sessions.get_mut(&session) else { return };
        let (Some(probe), Some(began), SessionState::Waiting) = (view.probe, view.began, &view.state) else { return };
        let age = now.saturating_duration_since(began).as_secs_f64();
        let redirect = if cut_at.is_some_and(|at| began <= at) && !matches!(probe, NextProbe::Keep(_)) {
            // Probed at once, it shows whether it is dead too; whoever was probed since is not.
            Redirect::To(age)
        } else {
            // With TCP keepalives it has to outlast the shortest silence that kills, whatever it was to outlast before.
            let goal = if view.role == Role::TcpKeepalive { NextProbe::Await } else { probe };
            self.ladder.redirect(goal, age)
        };
        let order = match redirect {
            Redirect::Stay => return,
            Redirect::Leave if !self.confirmed => return,
            Redirect::Leave => Order::Leave,
            Redirect::To(length) => {
                let probe = NextProbe::Silence(length);
                view.probe = Some(probe);
                Order::Probe(probe)
            }
        };
        if let Some(directive) = self.directives.get_mut(&session) {
            directive.order = order;
        }
    }

    /// Notes the result of a fresh connection: where none can be opened any more, the test is over.
    fn doubt(&mut self, finding: &Finding) {
        // What is noted of the path itself, the recorder has.
        if matches!(finding, Finding::NoPath { .. }) {
            self.finish();
        }
    }

    /// True if nothing is left to learn: the longest silence was survived, or a death is confirmed, its bracket narrowed and its keepalive
    /// proven or disproven.
    fn is_known(&self, now: Instant) -> bool {
        let (survived, died) = self.ladder.bracket();
        let any = |is: fn(&SessionView) -> bool| self.sessions.values().any(is);
        let reached = died.is_none() && survived >= 0.999 * self.longest - LATE_ACK_S;
        // One line of the server that did not come may have been late: a second one tells.
        let is_asked_again = self.ladder.is_one_unheard() && any(SessionView::may_hear);
        match died {
            None if is_asked_again => false,
            _ if reached => true,
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
                self.confirmed && !narrowing && (self.proven(died).is_some() || !self.proof_to_come())
            }
        }
    }

    /// The longest recommendable interval at which a session outlived a silence of `died` seconds that kills.
    fn proven(&self, died: f64) -> Option<u32> {
        // Whatever ends sessions without data has had the time to end this one too.
        let quiet = channel_quiet_at_death(&self.arms).unwrap_or_default();
        advice::proven(self.kept.proofs(), self.ladder.bracket().0, self.ladder.longest_lived().max(died).max(quiet))
    }

    /// True if a session is being kept at an interval that may yet be proven.
    fn proof_to_come(&self) -> bool {
        let most = interval(self.ladder.bracket().0);
        self.ladder.is_proving() || self.kept.any_within(most)
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
