//! Noise in a server's log: what scanners and guessers of passwords meet.

use super::finding::Told;
use crate::facts::Check;
use crate::facts::log::{Connection, Log};

/// Causes that scanners and guessers of passwords meet by the thousand.
const OF_STRANGERS: [&str; 10] = [
    "auth-user-unknown",
    "auth-disconnected",
    "handshake-probed",
    "handshake-source-penalty",
    "handshake-protocol-version",
    "handshake-protocol-violation",
    "handshake-kex-failed",
    "handshake-mac-mismatch",
    "handshake-reset",
    "handshake-closed-before-banner",
];
/// True if a cause is what strangers meet on a server that others log in to, and none of these others met it.
pub(super) fn is_noise(log: &Log, told: &Told) -> bool {
    let connections = || told.connections.iter().map(|at| &log.connections[*at]);
    let known = log.connections.iter().filter(|connection| connection.passed(Check::Auth));
    let known: Vec<_> = known.flat_map(|connection| &connection.peers).map(|(address, _)| address).collect();
    let is_known = |connection: &Connection| connection.peers.iter().any(|(address, _)| known.contains(&address));
    // A text that several causes print names none for somebody who never logged in.
    let is_open = told.sign.is_some() && !connections().any(|connection| connection.passed(Check::Auth));
    let is_of_strangers = is_open || OF_STRANGERS.contains(&told.cause.code);
    !known.is_empty() && is_of_strangers && !connections().any(is_known)
}
