//! Steps that a connection took after a text was printed: a text about what it left behind is no cause of its end.

use super::families::{Family, Writer};
use super::finding::writer;
use super::owners::{family, owners};
use super::words;
use crate::causes::{self, Cause};
use crate::facts::Check;
use crate::facts::log::{Connection, Entry, Event, Log, Part, Sighting};

/// The cause of a control master that gives no session.
const MASTER: &str = "config-master-dead";
/// Causes of a login that succeeds all the same.
const DESPITE_LOGIN: [&str; 1] = ["auth-password-expired"];
/// Causes that ask a question, which was answered where the connection goes on.
pub(super) const ANSWERED: [&str; 3] = ["hostkey-unknown", "auth-key-encrypted", "auth-security-key-file"];
/// Causes of requests beside a session, which goes on without them.
pub(super) const BESIDE_A_SESSION: [&str; 4] = [
    "channel-forward-unreachable",
    "channel-local-forward-failed",
    "channel-remote-forward-failed",
    "channel-x11-refused",
];

/// True if the connection went past the check at which a cause shows, after the line that names it.
pub(super) fn is_overcome(connection: &Connection, cause: &Cause, seen: &Sighting) -> bool {
    // What a session prints in place of its work comes before its exit status.
    let is_of_the_session = cause.code.starts_with("session-") && cause.stage == Check::Channel;
    let is_despite_login = DESPITE_LOGIN.contains(&cause.code) && !succeeded(connection);
    let is_overcome_by_none = is_of_the_session || is_despite_login || BESIDE_A_SESSION.contains(&cause.code);
    // A password is asked for once the host key is accepted.
    let is_answered = ANSWERED.contains(&cause.code)
        && cause.stage < Check::Auth
        && (connection.entries.iter().any(|entry| entry.line > seen.line.number && entry.event == Event::Asked)
            || is_let_through(seen) && was_refused_after(connection, seen)
            || is_of_curl(seen) && connection.entries.iter().any(|entry| is_of_the_login(entry, seen)));
    // A program that looks for ssh in several places went on with the one that it found.
    let is_on_the_way = |entry: &Entry| {
        entry.line > seen.line.number && entry.event.place().is_some_and(|(check, _)| check >= Check::Tcp)
    };
    let is_found = cause.code == "config-client-missing" && connection.entries.iter().any(is_on_the_way);
    is_found || is_answered || !is_overcome_by_none && passed_after(connection, seen, cause.stage)
}

