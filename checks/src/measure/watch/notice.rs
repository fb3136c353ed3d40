//! Notices of a watch while it runs and when it ends.

use super::view::WatchedSession;
use crate::facts::journal::Event;

/// Something for the journal, or for the onlooker.
#[derive(Debug)]
pub enum Notice {
    /// A record.
    Record {
        /// The event.
        event: Box<Event>,
        /// True if it has to be on the disk before anything else happens.
        now: bool,
    },
    /// The sessions, about once a second.
    Sessions(Vec<WatchedSession>),
}

/// The reason why a watch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The user wished it, or its time was over.
    Asked,
    /// A login that had worked was refused; another one might lock the account.
    LoginRefused,
    /// The server showed another host key.
    OtherHostKey,
    /// The login cannot be repeated without a person.
    NotRepeatable,
}
