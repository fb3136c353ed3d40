//! Judges a log: which cause its lines identify, or which ones they leave, and in which order.

use std::cmp::Reverse;

use super::families::{Candidate, Family, NO_PEER, STOPS, When, Writer, families};
use super::words::{FILE_DENIED, HARMLESS};
use crate::base::text::{sanitize, seconds};
use crate::causes::{self, Cause, Match, Severity};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::log::{Connection, Event, Line, Log, Part, Sighting};

/// Programs whose log is a server's.
const SERVERS: [&str; 3] = ["sshd", "dropbear", "fail2ban"];
/// The shortest wait that makes a step slow, seconds; a round trip around the world takes 0.3 s.
const SLOW_S: f64 = 2.0;
/// Causes of a login that succeeds all the same.
const DESPITE_LOGIN: [&str; 1] = ["auth-password-expired"];
/// Causes of requests beside a session, which goes on without them.
const BESIDE_A_SESSION: [&str; 4] = [
    "channel-forward-unreachable",
    "channel-local-forward-failed",
    "channel-remote-forward-failed",
    "channel-x11-refused",
];
/// The lines that are quoted for one cause.
const QUOTED: usize = 3;

/// A cause that a log tells of.
#[derive(Debug)]
pub struct Told {
    /// The cause.
    pub cause: &'static Cause,
    /// The certainty and the lines.
    pub found: Match,
    /// The sign that distinguishes it from others with the same text; `None` where it is identified.
    pub sign: Option<&'static str>,
    /// The connections in which it was found, by their places in the log.
    pub connections: Vec<usize>,
}

/// Returns the causes that a log shows, the likeliest of the gravest kind first.
#[must_use]
pub fn judge(log: &Log) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for (at, connection) in log.connections.iter().enumerate() {
        for mut one in of(connection) {
            match told.iter_mut().find(|known| known.cause.code == one.cause.code) {
                Some(known) => {
                    known.connections.push(at);
                    known.found.certainty = known.found.certainty.min(one.found.certainty);
                    known.sign = known.sign.filter(|_| one.sign.is_some());
                    let room = QUOTED.saturating_sub(known.found.because.len());
                    known.found.because.extend(one.found.because.drain(..).take(room));
                }
                None => told.push(Told { connections: vec![at], ..one }),
            }
        }
    }
    if log.connections.len() > 1 {
        let count = |one: &Told| one.connections.iter().map(|at| log.connections[*at].count).sum::<u64>();
        told.sort_by_key(|one| {
            (severity(one) == Severity::Info, one.found.certainty, severity(one), Reverse(count(one)))
        });
    }
    told
}

fn severity(told: &Told) -> Severity {
    told.found.severity.unwrap_or(told.cause.severity)
}

/// Returns the causes that one connection's lines show.
fn of(connection: &Connection) -> Vec<Told> {
    let writer = writer(connection);
    let mut named: Vec<Told> = Vec::new();
    let mut minor: Vec<Told> = Vec::new();
    let mut shared: Vec<(usize, &'static Family, &Sighting)> = Vec::new();
    for seen in closest(connection, writer) {
        let owners = owners(&seen.symptom, writer);
        for cause in &owners {
            match is_overcome(connection, cause, seen) {
                false if in_a_log(cause) != Some(Severity::Info) => name(&mut named, cause, seen, owners.len() == 1),
                true if cause.severity == Severity::Critical => (),
                _ => name(&mut minor, cause, seen, owners.len() == 1),
            }
        }
        if let Some((at, family)) = family(&seen.symptom, writer).filter(|(_, family)| stands(connection, family, seen))
        {
            shared.push((at, family, seen));
        }
    }
    // Where a ProxyCommand gave ssh nothing, there was no server, and no session on it.
    let no_server = connection.sightings.iter().any(|seen| NO_PEER.contains(&seen.symptom.as_str()));
    named.retain(|one| !no_server || one.cause.stage < Check::Channel);
    let hidden: Vec<_> = named.iter().flat_map(|one| one.cause.hides).copied().collect();
    named.retain(|one| !hidden.contains(&one.cause.code));
    named.sort_by_key(|one| (severity(one), one.cause.stage));
    if named.is_empty() {
        shared.retain(|(_, _, seen)| !no_server || !seen.symptom.contains("exchange_identification"));
        shared.sort_by_key(|(at, _, _)| *at);
        named = match shared.first() {
            Some((first, family, _)) => {
                let last = shared.iter().rev().find(|(at, _, _)| at == first).map(|(_, _, seen)| *seen);
                last.map(|seen| candidates(connection, family.candidates, family.is_named, seen)).unwrap_or_default()
            }
            None => stopped(connection).unwrap_or_else(|| slow(connection).into_iter().collect()),
        };
    }
    minor.retain(|one| !named.iter().any(|known| known.cause.code == one.cause.code));
    named.into_iter().chain(minor).collect()
}

fn writer(connection: &Connection) -> Writer {
    match &connection.program {
        Some(program) if SERVERS.contains(&program.name.as_str()) => Writer::Server,
        Some(_) => Writer::Client,
        None => Writer::Anyone,
    }
}

/// The causes with a text on their records, of which there is one where the text identifies it; none where it is a family's. What comes
/// before any packet is a client's alone.
fn owners(text: &str, writer: Writer) -> Vec<&'static Cause> {
    if family(text, writer).is_some() {
        return Vec::new();
    }
    let may = |cause: &&Cause| writer != Writer::Server || cause.stage != Check::Config;
    causes::all().filter(may).filter(|cause| cause.symptoms.contains(&text)).collect()
}

