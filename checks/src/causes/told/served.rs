//! The server's side of a log: what its guests do.

use super::families::Writer;
use super::finding::writer;
use super::owners::owners;
use crate::facts::log::{Connection, Sighting};

/// True if an account is refused to a client that tries names, most of which do not exist: dropbear serves each connection in a process of its own.
pub(super) fn is_of_a_guess(connection: &Connection, seen: &Sighting) -> bool {
    let is_of_an_account = || {
        let owners = owners(&seen.symptom, Writer::Server);
        !owners.is_empty() && owners.iter().all(|cause| cause.code == "auth-account-refused")
    };
    writer(connection) == Writer::Server
        && seen.line.text.contains("has invalid shell, rejected")
        && connection.sightings.iter().any(|other| other.symptom.starts_with("Login attempt for nonexistent user"))
        && is_of_an_account()
}
