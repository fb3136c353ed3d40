//! The candidates for a text that several causes print, and the evidence for each in the rest of the log.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use super::algorithms::kind_of_all;
use super::families::{Candidate, NO_TERMINAL, When, Writer, is};
use super::finding::{Told, in_a_log, quoted, writer};
use super::overcome::is_in_a_rekeying;
use crate::causes::{self, Match, Severity};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::log::{Connection, Entry, Event, Part, Sighting};

/// The longest age of a session that just began, seconds: a login's own steps take no longer.
const JUST_BEGUN_S: f64 = 5.0;

/// Steps that a client takes once the server's version has come.
const PAST_THE_VERSION: &[Event] = &[
    Event::VersionReceived,
    Event::KexinitSent,
    Event::KexinitReceived,
    Event::Proposal,
    Event::ProposalList,
    Event::Algorithm,
    Event::Cipher,
    Event::KexReplyAwaited,
    Event::KexReply,
];

/// The candidates for a text, those that the log speaks for first.
pub(super) fn candidates(
    connection: &Connection,
    all: &'static [Candidate],
    is_named: bool,
    seen: &Sighting,
) -> Vec<Told> {
    let mut fitting: Vec<(bool, &Candidate)> = Vec::new();
    if all.iter().any(|candidate| may_be_of_a_rekeying(candidate.code))
        && !is_of_russh(connection)
        && is_in_a_rekeying(connection, seen.line.number)
    {
        fitting.push((true, &REKEYING));
    }
    for candidate in all {
        let is_new = !fitting.iter().any(|(_, known)| known.code == candidate.code);
        if let Some(speaks_for) = fit(connection, candidate.when, seen).filter(|_| is_new) {
            fitting.push((speaks_for, candidate));
        }
    }
    // What comes after a login is no failure to log in, where another candidate remains, unless it is another connection that failed.
    let is_past = |candidate: &Candidate| {
        seen.after >= Some(Check::Auth) && is_up_to_the_login(candidate.code) && !is_of_an_attempt(seen)
    };
    if fitting.iter().any(|(_, candidate)| !is_past(candidate)) {
        fitting.retain(|(speaks_for, candidate)| *speaks_for || !is_past(candidate));
    }
    fitting.sort_by_key(|(speaks_for, _)| !speaks_for);
    let told = fitting.iter().filter_map(|(speaks_for, candidate)| {
        let cause = causes::all().find(|cause| cause.code == candidate.code)?;
        Some((*speaks_for, is_said(candidate.when), cause, candidate.sign))
    });
    let mut first = None;
    let told = told.enumerate().map(|(at, (speaks_for, is_said, cause, sign))| {
        let is_likely = at == 0 && (is_named && !is_said || speaks_for);
        let certainty = if is_likely { Certainty::Likely } else { Certainty::Possible };
        // The likeliest says how grave the text is.
        let own = in_a_log(cause);
        let likeliest = *first.get_or_insert(own.unwrap_or(cause.severity));
        let severity = if likeliest == Severity::Info { Some(Severity::Info) } else { own };
        let found = Match { severity, ..Match::new(certainty, [quoted(seen)]) };
        Told { cause, found, sign: Some(sign.into()), connections: Vec::new() }
    });
    told.collect()
}

/// True if no more than what somebody writes is for a candidate.
fn is_said(when: When) -> bool {
    matches!(when, When::Said(_) | When::SaidOfMethods(..))
}

/// The cause of an end or a stop while keys are exchanged again.
const REKEYING: Candidate = is("rekey-failed", When::Always, "it comes while keys are exchanged again");

/// True for a cause of an end or a stop that a failed rekeying looks like.
fn may_be_of_a_rekeying(code: &str) -> bool {
    ["idle-closed", "idle-reset", "idle-silent-drop", "handshake-kex-failed", "handshake-kex-stalled"].contains(&code)
}

/// True for russh, which tells where keys are exchanged again, and never that they have come.
fn is_of_russh(connection: &Connection) -> bool {
    connection.program.as_ref().is_some_and(|program| program.name == "russh")
}

/// True for the words of a program that could not connect.
fn is_of_an_attempt(seen: &Sighting) -> bool {
    let line = seen.line.in_english();
    ["dial tcp ", "connect to host ", "connect: ", "Could not connect to "].iter().any(|words| line.contains(words))
}

/// True for a cause that shows before a login or at it.
fn is_up_to_the_login(code: &str) -> bool {
    ["dns-", "tcp-", "handshake-", "hostkey-", "auth-"].iter().any(|stage| code.starts_with(stage))
}

