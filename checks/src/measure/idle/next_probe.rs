//! The next thing that a session of the idle test does, and its change once something has died.

use std::time::Duration;

use crate::facts::idle::Speaker;

/// The next thing that a session does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum NextProbe {
    /// Be silent for this many seconds, then be probed.
    Silence(f64),
    /// Be silent for this many whole seconds, then hear a line of the server; be probed when it does not come.
    ServerFirst(u32),
    /// Be refreshed at this interval, seconds.
    Keep(u32),
    /// Be silent until something has died, and for a little longer than that took; then be probed.
    Await,
    /// Be silent until something has died; then be probed where that narrows the bracket.
    Linger,
}

impl NextProbe {
    /// Seconds until the next word; none where that depends on others.
    pub(super) fn length(self) -> Option<f64> {
        match self {
            Self::Silence(length) => Some(length),
            Self::ServerFirst(seconds) | Self::Keep(seconds) => Some(f64::from(seconds)),
            Self::Await | Self::Linger => None,
        }
    }

    /// True if a line of the server that comes after so long is the one that was asked for.
    pub(super) fn is_due_to_hear(self, after: Duration) -> bool {
        // Half a second: what is asked for in whole seconds cannot come earlier than that.
        matches!(self, Self::ServerFirst(seconds) if after.as_secs_f64() > f64::from(seconds) - 0.5)
    }

    /// The side that ends the silence.
    pub(super) fn speaker(self) -> Speaker {
        if matches!(self, Self::ServerFirst(_)) { Speaker::Server } else { Speaker::Client }
    }

    /// True if it is a silence whose length is under test.
    pub(super) fn is_silence(self) -> bool {
        matches!(self, Self::Silence(_) | Self::ServerFirst(_))
    }
}

/// The change for a silent session once something has died.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Redirect {
    /// Go on as planned.
    Stay,
    /// Be probed at this length instead, seconds.
    To(f64),
    /// Nothing more is to be learnt from it.
    Leave,
}
