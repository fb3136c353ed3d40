//! The probes that are running, and the results that may be served again: identical requests share them.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::watch;

use super::result::Answer;

/// The identity of a request: module, target and group.
pub(super) type Key = (String, String, Option<String>);

/// The receiver of an answer, which holds none until the probe ends.
pub(super) type Pending = watch::Receiver<Option<Answer>>;

/// The probes of identical requests.
#[derive(Debug, Default)]
pub(super) struct RunningProbes(HashMap<Key, RunningProbe>);

#[derive(Debug)]
struct RunningProbe {
    answer: Pending,
    /// The time for which its result is served again.
    min_interval: Duration,
}

impl RunningProbes {
    /// Returns the probe that is running, or one that ended within its `min_interval`.
    pub(super) fn current(&mut self, key: &Key) -> Option<Pending> {
        self.0.retain(|_, probe| probe.is_current());
        self.0.get(key).map(|probe| probe.answer.clone())
    }

    /// Adds a probe; its answer is sent with the returned sender.
    pub(super) fn start(&mut self, key: Key, min_interval: Duration) -> (watch::Sender<Option<Answer>>, Pending) {
        let (sender, answer) = watch::channel(None);
        self.0.insert(key, RunningProbe { answer: answer.clone(), min_interval });
        (sender, answer)
    }
}

impl RunningProbe {
    /// Returns true while it runs, and for `min_interval` after it ended with a result.
    fn is_current(&self) -> bool {
        match (&*self.answer.borrow(), self.answer.has_changed().is_err()) {
            (Some(Ok(result)), _) => result.age() < self.min_interval,
            (Some(Err(_)), _) | (None, true) => false,
            (None, false) => true,
        }
    }
}
