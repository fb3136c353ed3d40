//! Texts with holes: `Connecting to <host> [<address>] port <port>.`, many of them looked for at once.

use std::collections::BTreeMap;

use regex::bytes::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// The longest value that is kept of a hole, bytes.
const VALUE: usize = 1024;
/// Bytes for the compiled patterns, and for the states that a search makes of them.
const COMPILED: usize = 32 << 20;
const STATES: usize = 8 << 20;

/// Patterns, compiled to be looked for in one pass over a line.
pub(super) struct Patterns {
    set: RegexSet,
    each: Vec<Regex>,
    holes: Vec<Vec<&'static str>>,
    stated: Vec<Vec<(&'static str, &'static str)>>,
}

impl Patterns {
    /// Compiles patterns, each for the beginning of a line.
    ///
    /// A hole is `<name>`: digits where the name is one of [`NUMBERS`], anything where it is one of [`TEXTS`], else a word without
    /// spaces. `<name=value>` is no hole and states a value that every such line has.
    ///
    /// # Panics
    /// If a hole is not closed. Patterns are part of the program, and a test compiles them all.
    pub(super) fn new(patterns: &[&'static str]) -> Self {
        let sources: Vec<_> = patterns.iter().map(|pattern| source(pattern)).collect();
        let compiled = |source: &String| RegexBuilder::new(source).unicode(false).build().expect("a pattern compiles");
        Self {
            set: RegexSetBuilder::new(&sources)
                .unicode(false)
                .size_limit(COMPILED)
                .dfa_size_limit(STATES)
                .build()
                .expect("the patterns compile together"),
            each: sources.iter().map(compiled).collect(),
            holes: patterns.iter().map(|pattern| holes(pattern).filter(|hole| !hole.contains('=')).collect()).collect(),
            stated: patterns
                .iter()
                .map(|pattern| holes(pattern).filter_map(|hole| hole.split_once('=')).collect())
                .collect(),
        }
    }

    /// The patterns that a line has, by their places.
    pub(super) fn found(&self, line: &[u8]) -> impl Iterator<Item = usize> {
        self.set.matches(line).into_iter()
    }

    /// What stands in the holes of a pattern that the line has.
    pub(super) fn values(&self, at: usize, line: &[u8]) -> BTreeMap<String, String> {
        let Some(captures) = self.each[at].captures(line) else { return BTreeMap::new() };
        let holes = self.holes[at].iter().enumerate();
        let read = holes.filter_map(|(hole, name)| Some(((*name).to_owned(), value(&captures, hole + 1)?)));
        let stated = self.stated[at].iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        read.chain(stated).collect()
    }
}

fn value(captures: &Captures, group: usize) -> Option<String> {
    let bytes = captures.get(group)?.as_bytes();
    Some(String::from_utf8_lossy(&bytes[..bytes.len().min(VALUE)]).into_owned())
}

/// Holes that hold digits.
const NUMBERS: [&str; 10] = ["n", "port", "pid", "code", "status", "channel", "sent", "received", "type", "line"];
/// Holes that hold anything.
const TEXTS: [&str; 6] = ["text", "why", "command", "names", "methods", "key"];

fn source(pattern: &'static str) -> String {
    let body = pieces(pattern).map(|(literal, hole)| {
        let hole = match hole {
            None => "",
            Some(name) if name.contains('=') => "",
            Some(name) if NUMBERS.contains(&name) => r"(-?[0-9]+)",
            Some(name) if TEXTS.contains(&name) => "(.*)",
            Some(_) => r"(\S+)",
        };
        regex::escape(literal) + hole
    });
    "^".to_owned() + &body.collect::<String>()
}

fn holes(pattern: &'static str) -> impl Iterator<Item = &'static str> {
    pieces(pattern).filter_map(|(_, hole)| hole)
}

/// The pieces of a pattern: text, and the name of the hole after it.
fn pieces(pattern: &'static str) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    let mut pieces = pattern.split('<');
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
