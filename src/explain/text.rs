//! The explanation for people: what the log says, the cause or the candidates, the lines, what to do.

use ssh_doctor_checks::base::text::{sanitize, seconds};
use ssh_doctor_checks::causes::Severity;
use ssh_doctor_checks::facts::certainty::Certainty;
use ssh_doctor_checks::facts::log::{Connection, Gap, Log, Program};

use ssh_doctor_checks::facts::Examined;

use super::log::{Explained, is_of_a_stop};
use super::ranked::{CANDIDATES, height, open_question};
use crate::diagnose::{Diagnosis, Finding, Verdict};
use crate::report::Style;
use crate::report::finding::{certainty, fixes, listed, severity};
use crate::report::style::{INDENT, Ink};

/// The kinds of connections that are shown.
const KINDS: usize = 12;
/// The unknown lines that are quoted.
const COMPLAINTS: usize = 8;
/// The waits that are shown.
const GAPS: usize = 3;

/// The whole explanation, without a line end at its end.
#[must_use]
pub fn render(explained: &Explained, name: &str, style: &Style) -> String {
    let style = *style;
    let findings = &explained.diagnosis.findings;
    let mut parts = vec![headline(explained, name, style)];
    if explained.log().connections.len() > 1 {
        parts.push(kinds(explained, style));
    }
    match findings.first() {
        Some(first) if first.certainty == Certainty::Possible || is_open_text(explained) => {
            let rows = parts.iter().map(|part| height(part) + 1).sum();
            parts.extend(open_question(explained, name, rows, style));
        }
        Some(first) => {
            parts.extend(cause(first, style));
            parts.extend(others(explained, style));
        }
        None => parts.push(unknown(explained, style)),
    }
    parts.extend(waits(explained.log(), style));
    parts.join("\n\n")
}

/// Returns the headline: of a log the verdict and its host, of a bare text the number of causes that print it; and the
/// program that wrote it.
fn headline(explained: &Explained, name: &str, style: Style) -> String {
    let line = if explained.is_bare() { meaning(explained, name, style) } else { verdict(explained, name, style) };
    let about = origin(explained.log());
    if about.is_empty() {
        return line;
    }
    format!("{line}\n{}", style.paint(Ink::Faint, &style.wrapped("  ", "  ", &about.join("; "))))
}

/// True for a bare text that others than its likeliest cause print as well.
fn is_open_text(explained: &Explained) -> bool {
    explained.is_bare() && explained.signs.len() > 1 && explained.signs.iter().all(Option::is_some)
}

/// Describes how far a bare text identifies its cause, which is no verdict on a server.
fn meaning(explained: &Explained, name: &str, style: Style) -> String {
    let Diagnosis { verdict, findings, .. } = &explained.diagnosis;
    let meaning = match (&findings[..], verdict) {
        ([], Verdict::Healthy) => "nothing went wrong in this text",
        ([], _) => "no cause in the catalogue matches this text",
        ([only], _) if only.certainty == Certainty::Possible => "one known cause fits this text; others are possible",
        ([first, ..], _) => match first.certainty {
            Certainty::Certain => "this text has one cause",
            Certainty::Likely => "this text usually has one cause",
            Certainty::Possible => "several causes fit this text, the likeliest first",
        },
    };
    // Of several lines none stands for the whole.
    let subject = match name.trim() {
        lines if lines.contains('\n') => "the text".to_owned(),
        "standard input" => "standard input".to_owned(),
        text => format!("\"{}\"", sanitize(text)),
    };
    let line = style.wrapped("", "  ", &format!("{subject}: {meaning}"));
    style.paint(Ink::Strong, &line)
}