/// The cause of a key exchange that fails: in a session it is that of a rekeying.
pub(super) fn or_of_a_rekeying(connection: &Connection, cause: &'static Cause, seen: &Sighting) -> &'static Cause {
    let is_a_rekeying =
        cause.code.starts_with("handshake-kex-") && is_in_a_rekeying(connection, seen.line.number.saturating_sub(1));
    let rekeying = || causes::all().find(|cause| cause.code == "rekey-failed");
    is_a_rekeying.then(rekeying).flatten().unwrap_or(cause)
}

/// True if keys are exchanged again at a line, and the new ones have not come.
pub(super) fn is_in_a_rekeying(connection: &Connection, line: u64) -> bool {
    let before = connection.entries.iter().enumerate().take_while(|(_, entry)| entry.line <= line);
    let ends = |event: Event| matches!(event, Event::NewkeysReceived | Event::LoggedIn) || begins_a_connection(event);
    let of_keys = before.filter(|(at, entry)| {
        entry.event == Event::Rekeying || ends(entry.event) || is_a_kexinit_again(&connection.entries[..*at], entry)
    });
    of_keys.last().is_some_and(|(_, last)| !ends(last.event))
}

/// True for the KEXINIT of a client that logged in and has not begun another connection since. Through a jump host, the login may be that of the jump
/// host, and the keys those of the connection behind it.
fn is_a_kexinit_again(before: &[Entry], entry: &Entry) -> bool {
    let last = before.iter().rfind(|entry| entry.event == Event::LoggedIn || begins_a_connection(entry.event));
    entry.event == Event::KexinitSent
        && last.is_some_and(|last| last.event == Event::LoggedIn)
        && !before.iter().any(|entry| entry.event == Event::ProxyStarted)
}

/// True for a step before the keys of a connection are first exchanged.
fn begins_a_connection(event: Event) -> bool {
    matches!(event, Event::VersionReceived | Event::VersionSent | Event::LineBeforeVersion)
        || event.place().is_some_and(|(check, _)| check < Check::Handshake)
}

/// True if a text is the question about a host key, or what follows its acceptance, and not the refusal of one.
fn is_let_through(seen: &Sighting) -> bool {
    seen.symptom.contains("can't be established") || seen.symptom.starts_with("Failed to add the host to the list")
}

/// True for curl's line on a host key, after which it goes on where it was not told to check it.
fn is_of_curl(seen: &Sighting) -> bool {
    seen.symptom.starts_with("SSH host check:")
}

/// True for a step of the login after a line.
fn is_of_the_login(entry: &Entry, seen: &Sighting) -> bool {
    entry.line > seen.line.number && entry.event.place().is_some_and(|(check, _)| check >= Check::Auth)
}

/// True if a login was refused after a line, and no host key was.
fn was_refused_after(connection: &Connection, question: &Sighting) -> bool {
    let writer = writer(connection);
    let is_of_a_login = |seen: &Sighting| {
        let family = family(&seen.symptom, writer).filter(|(_, family)| !family.is_wrapper);
        let first = family.and_then(|(_, family)| family.candidates.first());
        first.and_then(|first| causes::all().find(|cause| cause.code == first.code)).map(|cause| cause.stage)
            == Some(Check::Auth)
    };
    let mut later = connection.sightings.iter().filter(|seen| seen.line.number > question.line.number);
    let is_rejected = connection.sightings.iter().any(|seen| seen.symptom.starts_with("Host key verification failed"));
    !is_rejected && later.any(is_of_a_login)
}

/// True if a cause is that no agent answers, where the client goes on to a key of a file or to a password that it was given: it is
/// that which is refused. Nor is it the cause where there was no connection to log in on.
pub(super) fn is_beside_a_credential(connection: &Connection, cause: &Cause, seen: &Sighting) -> bool {
    let is_given = connection.program.as_ref().is_some_and(|program| program.name == "Net::SSH");
    let has_password =
        is_given && connection.all(Event::MethodTried).any(|entry| entry.value("method") == Some("password"));
    let is_refused = connection.sightings.iter().any(|seen| seen.symptom == "Permission denied, please try again");
    cause.code == "auth-agent-unreachable"
        && (has_password
            || is_refused
            || is_given && was_never_set(connection, seen)
            || connection.first(Event::KeyOffered).is_some()
            || was_not_connected_after(connection, seen))
}

/// True if Net::SSH says that the environment names no agent, and that every method was tried: nobody meant to use one.
fn was_never_set(connection: &Connection, seen: &Sighting) -> bool {
    let is_refused = |other: &Sighting| {
        other.line.number >= seen.line.number && other.line.text.contains("authorization methods failed (tried none")
    };
    seen.line.text.contains("Agent not configured")
        && connection.first(Event::MethodsOffered).is_some()
        && connection.sightings.iter().any(is_refused)
}

/// True if a line after this one tells that no connection was made.
fn was_not_connected_after(connection: &Connection, seen: &Sighting) -> bool {
    let writer = writer(connection);
    let mut later = connection.sightings.iter().filter(|other| other.line.number > seen.line.number);
    later.any(|other| {
        let family = family(&other.symptom, writer).filter(|(_, family)| !family.is_wrapper);
        let first = family.and_then(|(_, family)| family.candidates.first()).map(|first| first.code);
        let named = owners(&other.symptom, writer).first().map(|cause| cause.code);
        let is_it = |cause: &&Cause| Some(cause.code) == named.or(first);
        causes::all().find(is_it).is_some_and(|cause| matches!(cause.stage, Check::Dns | Check::Tcp))
    })
}

/// True if a control master gave no session, and a later line tells how the connection went that ssh opened in its place (muxclient returns, and
/// ssh connects by itself).
pub(super) fn is_of_a_master_left(log: &Log, seen: &Sighting) -> bool {
    let is_of_the_master =
        |other: &Sighting| owners(&other.symptom, Writer::Client).iter().any(|cause| cause.code == MASTER);
    let tells = |other: &Sighting| {
        let is_a_complaint = |(_, family): (usize, &Family)| !family.is_wrapper && family.speaks_alone();
        other.line.number > seen.line.number
            && !is_of_the_master(other)
            && (family(&other.symptom, Writer::Client).is_some_and(is_a_complaint)
                || !owners(&other.symptom, Writer::Client).is_empty())
    };
    let goes_on = |entry: &Entry| {
        let is_an_end = entry.event == Event::ExitStatus && entry.value("status") == Some("0");
        let passes = matches!(entry.event.place(), Some((check, Part::Passes)) if check > Check::Config);
        entry.line > seen.line.number && (passes || is_an_end)
    };
    is_of_the_master(seen)
        && log
            .connections
            .iter()
            .any(|connection| connection.sightings.iter().any(tells) || connection.entries.iter().any(goes_on))
}

/// True if a line is that of an older ssh that looks for a key's public half in the file of the private one, and the text goes on without a
/// complaint after it: ssh then loads the private key.
pub(super) fn is_of_a_public_half(log: &Log, seen: &Sighting) -> bool {
    let text = seen.line.in_english();
    let is_later = |line: u64| line > seen.line.number;
    let logs_in = |entry: &Entry| is_later(entry.line) && entry.event == Event::LoggedIn;
    let is_refused = |one: &Connection| {
        one.sightings.iter().any(|other| is_later(other.line.number))
            || one.entries.iter().any(|entry| is_later(entry.line) && entry.event == Event::LoginFailed)
    };
    text.contains("load pubkey \"")
        && text.contains("\": invalid format")
        && log.lines > seen.line.number
        && (log.connections.iter().any(|one| one.entries.iter().any(logs_in))
            || !log.connections.iter().any(is_refused))
}

/// True if a complaint about a key's file is one that a program expects as it tries every file of ~/.ssh.
pub(super) fn is_of_a_search(connection: &Connection, seen: &Sighting) -> bool {
    let is_later =
        |other: &Sighting| other.line.number > seen.line.number && words::SEARCHED.contains(&other.symptom.as_str());
    let is_of_a_file = |cause: &&Cause| ["auth-key-unreadable", "auth-key-encrypted"].contains(&cause.code);
    owners(&seen.symptom, writer(connection)).iter().any(is_of_a_file) && connection.sightings.iter().any(is_later)
}

/// True if a key file is missing or unreadable, and there was no connection, or it ended before any login.
pub(super) fn was_never_needed(connection: &Connection, cause: &Cause, seen: &Sighting) -> bool {
    let has = |event: Event| connection.first(event).is_some();
    let is_of_a_file = ["auth-no-credentials", "auth-key-unreadable"].contains(&cause.code);
    // A login that was refused before is another connection's, with another host.
    let is_rejected = |other: &Sighting| {
        let is_between = |line: u64| line > seen.line.number && line < other.line.number;
        let is_a_refusal =
            |refusal: &Sighting| is_between(refusal.line.number) && refusal.symptom.starts_with("Permission denied");
        other.line.number > seen.line.number
            && other.symptom.starts_with("Host key verification failed")
            && !connection.sightings.iter().any(is_a_refusal)
    };
    let is_refused_too = connection.sightings.iter().any(|other| other.symptom.starts_with("Permission denied"));
    // What a jump host refuses ends the connection through it.
    is_of_a_file
        && !has(Event::ProxyStarted)
        && (connection.sightings.iter().any(is_rejected)
            || !is_refused_too && was_not_connected_after(connection, seen))
        || is_of_a_file
            && has(Event::Connected)
            && !has(Event::ProxyStarted)
            && connection.stopped_at().is_some_and(|check| check <= Check::Handshake)
            && connection.end().is_some_and(|end| end.line > seen.line.number)
}

/// True for the server's word that a login did not come in time, where the client's log beside it waits for the key exchange.
pub(super) fn is_of_a_stalled_exchange(log: &Log, seen: &Sighting) -> bool {
    let waits = |one: &Connection| {
        writer(one) != Writer::Server && one.first(Event::KexReplyAwaited).is_some() && !one.passed(Check::Handshake)
    };
    seen.symptom == "Timeout before authentication" && log.connections.iter().any(waits)
}

/// True if the command of a session ended with status 0.
pub(super) fn succeeded(connection: &Connection) -> bool {
    let mut ended =
        connection.entries.iter().filter(|entry| matches!(entry.event, Event::CommandEnded | Event::ExitStatus));
    ended.any(|entry| entry.value("status") == Some("0"))
}

/// True if a check at or beyond `check` passed after a line.
pub(super) fn passed_after(connection: &Connection, seen: &Sighting, check: Check) -> bool {
    let passes = |event: Event| matches!(event.place(), Some((at, Part::Passes)) if at >= check);
    connection.entries.iter().any(|entry| entry.line > seen.line.number && passes(entry.event))
}
