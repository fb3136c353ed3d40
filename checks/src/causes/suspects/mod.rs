//! Middleboxes and services that are known to end idle or old sessions: which of them fit what was measured.
//!
//! A number alone identifies nothing: the bracket has to be narrow, the manner of the death has to fit, and so has what the other arms
//! of the idle test say. What is left is offered as "consistent with", never as the answer.

mod seen;
mod suspect;
mod table;

pub(crate) use seen::Seen;
pub(crate) use suspect::SuspectEnding;
pub use suspect::{Clock, Suspect, SuspectKind};

use crate::facts::Evidence;
use crate::facts::idle::Arm;

/// The width of a bracket, as a share of its upper end, above which no suspect is named.
const WIDEST: f64 = 0.25;
/// Clocks, sweepers and round trips move a death by about this share of the timer.
const SLACK: f64 = 0.02;

/// The suspects that fit the idle timer in the evidence; none where there is no timer, or where its bracket is too wide.
#[must_use]
pub fn of(evidence: &Evidence) -> Vec<&'static Suspect> {
    Seen::of(evidence).map(|seen| consistent_with(&seen)).unwrap_or_default()
}

/// The suspects that fit the age at which this session was ended, although data moved on it.
#[must_use]
pub fn of_age(evidence: &Evidence, arm: &Arm) -> Vec<&'static Suspect> {
    Seen::of_age(evidence, arm).map(|seen| consistent_with(&seen)).unwrap_or_default()
}

/// All of them, the shortest timers first.
pub fn all() -> impl Iterator<Item = &'static Suspect> {
    table::SUSPECTS.iter()
}

/// The suspects that fit in every respect that was measured.
#[must_use]
pub fn consistent_with(seen: &Seen) -> Vec<&'static Suspect> {
    table::SUSPECTS.iter().filter(|suspect| fits(suspect, seen)).collect()
}

fn fits(suspect: &Suspect, seen: &Seen) -> bool {
    let (Some(survived), Some(died)) = (seen.bracket.survived_s, seen.bracket.died_s) else { return false };
    let limit = f64::from(suspect.limit_s);
    let narrow = survived > 0.0 && survived < died && (died - survived) / died <= WIDEST;
    let inside = limit * (1.0 + SLACK) > survived && limit * (1.0 - SLACK) <= died;
    let kind = match seen.tcp_keepalive_held {
        Some(held) if suspect.clock == Clock::Idle => held == (suspect.kind == SuspectKind::Table),
        _ => true,
    };
    let revival = !suspect.revived_by_server || seen.server_heard != Some(false);
    let version = suspect.version.is_none_or(|part| seen.version.is_some_and(|line| line.contains(part)));
    suspect.clock == seen.clock
        && narrow
        && inside
        && suspect.endings.contains(&seen.ending)
        && kind
        && revival
        && version
}

#[cfg(test)]
mod tests;
