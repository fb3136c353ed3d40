//! Which session is silent for how long: a pure plan that learns from every answer.
//!
//! A session that lived through a short silence can be silent again for a longer one, so a few sessions carry many rungs. A session
//! whose rung is also a sensible keepalive interval repeats it instead of climbing on: it is kept alive at that interval, and is the
//! proof of it when a longer silence kills.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// Keepalive intervals worth recommending, seconds.
const INTERVALS: [u32; 10] = [1, 2, 3, 5, 10, 15, 30, 60, 120, 240];
/// Each rung is at most this much longer than the one before: the bracket is then within 20 % of the longest survived silence.
const RATIO: f64 = 1.2;
/// The shortest silence worth testing, seconds.
const FIRST: f64 = 2.0;
/// Idle timers that products are known to have by default, seconds; a rung is never within 3 % of one, where the answer would be a race.
const KNOWN_TIMERS: [f64; 14] =
    [60.0, 120.0, 180.0, 240.0, 300.0, 350.0, 360.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0, 7200.0, 7440.0];
const RACE: f64 = 0.03;
/// The shortest silence after which the server is asked to speak, seconds: below it, rounding to whole seconds would blur the rungs.
const SERVER_FIRST: f64 = 5.5;
/// A kept session may be refreshed this much later than its interval says: its first silence is a rung, moved out of a race.
const KEPT_LEEWAY: f64 = 1.0 + RACE + 0.01;

/// What a session does next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    /// Be silent for this many seconds, then be probed.
    Silence(f64),
    /// Be silent for this many whole seconds, then hear a line of the server; be probed when it does not come.
    ServerFirst(u32),
    /// Be refreshed every so many seconds.
    Keep(u32),
    /// Be silent until something has died, and for a little longer than that took; then be probed.
    Await,
}

impl Goal {
    /// Seconds until the next word; none where that depends on others.
    pub(super) fn length(self) -> Option<f64> {
        match self {
            Self::Silence(length) => Some(length),
            Self::ServerFirst(seconds) | Self::Keep(seconds) => Some(f64::from(seconds)),
            Self::Await => None,
        }
    }

    /// Whether a line of the server that comes after so long is the one that was asked for.
    pub(super) fn is_due_to_hear(self, after: Duration) -> bool {
        // Half a second: what is asked for in whole seconds cannot come earlier than that.
        matches!(self, Self::ServerFirst(seconds) if after.as_secs_f64() > f64::from(seconds) - 0.5)
    }

    /// Whether it is a silence whose length is under test.
    pub(super) fn is_silence(self) -> bool {
        matches!(self, Self::Silence(_) | Self::ServerFirst(_))
    }
}

/// What a silent session should do once something has died.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Turn {
    /// Go on as planned.
    Stay,
    /// Be probed at this length instead.
    To(f64),
    /// Nothing more is to be learnt from it.
    Leave,
}

/// The plan.
#[derive(Debug)]
pub(super) struct Ladder {
    waiting: VecDeque<f64>,
    longest: f64,
    /// Whether the server can be asked to speak first.
    server_speaks: bool,
    spoke_last: bool,
    lived: Vec<f64>,
    survived: f64,
    unheard: Vec<f64>,
    asked_again: bool,
    died: Option<f64>,
    points: Vec<f64>,
    kept: BTreeSet<u32>,
    proving: Option<u32>,
}

impl Ladder {
    /// Rungs up to `longest` seconds; every other one lets the server speak first, where it can.
    pub(super) fn new(longest: f64, server_speaks: bool) -> Self {
        Self {
            waiting: rungs(longest).into(),
            longest,
            server_speaks,
            spoke_last: false,
            lived: Vec::new(),
            survived: 0.0,
            unheard: Vec::new(),
            asked_again: false,
            died: None,
            points: Vec::new(),
            kept: BTreeSet::new(),
            proving: None,
        }
    }

    /// What the session does next that has just lived through `last`.
    pub(super) fn next(&mut self, last: Option<Goal>) -> Option<Goal> {
        if self.died.is_some() {
            return last.filter(|last| matches!(last, Goal::Keep(_)));
        }
        if let Some(interval) = last.and_then(|last| self.worth_keeping(last)) {
            self.kept.insert(interval);
            return Some(Goal::Keep(interval));
        }
        if let Some(Goal::Keep(interval)) = last {
            self.kept.remove(&interval);
        }
        if let (true, Some(length)) = (self.is_one_unheard() && !self.asked_again, self.shortest_unheard()) {
            self.asked_again = true;
            return Some(Goal::ServerFirst(whole(length)));
        }
        while let Some(rung) = self.waiting.pop_front() {
            // A rung that another session has outlived has nothing to tell.
            if rung > self.survived {
                return Some(self.goal(rung));
            }
        }
        None
    }

