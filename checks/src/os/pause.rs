//! The times in which this process did not run: stopped, suspended with its machine, or not scheduled. A silence in such a time is not
//! the server's.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The interval at which the monitor reads the clocks.
const TICK: Duration = Duration::from_millis(100);
/// A look that comes this much later than it should is a pause.
const LATE: Duration = Duration::from_millis(250);
/// The clock of the day runs apart from the others by less than this, unless the machine was halted with all of them (a virtual machine
/// that was saved) or was set; both make a wait worthless.
const SET: Duration = Duration::from_secs(2);

static PAUSES: Mutex<Pauses> = Mutex::new(Pauses { looked: None, total: Duration::ZERO });

/// The pauses of this process.
struct Pauses {
    /// The clocks at the last look; `None` while the monitor does not run.
    looked: Option<Clocks>,
    total: Duration,
}

#[derive(Clone, Copy)]
struct Clocks {
    /// CLOCK_MONOTONIC, which stands still while the machine is suspended.
    running: Instant,
    /// CLOCK_BOOTTIME, which does not.
    boot: Duration,
    /// CLOCK_REALTIME.
    day: SystemTime,
}

impl Clocks {
    fn now() -> Self {
        Self { running: Instant::now(), boot: since_boot().unwrap_or_default(), day: SystemTime::now() }
    }

    /// Returns the time beyond a tick since an earlier look, if that is a pause.
    fn pause_since(&self, earlier: &Self) -> Option<Duration> {
        let running = self.running.saturating_duration_since(earlier.running);
        let awake = running.max(self.boot.saturating_sub(earlier.boot));
        let day = self.day.duration_since(earlier.day).unwrap_or_default();
        let elapsed = if day > awake + SET { day } else { awake };
        (elapsed > TICK + LATE).then(|| elapsed.saturating_sub(TICK))
    }
}

impl Pauses {
    /// Looks at the clocks: the first caller after a pause notes it.
    fn look(&mut self, now: Clocks) -> Duration {
        if let Some(before) = &mut self.looked {
            self.total += now.pause_since(before).unwrap_or_default();
            *before = now;
        }
        self.total
    }
}

fn total() -> Duration {
    PAUSES.lock().unwrap_or_else(PoisonError::into_inner).look(Clocks::now())
}

/// Starts to monitor, once and for the life of the process. Without it no pause is known.
pub fn monitor() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        PAUSES.lock().unwrap_or_else(PoisonError::into_inner).looked = Some(Clocks::now());
        let ticking = std::thread::Builder::new().name("pauses".to_owned()).spawn(|| {
            loop {
                std::thread::sleep(TICK);
                total();
            }
        });
        if ticking.is_err() {
            // Nobody looks in time: every wait would seem to be a pause.
            PAUSES.lock().unwrap_or_else(PoisonError::into_inner).looked = None;
        }
    });
}

/// The clock that runs on through a suspension (CLOCK_BOOTTIME, clock_gettime(2)); none on a system that has none.
#[cfg(target_os = "linux")]
pub(crate) fn since_boot() -> Option<Duration> {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).ok().map(Duration::from)
}

/// The clock that runs on through a suspension: none that is known.
#[cfg(not(target_os = "linux"))]
pub(crate) fn since_boot() -> Option<Duration> {
    None
}

/// A moment from which pauses are counted.
#[derive(Debug, Clone, Copy)]
pub struct Mark(Duration);

impl Mark {
    /// This moment.
    #[must_use]
    pub fn now() -> Self {
        Self(total())
    }

    /// The time that this process did not run since then, all pauses together.
    #[must_use]
    pub fn paused(self) -> Duration {
        total().saturating_sub(self.0)
    }
}

/// The time given to a future is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no answer in time")]
pub struct Expired;

/// As [`tokio::time::timeout`], for waits on external events: a time in which this process did not run does not count.
///
/// # Errors
/// [`Expired`] where the future was not done within so much time that this process ran.
pub fn timeout<T>(limit: Duration, future: impl Future<Output = T>) -> impl Future<Output = Result<T, Expired>> {
    // On the heap: waits are nested, and each would hold its future twice.
    let mut future = Box::pin(future);
    async move {
        let mut wait = Wait::of(limit);
        loop {
            if let Ok(done) = tokio::time::timeout(wait.left, future.as_mut()).await {
                return Ok(done);
            }
            wait.resume().ok_or(Expired)?;
        }
    }
}

/// As [`timeout`], until a moment that pauses put off.
///
/// # Errors
/// As [`timeout`].
pub fn timeout_at<T>(until: Instant, future: impl Future<Output = T>) -> impl Future<Output = Result<T, Expired>> {
    timeout(until.saturating_duration_since(Instant::now()), future)
}

/// A wait that pauses make longer.
struct Wait {
    limit: Duration,
    left: Duration,
    mark: Mark,
}

impl Wait {
    fn of(limit: Duration) -> Self {
        Self { limit, left: limit, mark: Mark::now() }
    }

    /// Extends the time by the pauses of this process after it was over; `None` where it ran all the while.
    fn resume(&mut self) -> Option<()> {
        let paused = std::mem::replace(&mut self.mark, Mark::now()).paused();
        self.left = paused.min(self.limit);
        (!paused.is_zero()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks() -> Clocks {
        Clocks { running: Instant::now(), boot: Duration::from_secs(1000), day: SystemTime::UNIX_EPOCH }
    }

    fn after(earlier: Clocks, running: f64, boot: f64, day: f64) -> Clocks {
        let [running, boot, day] = [running, boot, day].map(Duration::from_secs_f64);
        Clocks { running: earlier.running + running, boot: earlier.boot + boot, day: earlier.day + day }
    }

    #[test]
    fn a_look_that_comes_late_by_any_clock_is_a_pause() {
        let earlier = clocks();
        let paused = |running, boot, day| {
            after(earlier, running, boot, day).pause_since(&earlier).map(|pause| pause.as_secs_f64().round())
        };
        assert_eq!(paused(0.1, 0.1, 0.1), None);
        assert_eq!(paused(0.3, 0.3, 0.3), None);
        // Stopped by a signal; suspended; a virtual machine halted with all its clocks.
        assert_eq!(paused(4.1, 4.1, 4.1), Some(4.0));
        assert_eq!(paused(0.1, 60.1, 60.1), Some(60.0));
        assert_eq!(paused(0.1, 0.1, 60.1), Some(60.0));
        // A clock that is set back, or slewed.
        assert_eq!(paused(0.1, 0.1, 0.0), None);
        assert_eq!(paused(0.1, 0.1, 1.1), None);
    }

    #[test]
    fn each_pause_is_counted_once_and_none_where_nobody_monitors() {
        let earlier = clocks();
        let mut pauses = Pauses { looked: None, total: Duration::ZERO };
        assert_eq!(pauses.look(after(earlier, 9.0, 9.0, 9.0)), Duration::ZERO);
        pauses.looked = Some(earlier);
        let late = after(earlier, 5.1, 5.1, 5.1);
        assert_eq!(pauses.look(late), Duration::from_secs(5));
        assert_eq!(pauses.look(after(late, 0.1, 0.1, 0.1)), Duration::from_secs(5));
    }

    #[tokio::test]
    async fn a_wait_ends_on_time_where_nothing_paused() {
        let began = Instant::now();
        assert_eq!(timeout(Duration::from_millis(50), std::future::pending::<()>()).await, Err(Expired));
        assert!(began.elapsed() < Duration::from_secs(5));
        assert_eq!(timeout(Duration::from_secs(5), async { 7 }).await, Ok(7));
    }
}
