//! The first lines of every report for people: the verdict, the target, where it fails, and the address.

use ssh_doctor_checks::base::text::seconds;
use ssh_doctor_checks::facts::idle::Facts;
use ssh_doctor_checks::facts::{Check, CheckView, Evidence, Examined, Step};

use super::Style;
use super::style::Ink;
use crate::diagnose::{Diagnosis, Verdict};

/// The verdict with the target and what it means; below it the address that the target's name stands for.
pub(super) fn render(evidence: &Evidence, diagnosis: &Diagnosis, style: Style) -> String {
    let word = diagnosis.verdict.name().to_uppercase();
    let ink = Ink::from(diagnosis.verdict);
    let sign = style.sign(ink);
    let target = &evidence.target;
    let line = style.wrapped("", "  ", &format!("{sign}{word}  {}: {}", target.input, meaning(evidence, diagnosis)));
    let line = match line.split_once(&word) {
        Some((before, after)) => {
            let head = style.paint(ink, &format!("{before}{word}"));
            format!("{head}{}", style.paint(Ink::Strong, after))
        }
        None => line,
    };
    let address = address(target, evidence);
    if address == target.input || target.host.is_empty() {
        return line;
    }
    format!("{line}\n{}", style.paint(Ink::Faint, &style.wrapped("  ", "  ", &address)))
}

/// The verdict in words: where it fails, which step is slow, or why nothing could be decided.
pub(crate) fn meaning(evidence: &Evidence, diagnosis: &Diagnosis) -> String {
    let first = diagnosis.findings.first();
    match (diagnosis.verdict, diagnosis.died_at) {
        (Verdict::Healthy, _) => format!("nothing wrong was found in what was tested{}", reached(evidence)),
        (Verdict::Degraded, _) => {
            let headline = first.and_then(|found| found.headline.clone());
            let words = headline.unwrap_or_else(|| "it works, with a problem you should fix".to_owned());
            format!("{words}{}", reached(evidence))
        }
        (Verdict::Inconclusive, _) => undecided(evidence),
        (Verdict::Broken, died_at) => {
            let hop = first.and_then(|found| found.hop.as_ref());
            let hop = hop.map_or_else(String::new, |hop| format!(" at the jump host {hop}"));
            format!("{}{hop}", died_at.map_or("sessions or channels fail or cannot be opened", death))
        }
    }
}

/// Describes the idle time tested, where it is less than requested.
fn reached(evidence: &Evidence) -> String {
    let reached = evidence.idle.passed().and_then(Facts::reached);
    reached.map_or_else(String::new, |reached| format!("; {reached}"))
}

/// The reason why there is no verdict.
fn undecided(evidence: &Evidence) -> String {
    let held = evidence.idle.passed();
    let idle = held.and_then(|facts| facts.timeout().survived_s);
    if evidence.interrupted {
        let how = if evidence.timed_out { "deadline passed" } else { "stopped" };
        let cut_at = if held.is_some_and(|facts| !facts.complete) { Some(Check::Idle) } else { evidence.cut_at() };
        return match (idle, cut_at) {
            (Some(idle), _) => format!("{how}; nothing wrong up to {} of idle time", seconds(idle)),
            (None, Some(check)) => format!("{how} during {}; nothing wrong until then", check.name()),
            (None, None) => format!("{how}; nothing wrong in what was tested"),
        };
    }
    let unfinished = |view: &CheckView| matches!(view.step, Step::Void(()) | Step::Error(_));
    match evidence.checks().into_iter().find(unfinished) {
        Some(view) => format!("the examination could not decide ({}: {})", view.check.name(), view.summary),
        None => evidence.idle.passed().and_then(Facts::reached).map_or_else(
            || "nothing was tested".to_owned(),
            |reached| format!("the examination could not decide ({reached}, and no cause explains it)"),
        ),
    }
}

/// The target after ssh_config, and the address that was examined.
pub(super) fn address(target: &Examined, evidence: &Evidence) -> String {
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let user = if target.user.is_empty() { String::new() } else { format!("{}@", target.user) };
    let via = if target.via.is_empty() { String::new() } else { format!(" via {}", target.via.join(", ")) };
    let address = evidence.address().map(|address| address.to_string()).filter(|address| *address != target.host);
    let address = address.map_or_else(String::new, |address| format!(", address {address}"));
    format!("{user}{host}:{}{via}{address}", target.port)
}

fn death(check: Check) -> &'static str {
    match check {
        Check::Config => "ssh stops at its own settings",
        Check::Dns => "the name lookup fails",
        Check::Tcp => "the TCP connection fails",
        Check::Handshake => "the SSH handshake fails",
        Check::Hostkey => "the host key is not trusted",
        Check::Auth => "authentication fails",
        Check::Channel => "logged in, but no working channel",
        Check::Transfer => "transfers fail",
        Check::Idle => "sessions die while idle",
        Check::Exit => "sessions do not end cleanly",
    }
}
