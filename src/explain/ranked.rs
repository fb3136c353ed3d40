//! The answer to a line that several causes print: the candidates, what tells them apart and the next step, on one screen.

use ssh_doctor_checks::base::text::sanitize;
use ssh_doctor_checks::causes::FixKind;

use super::log::{Explained, is_of_a_stop};
use crate::diagnose::FilledFix;
use crate::report::Style;
use crate::report::finding::fixes;
use crate::report::style::{INDENT, Ink, PASTE};

/// The candidates that are shown.
pub(super) const CANDIDATES: usize = 6;
/// The rows of a screen that an answer may take: 24 less those of the command and the next prompt.
const SCREEN: usize = 22;
const COLUMNS: usize = 80;

/// The causes that fit, the likeliest first, the signs that distinguish them, the command that settles it, and the remedy for the first.
///
/// It fits on a screen below a heading of this many rows: without their titles if need be, as the signs are what tells them apart, and
/// without the last ones.
pub(super) fn open_question(explained: &Explained, name: &str, rows: usize, style: Style) -> Vec<String> {
    let layouts = [(true, CANDIDATES), (false, CANDIDATES), (false, CANDIDATES - 1), (false, CANDIDATES - 2)];
    let mut answers = layouts.into_iter().map(|(titles, count)| ranked(explained, name, titles, count, style));
    let fits = |parts: &[String]| rows + parts.iter().map(|part| height(part) + 1).sum::<usize>() <= SCREEN + 1;
    let shortest = ranked(explained, name, false, CANDIDATES - 3, style);
    answers.find(|parts| fits(parts)).unwrap_or(shortest)
}

/// The rows of a text on a terminal, which wraps what is to be pasted.
pub(super) fn height(text: &str) -> usize {
    text.lines().map(|line| textwrap::core::display_width(line).div_ceil(COLUMNS).max(1)).sum()
}

/// The first candidates, with or without their titles, and what follows them.
fn ranked(explained: &Explained, name: &str, titles: bool, count: usize, style: Style) -> Vec<String> {
    let findings = &explained.diagnosis.findings;
    let first = &findings[0];
    let is_bare = explained.is_bare();
    // The first line of the answer has a bare text already.
    let seen = first.because.first().filter(|line| !(is_bare && line.ends_with(&sanitize(name.trim()))));
    let seen = seen.map(|line| style.wrapped(INDENT, INDENT, &format!("Seen: {line}")));
    let ranked = findings.iter().zip(&explained.signs).filter_map(|(found, sign)| Some((found, sign.as_ref()?)));
    let ranked: Vec<_> = ranked
        .take(count)
        .enumerate()
        .map(|(at, (found, sign))| {
            let number = format!("{}. ", at + 1);
            if titles {
                let title = style.wrapped(&number, INDENT, &format!("{} ({})", found.title, found.code));
                return format!(
                    "{}\n{}",
                    style.paint(Ink::Strong, &title),
                    style.wrapped(INDENT, INDENT, &format!("if {sign}"))
                );
            }
            let line = style.wrapped(&number, INDENT, &format!("{} if {sign}", found.code));
            line.replacen(found.code, &style.paint(Ink::Strong, found.code), 1)
        })
        .collect();
    let heading = if is_of_a_stop(first) {
        "If it goes no further there, several causes fit, the likeliest first:"
    } else {
        "Several causes fit this, the likeliest first:"
    };
    let heading = (!is_bare).then(|| style.wrapped("", "", heading));
    let list = heading.into_iter().chain([ranked.join("\n")]).collect::<Vec<_>>().join("\n");
    let mut parts: Vec<_> = seen.into_iter().chain([list]).collect();
    let (settles, rest): (Vec<_>, Vec<_>) = first.fixes.iter().partition(|fix| is_examination(fix));
    if let Some(snippet) = settles.first().and_then(|fix| fix.snippet.as_deref()) {
        parts.push(format!("{}\n{}", style.paint(Ink::Strong, "This settles it:"), style.snippet(PASTE, snippet)));
    }
    let more = style.wrapped("", "", &format!("More: ssh-doctor explain {}", first.code));
    let rest = if is_of_a_stop(first) { Vec::new() } else { rest };
    let Some(fix) = rest.iter().find(|fix| fix.kind == FixKind::Change).or(rest.first()) else {
        return [parts, vec![more]].concat();
    };
    let remedy = fixes(&[(*fix).clone()], style);
    let heading = style.paint(Ink::Strong, "If it is the first:");
    parts.push([vec![heading], remedy, vec![more]].concat().join("\n"));
    parts
}

/// True if a step is the examination of the target by this program.
fn is_examination(fix: &FilledFix) -> bool {
    fix.snippet.as_deref().is_some_and(|snippet| snippet.starts_with("ssh-doctor check"))
}
