//! Deaths that are no timer's: of a session that was silent for less than others, and of those that are reset at random.
//!
//! A timer that ends sessions by itself leaves none that was silent for longer. So a session that ended unasked is no timer's while another
//! one has been silent for longer; where another one soon will be, it is waited for.

use std::time::Instant;

use super::TestState;
use crate::facts::connection::Manner;
use crate::facts::idle::chance::{ended_by_chance, ended_by_itself};
use crate::facts::idle::{Arm, Holds, Moves};
use crate::measure::idle::ladder::longer;
use crate::measure::idle::next_probe::{NextProbe, Redirect};
use crate::measure::idle::role::Role;
use crate::measure::idle::session_view::SessionView;
use crate::measure::idle::stretch::Stretch;
use crate::measure::progress::SessionState;

/// Sessions that end after less silence than others survive, and are no reason to end the test: more of them make a timer that is not
/// sharp, unless busy sessions are reset too.
pub(super) const STRAYS: u32 = 3;
/// A silence as long as that of the one that ended is waited for, if it is reached within this time; seconds.
const SOON: f64 = 6.0;

impl TestState {
    /// Takes in the times of resets that depend neither on silence nor on age, as far as they are known; a death that was one of them
    /// is none of a timer's.
    pub(in crate::measure::idle) fn resets_at_random(&mut self, at: &[Instant], now: Instant) {
        let times: Vec<f64> = at.iter().map(|at| at.saturating_duration_since(self.began).as_secs_f64()).collect();
        let is_known = std::mem::replace(&mut self.resets_s, times).len() == self.resets_s.len();
        let Some(died) = self.ladder.bracket().1.filter(|_| !is_known) else { return };
        let by_chance = ended_by_chance(&self.arms, &self.resets_s);
        let is_plain = |arm: &Arm| arm.holds != Holds::Shell || ended_by_itself(arm).is_none();
        let is_death = |arm: &Arm| arm.moves == Moves::Nothing && arm.death().is_some() && is_plain(arm);
        let deaths = std::iter::zip(&self.arms, by_chance).filter(|(arm, _)| is_death(arm));
        let (explained, others): (Vec<_>, Vec<_>) = deaths.partition(|(_, by_chance)| *by_chance);
        if !explained.iter().any(|(arm, _)| (arm.lasted_s - died).abs() < 0.01) {
            return;
        }
        let shortest = others.iter().map(|(arm, _)| arm.lasted_s).reduce(f64::min);
        self.withdraw_death();
        if let Some(length) = shortest {
            self.confirmed = true;
            self.dead(length);
        }
        self.redirect_all(now);
    }

    /// True if the session that ended is to be opened again: what ended it was no timer's.
    pub(super) fn begins_anew(&mut self, session: u32, stretch: &Stretch) -> bool {
        let at_random = !self.resets_s.is_empty() && stretch.has_ended_itself();
        let view = self.sessions.get_mut(&session);
        view.is_some_and(|view| std::mem::take(&mut view.begins_anew)) || at_random
    }

    /// True if it was reset at random, as others are: a session that was kept alive is again.
    pub(super) fn is_at_random(&self, arm: &Arm) -> bool {
        !self.resets_s.is_empty() && ended_by_itself(arm).is_some()
    }

    /// All stretches but those that resets at random ended.
    pub(super) fn not_by_chance(&self) -> Vec<Arm> {
        let by_chance = ended_by_chance(&self.arms, &self.resets_s);
        std::iter::zip(&self.arms, by_chance).filter(|(_, by_chance)| !by_chance).map(|(arm, _)| arm.clone()).collect()
    }

    /// True if others are reset at random, and too few were ended after as long a silence for a timer.
    pub(super) fn is_by_chance(&self, arm: &Arm) -> bool {
        let arms: Vec<Arm> = self.arms.iter().chain([arm]).cloned().collect();
        !self.resets_s.is_empty() && ended_by_chance(&arms, &self.resets_s).last() == Some(&true)
    }

    /// True if others were silent for so much longer that no timer ended one after this: the test goes on, unless that happens often.
    pub(super) fn is_stray(&self, arm: &Arm, now: Instant) -> bool {
        let much_longer = arm.lasted_s * 1.3 + 0.5;
        let is_silent_for_longer = |view: &SessionView| {
            // A server may have other limits for a shell; a reset says nothing of what a session holds.
            let is_like_it = view.role == Role::Ladder || ended_by_itself(arm) == Some(&Manner::Reset);
            is_like_it && silent_for(view, now).is_some_and(|age| age > much_longer)
        };
        let by_others = || ended_by_itself(arm).is_some() && self.sessions.values().any(is_silent_for_longer);
        let few = self.strays < STRAYS || !self.resets_s.is_empty();
        few && (self.ladder.longest_lived() > much_longer || by_others())
    }

    /// Takes in a silent session that ended by itself; whether it is to be waited for another one.
    pub(super) fn ended_alone(&mut self, lasted_s: f64, now: Instant) -> bool {
        match self.alone {
            // What a timer had ended before would not have left this one.
            Some(first) if lasted_s > longer(first) => self.withdraw_death(),
            Some(_) => {
                self.alone = None;
                return false;
            }
            None if self.ladder.bracket().1.is_some() => return false,
            None => {}
        }
        let soon = |view: &SessionView| silent_for(view, now).is_some_and(|age| longer(lasted_s) - age < SOON);
        let waits = self.sessions.values().any(soon);
        self.alone = waits.then_some(lasted_s);
        waits
    }

    /// Takes in a silent session that lived, or was dropped without a word, after so long: whether what had ended alone before was no timer's.
    pub(super) fn outlasted(&mut self, lasted_s: f64) -> bool {
        let is_stray = self.alone.is_some_and(|first| lasted_s > longer(first) - 0.05);
        if is_stray {
            self.withdraw_death();
            self.strays += 1;
        }
        is_stray
    }

    /// The death that was known is none of a timer's.
    fn withdraw_death(&mut self) {
        self.alone = None;
        self.confirmed = false;
        self.undo_death();
    }

    /// Confirms the death of one that ended alone, where nobody is left who could be silent for as long soon.
    pub(super) fn confirm_alone(&mut self, now: Instant) {
        let Some(first) = self.alone else { return };
        let may_tell = |view: &SessionView| {
            let asked = matches!(view.state, SessionState::Probing) && !view.is_gone && view.is_silent();
            asked || silent_for(view, now).is_some_and(|age| longer(first) - age < SOON)
        };
        if !self.sessions.values().any(may_tell) {
            self.alone = None;
            self.confirmed = true;
            self.redirect_all(now);
        }
    }
}

/// Seconds for which a session has been silent, unless it is in doubt.
fn silent_for(view: &SessionView, now: Instant) -> Option<f64> {
    let is_silent = matches!(view.role, Role::Ladder | Role::Longest(_)) && view.moves() == Some(Moves::Nothing);
    let waits = is_silent && !view.is_gone && matches!(view.state, SessionState::Waiting);
    view.began.filter(|_| waits).map(|began| now.saturating_duration_since(began).as_secs_f64())
}

/// Returns the change for a session that has been silent for `age` seconds on the way to `goal`, while one that ended alone after `first`
/// waits for another.
pub(super) fn wait_for_another(first: f64, goal: NextProbe, age: f64) -> Redirect {
    let is_silent = !matches!(goal, NextProbe::Keep(_) | NextProbe::Await);
    if is_silent && longer(first) - age < SOON { Redirect::To(longer(first).max(age)) } else { Redirect::Stay }
}
