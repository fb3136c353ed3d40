//! The spacing of a watch's logins: sessions opened together die together of their age, which looks like one event.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

/// The time between two logins.
const SPACE: Duration = Duration::from_secs(10);
/// After a login that failed, doubled at each further one, and the longest.
const FAILED: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(1));

/// The turns of all sessions.
#[derive(Debug)]
pub(super) struct Pacer {
    /// Held by the one whose turn is next.
    queue: tokio::sync::Mutex<()>,
    turns: std::sync::Mutex<Turns>,
}

#[derive(Debug)]
struct Turns {
    next: Instant,
    failures: u32,
}

impl Pacer {
    pub(super) fn new() -> Self {
        let turns = Turns { next: Instant::now(), failures: 0 };
        Self { queue: tokio::sync::Mutex::new(()), turns: std::sync::Mutex::new(turns) }
    }

    /// Returns when the next login may begin.
    pub(super) async fn turn(&self) {
        let _first = self.queue.lock().await;
        loop {
            let next = self.turns().next;
            if next <= Instant::now() {
                break;
            }
            sleep_until(next.into()).await;
        }
        self.turns().next = Instant::now() + SPACE;
    }

    /// Notes the outcome of a login.
    pub(super) fn ended(&self, succeeded: bool) {
        let mut turns = self.turns();
        if succeeded {
            turns.failures = 0;
            return;
        }
        let wait = FAILED.0 * 2_u32.pow(turns.failures.min(8));
        turns.failures += 1;
        turns.next = turns.next.max(Instant::now() + wait.min(FAILED.1));
    }

    fn turns(&self) -> std::sync::MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_turn_holds_nobody_up() {
        let pacer = Arc::new(Pacer::new());
        pacer.turn().await;
        let waiting = tokio::spawn({
            let pacer = pacer.clone();
            async move { pacer.turn().await }
        });
        tokio::task::yield_now().await;
        // Returns at once although another one is waiting.
        pacer.ended(true);
        assert!(!waiting.is_finished());
        waiting.abort();
    }
}