/// The family of a text in a log of this writer's, and its rank.
fn family(text: &str, writer: Writer) -> Option<(usize, &'static Family)> {
    let fits = |family: &Family| family.writer == writer || family.writer == Writer::Anyone || writer == Writer::Anyone;
    let has = |family: &Family| family.texts.iter().any(|known| known.eq_ignore_ascii_case(text));
    families().enumerate().find(|(_, family)| fits(family) && has(family))
}

/// Of the texts in each line the closest: one that identifies a cause before one that several print, the longer before the shorter,
/// and any before one that only wraps another program's words.
fn closest(connection: &Connection, writer: Writer) -> Vec<&Sighting> {
    let closeness = |seen: &Sighting| {
        let length = literal(&seen.symptom);
        if !owners(&seen.symptom, writer).is_empty() {
            return Some((2, length));
        }
        family(&seen.symptom, writer).map(|(_, family)| (u8::from(!family.is_wrapper), length))
    };
    let mut closest: Vec<(&Sighting, (u8, usize))> = Vec::new();
    for seen in &connection.sightings {
        let Some(close) = closeness(seen) else { continue };
        if is_harmless(connection, seen) {
            continue;
        }
        match closest.iter_mut().find(|(known, _)| known.line == seen.line) {
            Some(known) if known.1 < close => *known = (seen, close),
            Some(_) => (),
            None => closest.push((seen, close)),
        }
    }
    closest.into_iter().map(|(seen, _)| seen).collect()
}

/// True if a line has a text that makes it harmless.
fn is_harmless(connection: &Connection, seen: &Sighting) -> bool {
    let same = connection.sightings.iter().filter(|other| other.line == seen.line);
    let of_a_file = |other: &Sighting| {
        seen.symptom.starts_with("Permission denied") && FILE_DENIED.contains(&other.symptom.as_str())
    };
    same.into_iter().any(|other| HARMLESS.contains(&other.symptom.as_str()) || of_a_file(other))
}

/// The characters of a text without its holes.
fn literal(text: &str) -> usize {
    text.split('<')
        .enumerate()
        .map(|(at, piece)| if at == 0 { piece.len() } else { piece.split_once('>').map_or(0, |(_, rest)| rest.len()) })
        .sum()
}

/// True if the connection went past the check at which a cause shows, after the line that names it.
fn is_overcome(connection: &Connection, cause: &Cause, seen: &Sighting) -> bool {
    // What a session prints in place of its work comes before its exit status.
    let is_of_the_session = cause.code.starts_with("session-") && cause.stage == Check::Channel;
    let is_overcome_by_none =
        is_of_the_session || DESPITE_LOGIN.contains(&cause.code) || BESIDE_A_SESSION.contains(&cause.code);
    !is_overcome_by_none && passed_after(connection, seen, cause.stage)
}

/// True if a check at or beyond `check` passed after a line.
fn passed_after(connection: &Connection, seen: &Sighting, check: Check) -> bool {
    let passes = |event: Event| matches!(event.place(), Some((at, Part::Passes)) if at >= check);
    connection.entries.iter().any(|entry| entry.line > seen.line.number && passes(entry.event))
}

