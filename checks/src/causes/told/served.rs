//! The server's side of a log: what its helpers and its guests do, and connections that end before they are one.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use super::families::Writer;
use super::finding::{Told, writer};
use super::owners::owners;
use crate::base::text::sanitize;
use crate::causes::{self, Match};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::log::{Connection, Event, Log, Program, Sighting};

/// The lines that are quoted.
const QUOTED: usize = 3;

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

/// True for words of sshd on Windows about a file of keys, which on a client are those of a login that was refused.
pub(super) fn is_of_the_other_end(connection: &Connection, seen: &Sighting) -> bool {
    seen.symptom == "Authentication refused." && writer(connection) != Writer::Server
}

/// True if a line in a server's log tells of a request over HTTP, as a program makes that looks up keys or accounts: it failed on a connection of its own.
pub(super) fn is_of_a_helper(log: &Log, seen: &Sighting) -> bool {
    static REQUESTS: LazyLock<Regex> = LazyLock::new(|| {
        let requests = r#"\b(?:Get|Head|Post|Put|Patch|Delete) \\?"https?://"#;
        RegexBuilder::new(requests).unicode(false).build().expect("the words of a request compile")
    });
    log.programs.iter().any(Program::is_server) && REQUESTS.is_match(seen.line.text.as_bytes())
}

/// The cause of connections to sshd that end in its first process, which names no user and has no child yet: the client sent no version.
pub(super) fn left_at_once(log: &Log) -> Option<Told> {
    let cause = causes::all().find(|cause| cause.code == "handshake-probed")?;
    let left = |connection: &&Connection| {
        let is_its_end = |event: Event| matches!(event, Event::Closed | Event::Reset);
        writer(connection) == Writer::Server
            && connection.entries.iter().all(|entry| is_its_end(entry.event) || entry.event == Event::Accepted)
            && connection.entries.iter().any(|entry| entry.value("stage") == Some("version"))
            && !connection.passed(Check::Handshake)
    };
    let own: Vec<_> = log.connections.iter().enumerate().filter(|(_, connection)| left(connection)).collect();
    let lines = own.iter().flat_map(|(_, connection)| &connection.entries).filter_map(|entry| {
        let (address, port) = entry.value("address").zip(entry.value("port"))?;
        let how = if entry.event == Event::Reset { "reset" } else { "closed" };
        (entry.value("stage") == Some("version"))
            .then(|| format!("line {}: connection {how} by {} port {}", entry.line, sanitize(address), sanitize(port)))
    });
    let lines: Vec<_> = lines.take(QUOTED).collect();
    let connections: Vec<_> = own.iter().map(|(at, _)| *at).collect();
    let count = own.iter().map(|(_, connection)| connection.count).sum::<u64>().max(lines.len() as u64);
    let certainty = if count > 1 { Certainty::Likely } else { Certainty::Possible };
    let sign = (count == 1)
        .then(|| "the address is a scanner's, or a load balancer's or monitor's that checks the port".into());
    (!lines.is_empty()).then(|| Told { cause, found: Match::new(certainty, lines), sign, connections })
}
