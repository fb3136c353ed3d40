//! One finding for people: what it is, why, what was seen, and the fix to paste.

use ssh_doctor_checks::base::text::sanitize;
use ssh_doctor_checks::causes::{FixKind, Severity, Side};
use ssh_doctor_checks::facts::certainty::Certainty;

use super::style::{INDENT, Ink};
use super::{Style, suspects};
use crate::diagnose::{FilledFix, Finding};

/// The finding at a place in the list: what it is, why, what was seen, how to fix it, where to look further.
pub(super) fn finding(at: usize, findings: &[Finding], style: Style) -> String {
    let found = &findings[at];
    let ink = match found.severity {
        Severity::Critical => Ink::Bad,
        Severity::Warning => Ink::Care,
        Severity::Info => Ink::Strong,
    };
    let place = found.hop.as_ref().map_or_else(String::new, |hop| format!("At the jump host {}: ", sanitize(hop)));
    let head = style.wrapped(&format!("{}. ", at + 1), INDENT, &format!("{place}{}", found.title));
    let label = format!("{}, {}, {}", found.code, severity(found.severity), certainty(found));
    let mut parts = vec![format!("{}\n{}", style.paint(ink, &head), style.wrapped(INDENT, INDENT, &label))];
    parts.push(style.paragraphs(INDENT, why(found)));
    if !found.because.is_empty() {
        parts.push(listed(&style.paint(Ink::Strong, "Seen:"), found.because.iter().map(String::as_str), style));
    }
    parts.extend(remedies(found, &findings[..at], style));
    parts.extend(suspects::section(found, style));
    parts.join("\n\n")
}

/// The explanation as far as a reader needs it now: what it could be instead matters only where that was not excluded.
fn why(found: &Finding) -> &'static str {
    match found.explanation.split_once("\n\n") {
        Some((first, _)) if found.certainty == Certainty::Certain && !found.reason_open => first,
        _ => found.explanation,
    }
}

/// The fixes and the next steps; beside a fix that is proven on this path the others are only named.
fn remedies(found: &Finding, earlier: &[Finding], style: Style) -> Vec<String> {
    let (proven_fixes, others): (Vec<_>, Vec<_>) = found.fixes.iter().partition(|fix| fix.verified == Some(true));
    if proven_fixes.is_empty() {
        return fixes(&found.fixes, style);
    }
    let (looks, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|fix| fix.kind == FixKind::Look);
    let told = |fix: &FilledFix| earlier.iter().position(|other| other.fixes.iter().any(|one| is_same(one, fix)));
    let proven = |fix: &&FilledFix| match told(fix) {
        Some(at) => one_fix("Fix", fix, INDENT, Some(at), style),
        None => with_note(fix, one_fix("Fix", fix, INDENT, None, style), style),
    };
    let mut parts: Vec<_> = proven_fixes.iter().map(proven).collect();
    parts.extend(named("Other fixes", &others, found.code, style));
    parts.extend(named("Next steps", &looks, found.code, style));
    parts
}

/// A fix with what to know of it.
fn with_note(fix: &FilledFix, text: String, style: Style) -> String {
    match &fix.note {
        Some(note) => format!("{text}\n{}", style.wrapped("     ", "     ", note)),
        None => text,
    }
}

/// Fixes as a list of what to do, without the text to paste.
fn named(heading: &str, fixes: &[&FilledFix], code: &str, style: Style) -> Option<String> {
    let title = style.wrapped(INDENT, INDENT, &format!("{heading}; what to paste: ssh-doctor explain {code}"));
    let title = title.trim_start().replacen(heading, &style.paint(Ink::Strong, heading), 1);
    let failed = |fix: &FilledFix| if fix.verified == Some(false) { " (tried, did not hold)" } else { "" };
    let lines: Vec<_> = fixes.iter().map(|fix| format!("{}{}: {}", side(fix.side), failed(fix), fix.summary)).collect();
    (!lines.is_empty()).then(|| listed(&title, lines.iter().map(String::as_str), style))
}

