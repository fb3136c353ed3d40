//! The catalogue of causes as a page of Markdown, from the very records that the report and `explain` use.

use std::fmt::Write as _;

use ssh_doctor_checks::causes::told::symptoms_of;
use ssh_doctor_checks::causes::{Cause, Fix, FixKind};
use ssh_doctor_checks::facts::Check;

use crate::explain::at;
use crate::report::finding::{severity, side};

const HEAD: &str = "\
# Causes

<!-- Generated from the records in checks/src by `UPDATE=1 cargo test catalogue`; do not edit. -->

Each cause that ssh-doctor can name, by the check at which it shows. A code is never renamed and never reused.
A report fills in the words in braces: `{alias}` is what you type after `ssh`.
";

/// The page, docs/causes.md.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for check in Check::ALL {
        let mut causes = at(check).peekable();
        if causes.peek().is_some() {
            // Writing to a string cannot fail.
            let _ = write!(page, "\n## {}\n", check.name());
        }
        for cause in causes {
            page.push_str(&section(cause));
        }
    }
    page
}

fn section(cause: &Cause) -> String {
    let mut parts = vec![
        format!("\n### {}\n\n**{}** ({})", cause.code, cause.title, severity(cause.severity)),
        // Records indent the lines of a paragraph as code is indented; Markdown would make a code block of that.
        paragraphs(cause.explanation),
    ];
    let (changes, looks): (Vec<_>, Vec<_>) = cause.fixes.iter().partition(|fix| fix.kind == FixKind::Change);
    parts.extend(changes.into_iter().chain(looks).map(fix));
    let symptoms: Vec<_> = symptoms_of(cause).map(|symptom| format!("- {}", code_span(symptom))).collect();
    if !symptoms.is_empty() {
        parts.push(format!("Other tools print for it:\n\n{}", symptoms.join("\n")));
    }
    if !cause.hides.is_empty() {
        let hides = cause.hides.iter().map(|code| format!("[{code}](#{code})"));
        parts.push(format!("Where it is found, these are left out: {}.", hides.collect::<Vec<_>>().join(", ")));
    }
    parts.join("\n\n") + "\n"
}

fn paragraphs(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn fix(fix: &Fix) -> String {
    let place = fix.file.map_or_else(String::new, |file| format!(", {}", code_span(file)));
    let label = if fix.kind == FixKind::Change { "Fix" } else { "Next step" };
    let mut text = format!("{label} ({}{place}): {}", side(fix.side), fix.summary);
    if let Some(snippet) = fix.snippet {
        let language = if fix.file.is_some() { "text" } else { "sh" };
        let _ = write!(text, "\n\n```{language}\n{}\n```", snippet.trim_end());
    }
    if let Some(caution) = fix.caution {
        let _ = write!(text, "\n\nCaution: {caution}");
    }
    text
}

/// Formats text as a Markdown code span, even if it holds backticks.
fn code_span(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}
