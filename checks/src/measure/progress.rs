//! Progress of a running examination for its observer; nothing here reaches the report.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::facts::{Check, Evidence};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A hop is examined from now on; the checks that follow are its own.
    Hop(String),
    /// A hop was passed or not; the checks that follow are those of what comes next.
    HopFinished {
        /// The name of the hop in the user's settings.
        name: String,
        /// The manner.
        ending: CheckOutcome,
        /// One line.
        summary: String,
    },
    /// A check began.
    Started(Check),
    /// A check ended.
    Finished {
        /// The check.
        check: Check,
        /// The manner.
        ending: CheckOutcome,
        /// Its one line.
        summary: String,
    },
    /// The server has said nothing for so long, and is waited for up to `most`, as ssh does.
    Unanswered {
        /// Until now.
        silent: Duration,
        /// From the beginning.
        most: Duration,
    },
    /// All checks before the idle test ended, and it begins.
    SoFar {
        /// The evidence until now; the checks to come are skipped in it.
        evidence: Box<Evidence>,
        /// The longest idle time to be tested.
        idle: Duration,
    },
    /// The state of the idle test; sent about once a second and at every change.
    Idle(IdleState),
}

/// The way a check ended, for the onlooker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckOutcome {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It did not run, or we could not do it.
    Skipped,
}

/// A snapshot of the idle test.
#[derive(Debug, Clone)]
pub struct IdleState {
    /// The current step of the test, in a few words.
    pub phase: String,
    /// Since the test began.
    pub elapsed: Duration,
    /// The most that is still to come, unless something dies.
    pub left: Duration,
    /// The sessions, in a stable order.
    pub rows: Vec<SessionRow>,
}

/// One session of the idle test.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// The traffic on it: `silent`, or `keepalive every 5 s`.
    pub label: String,
    /// Silent for how long by now.
    pub idle: Duration,
    /// The time of its probe, counted from the start of its silence; `None` for a session that is kept alive.
    pub until: Option<Duration>,
    /// The way it fares.
    pub state: SessionState,
}

/// The way a session of the idle test fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// Waiting in silence, or being kept alive.
    Waiting,
    /// Probed, no answer yet.
    Probing,
    /// Answered after its silence.
    Alive,
    /// Died; how.
    Dead(String),
}

/// The channel for events; dropping them is fine.
#[derive(Debug, Clone, Default)]
pub struct Progress(Option<UnboundedSender<Event>>);

impl Progress {
    /// Events go to `sender`.
    #[must_use]
    pub fn to(sender: UnboundedSender<Event>) -> Self {
        Self(Some(sender))
    }

    /// Notifies the observer, if there is one.
    pub fn tell(&self, event: Event) {
        if let Some(sender) = &self.0 {
            let _ = sender.send(event);
        }
    }
}
