//! Logs in which nothing failed: those that stop in the middle of a step, and those of which a step took long.

use super::candidates::{candidates, is_openssh};
use super::families::{AFTER_A_COMMAND, REFUSED_BEFORE, STOPS, Writer};
use super::finding::{Told, writer};
use super::owners::{family, owners};
use super::words::is_harmless;
use crate::base::text::{sanitize, seconds};
use crate::causes::{self, Match, Severity};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::log::{Connection, Entry, Event, Gap, Line, Log, Sighting};

/// The shortest wait that makes a step slow, seconds; a round trip around the world takes 0.3 s.
const SLOW_S: f64 = 2.0;

/// Programs that log when they begin to wait for a reply of the key exchange.
const SAY_WHEN_THEY_WAIT: [&str; 4] = ["OpenSSH", "node ssh2", "JSch", "Net::SSH"];

/// The lines above a log that are still the log alone: the command and ssh's version.
const BEFORE: u64 = 2;

/// Lines at which a log stops if somebody shows no others.
const ALONE: u64 = 2;

/// The words between a wait and the line that it comes before.
const PASS: &str = " pass before line ";

/// The words that stand for the line at which a log ends without a reason.
pub const LAST_STEP: &str = "the last step that the log records";

/// True for a candidate of a log that ends without a reason.
pub(super) fn is_of_a_stop(told: &Told) -> bool {
    told.found.because.iter().all(|line| line.ends_with(LAST_STEP))
}

/// True for a cause that is a wait alone: where something failed, that comes first.
pub(super) fn is_of_a_wait(told: &Told) -> bool {
    told.sign.is_none() && told.found.because.iter().all(|line| line.contains(PASS))
}

/// Returns the candidates for a log that ends in the middle of a step without giving a reason.
pub(super) fn stopped(log: &Log, connection: &Connection) -> Option<Vec<Told>> {
    if connection.end().is_some() || writer(connection) == Writer::Server || !is_of_a_client(connection) {
        return None;
    }
    // ssh logs its next step at once after the login; of libraries, only some log the session.
    let last = connection.last_step().filter(|last| last.event != Event::LoggedIn)?;
    let is_of_tcp = matches!(last.event, Event::Resolving | Event::Connecting | Event::Connected);
    let was_connected_before = is_of_tcp && connection.passed(Check::Auth);
    if was_connected_before
        || is_of_a_forwarding(last)
        || goes_on_alone(connection, last)
        || is_a_command_alone(connection)
        || is_before_its_pledge(log, connection, last)
    {
        return None;
    }
    if asks_the_user(last) {
        let line = Line { number: last.line, text: "ssh asks for a password".to_owned(), english: None };
        let seen = Sighting::of(line);
        return Some(candidates(connection, REFUSED_BEFORE, false, &seen));
    }
    let is_a_command = was_granted_a_command(connection);
    let all = match STOPS.iter().find(|(events, _)| events.contains(&last.event)) {
        _ if is_a_command => AFTER_A_COMMAND,
        found => found?.1,
    };
    let line = Line { number: last.line, text: LAST_STEP.to_owned(), english: None };
    let mut told = candidates(connection, all, false, &Sighting::of(line));
    // Whoever shows a log of something else cuts it in the login or in the session, seldom before.
    let complains = |seen: &&Sighting| {
        let text = seen.line.in_english().to_ascii_lowercase();
        family(&seen.symptom, Writer::Anyone).is_some()
            || !owners(&seen.symptom, Writer::Anyone).is_empty()
            || ["error", "fail", "could not", "cannot"].iter().any(|word| text.contains(word))
    };
    let goes_on = connection.sightings.iter().filter(complains).any(|seen| seen.line.number > last.line);
    let goes_on = goes_on || log.unknown.iter().any(|line| line.number > last.line && !is_harmless(line.in_english()));
    let is_cut = is_past_the_handshake(connection, last) && log.lines > ALONE && !log.is_said_to_hang && !goes_on;
    if is_cut && told.iter().all(|one| one.found.certainty == Certainty::Possible) {
        for one in &mut told {
            one.found.severity = Some(Severity::Info);
        }
    } else if is_a_command {
        for one in &mut told {
            one.found.severity = Some(Severity::Warning);
        }
    }
    Some(told)
}

