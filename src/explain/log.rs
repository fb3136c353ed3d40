//! From a log to a diagnosis: the same causes, fixes and report as of an examination.

use std::borrow::Cow;
use std::io::BufRead;
use std::time::Instant;

use anyhow::{Context, Result};
use ssh_doctor_checks::causes::told::{Known, LAST_STEP, Told, is_harmless, judge, texts};
use ssh_doctor_checks::causes::{FixKind, Severity, Side};
use ssh_doctor_checks::facts::certainty::Certainty;
use ssh_doctor_checks::facts::log::{Connection, Entry, Event, Log, Part, Program};
use ssh_doctor_checks::facts::{Check, Evidence, Examined};
use ssh_doctor_checks::logs::Reader;

use crate::clients::Client;
use crate::diagnose::{Diagnosis, FilledFix, Finding, Verdict};
use crate::fixes::fill;
use crate::shell::quoted;

/// The words that stand for what the log does not name.
const HOST: &str = "HOST";
const USER: &str = "USER";
/// Causes with which a session goes on.
const SESSION_GOES_ON: [&str; 10] = [
    "auth-slow",
    "session-locale-missing",
    "session-terminal-unknown",
    "session-home-missing",
    "session-no-terminal",
    "handshake-weak-algorithms",
    "channel-x11-refused",
    "channel-forward-unreachable",
    "channel-local-forward-failed",
    "channel-remote-forward-failed",
];
/// A keepalive to begin with where the timer is not known: half of the shortest timers in the table of suspects, seconds.
const INTERVAL: &str = "30";
const COUNT_MAX: &str = "3";

/// A log, read and judged.
#[derive(Debug)]
pub struct Explained {
    /// The log as evidence.
    pub evidence: Evidence,
    /// The diagnosis of the log.
    pub diagnosis: Diagnosis,
    /// The sign that distinguishes each finding from others with the same text; `None` where its text identifies it.
    pub signs: Vec<Option<Cow<'static, str>>>,
    /// The connections of each finding, by their places in the log.
    pub connections: Vec<Vec<usize>>,
}

/// Reads and judges a log; what no rule understands is compared with `known` texts.
pub fn explained(input: impl BufRead, name: &str, client: Client, known: &Known) -> Result<Explained> {
    let (began, started_at) = (Instant::now(), jiff::Timestamp::now());
    let reader = Reader::new(texts());
    let log = reader.read(input).with_context(|| format!("cannot read {name}"))?;
    let told = judge(&log, known);
    let mut evidence = Evidence { started_at, target: target(&log), log: Some(log), ..Evidence::unexamined() };
    evidence.duration_ms = began.elapsed().as_secs_f64() * 1000.0;
    let client = if client == Client::Ssh { writer(&evidence).unwrap_or(client) } else { client };
    let findings: Vec<_> = told.iter().map(|one| finding(one, client, &evidence)).collect();
    let serves_others = evidence.log.as_ref().is_some_and(|log| serves_others(log, &told));
    let diagnosis = conclude(&evidence, findings, serves_others);
    let signs = told.iter().map(|one| one.sign.clone()).collect();
    let connections = told.into_iter().map(|one| one.connections).collect();
    Ok(Explained { evidence, diagnosis, signs, connections })
}

impl Explained {
    /// The log.
    ///
    /// # Panics
    /// If the evidence is not that of a log; [`explained`] makes no other.
    #[must_use]
    pub fn log(&self) -> &Log {
        self.evidence.log.as_ref().expect("it was just read")
    }

    /// True if a text is all that there is: a line, or several without the steps of a connection. Nobody examined anything.
    pub(super) fn is_bare(&self) -> bool {
        let log = self.log();
        let has_steps = log.connections.iter().any(|connection| !connection.entries.is_empty());
        log.connections.len() <= 1 && (log.lines <= 1 || !has_steps)
    }
}

/// The host that the log is about, as far as it names one.
fn target(log: &Log) -> Examined {
    let entries = || log.connections.iter().flat_map(|connection| &connection.entries);
    let is_client = |entry: &&Entry| {
        !matches!(entry.event, Event::Accepted | Event::TurnedAway | Event::UnknownUser | Event::LoginRefused)
    };
    let value = |name: &str| entries().filter(is_client).find_map(|entry| entry.value(name)).map(ToOwned::to_owned);
    let host = value("host")
        .map(|host| host.trim_matches(['[', ']', '\'', '"', ',']).to_owned())
        .filter(|host| is_a_host(host));
    let port = value("port").and_then(|port| port.parse().ok()).unwrap_or(22);
    let host = host.unwrap_or_else(|| HOST.to_owned());
    let user = value("user")
        .filter(|user| is_a_host(user))
        .unwrap_or_else(|| if host == HOST { USER.to_owned() } else { String::new() });
    Examined { input: host.clone(), host, port, user, ..Examined::default() }
}

