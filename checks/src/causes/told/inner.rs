//! Complaints of a program in a session about a connection of its own.

use super::families::When::Always;
use super::families::{Candidate, Writer, is};
use super::owners::{family, owners};
use crate::causes;
use crate::facts::Check;
use crate::facts::log::{Connection, Event, Sighting};

/// The end of a session on a terminal, which ssh tells of no connection that failed.
pub(super) const END: &str = "Connection to <host> closed.";

/// The causes of a session whose program did not get the connection that it opened.
pub(super) static CANDIDATES: &[Candidate] = &[
    is(
        "exit-command-failed",
        Always,
        "the login works, and the program that runs there does not reach a service of its own",
    ),
    is(
        "jump-target-unreachable",
        Always,
        "the host is a bastion, whose program does not reach the target that was chosen",
    ),
];

/// True for a failure to connect that a program names which is not ssh, above the end of the session: it is a line of the session's output.
pub(super) fn is_of_the_session(connection: &Connection, writer: Writer, seen: &Sighting) -> bool {
    let ends = |other: &Sighting| other.symptom == END && other.line.number > seen.line.number;
    let is_a_tunnel = connection.first(Event::ProxyStarted).is_some();
    writer != Writer::Server
        && !is_a_tunnel
        && connection.sightings.iter().any(ends)
        && begins_with_a_name(seen.line.in_english())
        && connects(writer, seen)
}

/// True if the first cause of a text is that nothing was connected.
fn connects(writer: Writer, seen: &Sighting) -> bool {
    let first = family(&seen.symptom, writer).and_then(|(_, family)| family.candidates.first()).map(|first| first.code);
    let own = owners(&seen.symptom, writer).first().map(|cause| cause.code);
    let is_it =
        |code: &str| causes::all().any(|cause| cause.code == code && matches!(cause.stage, Check::Dns | Check::Tcp));
    own.or(first).is_some_and(is_it)
}

/// True if a line begins with the name of a program and a colon, and the program is none of SSH's.
fn begins_with_a_name(line: &str) -> bool {
    const OF_SSH: [&str; 9] = ["ssh", "scp", "sftp", "channel", "connect", "stdio", "mux", "bind", "kex"];
    let Some((name, _)) = line.trim_start().split_once(": ") else { return false };
    let is_of_a_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_.".contains(letter);
    name.len() > 1
        && name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.chars().all(is_of_a_name)
        && !OF_SSH.iter().any(|own| name.starts_with(own))
}
