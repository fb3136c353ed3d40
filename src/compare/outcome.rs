//! The way an examination came out.

use serde::Serialize;

/// The way an examination came out.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Outcome {
    /// The file.
    pub file: String,
    /// The target as it was typed.
    pub target: String,
    /// The time at which it began (RFC 3339).
    pub started_at: String,
    /// The verdict.
    pub verdict: String,
    /// The check at which sessions die.
    pub died_at: Option<String>,
    /// The codes of the findings above `info`, root cause first.
    pub codes: Vec<String>,
}

impl Outcome {
    /// True if both came out alike.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (&self.verdict, &self.died_at, &self.codes) == (&other.verdict, &other.died_at, &other.codes)
    }
}
