//! Judges a log: which cause its lines identify, or which ones they leave, and in which order.

use std::borrow::Cow;

use super::answered::was_answered;
use super::candidates::candidates;
use super::families::{Family, NO_PEER, Writer};
use super::finding::{Told, certainty, in_a_log, quoted, writer};
use super::foreign::{is_of_a_local_service, is_of_a_tool, is_of_curl, is_of_git_over_http, is_of_others, is_of_ssh};
use super::known::Known;
use super::lengths::{is_in_sftp, text_as_length};
use super::likeness::{by_likeness, is_about_ssh};
use super::noise::{is_an_end_alone, is_harmless_as_one, is_served, is_without_ssh};
use super::operations::{by_operation, by_sentence, is_bare};
use super::overcome::{
    ANSWERED, BESIDE_A_SESSION, is_beside_a_credential, is_of_a_master_left, is_of_a_public_half, is_of_a_search,
    is_of_a_stalled_exchange, is_overcome, or_of_a_rekeying, passed_after, succeeded, was_never_needed,
};
use super::owners::{closest, family, is_notice, owners};
use super::ranking::{rank, severity};
use super::remote_command::{failed_by_itself, reported_failure};
use super::sentences::Says;
use super::served::is_of_a_guess;
use super::statuses::is_of_a_command;
use super::unfinished::{is_of_a_stop, is_of_a_wait, slow, stopped};
use crate::base::text::sanitize;
use crate::causes::{self, Cause, Match, Severity};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::log::{Connection, Entry, Event, Line, Log, Part, Program, Sighting};

/// Causes that somebody set up to be the way in, which the log of a login by another way is asked about.
const MEANT: [&str; 2] = ["auth-cert-invalid", "auth-cert-principal"];
/// Causes of which a log names the reason too.
const REASONS: [(&str, &str); 14] = [
    ("handshake-protocol-violation", "handshake-not-ssh"),
    ("server-start-failed", "auth-key-unreadable"),
    ("channel-local-forward-failed", "channel-forwarding-required"),
    ("channel-local-forward-failed", "config-control-path"),
    ("server-nologin", "auth-account-refused"),
    ("auth-user-unknown", "auth-password-rejected"),
    ("server-disk-full", "auth-password-rejected"),
    ("auth-user-unknown", "auth-too-many-failures"),
    ("session-rc-output", "session-no-terminal"),
    ("hostkey-cert-invalid", "hostkey-unknown"),
    ("session-restricted", "session-pty-refused"),
    ("auth-key-file-modes", "auth-key-rejected"),
    ("hostkey-too-short", "handshake-kex-failed"),
    ("auth-key-too-short", "auth-key-rejected"),
];
/// Of these, the one that a text alone does not tell from its effect, and the sign of the effect.
const OPEN: (&str, &str) = ("session-restricted", "session-pty-refused");
const OF_THE_EFFECT: &str = "ssh -T HOST gives a shell, or the server's log says that it cannot open a terminal";
/// The lines that are quoted for one cause.
const QUOTED: usize = 3;

