//! Bounded reading of YAML files, with errors that name the line.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use serde::de::DeserializeOwned;

use crate::terminal::reason;

/// The largest file that is read, bytes.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// Reads a YAML file; an error is one sentence with the file and the line.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let name = path.display();
    let metadata = fs::metadata(path).map_err(|error| anyhow::anyhow!("{name} cannot be read: {}", reason(&error)))?;
    ensure!(metadata.is_file(), "{name} is not a plain file");
    ensure!(metadata.len() <= MAX_CONFIG_BYTES, "{name} is larger than any configuration (over 1 MiB)");
    let text =
        fs::read_to_string(path).map_err(|error| anyhow::anyhow!("{name} cannot be read: {}", reason(&error)))?;
    parse(&text).map_err(|(line, why)| match line {
        Some(line) => anyhow::anyhow!("{name} line {line}: {why}"),
        None => anyhow::anyhow!("{name}: {why}"),
    })
}

/// Returns the value, or the line and the reason of the error.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, (Option<usize>, String)> {
    yaml_serde::from_str(text).map_err(|error| {
        let words = error.to_string();
        // The position follows the reason.
        let words = words.split_once(" at line ").map_or(words.as_str(), |(reason, _)| reason).to_owned();
        (error.location().map(|at| at.line()), words)
    })
}