/// True if a text that several causes print is a complaint where it stands, and the connection did not go on past it.
fn stands(connection: &Connection, family: &Family, seen: &Sighting) -> bool {
    let has = |event: &Event| connection.entries.iter().any(|entry| entry.event == *event);
    let next = Check::ALL.into_iter().find(|check| Some(*check) > seen.after);
    let is_beside = family.candidates.iter().any(|candidate| BESIDE_A_SESSION.contains(&candidate.code));
    !family.unless.iter().any(has) && (is_beside || !next.is_some_and(|next| passed_after(connection, seen, next)))
}

/// The severity of a cause in a log, where that is another than its own is or it is no more than worth knowing: what a log shows to be
/// refused was asked for.
fn in_a_log(cause: &Cause) -> Option<Severity> {
    let is_wanted = cause.stage == Check::Channel;
    (cause.severity == Severity::Info).then_some(if is_wanted { Severity::Warning } else { Severity::Info })
}

/// Adds a line to a cause that it identifies, or one of several that it does not tell apart.
fn name(named: &mut Vec<Told>, cause: &'static Cause, seen: &Sighting, is_its_own: bool) {
    let line = quoted(seen);
    match named.iter_mut().find(|one| one.cause.code == cause.code) {
        Some(one) if one.found.because.len() < QUOTED && !one.found.because.contains(&line) => {
            one.found.because.push(line);
        }
        Some(_) => (),
        None => {
            let certainty = if is_its_own { Certainty::Certain } else { Certainty::Possible };
            let found = Match { severity: in_a_log(cause), ..Match::new(certainty, [line]) };
            let sign = (!is_its_own).then_some("its explanation fits what else you saw");
            named.push(Told { cause, found, sign, connections: Vec::new() });
        }
    }
}

fn quoted(seen: &Sighting) -> String {
    format!("line {}: {}", seen.line.number, sanitize(&seen.line.text))
}

/// The candidates for a text, those that the log speaks for first.
fn candidates(connection: &Connection, all: &'static [Candidate], is_named: bool, seen: &Sighting) -> Vec<Told> {
    let mut fitting: Vec<(bool, &Candidate)> = Vec::new();
    for candidate in all {
        let is_new = !fitting.iter().any(|(_, known)| known.code == candidate.code);
        if let Some(speaks_for) = fit(connection, candidate.when, seen).filter(|_| is_new) {
            fitting.push((speaks_for, candidate));
        }
    }
    fitting.sort_by_key(|(speaks_for, _)| !speaks_for);
    let told = fitting.iter().filter_map(|(speaks_for, candidate)| {
        let cause = causes::all().find(|cause| cause.code == candidate.code)?;
        Some((*speaks_for, cause, candidate.sign))
    });
    let mut first = None;
    let told = told.enumerate().map(|(at, (speaks_for, cause, sign))| {
        let is_likely = at == 0 && (is_named || speaks_for);
        let certainty = if is_likely { Certainty::Likely } else { Certainty::Possible };
        // The likeliest says how grave the text is.
        let own = in_a_log(cause);
        let likeliest = *first.get_or_insert(own.unwrap_or(cause.severity));
        let severity = if likeliest == Severity::Info { Some(Severity::Info) } else { own };
        let found = Match { severity, ..Match::new(certainty, [quoted(seen)]) };
        Told { cause, found, sign: Some(sign), connections: Vec::new() }
    });
    told.collect()
}

