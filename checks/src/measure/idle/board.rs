//! Where the sessions of a test note what they see, and learn what to do next.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::control::{Control, Finding};
use super::goal::{Goal, Turn};
use super::ladder::{Ladder, longer};
use super::lane::Shown;
use super::notes::{Kept, Notes};
use super::session::DATA_INTERVAL;
use crate::base::text::seconds;
use crate::facts::idle::{Arm, AtDeath, End, Facts, Moves, Outage, Speaker};
use crate::measure::progress::{Event, IdleState, LaneState, Progress};
use crate::ssh::wait;

/// The board.
pub(super) struct Board {
    began: Instant,
    longest: f64,
    noted: Mutex<Notes>,
    /// Counts the changes that make silent sessions think again.
    changed: watch::Sender<u64>,
    /// Tells that something was noted.
    news: Notify,
    over: watch::Sender<bool>,
}

impl Board {
    /// An empty board for silences of up to `longest` seconds.
    pub(super) fn new(longest: f64, sessions: usize, server_speaks: bool) -> Self {
        let noted = Notes::new(Ladder::new(longest, sessions, server_speaks));
        let (changed, _) = watch::channel(0);
        let (over, _) = watch::channel(false);
        Self { began: Instant::now(), longest, noted: Mutex::new(noted), changed, news: Notify::new(), over }
    }

    fn noted(&self) -> MutexGuard<'_, Notes> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds from the start of the test to `at`.
    pub(super) fn since_start(&self, at: Instant) -> f64 {
        at.saturating_duration_since(self.began).as_secs_f64()
    }

    /// What a session does next that has just lived through `last`.
    pub(super) fn next(&self, session: u32, last: Option<Goal>) -> Option<Goal> {
        if self.is_finished() {
            return None;
        }
        self.noted().next(session, last)
    }

    /// A session answered at the end of `goal`, or the server spoke.
    pub(super) fn answered(&self, session: u32, goal: Goal, moves: Moves, began: Instant, rtt: Duration) {
        self.noted().answered(session, goal, moves, began, rtt);
        self.news.notify_waiters();
        self.finish_when_known();
    }

    /// Whether any session answers after that moment; waits for the next word of the session that has data.
    pub(super) async fn answers_after(&self, moment: Instant) -> bool {
        let patience = Duration::from_secs(u64::from(DATA_INTERVAL) + 1);
        let has_answered = || self.noted().last_answer.filter(|answer| *answer > moment).map(drop);
        timeout(patience, self.noticed(has_answered)).await.is_ok()
    }

    /// What `look` finds, once something was noted that lets it find something.
    pub(super) async fn noticed<T>(&self, look: impl Fn() -> Option<T>) -> T {
        wait::until(&self.news, look).await
    }

    /// The shortest time that an answer took so far.
    pub(super) fn rtt(&self) -> Duration {
        self.noted().rtt.unwrap_or_default()
    }

    /// Since when a session is kept at its interval.
    pub(super) fn kept_since(&self, session: u32) -> Option<Instant> {
        self.noted().kept.get(&session).map(|kept| kept.since)
    }

    /// The session's request is under way.
    pub(super) fn asked(&self, session: u32) {
        if let Some(lane) = self.noted().lanes.get_mut(&session) {
            lane.state = LaneState::Probing;
        }
    }

    /// One session is silent for the longest time from the start: the ladder need not get there.
    pub(super) fn leave_out_longest(&self) {
        self.noted().ladder.leave_out_longest();
    }

    /// That session could not be had.
    pub(super) fn take_longest_back(&self) {
        self.noted().ladder.take_longest_back();
    }

    /// A session takes part.
    pub(super) fn joined(&self) {
        let mut noted = self.noted();
        noted.sessions += 1;
        noted.opening += 1;
    }

    /// A session that takes part is open, or cannot be.
    pub(super) fn opened(&self) {
        let mut noted = self.noted();
        noted.opening = noted.opening.saturating_sub(1);
    }