/// The verdict on what a log records, and whom it is about.
fn verdict(explained: &Explained, name: &str, style: Style) -> String {
    let ink = Ink::from(explained.diagnosis.verdict);
    let word = explained.diagnosis.verdict.name().to_uppercase();
    let target = &explained.evidence.target;
    let about = if target.host == "HOST" { sanitize(name) } else { spelt(target) };
    let meaning = match (explained.diagnosis.verdict, explained.diagnosis.died_at) {
        (Verdict::Broken, Some(check)) => format!("it fails at {}", check.name()),
        (Verdict::Broken, None) => "it fails".to_owned(),
        (Verdict::Degraded, _) => "there is a problem to fix".to_owned(),
        (Verdict::Healthy, _) if has_a_failed_command(explained) => {
            "SSH works, and the remote command failed".to_owned()
        }
        (Verdict::Healthy, _) => "nothing went wrong in this text".to_owned(),
        (Verdict::Inconclusive, _) if explained.diagnosis.findings.iter().any(is_of_a_stop) => {
            "nothing failed in it before it ends".to_owned()
        }
        (Verdict::Inconclusive, _) => "no error in it is known".to_owned(),
    };
    let line = style.wrapped("", "  ", &format!("{}{word}  {about}: {meaning}", style.sign(ink)));
    line.replacen(&word, &style.paint(ink, &word), 1)
}

/// True if all that went wrong in a session is the command that it ran.
fn has_a_failed_command(explained: &Explained) -> bool {
    explained.diagnosis.findings.iter().any(|found| found.code == "exit-command-failed")
}

/// Describes the writer of a log, its length, and its time.
fn origin(log: &Log) -> Vec<String> {
    let mut about = Vec::new();
    if let Some(program) = log.programs.first() {
        let version = program.version.as_ref().map(|version| format!(" {}", sanitize(version))).unwrap_or_default();
        about.push(format!("written by {}{version}", program.name));
    }
    if log.lines > 1 {
        let total: u64 = log.connections.iter().map(|connection| connection.count).sum();
        let order = if log.newest_first { " (newest first: numbered from the last)" } else { "" };
        about.push(format!("{} lines{order}, {}", log.lines, counted(total, "connection")));
    }
    if let (Some(first), Some(last)) = (&log.first, &log.last) {
        about.push(format!("{} to {}", sanitize(first), sanitize(last)));
    }
    about
}