/// True if the last step is one of a login or a session; sftp says that it is connected once it has logged in.
fn is_past_the_handshake(connection: &Connection, last: &Entry) -> bool {
    let connects = || connection.first(Event::Connecting).is_some();
    match last.event.place() {
        Some((Check::Tcp, _)) => connection.passed(Check::Handshake) && !connects(),
        _ => connection.passed(Check::Handshake),
    }
}

/// True for a command that a program names without any step of a connection.
fn is_a_command_alone(connection: &Connection) -> bool {
    let is_command = |entry: &Entry| entry.event == Event::RequestSent && entry.value("command").is_some();
    connection.program.is_none() && connection.entries.iter().all(is_command)
}

/// True for a step after which the client goes on without waiting for the server: a log that ends there was cut.
fn goes_on_alone(connection: &Connection, last: &Entry) -> bool {
    // The version was there, and KEXINIT is sent without waiting.
    let has_a_version = last.event == Event::VersionSent && connection.first(Event::VersionReceived).is_some();
    let is_before_the_reply = matches!(last.event, Event::KexinitReceived | Event::Algorithm | Event::Cipher);
    let says_when_it_waits =
        connection.program.as_ref().is_some_and(|program| SAY_WHEN_THEY_WAIT.contains(&program.name.as_str()));
    let is_before_the_shell = last.event == Event::RequestSent && matches!(last.value("what"), Some("pty-req" | "env"));
    // Since OpenSSH 6.2, ssh names its own version before it waits for the server's.
    let is_at_its_keys = connection.entries.last().is_some_and(|last| last.event == Event::IdentityFile);
    let is_before_the_version = last.event == Event::Connected && is_at_its_keys && is_openssh_of(connection, (7, 0));
    let is_after_a_rekeying = matches!(last.event, Event::NewkeysReceived | Event::NewkeysSent)
        && connection.first(Event::Rekeying).is_some_and(|first| first.line < last.line);
    has_a_version
        || is_after_a_rekeying
        || is_before_the_reply && says_when_it_waits
        || is_before_the_shell
        || is_before_the_version
}

/// True if a text is a log of ssh that ends as the session begins: since OpenSSH 7.2, which reads the server's signature algorithms too, ssh prints its
/// pledge in the next line, before it waits for the server. Whoever says something around the log may have left that line out.
fn is_before_its_pledge(log: &Log, connection: &Connection, last: &Entry) -> bool {
    // That line names the method since OpenSSH 8.9.
    let names_host_and_method = |entry: &Entry| entry.value("host").is_some() && entry.value("method").is_some();
    let is_new = is_openssh_of(connection, (7, 2))
        || connection.first(Event::SignatureAlgorithms).is_some()
        || connection.all(Event::LoggedIn).any(names_host_and_method);
    last.event == Event::SessionBegun
        && is_openssh(connection)
        && is_new
        && log.lines == last.line
        && connection.entries.first().is_some_and(|first| first.line <= BEFORE + 1)
}

/// True if a log of libssh, which goes on to the end of a command, ends as the server starts it. What the command prints is not logged.
fn was_granted_a_command(connection: &Connection) -> bool {
    let is_of_libssh = connection.program.as_ref().is_some_and(|program| program.name == "libssh");
    let is_a_grant = |entry: &&Entry| entry.event == Event::RequestGranted;
    let mut grants = connection.entries.iter().rev().take_while(is_a_grant);
    is_of_libssh && grants.any(|grant| grant.value("what") == Some("exec"))
}

