//! A watch as its onlooker sees it.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// One of the sessions that are held.
#[derive(Debug, Clone)]
pub struct WatchedSession {
    /// The traffic on it.
    pub label: String,
    /// The way it fares.
    pub status: SessionStatus,
    /// Sessions that were lost in its place.
    pub lost: u32,
    /// The last loss: when, and how it showed.
    pub last: Option<(Timestamp, String)>,
}

/// The way a watched session fares.
#[derive(Debug, Clone)]
pub enum SessionStatus {
    /// There is none at the moment; why the last login failed, where it did.
    Down {
        /// The reason, escaped.
        why: Option<String>,
    },
    /// It is open.
    Open {
        /// The age of the connection.
        age: Duration,
        /// The time since the server was heard.
        idle: Duration,
        /// The idle time that is under test.
        until: Option<Duration>,
    },
    /// A request has no answer yet.
    Stalled {
        /// The beginning.
        since: Instant,
    },
}
