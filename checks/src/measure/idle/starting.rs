//! The time that what a session holds may take to start.

use std::time::Duration;

use crate::base::limits::Patience;
use crate::ssh::login::Login;

/// A shell that has said nothing for this long is at its prompt.
pub(super) const SETTLED: Duration = Duration::from_millis(700);

/// The patience with what a session is to hold: with its first word, and after the output of start-up files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Starting {
    /// The silence before the first word.
    pub(super) silence: Duration,
    /// The silence after other output.
    pub(super) settled: Duration,
}

impl Starting {
    /// The patience on an account of this login, for what has to open within `deadline`.
    pub(super) fn of(login: &Login, deadline: Duration) -> Self {
        Self { silence: deadline, settled: login.patience(SETTLED) }
    }

    /// The patience with the first word.
    pub(super) fn usual(self) -> Patience {
        Patience { silence: self.silence, total: self.silence }
    }
}
