//! The idle times of the silent session: longer and longer until one kills it, then closer and closer to the path's timer. Pure.

use std::time::{Duration, Instant};

/// The first idle time.
const FIRST: Duration = Duration::from_secs(15);
/// The longest that survived and the shortest that did not are close enough at this ratio.
const CLOSE: f64 = 1.15;
/// Deaths at one idle time after which it is only tested now and then.
const CONFIRMED: u32 = 3;
/// The time between two such tests.
const REST: Duration = Duration::from_mins(30);

/// The results of the silent session so far.
#[derive(Debug, Clone)]
pub(super) struct IdleLadder {
    longest: Duration,
    survived: Duration,
    died: Option<Duration>,
    /// Deaths since the two are close, and the last one.
    confirmed: u32,
    last_death: Option<Instant>,
}

impl IdleLadder {
    /// A ladder up to this idle time.
    pub(super) fn new(longest: Duration) -> Self {
        Self { longest, survived: Duration::ZERO, died: None, confirmed: 0, last_death: None }
    }

    /// The next idle time to test.
    pub(super) fn next(&self, now: Instant) -> Duration {
        let first = FIRST.min(self.longest);
        let Some(died) = self.died else { return (self.survived * 2).clamp(first, self.longest) };
        if !self.is_close() {
            let middle = (self.survived.max(died / 8).as_secs_f64() * died.as_secs_f64()).sqrt();
            return Duration::from_secs_f64(middle);
        }
        let rests = self.last_death.is_some_and(|death| now.saturating_duration_since(death) < REST);
        if self.confirmed >= CONFIRMED && rests { self.survived.max(first.min(died / 2)) } else { died }
    }

    /// The longest idle time that is known to be survived; `None` as long as none has killed.
    pub(super) fn outlived(&self) -> Option<Duration> {
        self.died.map(|died| if self.survived.is_zero() { died / 2 } else { self.survived })
    }

    /// Notes an idle time that was survived; the timer is a longer one now where a shorter one had killed.
    pub(super) fn survive(&mut self, idle: Duration) {
        self.survived = self.survived.max(idle);
        if self.died.is_some_and(|died| died <= idle) {
            (self.died, self.confirmed) = (None, 0);
        }
    }

    /// Notes an idle time that killed; the timer is a shorter one now where a longer one was survived.
    pub(super) fn die(&mut self, idle: Duration, now: Instant) {
        self.confirmed = if self.is_close() { self.confirmed + 1 } else { 0 };
        self.last_death = Some(now);
        if idle <= self.survived {
            (self.survived, self.confirmed) = (Duration::ZERO, 0);
            self.died = Some(idle);
        } else {
            self.died = Some(self.died.map_or(idle, |died| died.min(idle)));
        }
    }

    fn is_close(&self) -> bool {
        self.died.is_some_and(|died| died.as_secs_f64() <= self.survived.as_secs_f64() * CLOSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Climbs against a timer; the idle times that were tested, with those that killed.
    fn climbed(timer: Duration, tests: usize) -> (IdleLadder, Vec<(u64, bool)>) {
        let (mut ladder, now) = (IdleLadder::new(s(7200)), Instant::now());
        let tested = (0..tests).map(|_| {
            let idle = ladder.next(now);
            if idle < timer {
                ladder.survive(idle);
            } else {
                ladder.die(idle, now);
            }
            (idle.as_secs(), idle >= timer)
        });
        let tested = tested.collect();
        (ladder, tested)
    }

    #[test]
    fn it_doubles_until_something_dies_and_closes_in_on_the_timer() {
        let (_, tested) = climbed(s(100), 7);
        assert_eq!(tested, [(15, false), (30, false), (60, false), (120, true), (84, false), (100, true), (92, false)]);
        assert_eq!(climbed(s(100_000), 20).0.next(Instant::now()), s(7200));
    }

    #[test]
    fn a_timer_that_is_known_is_confirmed_and_then_left_alone_for_a_while() {
        let (ladder, tested) = climbed(s(100), 20);
        assert!(tested[10..].iter().filter(|(_, died)| *died).count() <= 4, "{tested:?}");
        let now = Instant::now();
        assert!(ladder.next(now) < s(100));
        assert!(ladder.next(now + REST) >= s(100));
    }

    #[test]
    fn a_first_idle_time_that_kills_is_followed_by_shorter_ones() {
        let (ladder, tested) = climbed(s(8), 6);
        assert!(tested[0].1 && ladder.survived > s(4) && ladder.died.unwrap() < s(10), "{tested:?}");
    }

    #[test]
    fn a_timer_that_changes_is_followed() {
        let (mut ladder, _) = climbed(s(100), 12);
        ladder.survive(s(120));
        assert_eq!(ladder.next(Instant::now()), s(240));
        ladder.die(s(20), Instant::now());
        assert!(ladder.next(Instant::now()) < s(20));
        assert_eq!(ladder.outlived(), Some(s(10)));
    }
}
