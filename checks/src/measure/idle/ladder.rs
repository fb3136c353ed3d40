//! The silences of each session: a pure plan that learns from every answer.
//!
//! A session that survived a short silence can be silent again for a longer one, so a few sessions carry many rungs. A session
//! whose rung is also a sensible keepalive interval repeats it instead of climbing on: it is kept alive at that interval, and is the
//! proof of it when a longer silence kills. When something dies, the other sessions have been silent for about as long, each a little
//! less than the one before: asked at once, they narrow the bracket without another wait.

use std::collections::{BTreeSet, VecDeque};

use super::next_probe::{NextProbe, Redirect};
use super::rungs::{RACE, between, rungs};
use crate::facts::idle::Speaker;
use crate::facts::idle::advice::{INTERVALS, interval};

/// Fewer sessions than this climb gently: there are none to narrow the bracket afterwards.
const MIN_SESSIONS_TO_KEEP: usize = 7;
/// A bracket whose width is less than this part of what killed is not worth another wait.
const NARROW: f64 = 0.2;
/// A bracket whose width is more than this part of what killed is worth another wait, where sessions are still to be opened.
const WIDE: f64 = 0.3;
/// Another answer costs no time within the verdict on what died, seconds.
const FREE: f64 = 6.0;
/// The shortest silence after which the server is asked to speak, seconds: below it, rounding to whole seconds would blur the rungs.
const SERVER_FIRST: f64 = 9.5;
/// A kept session may be refreshed for the first time this much later than its interval says: its first silence is a rung.
const KEPT_LEEWAY: (f64, f64) = (1.04, 0.3);

/// The plan.
#[derive(Debug)]
pub(super) struct Ladder {
    waiting: VecDeque<f64>,
    /// True if sessions are kept alive beside the ladder: few all climb, and the proof comes last.
    keeps: bool,
    longest: f64,
    /// True if the server can be asked to speak first.
    server_speaks: bool,
    spoke_last: bool,
    /// The idle times that were survived, and who ended them.
    lived: Vec<(f64, Speaker)>,
    survived: f64,
    unheard: Vec<f64>,
    asked_again: bool,
    died: Option<f64>,
    points: Vec<f64>,
    /// Those that a session opened for them has taken.
    questions: Vec<f64>,
    kept: BTreeSet<u32>,
    proving: Option<u32>,
    /// True if another session is silent for the longest time.
    longest_is_left_out: bool,
    /// The silence that ended the session with a terminal, while it is open whether it ends one without, seconds.
    compared: Option<f64>,
}

impl Ladder {
    /// Rungs up to `longest` seconds for this many sessions; every other one lets the server speak first, where it can.
    pub(super) fn new(longest: f64, sessions: usize, server_speaks: bool) -> Self {
        Self {
            waiting: rungs(longest, sessions < MIN_SESSIONS_TO_KEEP).into(),
            keeps: sessions >= MIN_SESSIONS_TO_KEEP,
            longest,
            server_speaks,
            spoke_last: false,
            lived: Vec::new(),
            survived: 0.0,
            unheard: Vec::new(),
            asked_again: false,
            died: None,
            points: Vec::new(),
            questions: Vec::new(),
            kept: BTreeSet::new(),
            proving: None,
            longest_is_left_out: false,
            compared: None,
        }
    }

    /// Keeps sessions alive beside the ladder only where this many climb by now.
    pub(super) fn climbed_by(&mut self, sessions: usize) {
        self.keeps = sessions >= MIN_SESSIONS_TO_KEEP;
    }

    /// Returns the next probe of a session that has just survived `last`.
    pub(super) fn next(&mut self, last: Option<NextProbe>) -> Option<NextProbe> {
        if self.died.is_some() {
            return last.filter(|last| matches!(last, NextProbe::Keep(_)));
        }
        if !matches!(last, Some(NextProbe::Keep(_)))
            && let Some(length) = self.take_comparison()
        {
            return Some(NextProbe::Silence(length));
        }
        if let Some(interval) = last.and_then(|last| self.worth_keeping(last)) {
            self.kept.insert(interval);
            return Some(NextProbe::Keep(interval));
        }
        if let Some(NextProbe::Keep(interval)) = last {
            self.kept.remove(&interval);
        }
        if let (true, Some(length)) = (self.is_one_unheard() && !self.asked_again, self.shortest_unheard()) {
            self.asked_again = true;
            return Some(NextProbe::ServerFirst(whole(length)));
        }
        match self.waiting_rung() {
            Some(rung) => Some(self.goal(rung)),
            None => last.map(|_| NextProbe::Linger),
        }
    }

    /// Takes the next rung that waits, while no silence has killed; one that another session has outlived has nothing to tell.
    fn waiting_rung(&mut self) -> Option<f64> {
        while let (None, Some(rung)) = (self.died, self.waiting.pop_front()) {
            if rung > self.survived {
                return Some(rung);
            }
        }
        None
    }

