//! The end of a command on the server that failed by itself, in a session with which nothing is wrong.

use super::candidates::is_a_command;
use super::finding::{Told, quoted};
use super::statuses::{OF_A_COMMAND, report};
use super::words::MODULE_FAILED;
use crate::causes::{self, Cause, Match};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::log::{Connection, Event, Line, Log, Sighting};

/// The lines that are quoted.
const QUOTED: usize = 3;
/// The status with which a shell ends that does not find the program.
const NOT_FOUND: i64 = 127;
/// The statuses with which a shell ends whose program a signal killed: SIGABRT, SIGKILL, SIGSEGV and SIGTERM.
const KILLED: [i64; 4] = [134, 137, 139, 143];

/// Returns the cause of a session whose command complained in words of its own, and ended with a status of failure.
pub(super) fn failed_by_itself(log: &Log) -> Option<Told> {
    let cause = causes::all().find(|cause| cause.code == "exit-command-failed")?;
    let reported = log.connections.iter().enumerate().find_map(|(at, connection)| {
        let (line, status) = reported(connection)?;
        with_status(at, line, status)
    });
    reported.or_else(|| with_complaints(log, cause)).or_else(|| of_a_module(log, cause))
}

/// Returns the cause of a session whose command failed with a status that the program reports which ran it.
pub(super) fn reported_failure(log: &Log) -> Option<Told> {
    log.connections.iter().enumerate().find_map(|(at, connection)| {
        let (seen, status) = report(log, connection)?;
        with_status(at, seen.line.number, status)
    })
}

/// The cause of a command's status that a line reports.
fn with_status(at: usize, line: u64, status: i64) -> Option<Told> {
    let code = match status {
        NOT_FOUND => "session-command-missing",
        _ if KILLED.contains(&status) => "exit-by-signal",
        _ => "exit-command-failed",
    };
    let cause = causes::all().find(|cause| cause.code == code)?;
    let line = format!("line {line}: the command ended with status {status}");
    Some(Told { cause, found: Match::new(Certainty::Likely, [line]), sign: None, connections: vec![at] })
}

/// The crash of a module that Ansible had copied to the server and started there over a shared connection.
fn of_a_module(log: &Log, cause: &'static Cause) -> Option<Told> {
    let has_crashed = log.has_stack_frames || log.unknown.iter().any(names_an_exception);
    log.connections.iter().enumerate().filter(|_| has_crashed).find_map(|(at, connection)| {
        let seen = |texts: &[&str]| connection.sightings.iter().find(|seen| texts.contains(&seen.symptom.as_str()));
        seen(&["Shared connection to <host> closed"])?;
        let failed = quoted(seen(MODULE_FAILED)?);
        let complaints = log.unknown.iter().map(|line| quoted(&Sighting::of(line.clone()))).next_back();
        let found = Match::new(Certainty::Likely, complaints.into_iter().chain([failed]));
        Some(Told { cause, found, sign: None, connections: vec![at] })
    })
}

/// True if a line names an exception of Python.
fn names_an_exception(line: &Line) -> bool {
    let mut words = line.text.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.any(|word| word.len() > "Error".len() && word.ends_with("Error") && word.starts_with(char::is_uppercase))
}

/// The line in which a program that runs commands on servers reports a failed one, and its status.
fn reported(connection: &Connection) -> Option<(u64, i64)> {
    let ended = connection.entries.iter().rfind(|entry| entry.event == Event::CommandEnded)?;
    let status = ended.value("failed")?.trim_end_matches([',', '.', ':', ';', ']', '\'', '"', ')']);
    let status = status.parse().ok().filter(|status| OF_A_COMMAND.contains(status))?;
    Some((ended.line, status))
}

/// The failure of a command that complained in a log with the steps of its session.
fn with_complaints(log: &Log, cause: &'static Cause) -> Option<Told> {
    log.connections.iter().enumerate().find_map(|(at, connection)| {
        let (began, ended, status) = session(connection)?;
        let is_its_own = |line: &&Line| (began..ended).contains(&line.number);
        let complaints = log.unknown.iter().filter(is_its_own).take(QUOTED);
        let lines: Vec<_> = complaints.map(|line| quoted(&Sighting::of(line.clone()))).collect();
        let end = format!("line {ended}: the command ended with status {status}");
        (!lines.is_empty()).then(|| Told {
            cause,
            found: Match::new(Certainty::Likely, lines.into_iter().chain([end])),
            sign: None,
            connections: vec![at],
        })
    })
}

/// The lines at which the session of a command began and ended, and its status, where that is the command's own failure.
fn session(connection: &Connection) -> Option<(u64, u64, &str)> {
    let login = connection.entries.iter().rfind(|entry| entry.event == Event::LoggedIn)?;
    let ended = connection.entries.iter().rfind(|entry| entry.event == Event::ExitStatus)?;
    let status =
        ended.value("status").filter(|status| status.parse().is_ok_and(|status| OF_A_COMMAND.contains(&status)))?;
    let has_command = connection.all(Event::RequestSent).any(is_a_command);
    (has_command && connection.passed(Check::Auth) && login.line < ended.line)
        .then_some((login.line, ended.line, status))
}
