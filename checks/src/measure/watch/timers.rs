//! The idle times that the sessions of a watch keep, by what the silent one has shown.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::idle_ladder::IdleLadder;
use super::kind::SessionType;
use crate::facts::idle::advice;

/// The idle times that the sessions keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lengths {
    /// The idle time that the silent session is tested for.
    pub(super) silent: Duration,
    /// The longest interval of SSH keepalives that is known to outlive the path's timer.
    pub(super) keepalive: Duration,
}

/// The source of them.
#[derive(Debug)]
pub(super) struct Timers {
    ladder: IdleLadder,
    /// The interval that the user chose.
    keepalive: Duration,
    lengths: watch::Sender<Lengths>,
}

impl Timers {
    /// Timers that test idle times up to `longest`, and keepalives no further apart than this.
    pub(super) fn new(longest: Duration, keepalive: Duration) -> Self {
        let ladder = IdleLadder::new(longest);
        let (lengths, _) = watch::channel(Lengths { silent: ladder.next(Instant::now()), keepalive });
        Self { ladder, keepalive, lengths }
    }

    /// A receiver of every change.
    pub(super) fn lengths(&self) -> watch::Receiver<Lengths> {
        self.lengths.subscribe()
    }

    /// The idle time that is under test.
    pub(super) fn silent(&self) -> Duration {
        self.lengths.borrow().silent
    }

    /// The kind of session as it is now.
    pub(super) fn of(&self, kind: SessionType) -> SessionType {
        kind.within(self.lengths.borrow().keepalive)
    }

    /// Notes an idle time that was survived.
    pub(super) fn survive(&mut self, idle: Duration) {
        self.ladder.survive(idle);
        self.publish();
    }

    /// Notes an idle time that killed.
    pub(super) fn die(&mut self, idle: Duration) {
        self.ladder.die(idle, Instant::now());
        self.publish();
    }

    fn publish(&self) {
        let outlived = self.ladder.outlived().and_then(|survived| advice::interval(survived.as_secs_f64()));
        let proven = outlived.map(|seconds| Duration::from_secs(seconds.into()));
        let keepalive = proven.map_or(self.keepalive, |proven| proven.min(self.keepalive));
        let lengths = Lengths { silent: self.ladder.next(Instant::now()), keepalive };
        self.lengths.send_if_modified(|known| std::mem::replace(known, lengths) != lengths);
    }
}
