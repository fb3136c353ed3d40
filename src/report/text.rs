//! The default report: verdict, cause, evidence and fix on one screen of 80 columns and 24 rows.

use ssh_doctor_checks::base::text::{sanitize, seconds};
use ssh_doctor_checks::causes::{FixKind, Severity};
use ssh_doctor_checks::facts::certainty::Certainty;
use ssh_doctor_checks::facts::retest::is_post_quantum;
use ssh_doctor_checks::facts::{Check, CheckView, Evidence, Step};
use textwrap::core::display_width;

use super::finding::{certainty, one_fix, side};
use super::style::Ink;
use super::{Style, headline};
use crate::diagnose::{Diagnosis, FilledFix, Finding, Verdict};

/// Rows for a target with a finding: a screen less the command line and the prompt after it.
const SCREEN_ROWS: usize = 22;
/// Rows for a target without one.
const HEALTHY_ROWS: usize = 6;
/// Facts that prove the cause, at most.
const FACTS: usize = 3;
/// Rows of one fact, at most.
const FACT_ROWS: usize = 2;
/// More checks than these are not listed where the others make a shorter list.
const MANY: usize = 5;
/// Idle times worth testing next, seconds, and how they are asked for.
const LONGER: [(f64, &str); 4] = [(1200.0, "20m"), (3600.0, "1h"), (10_800.0, "3h"), (86_400.0, "24h")];

/// A part of the report, which stays or gives way as a whole.
struct Part {
    text: String,
    /// The part with the highest rank gives way first; rank 0 stays.
    rank: u8,
    /// True if a blank line goes before it.
    is_spaced: bool,
}

impl Part {
    fn new(rank: u8, text: String) -> Self {
        Self { text, rank, is_spaced: false }
    }

    fn spaced(rank: u8, text: String) -> Self {
        Self { text, rank, is_spaced: true }
    }

    fn rows(&self, columns: usize) -> usize {
        usize::from(self.is_spaced) + rows(&self.text, columns)
    }
}

/// The report, without a line end at its end.
#[must_use]
pub fn render(evidence: &Evidence, diagnosis: &Diagnosis, style: &Style) -> String {
    let style = *style;
    let main = diagnosis.findings.first().filter(|_| diagnosis.verdict != Verdict::Healthy);
    let mut parts = vec![Part::new(0, headline::render(evidence, diagnosis, style))];
    if let Some(found) = main {
        parts.extend(cause(found, style));
        parts.extend(remedies(found, style));
        parts.extend(others(&diagnosis.findings[1..], style));
    } else {
        parts.extend(idle(evidence).map(|line| Part::new(1, style.wrapped("  ", "  ", &line))));
        parts.extend(diagnosis.findings.iter().map(|found| Part::new(3, entry("Note", found, style))));
    }
    // What a line above says is not said again.
    let is_said = |view: &CheckView| view.check == Check::Idle && main.is_none() && idle_is_open(evidence);
    let checks: Vec<_> = evidence.checks().into_iter().filter(|view| !is_said(view)).collect();
    let gaps = untested(&checks, diagnosis.died_at, main.is_some());
    parts.extend(gaps.map(|gaps| Part::new(2, style.wrapped("", "  ", &format!("Not tested: {gaps}.")))));
    parts.extend(paused(evidence).chain(unread(evidence)).map(|line| Part::new(3, style.wrapped("", "  ", &line))));
    let more = main.map_or_else(String::new, |found| format!("; all fixes: ssh-doctor explain {}", found.code));
    parts.push(Part::new(0, style.paint(Ink::Faint, &style.wrapped("", "  ", &format!("Full report: -v{more}")))));
    fitted(parts, if main.is_some() { SCREEN_ROWS } else { HEALTHY_ROWS }, style)
}

