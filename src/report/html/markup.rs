//! Text as HTML: escaped, in paragraphs, lists and blocks to paste.

use std::fmt::Write as _;

use ssh_doctor_checks::base::text::is_unprintable;

/// Foreign text as character data and as the value of an attribute; control characters are escaped as in the other formats.
pub(super) fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push('\n'),
            c if is_unprintable(c) => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    safe
}

/// A list; nothing where there are no items.
pub(super) fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let items = items.fold(String::new(), |mut all, item| {
        let _ = writeln!(all, "<li>{}</li>", text(item));
        all
    });
    if items.is_empty() { items } else { format!("<ul>\n{items}</ul>\n") }
}

/// Paragraphs, which a blank line separates; lines that begin with a dash are a list.
pub(super) fn paragraphs(explanation: &str) -> String {
    explanation.split("\n\n").fold(String::new(), |mut all, paragraph| {
        let mut pieces = paragraph.split("\n- ");
        let _ = writeln!(all, "<p>{}</p>", text(pieces.next().unwrap_or_default()));
        all + &list(pieces)
    })
}

/// Text to paste, which wraps on a narrow screen and never scrolls sideways.
pub(super) fn pre(snippet: &str) -> String {
    let style = "white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid; padding: 0.25rem 0.75rem; margin: 0.5rem 0";
    format!("<pre style=\"{style}\"><code>{}</code></pre>\n", text(snippet.trim_end()))
}