    /// The party that speaks first after this silence. A rung that may become a keepalive's proof is ended by our request, as a keepalive is.
    fn goal(&mut self, rung: f64) -> NextProbe {
        self.spoke_last = self.server_speaks && !self.spoke_last && rung >= SERVER_FIRST && interval_of(rung).is_none();
        if self.spoke_last { NextProbe::ServerFirst(whole(rung)) } else { NextProbe::Silence(rung) }
    }

    /// A session survived a silence of `length` seconds that `by` ended.
    pub(super) fn alive(&mut self, length: f64, by: Speaker) {
        self.lived.push((length, by));
        let is_again = |unheard: f64| by == Speaker::Server && length > unheard - 0.5;
        if self.asked_again && self.shortest_unheard().is_some_and(is_again) {
            // The line that was lost was a late one.
            self.unheard.clear();
            self.asked_again = false;
        }
        self.look_again();
    }

    /// The session with a terminal was ended after this many seconds: a session without one is to be silent for longer.
    pub(super) fn compare(&mut self, length: f64) {
        self.compared = Some(length);
    }

    /// True if that is still to be done.
    pub(super) fn compares(&self) -> bool {
        self.compared.is_some_and(|ended| ended > self.survived)
    }

    /// Takes on that comparison: how long to be silent for it.
    fn take_comparison(&mut self) -> Option<f64> {
        let needed = self.died.is_none() && self.compares();
        self.compared.take_if(|_| needed).map(longer)
    }

