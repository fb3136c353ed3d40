//! The folder of journals, and their number.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// Journals of `tap` that are kept, the newest ones: about a month of a busy day's work, and a few megabytes.
const KEPT: usize = 2000;

/// The folder of a command's journals: below `$XDG_STATE_HOME`, else `~/.local/state` (XDG Base Directory Specification); `None` without a
/// home.
#[must_use]
pub fn folder(command: &str) -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("ssh-doctor").join(command))
}

/// A name that no other process gives a journal in this folder; names sort by time.
#[must_use]
pub fn new_file(folder: &Path) -> PathBuf {
    let now = Timestamp::now().strftime("%Y%m%dT%H%M%S.%3f");
    folder.join(format!("{now}-{}.jsonl", std::process::id()))
}

/// Removes the oldest journals beyond those that are kept.
pub fn prune(folder: &Path) -> io::Result<()> {
    let mut names = files(folder)?;
    names.sort();
    let beyond = names.len().saturating_sub(KEPT);
    names.iter().take(beyond).try_for_each(fs::remove_file)
}

/// Every journal of a folder.
pub(super) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(entries.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")).collect())
}
