//! Texts with holes, such as `Connecting to <host> [<address>] port <port>.`, all searched in one pass over a line.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};

use super::mask::Message;
use super::outline::{END, Hole, Outline, Place, pieces};

/// The longest value that is kept of a hole, bytes.
const VALUE: usize = 512;
/// Bytes for the states that a search for one text makes.
const STATES: usize = 256 << 10;

/// Texts, compiled to be looked for in one pass over a line: one automaton finds the longest literal piece of each, and only the texts
/// whose piece a line has are then compared whole.
pub(super) struct Patterns {
    literals: AhoCorasick,
    /// The texts of each literal piece.
    holders: Vec<Vec<usize>>,
    each: Vec<Text>,
}

struct Text {
    place: Place,
    written: &'static str,
    outline: Outline,
    regex: OnceLock<Regex>,
    holes: Vec<&'static str>,
    stated: Vec<(&'static str, &'static str)>,
}

impl Patterns {
    /// Compiles texts.
    ///
    /// A hole is `<name>`: digits where the name is one of [`NUMBERS`], anything where it is one of [`TEXTS`], else a word without
    /// spaces. `<name=value>` is no hole and states a value that every such line has.
    ///
    /// # Panics
    /// If a hole is not closed. Texts are part of the program, and a test compiles them all.
    pub(super) fn new(texts: impl IntoIterator<Item = (Place, &'static str)>) -> Self {
        let each: Vec<_> = texts.into_iter().map(|(place, text)| Text::new(place, text)).collect();
        let mut longest: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, text) in each.iter().enumerate() {
            let literal = pieces(text.written).map(|(literal, _)| literal).max_by_key(|literal| literal.len());
            longest.entry(literal.unwrap_or_default().to_ascii_lowercase()).or_default().push(at);
        }
        let literals = AhoCorasick::builder().ascii_case_insensitive(true).build(longest.keys());
        Self {
            literals: literals.expect("the literal pieces compile together"),
            holders: longest.into_values().collect(),
            each,
        }
    }

    /// The places of the texts that a message may have, in order: their longest literal pieces are in it.
    pub(super) fn candidates(&self, message: &[u8]) -> Vec<usize> {
        let pieces = self.literals.find_overlapping_iter(message);
        let mut found: Vec<usize> =
            pieces.flat_map(|piece| &self.holders[piece.pattern().as_usize()]).copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// True if a message has one of its candidates.
    pub(super) fn has(&self, at: usize, message: &[u8]) -> bool {
        self.each[at].is_in(message)
    }

    /// Returns the values in the holes of a candidate, secrets masked; `None` where the message does not match.
    pub(super) fn values(&self, at: usize, message: &Message<'_>) -> Option<BTreeMap<String, String>> {
        let text = &self.each[at];
        if text.holes.is_empty() && text.stated.is_empty() {
            return text.is_in(message.text).then(BTreeMap::new);
        }
        if text.outline.is_in(message.text) == Some(false) {
            return None;
        }
        let mut captures = text.regex().captures(message.text)?;
        // What introduces a secret may stand before the hole.
        if message.has_secrets() {
            let Some(masked) = text.regex().captures(message.masked()) else { return Some(BTreeMap::new()) };
            captures = masked;
        }
        let value = |group: usize| {
            let bytes = captures.get(group)?.as_bytes();
            Some(String::from_utf8_lossy(&bytes[..bytes.len().min(VALUE)]).into_owned())
        };
        let read = text.holes.iter().enumerate();
        let read = read.filter_map(|(hole, name)| Some(((*name).to_owned(), value(hole + 1)?)));
        let stated = text.stated.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Some(read.chain(stated).collect())
    }
}

impl Text {
    fn new(place: Place, text: &'static str) -> Self {
        let holes = || pieces(text).filter_map(|(_, hole)| hole);
        Self {
            place,
            written: text,
            outline: Outline::new(place, text),
            regex: OnceLock::new(),
            holes: holes().filter(|hole| !hole.contains('=') && *hole != END).collect(),
            stated: holes().filter_map(|hole| hole.split_once('=')).collect(),
        }
    }

