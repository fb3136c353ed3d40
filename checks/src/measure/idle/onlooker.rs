//! Progress reports to the observer of a wait after the ladder.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::measure::progress::{Event, IdleState, Progress};

/// The interval of these reports.
const TELL: Duration = Duration::from_millis(400);

/// Reports the current wait, and its longest duration where that is known yet; never returns.
pub(super) async fn tell(began: Instant, progress: &Progress, phase: &str, until: impl Fn() -> Option<Instant>) {
    loop {
        sleep(TELL).await;
        if let Some(until) = until() {
            let left = until.saturating_duration_since(Instant::now());
            let elapsed = began.elapsed();
            progress.tell(Event::Idle(IdleState { phase: phase.to_owned(), elapsed, left, rows: Vec::new() }));
        }
    }
}
