//! Texts with holes, such as `Connecting to <host> [<address>] port <port>.`, all of them looked for in one pass over a line.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::mask::masked;

/// The longest value that is kept of a hole, bytes.
const VALUE: usize = 1024;
/// Bytes for the compiled patterns, and for the states that a search makes of them.
const COMPILED: usize = 64 << 20;
const STATES: usize = 12 << 20;

/// Where in a message a text may begin, and how it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At the beginning of a message, which a level, a name or a bracket may precede.
    Begins,
    /// Anywhere, in capitals or not.
    Anywhere,
    /// Anywhere, and not a text but a regular expression.
    Expression,
}

/// Texts, compiled to be looked for in one pass over a line.
pub(super) struct Patterns {
    set: RegexSet,
    each: Vec<Text>,
}

struct Text {
    source: String,
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
        let set = RegexSetBuilder::new(each.iter().map(|text| &text.source))
            .unicode(false)
            .size_limit(COMPILED)
            .dfa_size_limit(STATES)
            .build()
            .expect("the texts compile together");
        Self { set, each }
    }

    /// The places of the texts that a message has, in order.
    pub(super) fn found(&self, message: &[u8]) -> Vec<usize> {
        self.set.matches(message).into_iter().collect()
    }

    /// What stands in the holes of a text that a message has, secrets masked.
    pub(super) fn values(&self, at: usize, message: &[u8]) -> BTreeMap<String, String> {
        let text = &self.each[at];
        let regex = text.regex.get_or_init(|| {
            RegexBuilder::new(&text.source).unicode(false).build().expect("what compiled in the set compiles alone")
        });
        // What introduces a secret may stand before the hole.
        let message = masked(message);
        let Some(captures) = regex.captures(&message) else { return BTreeMap::new() };
        let value = |group: usize| {
            let bytes = captures.get(group)?.as_bytes();
            Some(String::from_utf8_lossy(&bytes[..bytes.len().min(VALUE)]).into_owned())
        };
        let read = text.holes.iter().enumerate();
        let read = read.filter_map(|(hole, name)| Some(((*name).to_owned(), value(hole + 1)?)));
        let stated = text.stated.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        read.chain(stated).collect()
    }
}

impl Text {
    fn new(place: Place, text: &'static str) -> Self {
        if place == Place::Expression {
            return Self { source: text.to_owned(), regex: OnceLock::new(), holes: Vec::new(), stated: Vec::new() };
        }
        let holes = || pieces(text).filter_map(|(_, hole)| hole);
        let start = if place == Place::Begins { r"(?:^|[\]:>\t-] *|\) |\* )" } else { "(?i)" };
        let body = pieces(text).map(|(literal, hole)| {
            let hole = match hole {
                None => "",
                Some(name) if name.contains('=') => "",
                Some(name) if NUMBERS.contains(&name) => r"(-?[0-9]+)",
                Some(name) if TEXTS.contains(&name) => "(.*)",
                Some(_) => r"(\S+)",
            };
            regex::escape(literal) + hole
        });
        Self {
            source: start.to_owned() + &body.collect::<String>(),
            regex: OnceLock::new(),
            holes: holes().filter(|hole| !hole.contains('=')).collect(),
            stated: holes().filter_map(|hole| hole.split_once('=')).collect(),
        }
    }
}

/// Holes that hold digits.
const NUMBERS: [&str; 10] = ["n", "port", "pid", "code", "status", "channel", "sent", "received", "type", "line"];
/// Holes that hold anything.
const TEXTS: [&str; 6] = ["text", "why", "command", "names", "methods", "key"];

/// The pieces of a text: what stands there, and the name of the hole after it.
fn pieces(text: &'static str) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    let mut pieces = text.split('<');
    let first = pieces.next().unwrap_or_default();
    let mut all = vec![(first, None)];
    for piece in pieces {
        let (name, rest) = piece.split_once('>').expect("a hole is closed");
        if let Some(last) = all.last_mut() {
            last.1 = Some(name);
        }
        all.push((rest, None));
    }
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::{Patterns, Place};

    #[test]
    fn holes_hold_words_numbers_or_anything_and_values_can_be_stated() {
        let patterns = Patterns::new([(Place::Begins, "<kind=cipher>try <n> of <who>: <why>")]);
        let values = patterns.values(0, b"debug1: try 12 of a@b: no, not yet");
        let value = |name: &str| values[name].as_str();
        assert_eq!([value("n"), value("who"), value("why"), value("kind")], ["12", "a@b", "no, not yet", "cipher"]);
        assert!(patterns.found(b"debug1: try x of a: b").is_empty());
    }

    #[test]
    fn a_text_begins_a_message_or_stands_anywhere() {
        let patterns = Patterns::new([(Place::Begins, "No route"), (Place::Anywhere, "No Route")]);
        assert_eq!(patterns.found(b"no route"), [1]);
        assert_eq!(patterns.found(b"[12:00] No route"), [0, 1]);
        assert_eq!(patterns.found(b"there is No route"), [1]);
    }

    #[test]
    fn values_are_bounded_and_masked() {
        let patterns = Patterns::new([(Place::Begins, "run <command>")]);
        let line = format!("run sshpass -p CANARY ssh {}", "x".repeat(9000));
        let command = patterns.values(0, line.as_bytes()).remove("command").unwrap();
        assert!(command.len() <= super::VALUE + 16 && !command.contains("CANARY"), "{}", command.len());
    }
}