    /// Who speaks first after this silence. A rung that may become a keepalive's proof is ended by our request, as a keepalive is.
    fn goal(&mut self, rung: f64) -> Goal {
        self.spoke_last = self.server_speaks && !self.spoke_last && rung >= SERVER_FIRST && interval_of(rung).is_none();
        if self.spoke_last { Goal::ServerFirst(whole(rung)) } else { Goal::Silence(rung) }
    }

    /// A session lived through a silence of `length` seconds.
    pub(super) fn alive(&mut self, length: f64) {
        self.lived.push(length);
        self.look_again();
    }

    /// Whether no rung is left to be tried.
    pub(super) fn is_climbed(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The longest silence is somebody else's task.
    pub(super) fn leave_out_longest(&mut self) {
        self.waiting.pop_back();
    }

    /// A silence of `length` seconds was not survived. Returns whether that narrows what is known.
    pub(super) fn dead(&mut self, length: f64) -> bool {
        if self.died.is_some_and(|died| died <= length) {
            return false;
        }
        self.died = Some(length);
        self.look_again();
        self.points = points_between(self.survived, length);
        true
    }

    /// What the server said first after `length` seconds was lost. One such line may have been late; returns whether there are two.
    pub(super) fn unheard(&mut self, length: f64) -> bool {
        self.unheard.push(length);
        self.unheard.len() > 1
    }

    /// Whether exactly one line of the server was not heard.
    pub(super) fn is_one_unheard(&self) -> bool {
        self.unheard.len() == 1
    }

    /// What killed was silence before the server's word: one is wanted that our own word ends, a little longer.
    pub(super) fn contrast(&mut self) {
        // Before all others: it tells what kind of loss it is.
        self.points.splice(0..0, self.died.map(longer));
    }

    /// The shortest silence after which the server was not heard, seconds.
    pub(super) fn shortest_unheard(&self) -> Option<f64> {
        self.unheard.iter().copied().min_by(f64::total_cmp)
    }

    /// The longest silence that was lived through and is shorter than what killed.
    fn look_again(&mut self) {
        let below = self.died.unwrap_or(f64::INFINITY);
        self.survived = self.lived.iter().copied().filter(|lived| *lived < below).fold(0.0, f64::max);
        let survived = self.survived;
        self.points.retain(|point| *point > survived);
    }

    /// A silence of `length` seconds could not be judged and is to be tried again; not the longest one, for want of time.
    pub(super) fn put_back(&mut self, length: f64) {
        if length < self.longest {
            self.waiting.push_front(length);
        }
    }

    /// What was taken for a death was not one.
    pub(super) fn undo_death(&mut self) {
        self.died = None;
        self.points.clear();
        self.look_again();
    }

    /// What a session does that is silent since `age` seconds, on the way to `goal`.
    pub(super) fn turn(&mut self, goal: Goal, age: f64) -> Turn {
        let (Some(died), false) = (self.died, matches!(goal, Goal::Keep(_))) else { return Turn::Stay };
        let Some(length) = goal.length() else { return Turn::To(longer(died)) };
        if length > self.survived && length < died {
            return Turn::Stay;
        }
        // More silence than a quarter of the timer is not worth a narrower bracket.
        let reachable = |point: &f64| *point > age && *point - age < (died / 4.0).max(8.0);
        match self.points.iter().position(reachable) {
            Some(index) => Turn::To(self.points.remove(index)),
            None => Turn::Leave,
        }
    }

    /// Asks for a session that proves this interval, unless one is kept at it already.
    pub(super) fn prove(&mut self, interval: u32) {
        if !self.kept.contains(&interval) {
            self.proving = Some(interval);
        }
    }

    /// Takes on the proof that is asked for, if one is.
    pub(super) fn take_proof(&mut self) -> Option<u32> {
        let interval = self.proving.take()?;
        self.kept.insert(interval);
        Some(interval)
    }

    /// Whether an interval waits for a session to prove it.
    pub(super) fn is_proving(&self) -> bool {
        self.proving.is_some()
    }

    /// The longest silence that was lived through and the shortest that was not, seconds.
    pub(super) fn bracket(&self) -> (f64, Option<f64>) {
        (self.survived, self.died)
    }

    /// The interval to be kept at, when nobody keeps it yet and it may still come to be recommended.
    fn worth_keeping(&self, last: Goal) -> Option<u32> {
        // What is recommended only grows with the silence that is survived.
        let least = interval(self.survived).unwrap_or_default();
        match last {
            Goal::Keep(interval) => Some(interval).filter(|interval| *interval >= least),
            Goal::Silence(length) => {
                interval_of(length).filter(|interval| *interval >= least && !self.kept.contains(interval))
            }
            Goal::ServerFirst(_) | Goal::Await => None,
        }
    }
}

/// The interval that a session would be kept at which lived through this silence and repeats it.
fn interval_of(length: f64) -> Option<u32> {
    INTERVALS.into_iter().find(|interval| {
        let interval = f64::from(*interval);
        length >= interval && length <= interval * KEPT_LEEWAY
    })
}

/// Seconds rounded to what every server's `sleep` understands.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rungs are positive and below a day")]
fn whole(seconds: f64) -> u32 {
    seconds.round() as u32
}

/// The interval to recommend when `survived` seconds of silence are proven to be lived through.
///
/// A third of it below two minutes, so that two keepalives in a row may be lost; half of it above, where a lost segment has long
/// been sent again; rounded down to a usual value.
pub(super) fn interval(survived: f64) -> Option<u32> {
    let most = survived / if survived < 120.0 { 3.0 } else { 2.0 };
    INTERVALS.into_iter().rfind(|interval| f64::from(*interval) <= most)
}

/// A silence that is surely longer than one that killed, seconds.
pub(super) fn longer(died: f64) -> f64 {
    died * 1.05 + 0.2
}

/// `ServerAliveCountMax` for an interval: a peer counts as dead after two minutes or more, interval x (count + 1) in OpenSSH's client.
pub(super) fn count_max(interval: u32) -> u32 {
    (120_u32.div_ceil(interval) - 1).max(3)
}

fn rungs(longest: f64) -> Vec<f64> {
    let mut rungs = Vec::new();
    let anchors = INTERVALS.into_iter().map(f64::from).filter(|anchor| *anchor >= FIRST).chain([longest]);
    let mut from = FIRST;
    for to in anchors {
        let steps = ((to / from).ln() / RATIO.ln()).ceil().max(0.0);
        let mut step = 0.0;
        while step < steps {
            rungs.push(from * (to / from).powf(step / steps));
            step += 1.0;
        }
        from = from.max(to);
    }
    let mut rungs: Vec<f64> = rungs.into_iter().map(out_of_race).filter(|rung| *rung < 0.97 * longest).collect();
    rungs.push(longest);
    rungs
}

/// Moves a rung above a known timer that it is too close to.
fn out_of_race(rung: f64) -> f64 {
    let near = KNOWN_TIMERS.into_iter().find(|timer| (rung / timer - 1.0).abs() < RACE);
    near.map_or(rung, |timer| timer * (1.0 + RACE))
}

/// Silences that tell most between one that was survived and one that was not: the two sides of a known timer, or else quarters.
fn points_between(survived: f64, died: f64) -> Vec<f64> {
    let inside = |point: &f64| *point > survived * 1.01 && *point < died * 0.99;
    let sides: Vec<f64> = KNOWN_TIMERS
        .into_iter()
        .flat_map(|timer| [timer * (1.0 - RACE), timer * (1.0 + RACE)])
        .filter(inside)
        .collect();
    if !sides.is_empty() {
        return sides;
    }
    [0.25, 0.5, 0.75].into_iter().map(|part| survived + part * (died - survived)).filter(inside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_rise_gently_to_the_longest_and_stay_out_of_races() {
        let rungs = rungs(360.0);
        assert!((rungs[0] - FIRST).abs() < 1e-9 && (rungs[rungs.len() - 1] - 360.0).abs() < 1e-9);
        for pair in rungs.windows(2) {
            assert!(pair[0] < pair[1] && pair[1] / pair[0] < 1.27, "{pair:?}");
        }
        let racing = |rung: f64| KNOWN_TIMERS.into_iter().any(|timer| (rung / timer - 1.0).abs() < RACE - 1e-9);
        assert!(!rungs[..rungs.len() - 1].iter().any(|rung| racing(*rung)));
        assert_eq!(super::rungs(1.0), [1.0]);
    }

    #[test]
    fn the_advice_leaves_room_for_lost_keepalives() {
        assert_eq!([5.0, 27.0, 60.0, 340.0, 2.0].map(interval), [Some(1), Some(5), Some(15), Some(120), None]);
        assert_eq!([1, 30, 60, 120].map(count_max), [119, 3, 3, 3]);
    }

    /// Plays a timer of `timer` seconds against the plan: the wall time until the bracket is known, the bracket, and who was kept.
    fn play(timer: f64, sessions: usize) -> (f64, Ladder) {
        let mut ladder = Ladder::new(360.0, true);
        ladder.leave_out_longest();
        let mut queue = vec![(360.0, Goal::Silence(360.0))];
        queue.extend((1..sessions).filter_map(|_| ladder.next(None)).map(|goal| (goal.length().unwrap(), goal)));
        loop {
            queue.sort_by(|a, b| b.0.total_cmp(&a.0));
            let Some((now, goal)) = queue.pop() else { break (360.0, ladder) };
            let length = goal.length().unwrap();
            if length >= timer {
                ladder.dead(length);
                queue.retain_mut(|(end, goal)| {
                    let length = goal.length().unwrap();
                    match ladder.turn(*goal, now - (*end - length)) {
                        Turn::Stay => goal.is_silence(),
                        Turn::To(point) => {
                            *end += point - length;
                            *goal = Goal::Silence(point);
                            true
                        }
                        Turn::Leave => false,
                    }
                });
            } else {
                ladder.alive(length);
                if let Some(next) = ladder.next(Some(goal)) {
                    queue.push((now + next.length().unwrap(), next));
                }
            }
            if (ladder.died.is_some() && queue.is_empty()) || ladder.survived >= 360.0 {
                break (now, ladder);
            }
        }
    }

    #[test]
    fn a_few_sessions_find_any_timer_in_little_more_than_its_own_length() {
        let timers = [2.5, 6.0, 14.0, 30.0, 58.0, 100.0, 240.0, 350.0];
        for (timer, sessions, most) in timers.into_iter().flat_map(|timer| [(timer, 10, 1.9), (timer, 14, 1.65)]) {
            let (wall, ladder) = play(timer, sessions);
            let (survived, Some(died)) = ladder.bracket() else { panic!("{timer} not found") };
            let kept = &ladder.kept;
            assert!(survived < timer && timer <= died, "{timer}: {survived}..{died}");
            assert!((died - survived) / timer < 0.2, "{timer}: {survived}..{died}");
            // A verdict takes 8 s; narrowing goes on beside it.
            assert!(wall < most * timer + 8.0, "{timer} with {sessions}: {wall}");
            if let Some(interval) = interval(survived) {
                assert!(interval == 1 || kept.contains(&interval), "{timer}: {interval} not in {kept:?}");
            }
        }
    }

    #[test]
    fn three_sessions_still_find_it() {
        let (survived, died) = play(30.0, 3).1.bracket();
        assert!(survived < 30.0 && died.unwrap() >= 30.0);
    }

    #[test]
    fn a_path_that_forgets_nothing_is_found_alive_at_the_longest() {
        let (survived, died) = play(1e9, 10).1.bracket();
        assert!((survived - 360.0).abs() < 1e-9 && died.is_none());
    }

    #[test]
    fn after_a_death_silent_sessions_turn_to_narrow_the_bracket() {
        let mut ladder = Ladder::new(360.0, true);
        ladder.alive(300.0);
        assert!(ladder.dead(360.5));
        assert_eq!(ladder.turn(Goal::ServerFirst(330), 100.0), Turn::Stay);
        let Turn::To(point) = ladder.turn(Goal::Silence(400.0), 290.0) else { panic!("not turned") };
        assert!(point > 300.0 && point < 360.5);
        assert_eq!(ladder.turn(Goal::Silence(400.0), 20.0), Turn::Leave);
        assert!(matches!(ladder.turn(Goal::Await, 20.0), Turn::To(due) if due > 360.5));
    }
}
