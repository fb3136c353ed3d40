//! The scheduling delay of this process: with many targets at a time, or on a busy machine, answers wait until their task runs.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

/// The time between two measurements.
const TICK: Duration = Duration::from_millis(25);
/// A timer of tokio is up to a millisecond late, and the kernel's scheduler some more (sched(7)).
const LATE: Duration = Duration::from_millis(10);

/// The total delay of timers while it was measured.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    micros: AtomicU64,
}

impl Lag {
    /// Measures until the future is dropped.
    pub(crate) async fn measure(&self) -> Infallible {
        loop {
            let due = Instant::now() + TICK;
            sleep_until(due.into()).await;
            let late = due.elapsed();
            if late >= LATE {
                self.micros.fetch_add(u64::try_from(late.as_micros()).unwrap_or_default(), Ordering::Relaxed);
            }
        }
    }

    /// Returns the total delay.
    pub(crate) fn total(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::sleep;

    use super::Lag;

    #[tokio::test]
    async fn only_the_time_in_which_no_task_could_run_counts() {
        let lag = Lag::default();
        let busy = async {
            for _ in 0..3 {
                sleep(Duration::from_millis(30)).await;
                std::thread::sleep(Duration::from_millis(200));
            }
        };
        tokio::select! {
            never = lag.measure() => match never {},
            () = busy => {}
        }
        assert!(lag.total() >= Duration::from_millis(350), "{:?}", lag.total());
        let quiet = Lag::default();
        tokio::select! {
            never = quiet.measure() => match never {},
            () = sleep(Duration::from_millis(300)) => {}
        }
        // This machine may be busy, too.
        assert!(quiet.total() < lag.total(), "{:?}", quiet.total());
    }
}
