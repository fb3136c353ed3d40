//! Judges of real sessions, as `tap`, `watch` and the socket table saw them: each session that broke is explained by one cause at most.
//!
//! Events come first: what happened to this machine, or to several sessions at one moment, explains those sessions. Only what is left is compared
//! by age and by idle time.

mod because;
mod clusters;
mod explain;
mod judges;
mod own;

#[cfg(test)]
mod tests;

pub(super) use judges::{
    channel_timeout, closed, disconnected, left_by_shell, lifetime, outage, reset, restarted, silent_drop, stalled,
    state_lost, wall_clock,
};
pub use own::CAUSES;

use crate::facts::sessions::Session;

/// The code of the cause that explains each session; `None` for those that did not break.
#[must_use]
pub fn codes(sessions: &[Session]) -> Vec<Option<&'static str>> {
    explain::explain(sessions).into_iter().map(|found| found.map(explain::Explanation::code)).collect()
}
