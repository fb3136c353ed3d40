//! Bounded reading of YAML files, with errors that name the line.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::marker::PhantomData;
use std::path::Path;

use anyhow::{Result, anyhow, ensure};
use serde::de::{DeserializeOwned, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::terminal::reason;

/// The largest file that is read, bytes.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// The deepest nesting of lists and mappings in brackets; the parser takes quadratic time for it.
const MAX_DEPTH: usize = 64;

/// Words of the parser on its own types, and plain ones.
const PLAIN: [(&str, &str); 11] = [
    ("struct Config", "a mapping"),
    ("struct Allow", "a mapping"),
    ("struct Module", "a mapping"),
    ("struct Idle", "a mapping"),
    ("struct Raw", "a mapping"),
    ("struct Tls", "a mapping"),
    ("struct Http", "a mapping"),
    ("unit value", "nothing"),
    ("usize", "a number"),
    ("u16", "a number up to 65535"),
    ("u8", "a number up to 255"),
];

/// The text of a file.
#[derive(Debug)]
pub(super) struct File {
    name: String,
    text: String,
}

impl File {
    /// Reads a plain file; an error is one sentence.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let cannot = |error| anyhow!("{name} cannot be read: {}", reason(&error));
        let metadata = fs::metadata(path).map_err(cannot)?;
        ensure!(metadata.is_file(), "{name} is not a plain file");
        ensure!(metadata.len() <= MAX_CONFIG_BYTES, "{name} is larger than any configuration (over 1 MiB)");
        let text = fs::read_to_string(path).map_err(cannot)?;
        Ok(Self { name, text })
    }

    /// The value; an error is one sentence with the file and the line.
    pub(super) fn parsed<T: DeserializeOwned>(&self) -> Result<T> {
        if let Some(line) = too_deep(&self.text) {
            return Err(self.at(Some(line), format_args!("it is nested more than {MAX_DEPTH} levels deep")));
        }
        yaml_serde::from_str(&self.text).map_err(|error| {
            let words = error.to_string();
            // The position follows the reason.
            let words = words.split_once(" at line ").map_or(words.as_str(), |(reason, _)| reason);
            let words = PLAIN.iter().fold(words.to_owned(), |words, (own, plain)| words.replace(own, plain));
            self.at(error.location().map(|at| at.line()), words)
        })
    }

    /// The error of a value that was read and cannot be used, with the line that it is in.
    pub(super) fn wrong(&self, keys: &[&str], why: impl fmt::Display) -> anyhow::Error {
        self.at(line_of(&self.text, keys), format_args!("{}: {why}", keys.join(".")))
    }

    fn at(&self, line: Option<usize>, why: impl fmt::Display) -> anyhow::Error {
        match line {
            Some(line) => anyhow!("{} line {line}: {why}", self.name),
            None => anyhow!("{}: {why}", self.name),
        }
    }
}

/// The line in which brackets are nested too deeply.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (number, line) in text.lines().enumerate() {
        for letter in line.chars() {
            match letter {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > MAX_DEPTH {
                return Some(number + 1);
            }
        }
    }
    None
}

/// The line of the last of these keys that is found, each behind the one before.
fn line_of(text: &str, keys: &[&str]) -> Option<usize> {
    let mut at = 0;
    for key in keys {
        match text[at..].match_indices(key).find(|(found, _)| is_key(text, at + found, key.len())) {
            Some((found, _)) => at += found + key.len(),
            None => break,
        }
    }
    (at > 0).then(|| text[..at].matches('\n').count() + 1)
}

/// True if a word in a text is a key: at the beginning of a line or of a mapping in braces, and before a colon.
fn is_key(text: &str, at: usize, length: usize) -> bool {
    let before = text[..at].trim_end_matches(['"', '\'', ' ']);
    let after = text[at + length..].trim_start_matches(['"', '\'']).trim_start_matches(' ');
    (before.is_empty() || before.ends_with(['\n', '{', ','])) && after.starts_with(':')
}

/// A mapping in which no key is there twice.
pub(super) fn unique<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, V>, D::Error> {
    struct Unique<V>(PhantomData<V>);

    impl<'de, V: Deserialize<'de>> Visitor<'de> for Unique<V> {
        type Value = BTreeMap<String, V>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a mapping")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some(key) = entries.next_key::<String>()? {
                if map.contains_key(&key) {
                    return Err(A::Error::custom(format!("'{key}' is there twice")));
                }
                map.insert(key, entries.next_value()?);
            }
            Ok(map)
        }
    }

    deserializer.deserialize_map(Unique(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::{line_of, too_deep};

    #[test]
    fn a_key_is_found_by_the_keys_above_it() {
        let text =
            "a: {port: 1}\nmodules:\n  x:\n    user: port\n  \"m\":\n    port: 0\n    idle: {every: 1s, sample: 0}\n";
        for (keys, line) in [
            (&["modules", "m", "port"][..], Some(6)),
            (&["modules", "m", "idle", "sample"], Some(7)),
            (&["modules", "m", "missing"], Some(5)),
            (&["a", "port"], Some(1)),
            (&["missing"], None),
        ] {
            assert_eq!(line_of(text, keys), line, "{keys:?}");
        }
    }

    #[test]
    fn brackets_without_an_end_are_too_deep() {
        assert_eq!(too_deep(&format!("a: []\nb: {}", "[".repeat(65))), Some(2));
        assert_eq!(too_deep(&"[]".repeat(1000)), None);
    }
}