/// Returns the causes that a log shows, the likeliest of the gravest kind first. What no rule understands is compared with known texts.
#[must_use]
pub fn judge(log: &Log, known: &Known) -> Vec<Told> {
    if is_without_ssh(log) || is_harmless_as_one(log) {
        return Vec::new();
    }
    let mut told: Vec<Told> = Vec::new();
    let is_of_a_server = log.programs.first().is_some_and(Program::is_server);
    let is_foreign = is_of_another_program(log);
    let is_about_ssh = is_about_ssh(log);
    for (at, connection) in log.connections.iter().enumerate() {
        for mut one in of(log, connection, is_foreign, is_about_ssh) {
            match told.iter_mut().find(|known| known.cause.code == one.cause.code) {
                Some(known) => {
                    known.connections.push(at);
                    known.found.certainty = known.found.certainty.min(one.found.certainty);
                    known.sign = known.sign.take().filter(|_| one.sign.is_some());
                    let room = QUOTED.saturating_sub(known.found.because.len());
                    known.found.because.extend(one.found.because.drain(..).take(room));
                }
                None => told.push(Told { connections: vec![at], ..one }),
            }
        }
    }
    // A complaint in words that are not known is a reason too.
    let mut is_vague = is_bare(log);
    let has_texts = !told.iter().all(|one| is_of_a_stop(one) || is_of_a_wait(one));
    // Beside what is only worth knowing, the status of a command is the news; an end without an error is none.
    let is_minor = |one: &Told| is_of_a_stop(one) || is_of_a_wait(one) || severity(one) == Severity::Info;
    if told.iter().all(is_minor)
        && let Some(one) = reported_failure(log)
    {
        told.retain(|known| !is_of_a_stop(known) && !is_of_a_wait(known) && known.cause.code != one.cause.code);
        told.insert(0, one);
        return told;
    }
    if !is_foreign
        && !has_texts
        && let Some((says, said)) = by_operation(log)
    {
        (is_vague, told) = (says != Says::Fault, said);
    }
    // Of a line or two, what the whole sentence says tells more than the general words at its end.
    if !is_foreign && log.is_brief() {
        let said = by_sentence(log);
        is_vague &= said.is_empty();
        told = if said.is_empty() { told } else { said };
        let goes_on = log.connections.iter().flat_map(|one| &one.sightings).any(|seen| is_of_a_public_half(log, seen));
        // The words of a server's log are not those of a client that meets the same.
        let is_of_rules = is_of_a_server && log.connections.iter().any(|one| !one.sightings.is_empty());
        let is_open = !goes_on && !is_of_rules && told.iter().all(|one| one.found.certainty == Certainty::Possible);
        if is_open && let Some(said) = by_likeness(log, known, is_vague) {
            told = either(told, said, has_texts && !is_vague);
        }
    }
    if is_an_end_alone(log) {
        told.clear();
    }
    told.retain(|one| !is_served(log, one));
    if told.is_empty() {
        told.extend(failed_by_itself(log));
    }
    rank(log, &mut told);
    match &log.message {
        // Alone, the message of a letter is compared with more.
        Some(message) if told.is_empty() && !is_foreign => judge(message, known),
        _ => told,
    }
}

/// Combines the causes of the rules with those of similar texts. A cause that both give moves to the front and keeps its sign from the rules. Otherwise
/// the similar texts decide, unless the rules know the text itself.
fn either(mut told: Vec<Told>, said: Vec<Told>, is_known: bool) -> Vec<Told> {
    let both = said.first().and_then(|first| told.iter().position(|one| one.cause.code == first.cause.code));
    match both {
        Some(at) => told[..=at].rotate_right(1),
        None if is_known => (),
        None => told = said,
    }
    told
}

/// True if a log names another program or protocol, or is of git over HTTP, and has no step of an SSH connection.
fn is_of_another_program(log: &Log) -> bool {
    let lines = log.connections.iter().flat_map(|connection| &connection.sightings).map(|seen| &seen.line);
    let is_alone =
        |line: &Line| !log.names_ssh && (is_of_a_local_service(line.in_english()) || is_of_curl(line.in_english()));
    let is_others = |line: &Line| is_of_others(line.in_english()) || is_of_a_tool(line.in_english()) || is_alone(line);
    let names_no_program_but_curl = log.programs.iter().all(|program| program.name == "curl");
    let is_of_git = log.programs.iter().all(|program| program.name == "git");
    let is_sshs_own = |line: &Line| {
        let text = line.in_english();
        is_of_ssh(text) || text.contains("closed by remote host") || text.contains("Read from remote host")
    };
    // An end in general words is a step of nobody's.
    let is_a_step = |entry: &Entry| !matches!(entry.event.place(), Some((_, Part::Ends)));
    let has_steps = log.connections.iter().any(|connection| connection.entries.iter().any(is_a_step))
        || log.connections.iter().any(|connection| !connection.entries.is_empty())
            && (log.names_ssh || lines.clone().any(is_sshs_own));
    let is_over_http = |line: &Line| is_of_git_over_http(line.in_english());
    let is_before_a_session = |entry: &Entry| entry.event.place().is_some_and(|(check, _)| check < Check::Channel);
    let connects = log.connections.iter().any(|connection| connection.entries.iter().any(is_before_a_session));
    // Both ways are tried, one after the other.
    is_of_git && !connects && !lines.clone().any(is_sshs_own) && lines.clone().chain(&log.unknown).any(is_over_http)
        || names_no_program_but_curl
            && !has_steps
            && (log.has_stack_frames
                || log.connects_elsewhere && !log.names_ssh
                || lines.chain(&log.unknown).any(is_others))
}

