//! The report for Nagios, Icinga and compatible monitoring: a status line with performance data, and the remedy below
//! it.

use std::fmt::Write as _;

use ssh_doctor_checks::base::text::{is_unprintable, seconds};
use ssh_doctor_checks::facts::idle::Facts;
use ssh_doctor_checks::facts::{Check, CheckView, Evidence, Step};

use super::finding::{severity, side};
use crate::diagnose::{Diagnosis, FilledFix, Finding, Verdict};

/// The first line's length, performance data included, in bytes: older cores and remote agents keep no more than that.
const FIRST_LINE: usize = 254;

/// The length of the whole output in bytes: Nagios keeps 8 KiB of it (MAX_PLUGIN_OUTPUT_LENGTH).
const WHOLE: usize = 8 * 1024 - 64;

/// The report on one target.
#[must_use]
pub fn render(evidence: &Evidence, diagnosis: &Diagnosis) -> String {
    let host = if evidence.target.host.is_empty() { &evidence.target.input } else { &evidence.target.host };
    let text = format!("{host}: {}", headline(evidence, diagnosis));
    let mut report = first_line(diagnosis.verdict, &text, &performance(evidence));
    for (number, found) in diagnosis.findings.iter().enumerate() {
        finding(&mut report, number + 1, found);
    }
    if report.len() > WHOLE {
        let end = (0..=WHOLE).rev().find(|at| report.is_char_boundary(*at)).unwrap_or_default();
        report.truncate(report[..end].rfind('\n').unwrap_or(end));
        report.push_str("\n(cut: the whole report is longer than Nagios keeps)");
    }
    report
}

/// The status line of a command that could not do what was asked.
#[must_use]
pub fn misuse(sentence: &str) -> String {
    first_line(Verdict::Inconclusive, sentence, "")
}

fn first_line(verdict: Verdict, text: &str, performance: &str) -> String {
    let word = match verdict {
        Verdict::Healthy => "OK",
        Verdict::Degraded => "DEGRADED",
        Verdict::Broken => "BROKEN",
        Verdict::Inconclusive => "UNKNOWN",
    };
    let tail = if performance.is_empty() { String::new() } else { format!(" | {performance}") };
    let mut line = tame(&format!("SSH {word} - {text}"));
    let room = FIRST_LINE.saturating_sub(tail.len());
    if line.len() > room {
        let end = (0..=room.saturating_sub(3)).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default();
        line.truncate(end);
        line.push_str("...");
    }
    line + &tail
}

/// The most important fact in one line.
fn headline(evidence: &Evidence, diagnosis: &Diagnosis) -> String {
    let checks = evidence.checks();
    let unfinished = || {
        let view = checks.iter().find(|view| matches!(view.step, Step::Void(()) | Step::Error(_)))?;
        Some(format!("{}: {}", view.check.name(), view.summary))
    };
    let worrying = diagnosis.findings.first().filter(|_| diagnosis.verdict != Verdict::Healthy);
    let cut = evidence.cut_at().map(|check| {
        let after = seconds(evidence.duration_ms / 1000.0);
        let how = if evidence.timed_out { "still in" } else { "interrupted in" };
        format!("{how} {} after {after}", check.name())
    });
    if diagnosis.verdict == Verdict::Inconclusive
        && let Some(open) = cut.or_else(unfinished)
    {
        return open;
    }
    match worrying {
        Some(found) => {
            let hop = found.hop.as_ref().map_or_else(String::new, |hop| format!("at the jump host {hop}: "));
            let more = diagnosis.findings.len() - 1;
            let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
            format!("{hop}{}{more}", found.title)
        }
        None => passed(&checks),
    }
}

fn passed(checks: &[CheckView]) -> String {
    let passed = checks.iter().filter(|view| matches!(view.step, Step::Passed(())));
    let names: Vec<_> = passed.map(|view| view.check.name()).collect();
    if names.is_empty() { "nothing was tested".to_owned() } else { format!("passed {}", names.join(", ")) }
}

/// The durations of the stages that passed, and the measured idle times; a plugin's own units (ms, s), at least 0.
fn performance(evidence: &Evidence) -> String {
    let stages =
        [(Check::Tcp, "connect"), (Check::Handshake, "handshake"), (Check::Auth, "auth"), (Check::Channel, "channel")];
    let checks = evidence.checks();
    let ran = |check| checks.iter().find(|view| view.check == check && matches!(view.step, Step::Passed(())));
    let stages = stages.into_iter().filter_map(|(check, label)| {
        let view = ran(check)?;
        Some(format!("{label}={}ms;;;0", number(view.duration_ms)))
    });
    let idle = evidence.idle.facts().map(Facts::timeout).unwrap_or_default();
    let idle = [("idle_survived", idle.survived_s), ("idle_died", idle.died_s)];
    let idle = idle.into_iter().filter_map(|(label, s)| Some(format!("{label}={}s;;;0", number(s?))));
    let whole = format!("time={}s;;;0", number(evidence.duration_ms / 1000.0));
    stages.chain(idle).chain([whole]).collect::<Vec<_>>().join(" ")
}

/// A number with three significant digits and no exponent.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

fn finding(report: &mut String, number: usize, found: &Finding) {
    let mut line = |text: &str| {
        // Writing to a string cannot fail.
        let _ = write!(report, "\n{}", tame(text));
    };
    let hop = found.hop.as_ref().map_or_else(String::new, |hop| format!("at the jump host {hop}: "));
    line(&format!("{number}. {hop}{} ({}, {})", found.title, found.code, severity(found.severity)));
    found.because.iter().for_each(|fact| line(&format!("   - {fact}")));
    for fix in &found.fixes {
        line(&format!("   {}", heading(fix)));
        fix.snippet.iter().flat_map(|snippet| snippet.lines()).for_each(|text| line(&format!("       {text}")));
    }
}

fn heading(fix: &FilledFix) -> String {
    let place = fix.file.map_or_else(String::new, |file| format!(", {file}"));
    let tried = match fix.verified {
        Some(true) => ", proven on this path",
        Some(false) => ", tried, did not hold",
        None => "",
    };
    format!("Fix ({}{place}{tried}): {}", side(fix.side), fix.summary)
}

/// Text that stays on its line and starts no performance data, as a pipe would.
fn tame(text: &str) -> String {
    let tamed = |c: char| match c {
        '|' => '¦',
        c if is_unprintable(c) => ' ',
        c => c,
    };
    text.chars().map(tamed).collect()
}