    /// True if no rung is left to be tried.
    pub(super) fn is_climbed(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The longest silence is somebody else's task.
    pub(super) fn leave_out_longest(&mut self) {
        self.waiting.pop_back();
        self.longest_is_left_out = true;
    }

    /// It is the ladder's task after all.
    pub(super) fn take_longest_back(&mut self) {
        if std::mem::take(&mut self.longest_is_left_out) {
            self.waiting.push_back(self.longest);
        }
    }

    /// A silence of `length` seconds was not survived. Returns whether that narrows what is known.
    pub(super) fn dead(&mut self, length: f64) -> bool {
        if self.died.is_some_and(|died| died <= length) {
            return false;
        }
        self.died = Some(length);
        self.look_again();
        self.points = between(self.lived_by(&[Speaker::Client]), length);
        true
    }

    /// Notes that the server's first data after `length` seconds was lost. One such line may have been late; returns
    /// true if there are two.
    pub(super) fn unheard(&mut self, length: f64) -> bool {
        self.unheard.push(length);
        self.unheard.len() > 1
    }

    /// True if exactly one line of the server was not heard.
    pub(super) fn is_one_unheard(&self) -> bool {
        self.unheard.len() == 1
    }

    /// Plans a slightly longer silence that our own data ends, since one that the server's data ended was fatal.
    pub(super) fn contrast(&mut self) {
        // Before all others: it tells what kind of loss it is.
        self.points.splice(0..0, self.died.map(longer));
    }

    /// The shortest silence after which the server was not heard, seconds.
    pub(super) fn shortest_unheard(&self) -> Option<f64> {
        self.unheard.iter().copied().min_by(f64::total_cmp)
    }

    /// True if a session that is yet to be opened has a silence to try: one that our own data ends where the server's was fatal, or one that
    /// narrows a wide bracket.
    pub(super) fn has_question(&self) -> bool {
        self.question().is_some()
    }

    /// Takes such a silence.
    pub(super) fn take_question(&mut self) -> Option<f64> {
        let length = self.question().map(|index| self.points.remove(index))?;
        self.questions.push(length);
        Some(length)
    }

    fn question(&self) -> Option<usize> {
        let died = self.died?;
        if self.points.first().is_some_and(|point| *point > died) {
            return Some(0);
        }
        let is_wide = died - self.survived > WIDE * died;
        (is_wide && !self.points.is_empty()).then_some(self.points.len() / 2)
    }

    /// The longest idle time that was survived and is shorter than what killed.
    fn look_again(&mut self) {
        self.survived = self.lived_by(&[Speaker::Client, Speaker::Server]);
        let ours = self.lived_by(&[Speaker::Client]);
        self.points.retain(|point| *point > ours);
    }

    /// The longest survived silence that one of these ended, seconds.
    fn lived_by(&self, speakers: &[Speaker]) -> f64 {
        let below = self.died.unwrap_or(f64::INFINITY);
        let lived = self.lived.iter().filter(|(lived, by)| *lived < below && speakers.contains(by));
        lived.map(|(lived, _)| *lived).fold(0.0, f64::max)
    }

    /// The longest idle time that was survived, longer than what killed or not.
    pub(super) fn longest_lived(&self) -> f64 {
        self.lived.iter().map(|(lived, _)| *lived).fold(0.0, f64::max)
    }

    /// A silence of `length` seconds could not be judged and is to be tried again; whoever is to be silent for the longest time tries again by
    /// itself.
    pub(super) fn put_back(&mut self, length: f64) {
        if length < self.longest || !self.longest_is_left_out {
            let shorter = self.waiting.iter().take_while(|rung| **rung < length).count();
            self.waiting.insert(shorter, length);
        }
    }

    /// Withdraws a death that was not one.
    pub(super) fn undo_death(&mut self) {
        (self.died, self.proving) = (None, None);
        // Whoever was to ask again may have left.
        self.asked_again = false;
        self.points.clear();
        self.look_again();
    }

    /// Returns the change for a session that has been silent for `age` seconds, on the way to `goal`.
    pub(super) fn redirect(&mut self, goal: NextProbe, age: f64) -> Redirect {
        let asks_again = self.died.is_none() && self.is_one_unheard() && !self.asked_again;
        if asks_again && goal == NextProbe::Linger {
            return Redirect::To(age);
        }
        if goal == NextProbe::Linger
            && let Some(length) = self.take_comparison()
        {
            return Redirect::To(length.max(age));
        }
        if goal == NextProbe::Linger
            && let Some(rung) = self.waiting_rung()
        {
            return Redirect::To(rung.max(age));
        }
        let (Some(died), false) = (self.died, matches!(goal, NextProbe::Keep(_))) else { return Redirect::Stay };
        if goal == NextProbe::Await {
            return Redirect::To(longer(died));
        }
        let inside = |length: f64| length > self.survived && length < died;
        // Where the server's word was heard after a silence, ours may still come too late.
        let ours = self.lived_by(&[Speaker::Client]);
        let is_asked = |length: f64| self.questions.contains(&length) && (inside(length) || length > died);
        if goal.length().is_some_and(is_asked) {
            return Redirect::Stay;
        }
        let soon = FREE.max(if self.is_narrow() { 0.0 } else { died / 4.0 });
        if goal.length().is_some_and(|length| inside(length) && length - age < soon) {
            return Redirect::Stay;
        }
        match self.points.iter().position(|point| *point > age && *point - age < soon) {
            Some(index) => Redirect::To(self.points.remove(index)),
            // It costs nothing to ask it now.
            None if age > ours && age < died * (1.0 - RACE.0) => Redirect::To(age),
            // One that will have been silent for longer shows whether that surely kills.
            None if longer(died) - age < FREE => Redirect::To(longer(died).max(age)),
            None => Redirect::Leave,
        }
    }

    /// True if the bracket is narrow enough.
    pub(super) fn is_narrow(&self) -> bool {
        self.died.is_some_and(|died| died - self.survived < NARROW * died)
    }

    /// Asks for a session that proves this interval, unless one is kept at it already.
    pub(super) fn prove(&mut self, interval: u32) {
        if !self.kept.contains(&interval) {
            self.proving = Some(interval);
        }
    }

    /// No session is kept at this interval any more.
    pub(super) fn unkeep(&mut self, interval: u32) {
        self.kept.remove(&interval);
    }

    /// Takes on the proof that is asked for, if one is.
    pub(super) fn take_proof(&mut self) -> Option<u32> {
        let interval = self.proving.take()?;
        self.kept.insert(interval);
        Some(interval)
    }

    /// True if an interval waits for a session to prove it.
    pub(super) fn is_proving(&self) -> bool {
        self.proving.is_some()
    }

    /// The longest idle time that was survived and the shortest that was not, seconds.
    pub(super) fn bracket(&self) -> (f64, Option<f64>) {
        (self.survived, self.died)
    }

    /// Returns the interval to keep a session at, if none is kept at it yet and it may still come to be recommended.
    fn worth_keeping(&self, last: NextProbe) -> Option<u32> {
        // What is recommended only grows with the silence that is survived.
        let least = interval(self.survived).unwrap_or_default();
        match last {
            NextProbe::Keep(interval) => Some(interval).filter(|interval| *interval >= least),
            NextProbe::Silence(length) if self.keeps => {
                interval_of(length).filter(|interval| *interval >= least && !self.kept.contains(interval))
            }
            _ => None,
        }
    }
}

/// The interval that a session would be kept at which survived this silence and repeats it.
fn interval_of(length: f64) -> Option<u32> {
    INTERVALS.into_iter().find(|interval| {
        let interval = f64::from(*interval);
        length >= interval && length <= (interval * KEPT_LEEWAY.0).max(interval + KEPT_LEEWAY.1)
    })
}

/// Whole seconds, which every server's `sleep` understands, and no fewer.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rungs are positive and of days at most")]
fn whole(seconds: f64) -> u32 {
    seconds.ceil() as u32
}

/// A silence that is surely longer than one that killed, seconds.
pub(super) fn longer(died: f64) -> f64 {
    died * 1.05 + 0.2
}

#[cfg(test)]
mod tests;
