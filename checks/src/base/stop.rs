//! The user's wish to end a run early.

use std::time::{Duration, Instant};

use tokio::sync::watch;

/// The wish to end the run early: the user's, or that of a deadline.
#[derive(Debug, Clone)]
pub struct Stop {
    wish: watch::Receiver<bool>,
    deadline: Option<Deadline>,
}

/// The time at which a run ends by itself.
#[derive(Debug, Clone, Copy)]
struct Deadline {
    at: Instant,
    /// The time that a check may take to end after that.
    grace: Duration,
}

impl Stop {
    /// Becomes true when the sender says so.
    #[must_use]
    pub fn new(receiver: watch::Receiver<bool>) -> Self {
        Self { wish: receiver, deadline: None }
    }

    /// A stop that never comes.
    #[must_use]
    pub fn never() -> Self {
        Self::new(watch::channel(false).1)
    }

    /// Adds a deadline: the wish comes by itself at `at`; a check that is running then has `grace` to end.
    #[must_use]
    pub fn by(&self, at: Instant, grace: Duration) -> Self {
        Self { deadline: Some(Deadline { at, grace }), ..self.clone() }
    }

    /// True if the run is to end.
    #[must_use]
    pub fn asked(&self) -> bool {
        *self.wish.borrow() || self.timed_out()
    }

    /// True if the deadline has passed.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline.at)
    }

    /// The time that a check may take to end once the run is to: `usual`, or less where the deadline has passed.
    #[must_use]
    pub fn grace(&self, usual: Duration) -> Duration {
        self.deadline.filter(|_| self.timed_out()).map_or(usual, |deadline| deadline.grace.min(usual))
    }

    /// The future's result, or nothing when the run is to end first.
    pub async fn race<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            result = future => Some(result),
            () = self.wait() => None,
        }
    }

    /// Returns when the run is to end.
    pub async fn wait(&self) {
        // In a box of its own: every wait of every check holds one of these.
        Box::pin(self.clone().over()).await;
    }

    async fn over(mut self) {
        let wished = async {
            if self.wish.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let Some(deadline) = self.deadline else { return wished.await };
        tokio::select! {
            () = wished => {}
            () = tokio::time::sleep_until(deadline.at.into()) => {}
        }
    }
}
