//! The reader of a journal: it returns the whole records of any file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use ssh_doctor_checks::facts::journal::Record;

use super::seal::LONGEST;
use crate::named_file;

/// The bytes of the newest records that are read of one journal, or of all those in a folder: a month of `watch`.
pub(super) const NEWEST: u64 = 16 << 20;

/// A journal as far as it can be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Journal {
    /// The whole records, in order.
    pub records: Vec<Record>,
    /// Lines that are no records: torn, or written by something else.
    pub unreadable: u64,
    /// True if its writer still holds it.
    pub in_use: bool,
    /// True if it is so long that of the older records only the first was read.
    pub shortened: bool,
}

/// The first record of a journal.
pub(super) fn first(path: &Path) -> Option<Record> {
    let mut line = Vec::new();
    BufReader::new(File::open(path).ok()?).take(LONGEST).read_until(b'\n', &mut line).ok()?;
    serde_json::from_slice(&line).ok()
}

/// Reads a journal; its writer may be appending meanwhile.
pub fn read(path: &Path) -> io::Result<Journal> {
    let file = named_file::open(path)?;
    let in_use = file.try_lock_shared().is_err();
    if !in_use {
        file.unlock()?;
    }
    let length = file.metadata()?.len();
    let mut file = BufReader::new(file);
    if length <= NEWEST {
        return records(file.take(NEWEST), in_use);
    }
    let mut first = Vec::new();
    (&mut file).take(LONGEST).read_until(b'\n', &mut first)?;
    file.seek(SeekFrom::Start(length - NEWEST))?;
    // The rest of a line.
    (&mut file).take(LONGEST).read_until(b'\n', &mut Vec::new())?;
    let journal = records(Cursor::new(first).chain(file.take(NEWEST)), in_use)?;
    Ok(Journal { shortened: true, ..journal })
}

/// The records of a journal's text.
pub(crate) fn records(mut reader: impl BufRead, in_use: bool) -> io::Result<Journal> {
    let mut journal = Journal { in_use, ..Journal::default() };
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut reader).take(LONGEST).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(journal);
        }
        match serde_json::from_slice(&line) {
            Ok(record) => journal.records.push(record),
            // The writer is in the middle of it.
            Err(_) if journal.in_use && line.last() != Some(&b'\n') => {}
            Err(_) => journal.unreadable += 1,
        }
    }
}