/// The target in the form of a TARGET.
fn spelt(target: &Examined) -> String {
    let user = if target.user.is_empty() { String::new() } else { format!("{}@", target.user) };
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let port = if target.port == 22 { String::new() } else { format!(":{}", target.port) };
    format!("{user}{host}{port}")
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The cause, the lines that show it, and the remedy.
fn cause(found: &Finding, style: Style) -> Vec<String> {
    let ink = if found.severity == Severity::Critical { Ink::Bad } else { Ink::Care };
    let title = style.wrapped("1. ", INDENT, &found.title);
    let label = format!("{}, {}, {}", found.code, severity(found.severity), certainty(found));
    let mut parts = vec![format!("{}\n{}", style.paint(ink, &title), style.wrapped(INDENT, INDENT, &label))];
    parts.push(listed(&style.paint(Ink::Strong, "Seen:"), found.because.iter().map(String::as_str), style));
    let first = found.explanation.split("\n\n").next().unwrap_or_default();
    parts.push(style.paragraphs(INDENT, first));
    parts.extend(fixes(&found.fixes, style));
    parts
}

/// Describes the other causes that fit, or were found beside it.
fn others(explained: &Explained, style: Style) -> Option<String> {
    let others = explained.diagnosis.findings.iter().zip(&explained.signs).skip(1).take(CANDIDATES);
    let lines: Vec<_> = others
        .map(|(found, sign)| match sign {
            Some(sign) => format!("{} if {sign}", found.code),
            None => format!("{}: {}", found.code, found.because.first().map_or("", String::as_str)),
        })
        .collect();
    let is_likely = explained.signs.first().is_some_and(Option::is_some);
    let heading = if is_likely { "Less likely:" } else { "Also in the log:" };
    (!lines.is_empty()).then(|| listed(&style.paint(Ink::Strong, heading), lines.iter().map(String::as_str), style))
}

/// Describes the outcomes of a log's connections: their number, cause, first time and source.
fn kinds(explained: &Explained, style: Style) -> String {
    let log = explained.log();
    let mut lines = Vec::new();
    let mut told: Vec<usize> = Vec::new();
    for (found, connections) in explained.diagnosis.findings.iter().zip(&explained.connections).take(KINDS) {
        let own: Vec<_> = connections.iter().filter(|at| !told.contains(at)).map(|at| &log.connections[*at]).collect();
        told.extend(connections);
        if own.is_empty() {
            continue;
        }
        let count: u64 = own.iter().map(|connection| connection.count).sum();
        lines.push(format!("{count}: {}{}", found.code, whence(&own)));
    }
    let rest = log.connections.iter().enumerate().filter(|(at, _)| !told.contains(at));
    let rest: u64 = rest.map(|(_, connection)| connection.count).sum();
    if rest > 0 {
        lines.push(format!("{rest}: nothing wrong in the log"));
    }
    if log.uncounted > 0 {
        lines.push(format!("{}: other outcomes, not listed", log.uncounted));
    }
    listed(&style.paint(Ink::Strong, "Connections:"), lines.iter().map(String::as_str), style)
}

/// Describes the time of the first, and the source.
fn whence(connections: &[&Connection]) -> String {
    let first = connections.iter().find_map(|connection| connection.first.as_deref());
    let last = connections.iter().rev().find_map(|connection| connection.last.as_deref());
    let when = match (first, last) {
        (Some(first), Some(last)) if first != last => format!(", {} to {}", sanitize(first), sanitize(last)),
        (Some(only), _) => format!(", {}", sanitize(only)),
        _ => String::new(),
    };
    let mut peers: Vec<(&str, u64)> = Vec::new();
    for (address, count) in connections.iter().flat_map(|connection| &connection.peers) {
        match peers.iter_mut().find(|(known, _)| known == address) {
            Some((_, sum)) => *sum += count,
            None => peers.push((address, *count)),
        }
    }
    peers.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let names: Vec<_> =
        peers.iter().take(3).map(|(address, count)| format!("{} ({count})", sanitize(address))).collect();
    let more = if peers.len() > 3 { " and others" } else { "" };
    if names.is_empty() { when } else { format!("{when}, from {}{more}", names.join(", ")) }
}

/// Describes a log in which nothing is known.
fn unknown(explained: &Explained, style: Style) -> String {
    let log = explained.log();
    if explained.diagnosis.verdict == Verdict::Healthy {
        let words = if explained.is_bare() {
            "It does not show what came next; the whole output of ssh -vvv HOST does."
        } else {
            "No connection in it failed."
        };
        return style.wrapped(INDENT, INDENT, words);
    }
    // A text that is not SSH's where it stands is no more known than another.
    let set_aside = log.connections.iter().flat_map(|connection| &connection.sightings).map(|seen| &seen.line);
    let mut lines: Vec<_> = log.unknown.iter().chain(set_aside).collect();
    lines.sort_by_key(|line| line.number);
    lines.dedup_by_key(|line| line.number);
    let count = lines.len().max(usize::try_from(log.unknown_count).unwrap_or(usize::MAX)) as u64;
    let complaints: Vec<_> =
        lines.iter().take(COMPLAINTS).map(|line| format!("line {}: {}", line.number, sanitize(&line.text))).collect();
    let is_set_aside = log.connections.iter().any(|connection| !connection.sightings.is_empty());
    let is_of_server = log.programs.first().is_some_and(Program::is_server);
    let advice = if is_set_aside && is_of_server {
        "Nobody logged in, and the server does not say why its clients ended: the client's side (ssh -vvv HOST) does."
    } else if is_set_aside {
        "It reads like a message of another program, not of SSH. If ssh printed it, explain it with the lines before it."
    } else {
        "Nothing is guessed. ssh -vvv HOST shows the step at which it fails; ssh-doctor check HOST examines the host itself."
    };
    let advice = style.wrapped(INDENT, INDENT, advice);
    if complaints.is_empty() {
        return advice;
    }
    let heading = format!("Not in the catalogue ({}):", counted(count, "line"));
    format!("{}\n\n{advice}", listed(&style.paint(Ink::Strong, &heading), complaints.iter().map(String::as_str), style))
}

/// The longest waits between two lines, which name the step that was slow.
fn waits(log: &Log, style: Style) -> Option<String> {
    let mut gaps: Vec<&Gap> = log.connections.iter().flat_map(|connection| &connection.gaps).collect();
    gaps.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    let lines: Vec<_> = gaps
        .iter()
        .take(GAPS)
        .map(|gap| format!("{} before line {}: {}", seconds(gap.seconds), gap.line.number, sanitize(&gap.line.text)))
        .collect();
    let heading = style.paint(Ink::Strong, "Longest waits:");
    (!lines.is_empty()).then(|| listed(&heading, lines.iter().map(String::as_str), style))
}
