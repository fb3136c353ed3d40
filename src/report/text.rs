//! The report for people: the verdict, why, the fix to paste, what was seen, what was not looked at.

use ssh_doctor_checks::base::text::{sanitize, seconds};
use ssh_doctor_checks::facts::server::{ServerAnswer, ServerAnswers};
use ssh_doctor_checks::facts::{Check, CheckView, Evidence, Examined, Forward, Hop, Step};

use super::style::Ink;
use super::{Style, channels, finding, lifelines, path, table};
use crate::diagnose::{Diagnosis, Verdict};

/// The lines that are shown of one answer of the server.
const SAID: usize = 12;

/// The whole report, without a line end at its end.
#[must_use]
pub fn render(evidence: &Evidence, diagnosis: &Diagnosis, style: &Style) -> String {
    let style = *style;
    let checks = evidence.checks();
    let mut parts = vec![verdict(&evidence.target, diagnosis, style)];
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

/// Whom it is about, how it is, and where it dies in one line; below it the address that the name stands for.
fn verdict(target: &Examined, diagnosis: &Diagnosis, style: Style) -> String {
    let word = match diagnosis.verdict {
        Verdict::Healthy => "HEALTHY",
        Verdict::Degraded => "DEGRADED",
        Verdict::Broken => "BROKEN",
        Verdict::Inconclusive => "INCONCLUSIVE",
    };
    let meaning = match (diagnosis.verdict, diagnosis.died_at) {
        (Verdict::Healthy, _) => "nothing wrong was found in what was tested",
        (Verdict::Degraded, _) => "it works, and something will bite",
        (Verdict::Inconclusive, _) => "the doctor could not tell",
        (Verdict::Broken, died_at) => died_at.map_or("sessions cannot be had or do not last", death),
    };
    let ink = Ink::from(diagnosis.verdict);
    let sign = style.sign(ink);
    let line = style.wrapped("", "  ", &format!("{sign}{word}  {}: {meaning}", target.input));
    let line = match line.split_once(word) {
        Some((before, after)) => {
            let head = style.paint(ink, &format!("{before}{word}"));
            format!("{head}{}", style.paint(Ink::Strong, after))
        }
        None => line,
    };
    let address = address(target);
    if address == target.input {
        return line;
    }
    format!("{line}\n{}", style.paint(Ink::Faint, &style.wrapped("  ", "  ", &address)))
}

/// Where the target's name leads, after ssh_config.
fn address(target: &Examined) -> String {
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let user = if target.user.is_empty() { String::new() } else { format!("{}@", target.user) };
    let via = if target.via.is_empty() { String::new() } else { format!(" via {}", target.via.join(", ")) };
    format!("{user}{host}:{}{via}", target.port)
}

fn death(check: Check) -> &'static str {
    match check {
        Check::Config => "no session, ssh stops at its own settings (config)",
        Check::Dns => "no session, the name look-up fails (dns)",
        Check::Tcp => "no session, the TCP connection fails (tcp)",
        Check::Handshake => "no session, the SSH handshake fails (handshake)",
        Check::Hostkey => "no session, the host key is not trusted (hostkey)",
        Check::Auth => "no session, authentication fails (auth)",
        Check::Channel => "logged in, but no working channel (channel)",
        Check::Transfer => "sessions die when data moves (transfer)",
        Check::Idle => "sessions die while idle (idle)",
        Check::Exit => "sessions do not end cleanly (exit)",
    }
}

/// What the server itself answered, each with its source.
fn server(asked: &ServerAnswers, style: Style) -> String {
    let mut lines = vec![style.paint(Ink::Strong, "The server itself:")];
    for ServerAnswer { about, source, lines: said, status } in &asked.answers {
        let refused = match status {
            Some(0) => "",
            Some(_) => ", not to be had",
            None => ", cut off",
        };
        lines.push(style.wrapped("  ", "    ", &format!("{about} ({source}{refused}):")));
        lines.extend(said.iter().take(SAID).map(|line| style.wrapped("    ", "      ", line)));
        if said.len() > SAID {
            lines.push(format!("    and {} more lines, in --format json", said.len() - SAID));
        }
        if said.is_empty() {
            lines.push("    nothing".to_owned());
        }
    }
    lines.extend(asked.failure.iter().map(|why| style.wrapped("  ", "    ", &format!("Not answered: {why}"))));
    lines.join("\n")
}