    /// True if a message that has the longest literal piece has the text.
    fn is_in(&self, message: &[u8]) -> bool {
        // That piece is all there is.
        let is_literal = self.holes.is_empty() && self.stated.is_empty();
        is_literal && self.place == Place::Anywhere
            || self.outline.is_in(message).unwrap_or_else(|| self.regex().is_match(message))
    }

    fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| {
            let regex = RegexBuilder::new(&self.source()).unicode(false).dfa_size_limit(STATES).build();
            regex.expect("a text compiles")
        })
    }

    /// The text as a regular expression.
    fn source(&self) -> String {
        let start = if self.place == Place::Begins {
            r#"(?:^|[\]:>|\t-] *|["'`]|\) |\* |[$#] |^[ \t\r\n\x0c]*ssh2 )"#
        } else {
            "(?i)"
        };
        let body = pieces(self.written).map(|(literal, hole)| {
            let hole = match hole.and_then(Hole::named) {
                None => "",
                Some(Hole::Number) => r"(-?[0-9]+)",
                Some(Hole::Text) => "(.*)",
                Some(Hole::End) => r"[^0-9A-Za-z]*$",
                Some(Hole::Word) => r"(\S+)",
            };
            regex::escape(literal) + hole
        });
        start.to_owned() + &body.collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::{Message, Patterns, Place};

    fn found(patterns: &Patterns, message: &[u8]) -> Vec<usize> {
        let candidates = patterns.candidates(message).into_iter();
        candidates.filter(|at| patterns.has(*at, message)).collect()
    }

    #[test]
    fn holes_hold_words_numbers_or_anything_and_values_can_be_stated() {
        let patterns = Patterns::new([(Place::Begins, "<kind=cipher>try <n> of <who>: <why>")]);
        let values = patterns.values(0, &Message::new(b"debug1: try 12 of a@b: no, not yet")).unwrap();
        let value = |name: &str| values[name].as_str();
        assert_eq!([value("n"), value("who"), value("why"), value("kind")], ["12", "a@b", "no, not yet", "cipher"]);
        assert!(found(&patterns, b"debug1: try x of a: b").is_empty());
    }

    #[test]
    fn a_text_begins_a_message_or_stands_anywhere() {
        let patterns = Patterns::new([(Place::Begins, "No route"), (Place::Anywhere, "No Route")]);
        assert_eq!(found(&patterns, b"no route"), [1]);
        assert_eq!(found(&patterns, b"[12:00] No route"), [0, 1]);
        assert_eq!(found(&patterns, b"there is No route"), [1]);
    }

    #[test]
    fn a_text_that_ends_a_message_has_no_word_behind_it() {
        let patterns = Patterns::new([(Place::Begins, "SUCCESS<end>")]);
        for (message, is_there) in [("SUCCESS", 1), ("got: 'SUCCESS'.", 1), ("SUCCESS expected but got FAILURE", 0)] {
            assert_eq!(found(&patterns, message.as_bytes()).len(), is_there, "{message}");
        }
    }

    #[test]
    fn a_quick_look_finds_what_a_regular_expression_finds() {
        let texts = [
            "a<n>b",
            "a<n>1",
            "a <user> b",
            "a<user>a<why>b",
            "a<why> b<n>",
            "a<x=y> b",
            "<n>a",
            "a<why><n>",
            "a<end>",
        ];
        for place in [Place::Begins, Place::Anywhere] {
            let patterns = Patterns::new(texts.map(|text| (place, text)));
            proptest::proptest!(|(message in "[aAb1: \n-]{0,12}")| {
                for text in &patterns.each {
                    let looked = text.outline.is_in(message.as_bytes());
                    let is_in = text.regex().is_match(message.as_bytes());
                    proptest::prop_assert!(looked.is_none_or(|looked| looked == is_in), "{}: {:?}", text.written, message);
                }
            });
        }
    }

    #[test]
    fn values_are_bounded_and_masked() {
        let patterns = Patterns::new([(Place::Begins, "run <command>")]);
        let line = format!("run sshpass -p CANARY ssh {}", "x".repeat(9000));
        let command = patterns.values(0, &Message::new(line.as_bytes())).unwrap().remove("command").unwrap();
        assert!(command.len() <= super::VALUE + 16 && !command.contains("CANARY"), "{}", command.len());
    }
}
