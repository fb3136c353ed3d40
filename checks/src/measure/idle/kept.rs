//! The sessions that are kept alive: at which interval, since when, and whether they still answer. Pure.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::role::MAIN;
use crate::facts::idle::{Arm, Holds, Moves, SessionKind, StretchEnd, Times};

/// A session that is kept alive.
#[derive(Debug, Clone, Copy)]
struct Kept {
    interval: u32,
    since: Instant,
    last_answer: Option<Instant>,
}

/// All of them, by their numbers.
#[derive(Debug, Default)]
pub(super) struct KeptSessions {
    by_number: BTreeMap<u32, Kept>,
    /// The channel that each of them holds but the main one.
    holds: Holds,
}

impl KeptSessions {
    /// None yet, of sessions that hold this.
    pub(super) fn holding(holds: Holds) -> Self {
        Self { by_number: BTreeMap::new(), holds }
    }

    /// Returns the time since which a session is kept.
    pub(super) fn since(&self, session: u32) -> Option<Instant> {
        self.by_number.get(&session).map(|kept| kept.since)
    }

    /// Starts again with a session that is to be kept, on another connection; returns its interval.
    pub(super) fn begin_anew(&mut self, session: u32, now: Instant) -> Option<u32> {
        let kept = self.by_number.get_mut(&session)?;
        (kept.since, kept.last_answer) = (now, None);
        Some(kept.interval)
    }

    /// Keeps a session at an interval from `since` on, unless it is kept so already.
    pub(super) fn keep(&mut self, session: u32, interval: u32, since: Instant) {
        let kept = self.by_number.entry(session).or_insert(Kept { interval, since, last_answer: None });
        if kept.interval != interval {
            *kept = Kept { interval, since, last_answer: None };
        }
    }

    /// Keeps a session no longer; returns its interval.
    pub(super) fn drop(&mut self, session: u32) -> Option<u32> {
        self.by_number.remove(&session).map(|kept| kept.interval)
    }

    /// Notes an answer at the end of an interval that began at `began`.
    pub(super) fn answered(&mut self, session: u32, interval: u32, began: Instant, now: Instant) {
        let since = if self.by_number.contains_key(&session) { now } else { began };
        self.keep(session, interval, since);
        if let Some(kept) = self.by_number.get_mut(&session) {
            kept.last_answer = Some(now);
        }
    }

    /// The interval and the time of those that are like a session of the user's: the main one has no channel.
    pub(super) fn proofs(&self) -> impl Iterator<Item = (u32, f64)> {
        let with_channel = self.by_number.iter().filter(|(session, _)| **session != MAIN).map(|(_, kept)| kept);
        with_channel.filter_map(|kept| Some((kept.interval, kept.lasted()?.as_secs_f64())))
    }

    /// True if one of those is kept at this interval or a shorter one.
    pub(super) fn any_within(&self, most: Option<u32>) -> bool {
        self.by_number.iter().any(|(session, kept)| *session != MAIN && Some(kept.interval) <= most)
    }

    /// Returns their record at the end of a test that began at `began`, where an answer takes `rtt`.
    pub(super) fn arms(&self, began: Instant, rtt: Duration) -> impl Iterator<Item = Arm> {
        self.by_number.iter().filter_map(move |(session, kept)| kept.arm(*session, self.holds, began, rtt))
    }
}

impl Kept {
    fn lasted(&self) -> Option<Duration> {
        Some(self.last_answer? - self.since)
    }

    /// None where it was not kept for even its own interval, and has nothing to tell.
    fn arm(&self, session: u32, holds: Holds, began: Instant, rtt: Duration) -> Option<Arm> {
        let lasted_s = self.lasted()?.as_secs_f64();
        let (kind, holds) = match session {
            MAIN => (SessionKind::Main, Holds::Nothing),
            _ => (SessionKind::FirstRound, holds),
        };
        (lasted_s >= f64::from(self.interval)).then(|| {
            let started_s = self.since.saturating_duration_since(began).as_secs_f64();
            let end = StretchEnd::Alive { rtt_ms: rtt.as_secs_f64() * 1000.0 };
            let arm = Arm::new(session, kind, Moves::Keepalive, Times { started_s, lasted_s, age_s: lasted_s }, end);
            Arm { holds, interval_s: Some(self.interval), ..arm }
        })
    }
}
