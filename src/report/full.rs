//! The report with `-v`: every finding in full, lifelines, hops, the table of checks, settings and connections used.

use ssh_doctor_checks::base::text::{sanitize, seconds};
use ssh_doctor_checks::facts::server::{ServerAnswer, ServerAnswers};
use ssh_doctor_checks::facts::{CheckView, Evidence, Forward, Hop, Step};

use super::style::Ink;
use super::text::{paused, untested};
use super::{Style, channels, finding, headline, lifelines, path, table};
use crate::diagnose::Diagnosis;

/// The lines that are shown of one answer of the server.
const SAID: usize = 12;

/// The whole report, without a line end at its end.
#[must_use]
pub fn render(evidence: &Evidence, diagnosis: &Diagnosis, style: &Style) -> String {
    let style = *style;
    let checks = evidence.checks();
    let mut parts = vec![headline::render(evidence, diagnosis, style)];
    parts.extend(findings(diagnosis, style));
    parts.extend(lifelines::section(evidence, style));
    parts.extend(path::section(evidence, style));
    parts.push(table::checks(&checks, &diagnosis.findings, style));
    parts.extend(channels::lines(evidence, style));
    parts.extend(evidence.server.as_ref().map(|answers| server(answers, style)));
    parts.push(closing(evidence, &checks, diagnosis, style));
    parts.join("\n\n")
}

/// Each finding, root cause first.
pub(crate) fn findings(diagnosis: &Diagnosis, style: Style) -> impl Iterator<Item = String> + '_ {
    (0..diagnosis.findings.len()).map(move |at| finding::finding(at, &diagnosis.findings, style))
}

/// Lists the server's own answers, each with its source.
fn server(asked: &ServerAnswers, style: Style) -> String {
    let mut lines = vec![style.paint(Ink::Strong, "Answers of the server itself:")];
    for ServerAnswer { about, source, lines: said, status } in &asked.answers {
        let refused = match status {
            Some(0) => "",
            Some(_) => ", not available",
            None => ", cut off",
        };
        lines.push(style.wrapped("  ", "    ", &format!("{about} ({source}{refused}):")));
        lines.extend(said.iter().take(SAID).map(|line| style.wrapped("    ", "      ", line)));
        if said.len() > SAID {
            lines.push(format!("    and {} more lines: --format json", said.len() - SAID));
        }
        if said.is_empty() {
            lines.push("    nothing".to_owned());
        }
    }
    lines.extend(asked.failure.iter().map(|why| style.wrapped("  ", "    ", &format!("No answer: {why}"))));
    lines.join("\n")
}

/// Lists the checks not run, the hops, the settings, and the connections used.
fn closing(evidence: &Evidence, checks: &[CheckView], diagnosis: &Diagnosis, style: Style) -> String {
    let line = |text: &str| style.wrapped("", "  ", text);
    let mut lines = Vec::new();
    if evidence.interrupted {
        lines.push(line("Interrupted: the run ended early; checks that it had not reached are not judged."));
    }
    let gaps = untested(checks, diagnosis.died_at, true);
    lines.extend(gaps.map(|gaps| line(&format!("Not tested: {gaps}."))));
    lines.extend(paused(evidence).map(|pause| line(&pause)));
    lines.extend(evidence.hops.iter().map(|hop| line(&format!("Hop {}: {}.", sanitize(&hop.name), passage(hop)))));
    lines.push(line(&format!("Settings: {}.", settings(evidence))));
    lines.extend(evidence.settings.not_honoured.iter().map(|setting| line(&format!("Not honoured: {setting}"))));
    lines.push(line(&format!("Used: {}.", cost(evidence))));
    if let Some(first) = diagnosis.findings.first() {
        lines.push(line(&format!("More: ssh-doctor explain {}", first.code)));
    }
    lines.join("\n")
}

/// The outcome of a hop.
fn passage(hop: &Hop) -> String {
    let checks = hop.evidence.checks();
    let failed = checks.iter().find(|view| matches!(view.step, Step::Failed(()) | Step::Void(()) | Step::Error(_)));
    match (failed, &hop.forward) {
        (Some(view), _) => format!("failed at {}: {}", view.check.name(), view.summary),
        (None, None) => "not passed".to_owned(),
        (None, Some(Forward { host, port, ms, failure })) => {
            let place = format!("{}:{port}", sanitize(host));
            let took = seconds(ms / 1000.0);
            match failure {
                None => format!("passed; it connected to {place} in {took}"),
                Some(failure) => format!("logged in, but no connection to {place} after {took}: {failure}"),
            }
        }
    }
}

fn settings(evidence: &Evidence) -> String {
    let settings = &evidence.settings;
    let from = &settings.server_alive_from;
    let alive = match settings.server_alive_interval_s {
        0 => format!("ServerAliveInterval 0 ({from}), so ssh sends no keepalives"),
        interval => {
            format!("ServerAliveInterval {interval} ({from}), ServerAliveCountMax {}", settings.server_alive_count_max)
        }
    };
    let own = "no ConnectTimeout is set: ssh waits as long as the system does, about 2 min on Linux";
    let connect = settings.connect_timeout_s.map_or_else(String::new, |limit| {
        let from = &settings.connect_timeout_from;
        let from = if from == "the doctor's own" { own } else { from };
        format!("; {} to connect ({from})", seconds(limit))
    });
    format!("{}; {alive}{connect}", settings.source)
}

fn cost(evidence: &Evidence) -> String {
    let spent = evidence.spent;
    let count = |n: u32, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let failed = match spent.failed_logins {
        0 => String::new(),
        n => format!(", {}", count(n, "failed login", "failed logins")),
    };
    format!(
        "{}, {} (limit {}), {}{failed}",
        seconds(evidence.duration_ms / 1000.0),
        count(spent.connections, "connection", "connections"),
        spent.budget,
        count(spent.logins, "login", "logins"),
    )
}