    /// A session no longer takes part; the last one ends the test.
    pub(super) fn left(&self) {
        let mut noted = self.noted();
        noted.sessions -= 1;
        let last = noted.sessions == 0;
        drop(noted);
        self.news.notify_waiters();
        if last {
            self.finish();
        }
    }

    /// Takes on the proof of a keepalive with a session yet to be opened, if one is asked for.
    pub(super) fn take_proof(&self, session: u32) -> bool {
        if self.is_finished() {
            return false;
        }
        let mut noted = self.noted();
        let Some(interval) = noted.ladder.take_proof() else { return false };
        noted.kept.insert(session, Kept { interval, since: Instant::now(), last_answer: None });
        true
    }

    /// A silence is as good as proven to kill: the other sessions turn to what is still to be learnt.
    pub(super) fn suspect(&self, goal: Goal, lasted: Duration) {
        let Some(length) = goal.length().filter(|_| goal.is_silence()) else { return };
        let mut noted = self.noted();
        let turn = noted.dead(length.min(lasted.as_secs_f64()));
        if turn && goal.speaker() == Speaker::Server {
            noted.ladder.contrast();
        }
        drop(noted);
        if turn {
            self.changed.send_modify(|count| *count += 1);
        }
    }

    /// The session with a terminal ended by itself after so long a silence: whether one without does so too is to be seen.
    pub(super) fn terminal_ended(&self, lasted: Duration) {
        self.noted().ladder.compare(lasted.as_secs_f64());
        self.changed.send_modify(|count| *count += 1);
    }

    /// The answer came after all.
    pub(super) fn unsuspect(&self, goal: Goal) {
        let mut noted = self.noted();
        if goal.is_silence() && !noted.confirmed {
            noted.ladder.undo_death();
        }
    }

    /// What a session should do now. Nobody leaves for a death that may yet turn out to be a late answer.
    pub(super) fn turn(&self, goal: Goal, age: Duration) -> Turn {
        let mut noted = self.noted();
        match noted.ladder.turn(goal, age.as_secs_f64()) {
            Turn::Leave if !noted.confirmed => Turn::Stay,
            turn => turn,
        }
    }

    /// Notes a finding that forbids a verdict.
    pub(super) fn doubtful(&self, finding: Finding) -> End {
        let why = match finding {
            Finding::Disturbed { outage: (from, to) } => {
                self.outage(from, Some(to));
                "the path was disturbed: a fresh connection could not be had at once".to_owned()
            }
            Finding::NoPath { since, why } => {
                self.outage(since, None);
                self.finish();
                format!("no fresh connection could be had any more: {why}")
            }
            Finding::Refused(why) => format!("the server turned a fresh connection away: {why}"),
            Finding::Fine { .. } => "a fresh connection worked".to_owned(),
        };
        End::Void { why }
    }

    fn outage(&self, from: Instant, to: Option<Instant>) {
        let outage = Outage { started_s: self.since_start(from), ended_s: to.map(|to| self.since_start(to)) };
        let mut noted = self.noted();
        if !noted.outages.contains(&outage) {
            noted.outages.push(outage);
        }
    }

    /// Notes how the connections to the hops were at a death.
    pub(super) fn note_legs(&self, states: Vec<AtDeath>) {
        self.noted().legs.extend(states);
    }

    /// Notes the end of a stretch.
    pub(super) fn record(&self, arm: Arm) {
        let turn = self.noted().record(arm);
        self.news.notify_waiters();
        if turn {
            self.changed.send_modify(|count| *count += 1);
        }
        self.finish_when_known();
    }

    /// Notes the processes that a session has on the server.
    pub(super) fn started(&self, pids: Option<(u32, u32)>) {
        self.noted().started.extend(pids);
    }

    /// The processes of every session that there was.
    pub(super) fn processes(&self) -> Vec<(u32, u32)> {
        self.noted().started.clone()
    }

