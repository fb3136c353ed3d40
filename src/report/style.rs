//! The way text is set: its width, its colours, its symbols.

use anstyle::{AnsiColor, Color, Effects};
use ssh_doctor_checks::base::text;
use textwrap::{Options, WordSeparator, WordSplitter};

use super::Status;
use crate::diagnose::Verdict;

/// The narrowest report, in columns; a table in less is no longer readable.
const NARROWEST: usize = 40;

/// The indent of everything that belongs to a finding.
pub(crate) const INDENT: &str = "   ";

/// The indent of what is to be pasted.
pub(crate) const PASTE: &str = "       ";

/// The way a report for people is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Colour and weight by ANSI sequences.
    pub color: bool,
    /// Symbols beyond ASCII; without them the whole report is ASCII.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, unicode: false, width: 80 }
    }
}

/// The kind of a piece of text, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// A heading.
    Strong,
    /// Secondary matter.
    Faint,
    /// Good news.
    Good,
    /// To be careful about.
    Care,
    /// Bad news.
    Bad,
    /// To be pasted.
    Paste,
}

impl Ink {
    fn ansi(self) -> anstyle::Style {
        let of = |color: AnsiColor| anstyle::Style::new().fg_color(Some(Color::Ansi(color)));
        match self {
            Self::Strong => anstyle::Style::new().effects(Effects::BOLD),
            Self::Faint => anstyle::Style::new().effects(Effects::DIMMED),
            Self::Good => of(AnsiColor::Green).effects(Effects::BOLD),
            Self::Care => of(AnsiColor::Yellow).effects(Effects::BOLD),
            Self::Bad => of(AnsiColor::Red).effects(Effects::BOLD),
            Self::Paste => of(AnsiColor::Cyan),
        }
    }
}

impl From<Verdict> for Ink {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Healthy => Self::Good,
            Verdict::Degraded | Verdict::Inconclusive => Self::Care,
            Verdict::Broken => Self::Bad,
        }
    }
}

impl From<Status> for Ink {
    fn from(status: Status) -> Self {
        match status {
            Status::Pass => Self::Good,
            Status::Warn | Status::Error => Self::Care,
            Status::Fail => Self::Bad,
            Status::Skip => Self::Faint,
        }
    }
}

impl Style {
    /// The columns that may be used.
    pub(crate) fn columns(self) -> usize {
        self.width.max(NARROWEST)
    }

    /// The text in its colour, line by line so that no colour runs over an indent.
    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}", style = ink.ansi()) } else { text.to_owned() }
    }

    /// Text made safe for a terminal, and for one that shows only ASCII.
    pub(crate) fn safe(self, text: &str) -> String {
        let safe = text::escaped(text);
        if self.unicode || safe.is_ascii() {
            return safe;
        }
        safe.chars().fold(String::new(), |mut ascii, c| {
            match c {
                '…' => ascii.push_str("..."),
                c if c.is_ascii() => ascii.push(c),
                c => ascii.extend(c.escape_default()),
            }
            ascii
        })
    }

    /// Safe text wrapped to the width, its first line after `first` and the others after `rest`.
    pub(crate) fn wrapped(self, first: &str, rest: &str, text: &str) -> String {
        let options = Options::new(self.columns())
            .initial_indent(first)
            .subsequent_indent(rest)
            // A host name or a path broken at its hyphen cannot be copied.
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .break_words(false);
        textwrap::fill(&self.safe(text), options)
    }

    /// Paragraphs, which the catalogue separates by a blank line, wrapped after an indent; a line of one that begins with a dash is an
    /// item of a list.
    pub(crate) fn paragraphs(self, indent: &str, text: &str) -> String {
        let (first, rest) = (format!("{indent}{} ", self.bullet()), format!("{indent}  "));
        let paragraph = |text: &str| {
            let pieces = text.split("\n- ").map(|piece| piece.split_whitespace().collect::<Vec<_>>().join(" "));
            let lines = pieces.enumerate().map(|(at, piece)| match at {
                0 => self.wrapped(indent, indent, &piece),
                _ => self.wrapped(&first, &rest, &piece),
            });
            lines.collect::<Vec<_>>().join("\n")
        };
        text.split("\n\n").map(paragraph).collect::<Vec<_>>().join("\n\n")
    }

    /// Text to paste, each line after an indent and nothing else in front of it; never wrapped.
    pub(crate) fn snippet(self, indent: &str, snippet: &str) -> String {
        let line = |line: &str| match line {
            "" => String::new(),
            line => format!("{indent}{}", self.paint(Ink::Paste, &text::escaped(&line.replace('\t', "    ")))),
        };
        snippet.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Returns the bullet of a list item.
    pub(crate) fn bullet(self) -> &'static str {
        if self.unicode { "•" } else { "*" }
    }

    /// The sign that goes with a colour, with the space after it: the news must not depend on colour alone.
    pub(crate) fn sign(self, ink: Ink) -> &'static str {
        match ink {
            Ink::Good if self.unicode => "✔ ",
            Ink::Care if self.unicode => "▲ ",
            Ink::Bad if self.unicode => "✘ ",
            _ => "",
        }
    }

    /// A bar that fills `share` (0 to 1) of `columns`; anything more than nothing shows.
    pub(crate) fn bar(self, share: f64, columns: u32) -> String {
        let eighths = (0..=columns * 8).rev().find(|n| f64::from(*n) <= share * f64::from(columns * 8)).unwrap_or(0);
        if !self.unicode {
            let full = eighths.div_ceil(8);
            return if full == 0 && share > 0.0 { ".".to_owned() } else { "#".repeat(full as usize) };
        }
        let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][(eighths % 8) as usize];
        let bar = "█".repeat((eighths / 8) as usize) + part;
        if bar.is_empty() && share > 0.0 { "▏".to_owned() } else { bar }
    }
}

#[cfg(test)]
mod tests {
    use super::Style;

    #[test]
    fn a_bar_shows_its_share_and_never_hides_a_small_one() {
        let unicode = Style { unicode: true, ..Style::default() };
        let bars: Vec<_> = [0.0, 0.001, 0.5, 0.55, 1.0].map(|share| unicode.bar(share, 8)).into();
        assert_eq!(bars, ["", "▏", "████", "████▍", "████████"]);
        let bars: Vec<_> = [0.0, 0.001, 0.5, 1.0].map(|share| Style::default().bar(share, 8)).into();
        assert_eq!(bars, ["", ".", "####", "########"]);
    }

    #[test]
    fn what_is_pasted_has_only_spaces_in_front() {
        assert_eq!(Style::default().snippet("   ", "Host db\n\tPort 1\n"), "   Host db\n       Port 1");
    }
}
