//! The time that the server and the agent may take, all together; a person's time is not counted.

use std::time::{Duration, Instant};

use crate::base::stop::Stop;
use crate::os::pause::{Mark, timeout};

/// The time left for a stage.
#[derive(Debug)]
pub(crate) struct Clock {
    left: Duration,
    stop: Stop,
}

/// The reason why a wait ended without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The time was up.
    Deadline,
    /// The user wants to end.
    Stopped,
}

impl Clock {
    pub(crate) fn new(whole: Duration, stop: Stop) -> Self {
        Self { left: whole, stop }
    }

    /// For callers that have a deadline of their own.
    pub(crate) fn of_the_caller() -> Self {
        Self::new(Duration::MAX, Stop::never())
    }

    /// Waits for the future as long as there is time left.
    pub(crate) async fn bound<T>(&mut self, future: impl Future<Output = T>) -> Result<T, Cut> {
        let (began, mark) = (Instant::now(), Mark::now());
        let result = match self.stop.race(timeout(self.left, future)).await {
            Some(result) => result.map_err(|_| Cut::Deadline),
            None => Err(Cut::Stopped),
        };
        self.left = self.left.saturating_sub(began.elapsed().saturating_sub(mark.paused()));
        result
    }

    /// Runs a question to the person on a thread of its own; none when the user wants to end.
    pub(crate) async fn person<T: Send + 'static>(
        &self,
        question: impl FnOnce() -> Option<T> + Send + 'static,
    ) -> Option<T> {
        self.stop.race(tokio::task::spawn_blocking(question)).await?.ok().flatten()
    }
}