    /// A session could not be opened.
    pub(super) fn not_opened(&self, why: String) {
        self.noted().not_opened.push(why);
    }

    /// Tells when silent sessions should think again.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Returns, when a silence is as good as proven to kill, one that is surely longer; when the test ends without that, none at all.
    pub(super) async fn longer_than_killed(&self) -> Duration {
        let mut changes = self.changed.subscribe();
        loop {
            match self.died() {
                Some(died) => return Duration::from_secs_f64(longer(died)),
                None if self.is_finished() => return Duration::ZERO,
                None => {}
            }
            if changes.changed().await.is_err() {
                return Duration::ZERO;
            }
        }
    }

    /// The session that only TCP keepalives refresh, once it has been asked; none where there is none, or the test was over first.
    pub(super) async fn kernel_keepalive(&self) -> Option<Arm> {
        let asked = |arm: &&Arm| arm.moves == Moves::TcpKeepalive && arm.end != End::Open;
        let found = || {
            let over = self.is_finished();
            let arm = self.noted().arms.iter().find(asked).cloned();
            (over || arm.is_some()).then_some(arm)
        };
        self.noticed(found).await
    }

    /// Sessions of the ladder that are still held.
    pub(super) fn climbing(&self) -> usize {
        usize::try_from(self.noted().sessions).unwrap_or(usize::MAX)
    }

    /// The longest silence that was lived through, seconds.
    pub(super) fn survived(&self) -> f64 {
        self.noted().ladder.bracket().0
    }

    /// Whether a keepalive is proven against the silence that kills.
    pub(super) fn is_kept(&self) -> bool {
        let noted = self.noted();
        noted.ladder.bracket().1.is_some_and(|died| noted.proven(died).is_some())
    }

    /// Since the test began.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The shortest silence that killed, seconds.
    pub(super) fn died(&self) -> Option<f64> {
        self.noted().ladder.bracket().1
    }

    /// Ends the test.
    pub(super) fn finish(&self) {
        self.over.send_replace(true);
        self.news.notify_waiters();
        self.changed.send_modify(|count| *count += 1);
    }

    /// Whether the test is over.
    pub(super) fn is_finished(&self) -> bool {
        *self.over.borrow()
    }

    /// Returns when the test is over.
    pub(super) async fn finished(&self) {
        let mut over = self.over.subscribe();
        let _ = over.wait_for(|over| *over).await;
    }

    /// Ends the test as soon as nothing is left to learn.
    fn finish_when_known(&self) {
        let known = self.noted().is_known(self.longest);
        if known {
            self.finish();
        }
    }

    /// Shows where a session stands.
    pub(super) fn lane(&self, session: u32, goal: Goal, moves: Moves, began: Option<Instant>) {
        self.noted().lanes.insert(session, Shown { goal, moves, began, state: LaneState::Waiting });
    }

    /// Tells the onlooker.
    pub(super) fn tell(&self, progress: &Progress) {
        let elapsed = self.began.elapsed();
        let noted = self.noted();
        let (_, died) = noted.ladder.bracket();
        let phase = match died {
            None => "looking for a silence that kills".to_owned(),
            Some(died) => format!("{} of silence killed; proving a keepalive", seconds(died)),
        };
        // Once something has died, it takes as long as the proof: nobody knows how long yet.
        let left = died.map_or(Duration::from_secs_f64(self.longest), |_| Duration::ZERO).saturating_sub(elapsed);
        let lanes = noted.lanes.values().map(Shown::lane).collect();
        drop(noted);
        progress.tell(Event::Idle(IdleState { phase, elapsed, left, lanes }));
    }

    /// All that was seen.
    pub(super) fn facts(&self, longest: f64, complete: bool, control: &Control) -> Facts {
        Facts {
            longest_s: longest,
            elapsed_s: self.elapsed().as_secs_f64(),
            complete,
            controls: control.opened(),
            ..self.noted().facts(self.began)
        }
    }
}
