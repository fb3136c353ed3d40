//! Two reports or recordings side by side: what differs beyond noise, and which difference may explain the outcome.

mod aspects;
mod comparison;
mod difference;
mod input;
mod masked;
mod outcome;
mod text;

use std::path::Path;

use anyhow::Result;

use crate::cli::CompareArgs;
use crate::diagnose::Verdict;
use crate::report::json::to_text;
use crate::terminal::{say, style};
use comparison::compared;
use input::Report;

/// Compares two files and prints what differs: healthy where nothing relevant does, degraded where something does.
///
/// # Errors
/// Fails if a file cannot be read, or is neither a report nor a recording.
pub(crate) fn run(args: &CompareArgs) -> Result<Verdict> {
    let comparison = compared(&Report::load(Path::new(&args.a))?, &Report::load(Path::new(&args.b))?);
    let shown =
        if args.json() { to_text(&comparison, args.pretty) } else { text::render(&comparison, style(args.look.color)) };
    say(&(shown + "\n"))?;
    Ok(if comparison.is_same() { Verdict::Healthy } else { Verdict::Degraded })
}