/// Returns the causes that one connection's lines show, those of other programs left out.
fn of(log: &Log, connection: &Connection, is_foreign: bool, is_about_ssh: bool) -> Vec<Told> {
    let writer = writer(connection);
    let mut named: Vec<Told> = Vec::new();
    let mut minor: Vec<Told> = Vec::new();
    let mut complained_of: Vec<&str> = Vec::new();
    let mut shared: Vec<(usize, &'static Family, &Sighting)> = Vec::new();
    for seen in closest(connection, writer, is_foreign, is_about_ssh) {
        if is_set_aside(log, connection, seen) {
            continue;
        }
        if let Some(one) = printed(connection, writer, seen) {
            named.push(one);
            continue;
        }
        let owners = owners(&seen.symptom, writer);
        for cause in owners.iter().map(|cause| or_of_a_rekeying(connection, cause, seen)) {
            let is_over = is_overcome(connection, cause, seen);
            let is_silent = is_over && cause.severity == Severity::Critical || ANSWERED.contains(&cause.code);
            match is_over
                || is_beside_a_credential(connection, cause, seen)
                || was_never_needed(connection, cause, seen)
            {
                false if is_notice(seen) || in_a_log(cause) != Some(Severity::Info) => {
                    complained_of.extend((!is_notice(seen)).then_some(cause.code));
                    name(&mut named, cause, seen, certainty(connection, seen, owners.len()));
                }
                true if is_silent && !MEANT.contains(&cause.code) => (),
                _ => name(&mut minor, cause, seen, certainty(connection, seen, owners.len())),
            }
        }
        if let Some((at, family)) = family(&seen.symptom, writer).filter(|(_, family)| stands(connection, family, seen))
        {
            shared.push((at, family, seen));
        }
    }
    // Where a ProxyCommand gave ssh nothing, there was no server, and no session on it.
    let no_server = connection.sightings.iter().any(|seen| NO_PEER.contains(&seen.symptom.as_str()));
    let no_version = connection.sightings.iter().any(|seen| seen.symptom.contains("exchange_identification"))
        || connection.first(Event::LineBeforeVersion).is_some() && connection.first(Event::VersionReceived).is_none();
    named.retain(|one| {
        !(no_server || no_version && !connection.passed(Check::Auth))
            || one.cause.stage < Check::Channel
            || one.cause.code == "session-limit"
    });
    let hidden: Vec<_> = named.iter().flat_map(|one| one.cause.hides).copied().collect();
    named.retain(|one| !hidden.contains(&one.cause.code));
    let evident = shared.iter().flat_map(|(_, family, seen)| {
        candidates(connection, family.candidates, family.is_named, seen).into_iter().take(1)
    });
    let evident = evident.filter(|one| one.found.certainty == Certainty::Likely);
    let is_a_reason = |one: &Told| {
        let effect = REASONS.iter().find(|(reason, _)| *reason == one.cause.code);
        effect.is_some_and(|(_, effect)| named.iter().any(|known| known.cause.code == *effect))
    };
    let reasons: Vec<_> = evident.filter(is_a_reason).collect();
    named.splice(0..0, reasons);
    let has = |named: &[Told], code: &str| named.iter().any(|one| one.cause.code == code);
    for (reason, effect) in REASONS {
        let is_open = |one: &Told| one.cause.code == reason && one.sign.is_some();
        if (reason, effect) == OPEN && named.iter().any(is_open) {
            for one in named.iter_mut().filter(|one| [reason, effect].contains(&one.cause.code)) {
                one.found.certainty = Certainty::Possible;
                one.sign.get_or_insert(Cow::Borrowed(OF_THE_EFFECT));
            }
        } else if has(&named, reason) {
            named.retain(|one| one.cause.code != effect);
        }
    }
    named.sort_by_key(|one| (severity(one), one.cause.stage));
    // A notice or a question explains no end: the login that is refused does.
    let explains = |one: &Told| one.cause.stage < Check::Channel && complained_of.contains(&one.cause.code);
    let has_causes = named.iter().any(|one| severity(one) != Severity::Info || explains(one));
    if !has_causes {
        shared.retain(|(_, family, seen)| !no_server || !needs_a_server(family, seen));
        let is_of_a_session = named.iter().any(|one| one.cause.stage >= Check::Channel);
        shared.retain(|(_, family, _)| {
            !is_of_a_session || is_before_the_session(family) && !connection.passed(Check::Auth)
        });
        shared.sort_by_key(|(at, _, _)| *at);
        let told = match shared.first() {
            Some((first, family, _)) => {
                let last = shared.iter().rev().find(|(at, _, _)| at == first).map(|(_, _, seen)| *seen);
                last.map(|seen| candidates(connection, family.candidates, family.is_named, seen)).unwrap_or_default()
            }
            None if !named.is_empty() => Vec::new(),
            None => {
                let slow = slow(connection);
                // Past a login that took long, the log was cut where it ends.
                let is_cut = slow.is_some() && connection.passed(Check::Auth);
                let stopped = if is_cut { None } else { stopped(log, connection) };
                stopped.unwrap_or_else(|| slow.into_iter().collect())
            }
        };
        named.retain(|one| !told.iter().any(|other| other.cause.code == one.cause.code));
        named.splice(0..0, told);
    }
    minor.retain(|one| !named.iter().any(|known| known.cause.code == one.cause.code));
    for one in minor.iter_mut().filter(|one| MEANT.contains(&one.cause.code)) {
        one.found.severity = Some(Severity::Warning);
    }
    named.into_iter().chain(minor).collect()
}

/// True if a line says nothing of how the connection went.
fn is_set_aside(log: &Log, connection: &Connection, seen: &Sighting) -> bool {
    is_of_a_master_left(log, seen)
        || is_of_a_public_half(log, seen)
        || is_of_a_search(connection, seen)
        || is_of_a_guess(connection, seen)
        || was_answered(connection, seen)
        || is_of_a_stalled_exchange(log, seen)
        || shows_outside_a_session(seen) && is_of_a_command(log, connection, seen)
}

/// True for a text whose causes show before a session, or end one.
fn shows_outside_a_session(seen: &Sighting) -> bool {
    let is_outside = |cause: &Cause| !matches!(cause.stage, Check::Channel | Check::Exit);
    let owners = owners(&seen.symptom, Writer::Anyone);
    let first = family(&seen.symptom, Writer::Anyone).and_then(|(_, family)| likeliest_stage(family));
    first.map_or_else(
        || !owners.is_empty() && owners.iter().all(|cause| is_outside(cause)),
        |stage| !matches!(stage, Check::Channel | Check::Exit),
    )
}

/// The cause of a packet whose length is text, which came before any login: what is encrypted has no such lengths.
fn printed(connection: &Connection, writer: Writer, seen: &Sighting) -> Option<Told> {
    // Text in place of a packet of SFTP comes from a start-up file.
    let is_of_files = is_in_sftp(&seen.line.text);
    let (letters, code) = text_as_length(&seen.line.text)
        .filter(|_| !is_of_files)
        .filter(|_| writer != Writer::Server && !connection.passed(Check::Auth))?;
    let cause = causes::all().find(|cause| cause.code == code)?;
    let meaning = format!("as text, the four bytes of this length are \"{}\"", sanitize(&letters));
    let found = Match::new(Certainty::Likely, [quoted(seen), meaning]);
    Some(Told { cause, found, sign: None, connections: Vec::new() })
}

/// True for a text that a server or a session on it gives: of a ProxyCommand that is an SSH client itself, it may be one of its own handshake.
fn needs_a_server(family: &Family, seen: &Sighting) -> bool {
    seen.symptom.contains("exchange_identification")
        || seen.symptom.starts_with("ssh: handshake failed: EOF")
        || stages(family).all(|stage| stage >= Check::Channel)
}

/// The checks at which the causes of a text show, the likeliest first.
fn stages(family: &Family) -> impl Iterator<Item = Check> {
    family.candidates.iter().filter_map(|one| causes::all().find(|cause| cause.code == one.code)).map(|one| one.stage)
}

/// The check at which the likeliest cause of a text shows.
fn likeliest_stage(family: &Family) -> Option<Check> {
    stages(family).next()
}

/// True if the likeliest cause of a text shows before a session.
fn is_before_the_session(family: &Family) -> bool {
    likeliest_stage(family).is_some_and(|stage| stage < Check::Channel)
}

/// True if a text that several causes print is a complaint where it stands, a cause of it fits, and the connection did not go on past it.
fn stands(connection: &Connection, family: &Family, seen: &Sighting) -> bool {
    if !family.speaks_alone() && candidates(connection, family.candidates, family.is_named, seen).is_empty() {
        return false;
    }
    let has = |event: &Event| connection.entries.iter().any(|entry| entry.event == *event);
    let next = Check::ALL.into_iter().find(|check| Some(*check) > seen.after);
    // Above a log that is pasted below it, a refusal is its end told first: the steps up to it are no answer to it.
    let is_heading = connection.entries.first().is_some_and(|first| seen.line.number < first.line);
    let next = match likeliest_stage(family).filter(|_| is_heading) {
        Some(Check::Auth) => Some(Check::Auth),
        Some(Check::Channel) if family.is_wrapper => Some(Check::Transfer),
        _ => next,
    };
    let is_beside = family.candidates.iter().any(|candidate| BESIDE_A_SESSION.contains(&candidate.code));
    // In a session that ended well, what sounds like its end is its output.
    let ended = connection.entries.iter().rev().find(|entry| entry.event == Event::ExitStatus);
    // What speaks SFTP shows none of the session's output, and ends the session itself at an answer that is none.
    let asks_for_files = |entry: &Entry| entry.event == Event::RequestSent && entry.value("what") == Some("sftp");
    let is_of_output = family.candidates.iter().any(|candidate| candidate.code == "session-rc-output");
    let is_of_files = is_of_output && connection.entries.iter().any(asks_for_files);
    let is_output = !is_beside
        && !is_of_files
        && seen.after >= Some(Check::Auth)
        && succeeded(connection)
        && ended.is_none_or(|ended| seen.line.number < ended.line);
    let is_about_the_host_key = is_a_question(family) && is_before_a_rejected_host_key(connection, seen);
    // sftp and scp print it after the exit status of a server for files that could not start.
    let is_of_a_failure = seen.line.in_english().trim() == "Connection closed" && !succeeded(connection);
    let is_its_end = family.is_an_end && seen.follows_output;
    !is_output
        && !is_its_end
        && !is_about_the_host_key
        && (is_of_a_failure || !family.unless.iter().any(has))
        && (is_beside || is_of_files || !next.is_some_and(|next| passed_after(connection, seen, next)))
}

/// True if a text's likeliest cause is a passphrase that cannot be asked for: before a login, the question is another one.
fn is_a_question(family: &Family) -> bool {
    family.candidates.first().is_some_and(|first| first.code == "auth-key-encrypted")
}

/// True if a line comes before the refusal of a host key, to which no login was made.
fn is_before_a_rejected_host_key(connection: &Connection, seen: &Sighting) -> bool {
    let rejected = connection.first(Event::HostKeyRejected);
    rejected.is_some_and(|rejected| seen.line.number < rejected.line) && !connection.passed(Check::Auth)
}

/// Adds a line to a cause that it names with this certainty.
fn name(named: &mut Vec<Told>, cause: &'static Cause, seen: &Sighting, certainty: Certainty) {
    let line = quoted(seen);
    if let Some(one) = named.iter_mut().find(|one| one.cause.code == cause.code) {
        one.found.certainty = one.found.certainty.min(certainty);
        if !is_notice(seen) && one.found.severity == Some(Severity::Info) {
            one.found.severity = in_a_log(cause);
        }
        if one.found.because.len() < QUOTED && !one.found.because.contains(&line) {
            one.found.because.push(line);
        }
        return;
    }
    let severity = if is_notice(seen) { Some(Severity::Info) } else { in_a_log(cause) };
    let found = Match { severity, ..Match::new(certainty, [line]) };
    let sign = (certainty == Certainty::Possible).then_some("its explanation fits what else you saw");
    named.push(Told { cause, found, sign: sign.map(Cow::Borrowed), connections: Vec::new() });
}