/// True if a word of a log can be a host or a login name, and no option or terminal escape.
fn is_a_host(word: &str) -> bool {
    !word.is_empty()
        && !word.starts_with('-')
        && word.len() <= 255
        && word.chars().all(|c| c.is_alphanumeric() || "._-:%@".contains(c))
}

/// The client that wrote the log.
fn writer(evidence: &Evidence) -> Option<Client> {
    let log = evidence.log.as_ref()?;
    log.programs.iter().find_map(|program| Client::of_program(&program.name))
}

fn finding(told: &Told, client: Client, evidence: &Evidence) -> Finding {
    let cause = told.cause;
    let mut values = vec![("interval", INTERVAL.to_owned()), ("count_max", COUNT_MAX.to_owned())];
    let log = evidence.log.as_ref();
    let offers =
        log.into_iter().flat_map(|log| &log.connections).flat_map(|connection| connection.all(Event::NothingInCommon));
    values.extend(
        offers
            .filter_map(|entry| entry.value("names"))
            .map(|names| ("theirs", names.split([',', ' ']).next().unwrap_or_default().to_owned())),
    );
    values.extend(log.and_then(|log| login_name(told, log)).map(|user| ("user", user)));
    let mut fixes = fill(cause.fixes, &values, client, evidence, None);
    // A log tells nothing of the user's own keepalive.
    for fix in &mut fixes {
        fix.note = None;
    }
    fixes.extend(next_step(told, evidence));
    let mut because = told.found.because.clone();
    because.extend(told.sign.as_ref().map(|sign| format!("it is this if {sign}")));
    Finding {
        hop: None,
        code: cause.code,
        stage: cause.stage,
        severity: told.found.severity.unwrap_or(cause.severity),
        certainty: told.found.certainty,
        reason_open: told.found.reason_open,
        title: cause.title.into(),
        headline: None,
        explanation: cause.explanation,
        because,
        fixes,
        suspects: Vec::new(),
    }
}

/// The login name in the connections of a finding: others in the log have others.
fn login_name(told: &Told, log: &Log) -> Option<String> {
    let entries = told.connections.iter().flat_map(|at| &log.connections[*at].entries);
    entries.filter_map(|entry| entry.value("user")).find(|user| is_a_host(user)).map(ToOwned::to_owned)
}

/// The one command that settles it: the examination of the target, which only a client can make.
fn next_step(told: &Told, evidence: &Evidence) -> Option<FilledFix> {
    let log = evidence.log.as_ref()?;
    let is_server = log.programs.first().is_some_and(Program::is_server);
    let about_server = told.cause.code.starts_with("server-") || told.cause.code == "handshake-probed";
    if is_server && about_server {
        return None;
    }
    let idle = if told.cause.stage == Check::Idle { " --idle 20m" } else { "" };
    let place = if is_server { HOST.to_owned() } else { place(&evidence.target) };
    let summary = if is_server { "Examine the server from a client that fails" } else { "Examine the target" };
    Some(FilledFix {
        side: Side::Client,
        kind: FixKind::Look,
        summary: summary.to_owned(),
        file: None,
        snippet: Some(format!("ssh-doctor check{idle} {place}")),
        verified: None,
        caution: None,
        note: None,
    })
}

/// The target as a word of a command.
fn place(target: &Examined) -> String {
    let port = if target.port == 22 { String::new() } else { format!("-p {} ", target.port) };
    let user = if target.user.is_empty() || target.user == USER { String::new() } else { format!("{}@", target.user) };
    format!("{port}{}", quoted(&format!("{user}{}", target.host)))
}

/// True if a client's log ends at a step. That a connection ends is nothing to a server.
fn client_stopped(log: Option<&Log>) -> bool {
    let connections = log.into_iter().flat_map(|log| &log.connections);
    // Where a control master gives no session, ssh opens a connection of its own.
    let asks_a_master =
        |connection: &Connection| connection.last_step().is_some_and(|last| last.event == Event::MasterAsked);
    let own = connections.filter(|connection| !is_of_a_server(connection));
    let is_another = log.is_some_and(|log| log.connections.len() > 1);
    own.filter(|connection| !(is_another && asks_a_master(connection)))
        .any(|connection| connection.stopped_at().is_some())
}

