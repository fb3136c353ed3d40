//! Noise in a server's log: what scanners and guessers of passwords meet, and complaints that kept nobody out.

use super::families::Writer;
use super::finding::{Told, writer};
use super::foreign::{is_of_rsyncs_service, is_of_ssh};
use super::likeness::lines;
use super::owners::{family, owners};
use super::strangers::{addresses, is_of_a_stranger};
use super::words::{FILE_DENIED_LINES, HARMLESS_LINES};
use crate::causes::Cause;
use crate::facts::Check;
use crate::facts::log::{Connection, Entry, Event, Line, Log, Sighting};

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
/// Causes at the login that a guess meets, on a server and with an account that have no fault.
const OF_A_GUESS: [&str; 7] = [
    "auth-password-rejected",
    "auth-key-rejected",
    "auth-account-refused",
    "auth-too-many-failures",
    "auth-no-credentials",
    "auth-protocol-violation",
    "auth-signature-algorithm",
];
/// A cause before the login that every other client meets too.
const OF_EVERYBODY: &str = "handshake-max-startups";

/// True if a cause is what strangers meet on a server that others log in to, and none of these others met it.
pub(super) fn is_noise(log: &Log, told: &Told) -> bool {
    let connections = || told.connections.iter().map(|at| &log.connections[*at]);
    let known = log.connections.iter().filter(|connection| connection.passed(Check::Auth));
    let known: Vec<_> = known.flat_map(addresses).collect();
    let is_known = |connection: &Connection| addresses(connection).iter().any(|address| known.contains(address));
    // A text that several causes print names none for somebody who never logged in; what the system says of a program is nobody's.
    let is_open = told.sign.is_some()
        && !connections().any(|connection| connection.passed(Check::Auth))
        && !connections().all(|one| is_of_the_system(one) || is_of_a_letter(one));
    let is_of_strangers = is_open || OF_STRANGERS.contains(&told.cause.code);
    let is_a_guess = || is_for_a_client(told.cause) && connections().all(|one| is_of_a_stranger(one, told.cause));
    !known.is_empty() && !connections().any(is_known) && (is_of_strangers || is_a_guess())
}

/// True if all that is known of a connection is what the kernel says of a process.
fn is_of_the_system(connection: &Connection) -> bool {
    let is_of_a_process = |seen: &Sighting| seen.symptom.contains("[<pid>]") || seen.symptom.contains("process <pid>");
    !connection.sightings.is_empty() && connection.sightings.iter().all(is_of_a_process)
}

/// True for words that no server wrote: somebody tells of the connections below.
fn is_of_a_letter(connection: &Connection) -> bool {
    writer(connection) != Writer::Server && connection.entries.is_empty() && connection.peers.is_empty()
}

/// True if sshd dropped connections for their number, and fewer than there are logins in the same log: most clients get in.
pub(super) fn is_rare(log: &Log, told: &Told) -> bool {
    let logins: u64 = log.connections.iter().filter(|one| one.passed(Check::Auth)).map(|one| one.count).sum();
    let drops: u64 = told.connections.iter().map(|at| log.connections[*at].count).sum();
    told.cause.code == OF_EVERYBODY && drops < logins
}

/// True if plink or PuTTY opens a serial line, `su` another account, or rsync speaks to its own service, and there is no connection of SSH.
pub(super) fn is_without_ssh(log: &Log) -> bool {
    let seen = || log.connections.iter().flat_map(|connection| &connection.sightings).map(|seen| &seen.line);
    let is_of_ssh = |line: &Line| {
        ["(code 255)", "(publickey", "please try again"].iter().any(|words| line.in_english().contains(words))
    };
    let has_rsync_alone = || {
        let is_of_rsync = log.programs.iter().all(|program| program.name == "rsync") && !log.names_ssh;
        is_of_rsync && !seen().chain(&log.unknown).any(is_of_ssh)
    };
    let is_of_su = || log.changes_the_account && !log.names_ssh && log.connections.is_empty();
    is_of_su()
        || seen().chain(&log.unknown).any(|line| line.in_english().contains("Unable to open serial port"))
        || has_rsync_alone() && seen().chain(&log.unknown).any(|line| is_of_rsyncs_service(line.in_english()))
}

/// True if a cause keeps one client out before it has a session, and is no fault of the server's.
fn is_for_a_client(cause: &Cause) -> bool {
    let is_before_the_login =
        cause.stage < Check::Auth && cause.code != OF_EVERYBODY && !cause.code.starts_with("server-");
    is_before_the_login || OF_A_GUESS.contains(&cause.code)
}