/// True if the log speaks for a candidate; `None` where it does not.
fn fit(connection: &Connection, when: When, seen: &Sighting) -> Option<bool> {
    // Above a log that is pasted below it, an error is the end of that log told first.
    let is_heading =
        connection.entries.first().is_some_and(|first| seen.line.number < first.line && first.event != Event::Asked);
    let before = || connection.entries.iter().filter(|entry| is_heading || entry.line <= seen.line.number);
    let has = |event: Event| before().any(|entry| entry.event == event);
    let any = |events: &[Event]| before().any(|entry| events.contains(&entry.event));
    let passed = |check: Check| seen.after >= Some(check) || is_heading && connection.passed(check);
    let has_steps = || before().any(|entry| matches!(entry.event.place(), Some((_, Part::Step | Part::Passes))));
    let has_text = |texts: &[&str]| connection.sightings.iter().any(|other| texts.contains(&other.symptom.as_str()));
    let offers = |method: &str| {
        before()
            .rfind(|entry| entry.event == Event::MethodsOffered)
            .and_then(|entry| entry.value("methods"))
            .map(|methods| methods.to_ascii_lowercase().contains(method))
    };
    // The last list of methods, which may be that of the refusal itself.
    let lists = |method: &str| {
        let listed = before().filter_map(|entry| entry.value("methods")).next_back();
        listed.is_some_and(|listed| listed.contains(method))
    };
    let holds = match when {
        When::Always => return Some(false),
        When::OfServer => writer(connection) == Writer::Server,
        When::Before(check) => has_steps() && !passed(check),
        When::After(check) => passed(check),
        When::Between(first, second) => passed(first) && !passed(second),
        When::NoVersion => passed(Check::Tcp) && !any(PAST_THE_VERSION) && !passed(Check::Handshake),
        When::Greeting(lines) => before().filter(|entry| entry.event == Event::LineBeforeVersion).count() >= lines,
        When::Exchanging => any(PAST_THE_VERSION) && !passed(Check::Handshake),
        When::Seen(texts) => has_text(texts),
        When::Said(texts) => return has_text(texts).then_some(false),
        When::SaidOfMethods(methods, texts) => {
            return (methods.iter().any(|method| lists(method)) && has_text(texts)).then_some(false);
        }
        When::OnWindows => is_on_windows(connection),
        When::InLine(words) => words.iter().any(|word| seen.line.in_english().contains(word)),
        When::ShellUnanswered => {
            let wants_an_answer = |entry: &Entry| {
                matches!(entry.value("what"), Some("shell" | "exec")) && entry.value("channel").is_some()
            };
            connection.all(Event::RequestSent).any(wants_an_answer)
                && !connection.entries.iter().any(|entry| entry.event == Event::RequestGranted)
        }
        When::SeenWithout(texts, without) => has_text(texts) && !has_text(without),
        When::Lists(kind) => kind_of_all(seen.line.in_english()) == Some(kind),
        When::MidTransfer => {
            let received = |text: &str| connection.sightings.iter().any(|other| other.symptom == text);
            received("bytes received so far)") && !received("closed (0 bytes received so far)")
        }
        When::NothingOffered => {
            let is_complete = is_openssh(connection) || has(Event::KeyTried) || is_of_net_ssh(connection);
            let is_none = !any(&[Event::KeyOffered, Event::KeyAccepted]) && !was_a_key_sent(connection);
            // Without the server's first list, the keys that were offered may stand above what is shown.
            if is_none && offers("publickey").is_none() && has(Event::KeyTried) && lists("publickey") {
                return Some(false);
            }
            is_complete && is_none && offers("publickey") == Some(true)
        }
        When::ThroughProxy => has(Event::ProxyStarted) && !has(Event::VersionReceived),
        When::RequestPending => {
            let last = before().rfind(|entry| matches!(entry.event.place(), Some((_, Part::Step | Part::Passes))));
            last.is_some_and(|last| last.event == Event::RequestSent)
        }
        When::Recorded(event) => has(event),
        When::Without(events) => return (!any(events)).then_some(false),
        When::KeyRefused => has(Event::KeyOffered) && !has(Event::KeyAccepted),
        When::Unasked => has_text(NO_TERMINAL) && !has(Event::Asked),
        When::KeyRefusedUnasked => {
            has_text(NO_TERMINAL) && !has(Event::Asked) && has(Event::KeyOffered) && !has(Event::KeyAccepted)
        }
        When::KeyNotUsed => has(Event::KeyAccepted) && !has(Event::LoggedIn),
        When::MethodMissing => offers("publickey") == Some(false) && !tried_a_password(connection),
        When::Reason(number) => reason(seen.line.in_english()) == Some(number),
        When::ReasonAfter(number, check) => passed(check) && reason(seen.line.in_english()) == Some(number),
        When::NothingInCommon(places) => places.iter().any(|place| has_nothing_in_common(connection, *place)),
        When::JustBegun => {
            let last = before().rfind(|entry| matches!(entry.event.place(), Some((_, Part::Step | Part::Passes))));
            last.is_some_and(|last| last.event == Event::SessionBegun)
                && age_s(connection, seen).is_none_or(|age| age <= JUST_BEGUN_S)
        }
        When::SoonAfterLogin(limit) => age_s(connection, seen).is_some_and(|age| age <= f64::from(limit)),
        When::ShellFailed(limit) => {
            is_a_shell_that_failed(connection) && age_s(connection, seen).is_some_and(|age| age <= f64::from(limit))
        }
    };
    holds.then_some(true)
}