/// The parts that fit, in their order.
fn fitted(mut parts: Vec<Part>, limit: usize, style: Style) -> String {
    let columns = style.columns();
    while parts.iter().map(|part| part.rows(columns)).sum::<usize>() > limit {
        let highest = parts.iter().map(|part| part.rank).max().unwrap_or_default();
        let Some(last) = parts.iter().rposition(|part| part.rank == highest && highest > 0) else { break };
        let gone = parts.remove(last);
        if let Some(next) = parts.get_mut(last) {
            next.is_spaced |= gone.is_spaced;
        }
    }
    let lines = parts.into_iter().map(|part| format!("{}{}", if part.is_spaced { "\n" } else { "" }, part.text));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the rows that a terminal of this many columns needs: text to paste is not wrapped by us, and wraps there.
fn rows(text: &str, columns: usize) -> usize {
    let plain = anstream::adapter::strip_str(text).to_string();
    plain.lines().map(|line| display_width(line).div_ceil(columns).max(1)).sum()
}

/// The title, the code with its certainty, and the facts that prove it.
fn cause(found: &Finding, style: Style) -> Vec<Part> {
    let hop = found.hop.as_ref().map_or_else(String::new, |hop| format!(" at the jump host {}", sanitize(hop)));
    let ink = if found.severity == Severity::Critical { Ink::Bad } else { Ink::Care };
    // What calls for no change is no cause of an examination without a result.
    let word = if found.severity == Severity::Info { "Note" } else { "Cause" };
    let label = format!("{word}{hop}:");
    let head = style.wrapped("", "  ", &format!("{label} {}", found.title));
    let head = head.replacen(&label, &style.paint(ink, &label), 1);
    let label = style.wrapped("  ", "  ", &format!("{}, {}", found.code, certainty(found)));
    let mut parts = vec![Part::spaced(0, format!("{head}\n{label}"))];
    let first = format!("  {} ", style.bullet());
    parts.extend(found.because.iter().take(FACTS).zip([0, 4, 6]).map(|(fact, rank)| {
        let lines = style.wrapped(&first, "    ", fact);
        Part::new(rank, clipped(&lines))
    }));
    parts
}

/// The first rows of a fact.
fn clipped(lines: &str) -> String {
    let mut kept: Vec<_> = lines.lines().take(FACT_ROWS).collect();
    let cut = kept.last().map(|last| match last.char_indices().rev().nth(2) {
        Some((at, _)) if last.len() > 70 => format!("{}...", &last[..at]),
        _ => format!("{last}..."),
    });
    if let (true, Some(cut), Some(last)) = (lines.lines().count() > FACT_ROWS, &cut, kept.last_mut()) {
        *last = cut;
    }
    kept.join("\n")
}

/// The fix to paste, another one in a line, and the next step.
fn remedies(found: &Finding, style: Style) -> Vec<Part> {
    let of = |kind: FixKind| found.fixes.iter().filter(move |fix| fix.kind == kind && fix.verified != Some(false));
    let (mut fixes, mut looks) = (of(FixKind::Change), of(FixKind::Look));
    let first = fixes.next();
    let mut parts: Vec<_> =
        first.map(|fix| Part::spaced(0, one_fix("Fix", fix, "", None, style))).into_iter().collect();
    let proven = first.is_some_and(|fix| fix.verified == Some(true));
    parts.extend(first.and_then(|fix| fix.note.as_ref()).map(|note| Part::new(7, style.wrapped("  ", "  ", note))));
    let other = |fix: &FilledFix| style.wrapped("", "  ", &format!("Or ({}): {}", side(fix.side), fix.summary));
    parts.extend(fixes.next().map(|fix| Part::new(if proven { 6 } else { 4 }, other(fix))));
    let is_open = found.certainty != Certainty::Certain || found.reason_open || first.is_none();
    let next = |fix| Part::spaced(if is_open { 3 } else { 5 }, one_fix("Next step", fix, "", None, style));
    parts.extend(looks.next().map(next));
    let names: Vec<_> = found.suspects.iter().map(|suspect| suspect.name).collect();
    if !names.is_empty() {
        let line = format!("Consistent with (not proven): {}", names.join("; "));
        parts.push(Part::new(5, style.wrapped("", "  ", &line)));
    }
    parts
}

/// The further findings, one line each.
fn others(findings: &[Finding], style: Style) -> Vec<Part> {
    let part = |(at, found): (usize, &Finding)| {
        let (word, rank) = if found.severity == Severity::Info { ("Note", 6) } else { ("Also", 0) };
        Part { text: entry(word, found, style), rank, is_spaced: at == 0 }
    };
    findings.iter().enumerate().map(part).collect()
}

/// A finding in a line.
fn entry(word: &str, found: &Finding, style: Style) -> String {
    let hop = found.hop.as_ref().map_or_else(String::new, |hop| format!("at the jump host {}: ", sanitize(hop)));
    style.wrapped("", "  ", &format!("{word}: {hop}{} ({})", found.title, found.code))
}

/// The idle time that was survived, and the way to test a longer one; the way to test one where none was tested.
fn idle(evidence: &Evidence) -> Option<String> {
    if idle_is_open(evidence) {
        return Some("Idle time not tested; --idle 6m tests it.".to_owned());
    }
    let facts = evidence.idle.passed()?;
    let survived = facts.timeout().survived_s.filter(|_| facts.timeout().died_s.is_none())?;
    let sessions = facts.idle_survivors();
    let sessions = format!("{sessions} {}", if sessions == 1 { "session" } else { "sessions" });
    let longer = LONGER.into_iter().find(|(longer, _)| *longer > survived * 1.5);
    let longer = longer.map_or_else(String::new, |(_, text)| format!("; longer: --idle {text}"));
    Some(format!("Idle up to {} survived by {sessions}{longer}", seconds(survived)))
}

/// True if idle time could be tested, but the user did not ask for it.
fn idle_is_open(evidence: &Evidence) -> bool {
    let unasked = matches!(&*evidence.idle, Step::Skipped(why) if why == "not asked for");
    unasked && evidence.channel.passed().is_some()
}

/// Times in which this machine did not run us.
pub(super) fn paused(evidence: &Evidence) -> impl Iterator<Item = String> {
    evidence.pauses.iter().map(|pause| {
        format!(
            "Paused: ssh-doctor did not run for {} during {} (stopped, suspended, or overloaded); that check's waits are not judged.",
            seconds(pause.lasted_ms / 1000.0),
            pause.check.name()
        )
    })
}

/// Settings of the user that this examination did not use.
pub(super) fn unread(evidence: &Evidence) -> impl Iterator<Item = String> {
    let settings = &evidence.settings;
    let source = settings.source.starts_with("flags and -o").then(|| format!("Settings: {}.", settings.source));
    let not_honoured = settings.not_honoured.iter().map(|setting| format!("Not honoured: {setting}"));
    source.into_iter().chain(not_honoured).chain(larger_kex(evidence))
}

/// A key exchange of ssh's own with larger packets than those that were seen to get through.
fn larger_kex(evidence: &Evidence) -> Option<String> {
    let handshake = evidence.handshake.passed().filter(|_| evidence.transfer.passed().is_none())?;
    let offered = &handshake.server_offer.as_ref()?.kex;
    let theirs = handshake.client_offer.kex.iter().find(|name| offered.contains(name))?;
    let ours = &handshake.negotiated.as_ref()?.kex;
    let fails = evidence.checks().iter().any(|view| matches!(view.step, Step::Failed(())));
    (!fails && evidence.witness.is_none() && is_post_quantum(theirs) && !is_post_quantum(ours)).then(|| {
        format!(
            "Not tested: packets as large as those of your ssh's key exchange ({}, over 1.1 KB); --with-ssh tests them.",
            sanitize(theirs)
        )
    })
}

/// The checks that did not run, with the reasons. Those behind the one that failed were not reached.
pub(super) fn untested(checks: &[CheckView], died_at: Option<Check>, with_idle: bool) -> Option<String> {
    // A look at the user's own settings says nothing of the server.
    let untested = |view: &CheckView| {
        matches!(view.step, Step::Void(()) | Step::Skipped(_) | Step::Error(_)) && view.check != Check::Config
    };
    let wanted = |view: &CheckView| view.summary != "not asked for" && matches!(view.step, Step::Skipped(_));
    let reason = |view: &CheckView| match died_at {
        Some(died_at) if view.check > died_at && wanted(view) => "not reached".to_owned(),
        _ => view.summary.clone(),
    };
    let mut reasons: Vec<String> = Vec::new();
    for reason in checks.iter().filter(|view| untested(view)).map(reason) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let skipped = reasons.iter().map(|why| {
        let same = checks.iter().filter(|view| untested(view)).filter(|view| reason(view) == *why);
        let mut names: Vec<_> = same.map(|view| view.check.name()).collect();
        let tested: Vec<_> = checks.iter().filter(|view| !untested(view) && view.check != Check::Config).collect();
        let is_most = names.len() > MANY && names.len() + tested.len() + 1 == checks.len() && !tested.is_empty();
        if is_most {
            names = tested.iter().map(|view| view.check.name()).collect();
        }
        format!("{}{} ({why})", if is_most { "all but " } else { "" }, names.join(", "))
    });
    let idle = checks.iter().find(|view| view.check == Check::Idle && matches!(view.step, Step::Passed(())));
    // The key is the contract's; `null` where no idle time was survived or tried.
    let survived = idle.and_then(|view| view.facts.pointer("/timeout/survived_s")?.as_f64());
    let beyond = idle.filter(|_| with_idle).map(|_| match survived {
        Some(s) => format!("idle time above {}", seconds(s)),
        None => "idle time".to_owned(),
    });
    let gaps: Vec<_> = skipped.chain(beyond).collect();
    (!gaps.is_empty()).then(|| gaps.join("; "))
}
