//! Two reports or recordings side by side: what differs beyond noise, and which difference may explain the outcome.

mod aspects;
mod difference;
mod input;
mod text;

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::cli::CompareArgs;
use crate::diagnose::Verdict;
use crate::report::json::to_text;
use crate::terminal::{say, style};
use difference::Difference;
use input::Report;

/// What two reports have and have not in common.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// The version of this object's keys.
    pub schema_version: u32,
    /// The first report.
    pub a: Outcome,
    /// The second report.
    pub b: Outcome,
    /// What differs and matters, what may explain the outcome first, then in the order of the checks.
    pub differences: Vec<Difference>,
    /// True where names, accounts or addresses were left out, because a recording replaces them.
    pub names_left_out: bool,
}

/// How an examination came out.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Outcome {
    /// The file.
    pub file: String,
    /// The target as it was typed.
    pub target: String,
    /// When it began (RFC 3339).
    pub started_at: String,
    /// The verdict.
    pub verdict: String,
    /// The check at which sessions die.
    pub died_at: Option<String>,
    /// The codes of the findings above `info`, root cause first.
    pub codes: Vec<String>,
}

impl Outcome {
    fn is_like(&self, other: &Self) -> bool {
        (&self.verdict, &self.died_at, &self.codes) == (&other.verdict, &other.died_at, &other.codes)
    }
}

/// Compares two files and prints what differs: healthy where nothing relevant does, degraded where something does.
///
/// # Errors
/// Where a file cannot be read, or is neither a report nor a recording.
pub(crate) fn run(args: &CompareArgs) -> Result<Verdict> {
    let comparison = compared(&Report::load(Path::new(&args.a))?, &Report::load(Path::new(&args.b))?);
    let shown =
        if args.json() { to_text(&comparison, args.pretty) } else { text::render(&comparison, style(args.look.color)) };
    say(&(shown + "\n"))?;
    Ok(if comparison.is_same() { Verdict::Healthy } else { Verdict::Degraded })
}

/// What two reports have and have not in common.
fn compared(a: &Report, b: &Report) -> Comparison {
    let names_left_out = a.is_anonymous() || b.is_anonymous();
    let (outcome_a, outcome_b) = (a.outcome(), b.outcome());
    let mut differences = difference::between(a, b, names_left_out);
    if !outcome_a.is_like(&outcome_b) {
        difference::mark_explanations(&mut differences, a, b);
    }
    Comparison { schema_version: 1, a: outcome_a, b: outcome_b, differences, names_left_out }
}

impl Comparison {
    /// Whether nothing that matters differs, the outcome included.
    fn is_same(&self) -> bool {
        self.a.is_like(&self.b) && self.differences.is_empty()
    }
}