/// True if ssh sent a key of a file that has no public half: the server answers it. Of a file that is missing, ssh goes on at once.
fn was_a_key_sent(connection: &Connection) -> bool {
    let is_an_answer = |event: Event| {
        matches!(event, Event::MethodsOffered | Event::LoggedIn | Event::PartialSuccess | Event::LoginRefused)
    };
    let mut pairs = connection.entries.windows(2);
    pairs.any(|pair| pair[0].event == Event::KeyTried && is_an_answer(pair[1].event))
}

/// The number in a line that tells the reason of a disconnect.
fn reason(line: &str) -> Option<u32> {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        let forms = r"(?:from \S+ port \d+: ?(\d{1,2}): |from \S+: (\d{1,2}): |DISCONNECT: (\d{1,2})\b|reason(?: code)? (\d{1,2})\b|disconnected: .*\((\d{1,2})\)$)";
        RegexBuilder::new(forms).unicode(false).build().expect("the forms of a reason compile")
    });
    let found = NUMBER.captures(line.trim_end().as_bytes())?;
    let number = found.iter().skip(1).flatten().next()?;
    std::str::from_utf8(number.as_bytes()).ok()?.parse().ok()
}

/// True if both ends' lists at one place of their KEXINITs are known, and have no name in common.
fn has_nothing_in_common(connection: &Connection, place: usize) -> bool {
    let list = |whose: &str| {
        let lists = connection.all(Event::ProposalList).filter(|entry| entry.value("whose") == Some(whose));
        lists.filter_map(|entry| entry.value("names")).nth(place)
    };
    let Some((client, server)) = list("client").zip(list("server")) else { return false };
    !client.split(',').any(|name| server.split(',').any(|other| other == name))
}

/// True if the server names Windows in its version.
fn is_on_windows(connection: &Connection) -> bool {
    let mut versions = connection.all(Event::VersionReceived).filter_map(|entry| entry.value("software"));
    versions.any(|software| software.contains("for_Windows"))
}

/// True for a log of Net::SSH that tells each method which is tried, and each key which is offered.
fn is_of_net_ssh(connection: &Connection) -> bool {
    let tries_keys = |entry: &Entry| entry.value("method") == Some("publickey");
    connection.program.as_ref().is_some_and(|program| program.name == "Net::SSH")
        && connection.all(Event::MethodTried).any(tries_keys)
}

pub(super) fn is_openssh(connection: &Connection) -> bool {
    connection.program.as_ref().is_some_and(|program| program.name == "OpenSSH")
}

fn tried_a_password(connection: &Connection) -> bool {
    let methods = connection.all(Event::MethodTried).filter_map(|entry| entry.value("method"));
    methods.into_iter().any(|method| ["password", "keyboard-interactive"].iter().any(|name| method.contains(name)))
}

/// True if a session had a terminal and no command, and ended with another status than 0. A forge's account greets and ends so.
fn is_a_shell_that_failed(connection: &Connection) -> bool {
    let has_no_terminal = |seen: &Sighting| seen.symptom.starts_with("Pseudo-terminal will not be allocated");
    let statuses: Vec<_> = connection.all(Event::ExitStatus).filter_map(|entry| entry.value("status")).collect();
    let is_of_git = |entry: &Entry| entry.value("user") == Some("git");
    !statuses.is_empty()
        && !connection.entries.iter().any(is_of_git)
        && !statuses.contains(&"0")
        && connection.first(Event::SessionBegun).is_some()
        && !connection.all(Event::RequestSent).any(is_a_command)
        && !connection.sightings.iter().any(has_no_terminal)
}

/// True if a request was for a command, and not for a shell or a subsystem.
pub(super) fn is_a_command(entry: &Entry) -> bool {
    entry.value("command").is_some() || entry.value("what") == Some("exec")
}

/// Seconds from the login to a line; ssh itself tells the age of a session at its end.
fn age_s(connection: &Connection, seen: &Sighting) -> Option<f64> {
    let told = || connection.first(Event::Transferred)?.value("seconds")?.parse().ok();
    let last = connection.entries.iter().rev().find(|entry| entry.line <= seen.line.number)?;
    let login = connection.first(Event::LoggedIn).and_then(|login| login.at_s);
    let measured = last.at_s.zip(login).map(|(end, login)| end - login + seen.waited_s.unwrap_or_default());
    measured.or_else(told)
}
