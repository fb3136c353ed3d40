//! Settings as ssh's words, before anything is made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Keyword and value pairs for one host, and where they were read.
#[derive(Debug, Clone, Default)]
pub(super) struct Raw {
    /// The values of each keyword, in lower case.
    pub(super) values: BTreeMap<String, Vec<String>>,
    /// The program that resolved them.
    pub(super) source: String,
    /// ssh's version; empty where it did not resolve them.
    pub(super) version: String,
    /// True if `~` and tokens in known_hosts files, the agent's socket and the host name are already expanded.
    pub(super) expanded: bool,
    /// ssh's hash of the connection (%C), where a setting that ssh leaves to be expanded holds it.
    pub(super) hash: Option<String>,
    /// The files that were read, as far as they are known.
    pub(super) log: Log,
    /// The settings that the resolver itself could not honour.
    pub(super) not_honoured: Vec<String>,
}

/// The files that ssh read, and their blocks that applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Log {
    /// The configuration files, in the order in which they were read.
    pub(super) files: Vec<PathBuf>,
    /// `Host` lines that applied: file as ssh prints it, and line number.
    pub(super) applied: BTreeSet<(String, usize)>,
    /// `Match` lines that did not apply.
    pub(super) unmatched: BTreeSet<(String, usize)>,
}

impl Raw {
    /// From `keyword value` lines.
    pub(super) fn from_lines(lines: &str) -> Self {
        let mut raw = Self::default();
        for line in lines.lines() {
            if let Some((keyword, value)) = line.split_once(' ') {
                raw.add(keyword, value.trim());
            }
        }
        raw
    }

    /// Adds one value of a keyword.
    pub(super) fn add(&mut self, keyword: &str, value: &str) {
        self.values.entry(keyword.to_ascii_lowercase()).or_default().push(value.to_owned());
    }

    /// The value of a keyword that has one.
    pub(super) fn one(&self, keyword: &str) -> Option<&str> {
        self.all(keyword).first().map(String::as_str)
    }

    /// All values of a keyword that may repeat.
    pub(super) fn all(&self, keyword: &str) -> &[String] {
        self.values.get(keyword).map(Vec::as_slice).unwrap_or_default()
    }

    /// The value of a keyword that `none` leaves unset, unless it is that; to other keywords (`User`) `none` is a value.
    pub(super) fn set(&self, keyword: &str) -> Option<&str> {
        self.one(keyword).filter(|value| !value.eq_ignore_ascii_case("none") && !value.is_empty())
    }

    /// A yes-or-no value; ssh prints some of them as `true` and `false`.
    pub(super) fn flag(&self, keyword: &str, default: bool) -> bool {
        match self.one(keyword) {
            Some("no" | "false") => false,
            Some(_) => true,
            None => default,
        }
    }

    /// A number; `none` and what is no number become the default.
    pub(super) fn number(&self, keyword: &str, default: u64) -> u64 {
        self.one(keyword).and_then(|value| value.parse().ok()).unwrap_or(default)
    }

    /// The names in a comma-separated value.
    pub(super) fn names(&self, keyword: &str) -> Vec<String> {
        let names = self.one(keyword).unwrap_or_default().split(',');
        names.filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
    }

    /// The names in the first of these keywords that is set. Only ssh itself resolves changes to its own list (`+ssh-rsa`).
    pub(super) fn algorithms(&self, keywords: &[&str]) -> Vec<String> {
        let lists = keywords.iter().map(|keyword| self.names(keyword));
        let names = lists.into_iter().find(|names| !names.is_empty()).unwrap_or_default();
        let is_change = names.first().is_some_and(|name| name.starts_with(['+', '-', '^']));
        if is_change { Vec::new() } else { names }
    }
}