/// True if a module of PAM refused a login that another one accepted: sshd, which logs a refusal itself, logs that the client got in.
pub(super) fn is_of_one_module(log: &Log, told: &Told) -> bool {
    let gets_in = |seen: &Sighting| {
        log.connections.iter().filter(|connection| connection.passed(Check::Auth)).any(|login| {
            let is_later = login.entries.last().is_some_and(|last| last.line > seen.line.number);
            let is_from =
                |address: &str| seen.line.text.split(' ').any(|word| word.strip_prefix("rhost=") == Some(address));
            is_later && login.peers.iter().any(|(address, _)| is_from(address))
        })
    };
    told.cause.code == "auth-password-rejected"
        && told.connections.iter().map(|at| &log.connections[*at]).all(|connection| {
            connection.first(Event::LoginRefused).is_none() && connection.sightings.iter().any(gets_in)
        })
}

/// True if all that sshd complains of is a host key that it could not load, or an address that it could not take, and it serves
/// connections or listens all the same. Without any key, or any address, it says that too, and exits.
pub(super) fn is_served(log: &Log, told: &Told) -> bool {
    let is_of_host_keys = |seen: &Sighting| seen.symptom.contains("load host key");
    let is_of_addresses = |seen: &Sighting| seen.line.text.contains("failed: Address already in use");
    let complaints = || {
        let connections = told.connections.iter().map(|at| &log.connections[*at]);
        connections.flat_map(|connection| {
            let of = |seen: &&Sighting| {
                owners(&seen.symptom, writer(connection)).iter().any(|cause| cause.code == told.cause.code)
            };
            connection.sightings.iter().filter(of)
        })
    };
    let first = complaints().map(|seen| seen.line.number).min();
    let listens = |entry: &Entry| entry.event == Event::ServerStarted && first.is_some_and(|first| entry.line > first);
    let serves = |connection: &Connection| !connection.peers.is_empty() || connection.entries.iter().any(listens);
    let own = || told.connections.iter().map(|at| &log.connections[*at]);
    // The socket of IPv6 has IPv4 too.
    let listens_itself = || own().all(|connection| connection.first(Event::ServerStarted).is_some());
    told.cause.code == "server-start-failed"
        && first.is_some()
        && (complaints().all(is_of_host_keys) && log.connections.iter().any(serves)
            || complaints().all(is_of_addresses) && listens_itself())
}

/// True if a log has nothing but the words with which ssh ends every session.
pub(super) fn is_an_end_alone(log: &Log) -> bool {
    let mut seen = log.connections.iter().flat_map(|connection| &connection.sightings).peekable();
    let is_the_end = |seen: &Sighting| seen.symptom == "Connection to <host> closed.";
    let count = log.connections.iter().map(|connection| connection.sightings.len() as u64).sum::<u64>();
    let has_steps = log.connections.iter().any(|connection| !connection.entries.is_empty());
    seen.peek().is_some() && seen.all(is_the_end) && log.lines <= count && !has_steps
}

/// True if the few lines of a log are one harmless message, which a terminal or a mail broke: the whole has a text that none of its lines has, and
/// no line that begins a message has a cause.
pub(super) fn is_harmless_as_one(log: &Log) -> bool {
    let lines = lines(log);
    let is_harmless =
        |text: &str| HARMLESS_LINES.is_match(text.as_bytes()) || FILE_DENIED_LINES.is_match(text.as_bytes());
    // A line in the midst of a sentence is no message of its own.
    let goes_on = |text: &str| {
        let is_inside = text.starts_with('(') || text.starts_with(char::is_lowercase);
        text == "Permission denied" || is_inside && !text.contains('@') && !is_of_ssh(text)
    };
    let has_a_cause = |seen: &Sighting| {
        !goes_on(seen.line.in_english().trim_start_matches("> "))
            && (family(&seen.symptom, Writer::Anyone).is_some() || !owners(&seen.symptom, Writer::Anyone).is_empty())
    };
    let mut seen = log.connections.iter().flat_map(|connection| &connection.sightings);
    let parts = || lines.iter().map(|line| line.in_english().trim_start_matches("> "));
    let is_one = log.is_brief() && lines.len() > 1 && lines.len() as u64 == log.lines;
    let whole = parts().collect::<Vec<_>>().join(" ");
    is_one && !seen.any(has_a_cause) && !parts().any(is_harmless) && is_harmless(&whole)
}
