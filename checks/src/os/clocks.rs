//! Two clocks that come apart when the machine sleeps, and a heartbeat that comes late when we are not run.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::facts::idle::What;

/// A gap between the clocks that is a sleep: no two readings are so far apart.
const SLEEP: Duration = Duration::from_secs(1);
/// A heartbeat later than this has missed what it was to see: half the shortest silence that is tested, and more than load explains.
const LATE: Duration = Duration::from_secs(2);

/// The clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    monotonic: Instant,
    /// Seconds on the clock that a suspension does not stop, since whenever it began.
    through_sleep: Duration,
}

impl Reading {
    /// Both clocks now; `None` where one of them cannot be read.
    #[must_use]
    pub fn now() -> Option<Self> {
        Some(Self { through_sleep: through_sleep()?, monotonic: Instant::now() })
    }

    /// Returns the incident between an earlier reading and this one, which was to come after `beat`.
    #[must_use]
    pub fn since(self, earlier: Self, beat: Duration) -> Option<What> {
        let awake = self.monotonic.saturating_duration_since(earlier.monotonic);
        let gap = self.through_sleep.saturating_sub(earlier.through_sleep).saturating_sub(awake);
        if gap > SLEEP {
            return Some(slept(gap.as_secs_f64()));
        }
        let late = awake.saturating_sub(beat);
        (late > LATE).then_some(What::NotRun { late_s: late.as_secs_f64() })
    }
}

/// A moment of the past on the wall clock.
#[must_use]
pub fn wall(at: Instant) -> Timestamp {
    let ago = SignedDuration::try_from(at.elapsed()).unwrap_or_default();
    Timestamp::now().checked_sub(ago).unwrap_or_else(|_| Timestamp::now())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn through_sleep() -> Option<Duration> {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).ok().map(Duration::from)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn slept(clock_gap_s: f64) -> What {
    What::Suspended { clock_gap_s }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn through_sleep() -> Option<Duration> {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn slept(clock_gap_s: f64) -> What {
    What::ClockJump { clock_gap_s }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEAT: Duration = Duration::from_millis(250);

    /// Returns the incident on a machine whose clocks advanced by so many milliseconds each.
    fn noticed(awake_ms: u64, through_sleep_ms: u64) -> Option<What> {
        let earlier = Reading { monotonic: Instant::now(), through_sleep: Duration::from_hours(1) };
        let later = Reading {
            monotonic: earlier.monotonic + Duration::from_millis(awake_ms),
            through_sleep: earlier.through_sleep + Duration::from_millis(through_sleep_ms),
        };
        later.since(earlier, BEAT)
    }

    #[test]
    fn a_suspended_machine_is_noticed_by_the_gap_between_its_clocks() {
        assert_eq!(noticed(250, 7250), Some(slept(7.0)));
        // The heartbeat after a long sleep may be late too: what counts is the sleep.
        assert_eq!(noticed(5250, 65_250), Some(slept(60.0)));
    }

    #[test]
    fn one_that_was_stopped_is_noticed_by_its_late_heartbeat() {
        assert_eq!(noticed(6250, 6250), Some(What::NotRun { late_s: 6.0 }));
    }

    #[test]
    fn a_busy_machine_and_a_clock_that_is_set_back_are_not() {
        assert_eq!([noticed(250, 250), noticed(1900, 1900), noticed(250, 1200), noticed(250, 0)], [None; 4]);
    }

    #[test]
    fn the_clocks_of_this_machine_go_together() {
        let earlier = Reading::now().unwrap();
        assert_eq!(Reading::now().unwrap().since(earlier, Duration::ZERO), None);
    }
}