/// Under which settings, at what price, and what was left out.
fn closing(evidence: &Evidence, checks: &[CheckView], diagnosis: &Diagnosis, style: Style) -> String {
    let line = |text: &str| style.wrapped("", "  ", text);
    let mut lines = Vec::new();
    if evidence.interrupted {
        lines.push(line("Interrupted: the run was ended early, and what it had not reached is not judged."));
    }
    if diagnosis.verdict != Verdict::Broken {
        lines.extend(untested(checks).map(|untested| line(&format!("Not tested: {untested}."))));
    }
    lines.extend(evidence.hops.iter().map(|hop| line(&format!("Hop {}: {}.", sanitize(&hop.name), passage(hop)))));
    lines.push(line(&format!("Settings: {}.", settings(evidence))));
    lines.extend(evidence.settings.not_honoured.iter().map(|setting| line(&format!("Not honoured: {setting}"))));
    lines.push(line(&format!("Cost: {}.", cost(evidence))));
    if let Some(first) = diagnosis.findings.first() {
        lines.push(line(&format!("More: ssh-doctor explain {}", first.code)));
    }
    lines.join("\n")
}

/// How far a hop was passed.
fn passage(hop: &Hop) -> String {
    let checks = hop.evidence.checks();
    let failed = checks.iter().find(|view| matches!(view.step, Step::Failed(()) | Step::Void(()) | Step::Error(_)));
    match (failed, &hop.forward) {
        (Some(view), _) => format!("not passed, {} fails: {}", view.check.name(), view.summary),
        (None, None) => "not passed".to_owned(),
        (None, Some(Forward { host, port, ms, failure })) => {
            let place = format!("{}:{port}", sanitize(host));
            let took = seconds(ms / 1000.0);
            match failure {
                None => format!("passed, and connected on to {place} in {took}"),
                Some(failure) => format!("logged in, and not connected on to {place} after {took}: {failure}"),
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
    let own = "no ConnectTimeout is set, and ssh waits as long as the system, about 2 min on Linux";
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
        "{}, {} (of at most {}), {}{failed}",
        seconds(evidence.duration_ms / 1000.0),
        count(spent.connections, "connection", "connections"),
        spent.budget,
        count(spent.logins, "login", "logins"),
    )
}

/// What a good verdict does not cover: checks that did not run, and silence longer than was tried.
fn untested(checks: &[CheckView]) -> Option<String> {
    // The summary of a check that did not run is the reason.
    // A look at the user's own settings says nothing of the server.
    let untested = |view: &&CheckView| {
        matches!(view.step, Step::Void(()) | Step::Skipped(_) | Step::Error(_)) && view.check != Check::Config
    };
    let mut reasons: Vec<&str> = Vec::new();
    for view in checks.iter().filter(untested) {
        if !reasons.contains(&view.summary.as_str()) {
            reasons.push(&view.summary);
        }
    }
    let skipped = reasons.iter().map(|reason| {
        let same = checks.iter().filter(untested).filter(|view| view.summary == *reason);
        let names: Vec<_> = same.map(|view| view.check.name()).collect();
        format!("{} ({reason})", names.join(", "))
    });
    let idle = checks.iter().find(|view| view.check == Check::Idle && matches!(view.step, Step::Passed(())));
    // The key is the contract's; `null` where no silence was survived or tried.
    let survived = idle.and_then(|view| view.facts.pointer("/timeout/survived_s")?.as_f64());
    let silence = idle.map(|_| survived.map_or("any silence".to_owned(), |s| format!("silence beyond {}", seconds(s))));
    let gaps: Vec<_> = skipped.chain(silence).collect();
    (!gaps.is_empty()).then(|| gaps.join("; "))
}
