//! The known products that a finding is consistent with, each with its knob.

use super::Style;
use super::style::{INDENT, Ink, PASTE};
use crate::diagnose::{Finding, Suspected};

/// The heading above them.
const HEADING: &str = "Consistent with (a timer and a manner alone prove none of them):";

/// The section of a finding that names them; `None` where nothing fits.
pub(super) fn section(found: &Finding, style: Style) -> Option<String> {
    let entries: Vec<_> = found.suspects.iter().map(|suspect| entry(suspect, style)).collect();
    if entries.is_empty() {
        return None;
    }
    let heading = style.wrapped(INDENT, INDENT, HEADING);
    let words = "Consistent with";
    let heading = heading.replacen(words, &style.paint(Ink::Strong, words), 1);
    Some([heading].into_iter().chain(entries).collect::<Vec<_>>().join("\n"))
}

/// Its name, the reason why it fits, and the setting to change; the text to paste stands below.
fn entry(suspect: &Suspected, style: Style) -> String {
    let (first, rest) = (format!("{INDENT}{} ", style.bullet()), format!("{INDENT}  "));
    let todo = suspect.knob.as_ref().map(|knob| format!(". To change it, {}", knob.summary)).unwrap_or_default();
    let snippet = suspect.knob.as_ref().and_then(|knob| knob.snippet.as_deref());
    let end = if snippet.is_some() { ":" } else { "." };
    let line = style.wrapped(&first, &rest, &format!("{}: {}{todo}{end}", suspect.name, suspect.why));
    match snippet {
        Some(snippet) => format!("{line}\n{}", style.snippet(PASTE, snippet)),
        None => line,
    }
}
