//! The wait for the name servers: to their deadline, or less once they can no longer change the result.

use std::time::{Duration, Instant};

use tokio::sync::watch;

/// A deadline that can be moved forward while others wait for it.
#[derive(Debug)]
pub(super) struct Patience(watch::Sender<Deadline>);

/// One who waits for it.
#[derive(Debug, Clone)]
pub(super) struct Waiting(watch::Receiver<Deadline>);

#[derive(Debug, Clone, Copy)]
struct Deadline {
    at: Instant,
    shortened: bool,
}

/// The way the waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The deadline passed.
    Deadline,
    /// It was moved forward, and passed.
    Shortened,
}

impl Patience {
    pub(super) fn until(at: Instant) -> Self {
        Self(watch::Sender::new(Deadline { at, shortened: false }))
    }

    /// Moves the deadline forward, never back.
    pub(super) fn shorten(&self, at: Instant) {
        self.0.send_if_modified(|deadline| {
            let earlier = at < deadline.at;
            if earlier {
                *deadline = Deadline { at, shortened: true };
            }
            earlier
        });
    }

    pub(super) fn waiting(&self) -> Waiting {
        Waiting(self.0.subscribe())
    }
}

impl Waiting {
    /// Returns the time left until the deadline.
    pub(super) fn left(&self) -> Duration {
        self.0.borrow().at.saturating_duration_since(Instant::now())
    }

    /// Returns when the deadline has passed.
    pub(super) async fn over(&mut self) -> Over {
        loop {
            let Deadline { at, shortened } = *self.0.borrow_and_update();
            tokio::select! {
                () = tokio::time::sleep_until(at.into()) => {
                    return if shortened { Over::Shortened } else { Over::Deadline };
                }
                Ok(()) = self.0.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Over, Patience};
    use std::time::{Duration, Instant};

    #[tokio::test]
    async fn a_shorter_deadline_reaches_those_who_wait() {
        let began = Instant::now();
        let patience = Patience::until(began + Duration::from_hours(1));
        let mut waiting = patience.waiting();
        let (over, ()) = tokio::join!(waiting.over(), async { patience.shorten(Instant::now()) });
        assert_eq!(over, Over::Shortened);
    }

    #[tokio::test]
    async fn a_deadline_is_never_moved_back() {
        let patience = Patience::until(Instant::now());
        patience.shorten(Instant::now() + Duration::from_hours(1));
        assert_eq!(patience.waiting().over().await, Over::Deadline);
    }
}
