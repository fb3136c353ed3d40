//! The reader of a journal: whatever stands in the file, it gives the records that are whole.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use ssh_doctor_checks::facts::journal::Record;

use super::seal::LONGEST;

/// A journal as far as it can be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Journal {
    /// The whole records, in order.
    pub records: Vec<Record>,
    /// Lines that are no records: torn, or written by something else.
    pub unreadable: u64,
    /// Whether its writer still holds it.
    pub in_use: bool,
}

/// The first record of a journal.
pub(super) fn first(path: &Path) -> Option<Record> {
    let mut line = Vec::new();
    BufReader::new(File::open(path).ok()?).take(LONGEST).read_until(b'\n', &mut line).ok()?;
    serde_json::from_slice(&line).ok()
}

/// Reads a journal; its writer may be appending meanwhile.
pub fn read(path: &Path) -> io::Result<Journal> {
    let file = File::open(path)?;
    let in_use = file.try_lock_shared().is_err();
    if !in_use {
        file.unlock()?;
    }
    records(BufReader::new(file), in_use)
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
