//! A torn last line, made whole or taken out before anything is appended: otherwise the next record would be lost with it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// No record comes near this many bytes.
pub(super) const LONGEST: u64 = 1 << 20;

/// The state of a file's end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// A line end, or nothing at all.
    Whole,
    /// A record without its line end, which it now has.
    Completed,
    /// A part of a record, now in a file of its own beside the journal.
    MovedAway,
}

/// Gives the file an end to which a record can be appended.
pub(super) fn seal(file: &mut File, path: &Path) -> io::Result<Tail> {
    let length = file.metadata()?.len();
    let tail = last_line(file, length)?;
    if tail.is_empty() {
        return Ok(Tail::Whole);
    }
    // A number that was cut short would parse, but a record is an object.
    if serde_json::from_slice::<Value>(&tail).is_ok_and(|value| value.is_object()) {
        file.seek(SeekFrom::End(0))?;
        file.write_all(b"\n")?;
        return Ok(Tail::Completed);
    }
    let mut torn = OpenOptions::new().append(true).create(true).open(torn_path(path))?;
    torn.write_all(&[tail.as_slice(), b"\n"].concat())?;
    torn.sync_data()?;
    file.set_len(length - tail.len() as u64)?;
    Ok(Tail::MovedAway)
}

/// Returns the file for the torn records of a journal.
pub(super) fn torn_path(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".torn");
    name.into()
}

/// The bytes behind the last line end.
fn last_line(file: &mut File, length: u64) -> io::Result<Vec<u8>> {
    let from = length.saturating_sub(LONGEST);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    file.take(LONGEST).read_to_end(&mut end)?;
    let begins = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok(end.split_off(begins))
}
