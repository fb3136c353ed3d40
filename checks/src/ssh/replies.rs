//! The server's reactions to global requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The way a server answers global requests: learned once, and known to every connection to it.
#[derive(Debug, Clone, Default)]
pub struct Replies(Arc<AtomicBool>);

impl Replies {
    /// True if it leaves them unanswered, against RFC 4254 section 4.
    #[must_use]
    pub fn are_missing(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes that they are left unanswered.
    pub(super) fn note_missing(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
