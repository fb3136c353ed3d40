//! Text from elsewhere made safe to show.

use std::fmt::Write as _;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// The longest piece of foreign text that a report quotes, in characters.
const SHOWN_CHARS: usize = 200;

/// Foreign text with control characters escaped and its length bounded.
#[must_use]
pub fn sanitize(text: &str) -> String {
    let cut = text.char_indices().nth(SHOWN_CHARS).map(|(at, _)| at);
    let mut safe = escaped(&text[..cut.unwrap_or(text.len())]);
    if cut.is_some() {
        safe.push('…');
    }
    safe
}

/// Foreign text with control characters escaped, whole.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unprintable(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    safe
}

/// True if a character could move, colour, reorder or hide what a terminal shows.
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    // Nearly everything is; the tables need not be searched for it.
    !matches!(c, ' '..='~')
        && (matches!(c.general_category(), Control | Format | LineSeparator | ParagraphSeparator) || is_ignorable(c))
}

/// Foreign bytes as [`sanitize`]d text; what is not UTF-8 becomes the replacement character.
#[must_use]
pub fn sanitize_bytes(bytes: &[u8]) -> String {
    sanitize(&String::from_utf8_lossy(&bytes[..bytes.len().min(4 * SHOWN_CHARS)]))
}

/// Letters and marks that show nothing: the code points of Unicode's property Default_Ignorable_Code_Point that are in none of the
/// categories of such characters (fillers and variation selectors).
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{034f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2065}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A command's exit status, with what it conventionally stands for: sh(1p) has 126, 127 and 128 + n, ssh(1) has 255.
#[must_use]
pub fn status(status: u32) -> String {
    const SIGNALS: [(u32, &str); 13] = [
        (1, "HUP"),
        (2, "INT"),
        (3, "QUIT"),
        (4, "ILL"),
        (6, "ABRT"),
        (7, "BUS"),
        (8, "FPE"),
        (9, "KILL"),
        (11, "SEGV"),
        (13, "PIPE"),
        (15, "TERM"),
        (24, "XCPU"),
        (25, "XFSZ"),
    ];
    let signal = SIGNALS.iter().find(|(number, _)| status == 128 + number);
    match (status, signal) {
        (126, _) => "status 126 (found, and not to be executed)".to_owned(),
        (127, _) => "status 127 (there is no such command)".to_owned(),
        (255, _) => "status 255 (ssh's own for any failure, unless the command chose it)".to_owned(),
        (_, Some((number, name))) => format!("status {status} (a shell's word for signal {name}, 128 + {number})"),
        _ => format!("status {status}"),
    }
}

/// A duration for people: `850 ms`, `6.2 s`, `6 min`, `1 h 30 min`.
#[must_use]
pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.001 => format!("{:.2} ms", s * 1000.0),
        s if s < 1.0 => format!("{:.0} ms", s * 1000.0),
        s if s < 10.0 => format!("{} s", trimmed(s)),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{} min", trimmed(s / 60.0)),
        s => format!("{} h", trimmed(s / 3600.0)),
    }
}

/// A byte count for people, in binary units: `512 B`, `64 KiB`, `1.5 MiB`.
#[must_use]
pub fn bytes(count: f64) -> String {
    match count {
        count if count < 1024.0 => format!("{count:.0} B"),
        count if count < 1024.0 * 1024.0 => format!("{} KiB", trimmed(count / 1024.0)),
        count => format!("{} MiB", trimmed(count / (1024.0 * 1024.0))),
    }
}

fn trimmed(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{sanitize, seconds};

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert_eq!(sanitize("a\x1b[31mb\r\n\u{202e}"), "a\\u{1b}[31mb\\r\\n\\u{202e}");
        assert!(sanitize(&"x".repeat(10_000)).chars().count() <= 201);
    }

    #[test]
    fn what_shows_nothing_is_escaped_and_what_shows_something_is_not() {
        let hidden = "\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{180e}\u{200b}\u{200d}\u{2028}\u{2029}\u{202e}\u{2063}\u{2066}\u{3164}\u{fe0f}\
                      \u{feff}\u{ffa0}\u{fff9}\u{e0001}\u{e0041}\u{e007f}\u{e0100}\u{1d173}\u{110bd}\u{85}\u{9b}\u{7f}\0";
        for c in hidden.chars() {
            assert!(super::is_unprintable(c), "{c:?}");
        }
        for c in "aß é\u{301}漢字 ключ العربية 🔑~ \u{a0}".chars() {
            assert!(!super::is_unprintable(c), "{c:?}");
        }
    }

    #[test]
    fn durations_read_well() {
        let read: Vec<_> = [0.0004, 0.25, 6.0, 6.25, 42.0, 350.0, 5400.0, 9000.0].map(seconds).into();
        assert_eq!(read, ["0.40 ms", "250 ms", "6 s", "6.2 s", "42 s", "5.8 min", "90 min", "2.5 h"]);
    }
}