/// True if two fixes have the same text to paste into the same place.
fn is_same(one: &FilledFix, other: &FilledFix) -> bool {
    one.snippet.is_some() && (one.side, one.file, &one.snippet) == (other.side, other.file, &other.snippet)
}

/// A heading, and items below it.
pub(crate) fn listed<'a>(heading: &str, items: impl Iterator<Item = &'a str>, style: Style) -> String {
    let (first, rest) = (format!("{INDENT}{} ", style.bullet()), format!("{INDENT}  "));
    let items = items.map(|item| style.wrapped(&first, &rest, item));
    [format!("{INDENT}{heading}")].into_iter().chain(items).collect::<Vec<_>>().join("\n")
}

/// Each fix, then each next step: the side, the change, the text to paste, the caution.
pub(crate) fn fixes(fixes: &[FilledFix], style: Style) -> Vec<String> {
    let of = |kind: FixKind, word: &str| {
        let same: Vec<_> = fixes.iter().filter(|fix| fix.kind == kind).collect();
        let labelled = |(at, fix): (usize, &&FilledFix)| {
            let label = if same.len() == 1 { word.to_owned() } else { format!("{word} {}", at + 1) };
            with_note(fix, one_fix(&label, fix, INDENT, None, style), style)
        };
        same.iter().enumerate().map(labelled).collect::<Vec<_>>()
    };
    [of(FixKind::Change, "Fix"), of(FixKind::Look, "Next step")].concat()
}

/// One fix; its text to paste is not repeated where the finding `told` (counted from 0) has it already.
///
/// All of it stands in one paragraph after the margin, the text to paste four columns further in.
pub(super) fn one_fix(label: &str, fix: &FilledFix, margin: &str, told: Option<usize>, style: Style) -> String {
    let place = place(fix).map_or_else(String::new, |place| format!(", {place}"));
    let tried = match fix.verified {
        Some(true) => "; proven on this path",
        Some(false) => "; tried, did not hold",
        None => "",
    };
    let line = |text: &str| style.wrapped(margin, &format!("{margin}  "), text);
    let head = line(&format!("{label} ({}{place}{tried}): {}", side(fix.side), fix.summary));
    let mut lines = vec![head.replacen(label, &style.paint(Ink::Strong, label), 1)];
    match (told, &fix.snippet) {
        (Some(at), _) => lines.push(line(&format!("The same lines as in {}.", at + 1))),
        (None, Some(snippet)) => lines.push(style.snippet(&format!("{margin}    "), snippet)),
        (None, None) => {}
    }
    let caution = fix.caution.as_ref().map(|caution| line(&format!("Caution: {caution}")));
    lines.extend(caution.map(|line| line.replacen("Caution:", &style.paint(Ink::Care, "Caution:"), 1)));
    lines.join("\n")
}

/// Returns the place for the text: ssh takes the first value that it finds, options above the first Host are for all
/// hosts, and a Match of sshd_config lasts to the file's end (ssh_config(5), sshd_config(5)).
pub(super) fn place(fix: &FilledFix) -> Option<String> {
    let (file, snippet) = (fix.file?, fix.snippet.as_deref().unwrap_or_default());
    Some(match file {
        "~/.ssh/config" if snippet.starts_with("Host ") => format!("{file}, above its first Host"),
        "/etc/ssh/sshd_config" if snippet.starts_with("Match ") => format!("{file}, at its end"),
        // Not all of its keywords go by the first line: of two MaxStartups the last one counts.
        "/etc/ssh/sshd_config" if !snippet.is_empty() => format!("{file}, in place of lines with the same keyword"),
        _ => file.to_owned(),
    })
}

pub(crate) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

pub(crate) fn certainty(found: &Finding) -> &'static str {
    match found.certainty {
        Certainty::Certain if found.reason_open => "confirmed; the reason is not known",
        Certainty::Certain => "confirmed (similar causes ruled out)",
        Certainty::Likely => "likely (other causes possible, less common)",
        Certainty::Possible => "possible (one of several)",
    }
}

pub(crate) fn side(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
        Side::Network => "network",
    }
}