/// True if every connection of a log is a client's that ends before the keys are exchanged, without an error.
fn is_cut(log: &Log) -> bool {
    let is_cut = |connection: &Connection| {
        let is_early = |entry: &Entry| {
            matches!(
                entry.event,
                Event::ConfigRead
                    | Event::Resolving
                    | Event::Connecting
                    | Event::Connected
                    | Event::IdentityFile
                    | Event::VersionSent
                    | Event::VersionReceived
                    | Event::KexinitSent
                    | Event::KexinitReceived
            )
        };
        let began = connection.entries.iter().any(is_early) && connection.first(Event::MasterAsked).is_none();
        !is_of_a_server(connection) && began && !connection.passed(Check::Handshake)
    };
    !log.connections.is_empty() && log.connections.iter().all(is_cut)
}

/// True if a server's log has logins with which nothing is wrong.
fn serves_others(log: &Log, told: &[Told]) -> bool {
    let is_grave = |one: &&Told| one.found.severity.unwrap_or(one.cause.severity) != Severity::Info;
    let failing: Vec<_> = told.iter().filter(is_grave).flat_map(|one| &one.connections).collect();
    let works = |(at, connection): (usize, &Connection)| {
        is_of_a_server(connection) && connection.passed(Check::Auth) && !failing.contains(&&at)
    };
    log.connections.iter().enumerate().any(works)
}

/// True if a server's log has connections, and no login.
fn lets_nobody_in(log: &Log) -> bool {
    let mut connections = log.connections.iter();
    connections.any(|connection| is_of_a_server(connection) && connection.first(Event::Closed).is_some())
}

/// True for what a log would tell if nothing came after its last line: it is cut there, more likely.
pub(super) fn is_of_a_stop(found: &Finding) -> bool {
    found.severity == Severity::Info && found.because.iter().any(|line| line.ends_with(LAST_STEP))
}

fn is_of_a_server(connection: &Connection) -> bool {
    connection.program.as_ref().is_some_and(Program::is_server)
}

fn conclude(evidence: &Evidence, findings: Vec<Finding>, serves_others: bool) -> Diagnosis {
    let log = evidence.log.as_ref();
    let stopped = log.into_iter().flat_map(|log| &log.connections).find_map(Connection::stopped_at);
    let grave = findings.iter().find(|found| found.severity != Severity::Info);
    let has_steps = log.is_some_and(|log| log.connections.iter().any(|connection| !connection.entries.is_empty()));
    // An end in words that others have too shows no health.
    let is_a_step = |entry: &Entry| !matches!(entry.event.place(), Some((_, Part::Ends)));
    let has_more_than_ends =
        log.is_some_and(|log| log.connections.iter().any(|connection| connection.entries.iter().any(is_a_step)));
    let has_unknown = log.is_some_and(|log| log.unknown.iter().any(|line| !is_harmless(line.in_english())));
    let logged_in = log.is_some_and(|log| log.connections.iter().any(|connection| connection.passed(Check::Auth)));
    let is_of_server = log.is_some_and(|log| log.connections.len() > 1);
    let is_open = findings.iter().all(|found| found.certainty == Certainty::Possible);
    let verdict = match grave.map(|found| found.severity) {
        // A server that lets others in is not broken, whatever keeps some out; one that does not start is.
        Some(_) if serves_others && grave.is_some_and(|found| !found.code.starts_with("server-")) => Verdict::Degraded,
        Some(Severity::Critical) => Verdict::Broken,
        Some(_) if grave.is_some_and(|found| SESSION_GOES_ON.contains(&found.code)) => Verdict::Degraded,
        // What a client could not get past is broken for it, whatever it is for the server.
        Some(_) if !is_of_server && (stopped.is_some() || !has_steps) => Verdict::Broken,
        Some(_) => Verdict::Degraded,
        None if findings.is_empty() && client_stopped(log) => Verdict::Broken,
        // What is not understood before any login may be the reason for its lack.
        None if findings.is_empty() && has_unknown && !logged_in => Verdict::Inconclusive,
        // A client's log that ends before the login shows neither success nor failure.
        None if findings.is_empty() && log.is_some_and(is_cut) => Verdict::Inconclusive,
        // Nor does it where the log of a server has one client, and a complaint that is not understood.
        None if !is_of_server && has_unknown && !logged_in && log.is_some_and(lets_nobody_in) => Verdict::Inconclusive,
        // Clients that all end before they are let in may have reasons of their own.
        None if is_open && !logged_in && log.is_some_and(lets_nobody_in) => Verdict::Inconclusive,
        // One that ends in the middle of the login or of the session's start does not, either.
        None if findings.iter().any(is_of_a_stop) => Verdict::Inconclusive,
        None if has_more_than_ends || !findings.is_empty() => Verdict::Healthy,
        None => Verdict::Inconclusive,
    };
    // Where several causes fit, only the log's own steps say where it failed.
    let named = grave.filter(|found| found.certainty != Certainty::Possible).map(|found| found.stage);
    let died_at = if verdict == Verdict::Broken { named.or(stopped) } else { None };
    Diagnosis { verdict, died_at, findings }
}