/// True if the log speaks for a candidate; `None` where it does not.
fn fit(connection: &Connection, when: When, seen: &Sighting) -> Option<bool> {
    let before = || connection.entries.iter().filter(|entry| entry.line <= seen.line.number);
    let has = |event: Event| before().any(|entry| entry.event == event);
    let any = |events: &[Event]| before().any(|entry| events.contains(&entry.event));
    let passed = |check: Check| seen.after >= Some(check);
    let has_steps = || before().any(|entry| matches!(entry.event.place(), Some((_, Part::Step | Part::Passes))));
    let offers = |method: &str| {
        before()
            .rfind(|entry| entry.event == Event::MethodsOffered)
            .and_then(|entry| entry.value("methods"))
            .map(|methods| methods.contains(method))
    };
    let holds = match when {
        When::Always => return Some(false),
        When::Before(check) => has_steps() && !passed(check),
        When::After(check) => passed(check),
        When::Between(first, second) => passed(first) && !passed(second),
        When::NoVersion => passed(Check::Tcp) && !has(Event::VersionReceived) && !passed(Check::Handshake),
        When::Greeting(lines) => before().filter(|entry| entry.event == Event::LineBeforeVersion).count() >= lines,
        When::Exchanging => any(&[Event::VersionReceived, Event::KexinitReceived]) && !passed(Check::Handshake),
        When::Seen(texts) => connection.sightings.iter().any(|other| texts.contains(&other.symptom.as_str())),
        When::NothingOffered => {
            is_openssh(connection)
                && offers("publickey") == Some(true)
                && !any(&[Event::KeyOffered, Event::KeyTried, Event::KeyAccepted])
        }
        When::Without(events) => return (!any(events)).then_some(false),
        When::KeyRefused => has(Event::KeyOffered) && !has(Event::KeyAccepted),
        When::KeyNotUsed => has(Event::KeyAccepted) && !has(Event::LoggedIn),
        When::MethodMissing => offers("publickey") == Some(false) && !tried_a_password(connection),
        When::NothingInCommon(places) => places.iter().any(|place| has_nothing_in_common(connection, *place)),
        When::SoonAfterLogin(limit) => age_s(connection, seen).is_some_and(|age| age <= f64::from(limit)),
    };
    holds.then_some(true)
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

fn is_openssh(connection: &Connection) -> bool {
    connection.program.as_ref().is_some_and(|program| program.name == "OpenSSH")
}

fn tried_a_password(connection: &Connection) -> bool {
    let methods = connection.all(Event::MethodTried).filter_map(|entry| entry.value("method"));
    methods.into_iter().any(|method| ["password", "keyboard-interactive"].iter().any(|name| method.contains(name)))
}

/// Seconds from the login to a line; ssh itself tells the age of a session at its end.
fn age_s(connection: &Connection, seen: &Sighting) -> Option<f64> {
    let login = connection.first(Event::LoggedIn)?;
    let told = || connection.first(Event::Transferred)?.value("seconds")?.parse().ok();
    let last = connection.entries.iter().rev().find(|entry| entry.line <= seen.line.number)?;
    let measured = last.at_s.zip(login.at_s).map(|(end, login)| end - login + seen.waited_s.unwrap_or_default());
    measured.or_else(told)
}

/// Returns the candidates for a log that ends in the middle of a step without giving a reason.
fn stopped(connection: &Connection) -> Option<Vec<Told>> {
    if connection.end().is_some() || writer(connection) == Writer::Server {
        return None;
    }
    // Of libraries, only some log the session after the login.
    let last = connection.last_step().filter(|last| last.event != Event::LoggedIn || is_openssh(connection))?;
    let (_, all) = STOPS.iter().find(|(events, _)| events.contains(&last.event))?;
    let line = Line { number: last.line, text: "the last step that the log records".to_owned() };
    let seen = Sighting { symptom: String::new(), line, after: None, waited_s: None };
    Some(candidates(connection, all, false, &seen))
}

/// The step of a connection that took long, where nothing failed.
fn slow(connection: &Connection) -> Option<Told> {
    let (gap, code) = connection.gaps.iter().filter(|gap| gap.seconds >= SLOW_S).find_map(|gap| {
        let code = match (gap.after, gap.before) {
            (_, Some(Event::LoggedIn | Event::MethodsOffered | Event::LoginBegun | Event::KeyAccepted))
            | (Some(Event::LoggedIn | Event::ChannelAsked), Some(Event::SessionBegun | Event::RequestGranted)) => {
                "auth-slow"
            }
            (Some(Event::MethodTried | Event::KeyOffered), None) if connection.passed(Check::Auth) => "auth-slow",
            (Some(Event::Resolving), Some(Event::Connecting)) => "dns-slow",
            (_, Some(Event::VersionReceived | Event::KexReply | Event::KexinitReceived)) => "handshake-slow",
            _ => return None,
        };
        Some((gap, code))
    })?;
    let cause = causes::all().find(|cause| cause.code == code)?;
    let line = format!("{} pass before line {}: {}", seconds(gap.seconds), gap.line.number, sanitize(&gap.line.text));
    Some(Told { cause, found: Match::new(Certainty::Likely, [line]), sign: None, connections: Vec::new() })
}