/// True if a log is that of OpenSSH's client of at least this version, major and minor.
fn is_openssh_of(connection: &Connection, least: (u32, u32)) -> bool {
    let program = connection.program.as_ref().filter(|_| is_openssh(connection));
    let version = program.and_then(|program| program.version.as_deref());
    let mut numbers = version.into_iter().flat_map(|version| version.split(|c: char| !c.is_ascii_digit()));
    let mut number = || numbers.find_map(|number| number.parse::<u32>().ok());
    number().is_some_and(|major| (major, number().unwrap_or_default()) >= least)
}

/// True if the next word is the user's: a password or a code.
fn asks_the_user(last: &Entry) -> bool {
    let asks = |method: &str| method.contains("password");
    last.event == Event::Asked || last.event == Event::MethodTried && last.value("method").is_some_and(asks)
}

/// True for a channel that serves a forwarded connection, beside any session.
fn is_of_a_forwarding(last: &Entry) -> bool {
    let is_forwarded = |kind: &str| kind.contains("tcpip") || kind.contains("streamlocal") || kind.contains("x11");
    last.event == Event::ChannelAsked && last.value("kind").is_some_and(is_forwarded)
}

/// True if the program of a log is known, or a step is recorded that names SSH: others connect to servers, too.
fn is_of_a_client(connection: &Connection) -> bool {
    let is_general = |event| matches!(event, Event::Resolving | Event::Connecting | Event::Connected);
    connection.program.is_some() || connection.entries.iter().any(|entry| !is_general(entry.event))
}

/// True if a gap is the time in which a person types a password or a code.
fn was_typed(connection: &Connection, gap: &Gap) -> bool {
    let types = |entry: &Entry| {
        entry
            .value("method")
            .is_some_and(|method| method.contains("password") || method.contains("keyboard-interactive"))
    };
    // A server writes once the password is there.
    let login = connection.entries.iter().find(|entry| entry.line == gap.line.number);
    let before = connection.entries.iter().rev().find(|entry| entry.line < gap.line.number);
    let was_awaited = writer(connection) == Writer::Server && login.is_some_and(types);
    was_awaited
        || before.is_some_and(|entry| match entry.event {
            Event::Asked | Event::LoginRefused | Event::PartialSuccess => true,
            Event::MethodTried => writer(connection) == Writer::Server && types(entry),
            _ => false,
        })
}

/// The step of a connection that took long, where nothing failed.
pub(super) fn slow(connection: &Connection) -> Option<Told> {
    let is_slow = |gap: &&Gap| gap.seconds >= SLOW_S && !was_typed(connection, gap);
    let (gap, code) = connection.gaps.iter().filter(is_slow).find_map(|gap| {
        let code = match (gap.after, gap.before) {
            // That login is another client's.
            (Some(Event::LoggedIn), Some(Event::LoggedIn | Event::LoginRefused)) => return None,
            (_, Some(Event::LoggedIn | Event::MethodsOffered | Event::LoginBegun | Event::KeyAccepted))
            | (Some(Event::LoggedIn | Event::ChannelAsked), Some(Event::SessionBegun | Event::RequestGranted)) => {
                "auth-slow"
            }
            (Some(Event::MethodTried | Event::KeyOffered), None) if connection.passed(Check::Auth) => "auth-slow",
            (Some(Event::Resolving), Some(Event::Connecting)) => "dns-slow",
            (_, Some(Event::VersionReceived | Event::KexReply | Event::KexinitReceived))
            // PuTTY tells what it asks for next once the server has answered, and the host key once it has come.
            | (Some(Event::VersionReceived | Event::VersionSent | Event::KexReplyAwaited), Some(Event::KexReplyAwaited))
            | (Some(Event::KexReplyAwaited), Some(Event::HostKey)) => "handshake-slow",
            _ => return None,
        };
        Some((gap, code))
    })?;
    let cause = causes::all().find(|cause| cause.code == code)?;
    let line = format!("{}{PASS}{}: {}", seconds(gap.seconds), gap.line.number, sanitize(&gap.line.text));
    Some(Told { cause, found: Match::new(Certainty::Likely, [line]), sign: None, connections: Vec::new() })
}
