//! The writer of a journal; one at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use ssh_doctor_checks::facts::journal::{Event, Lost, Record};

use super::clock::{boot, boot_s};
use super::seal::{LONGEST, seal};

/// The cause of lost records: the only one that makes a write to a file fail.
const LOST_TO: &str = "the disk was full or failed";
/// The number of attempts to take a lock, and the time between them.
const GLANCES: u32 = 5;
const GLANCE: Duration = Duration::from_millis(10);

/// The time that a record may be lost when the machine itself stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// It is on the disk when `write` returns (fdatasync(2)): deaths and changes of state.
    Now,
    /// The system writes it when it likes: heartbeats.
    Later,
}

/// The only writer of a journal.
#[derive(Debug)]
pub struct Writer {
    file: File,
    /// Bytes of the file that are whole records.
    whole: u64,
    seq: u64,
    lost: u64,
}

/// The reason why a journal cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process is writing it.
    #[error("{0} is being written by another process")]
    Locked(PathBuf),
    /// The system refuses.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
}

impl Writer {
    /// Opens a journal to append to it, and makes it and its folder where they are missing; torn records at its end are removed.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Io(path.to_owned(), error);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).mode(0o600).open(path).map_err(failed)?;
        lock(&file, path)?;
        let is_new = file.metadata().map_err(failed)?.len() == 0;
        seal(&mut file, path).map_err(failed)?;
        let seq = next_seq(&mut file).map_err(failed)?;
        if is_new {
            // Without this a crash of the machine may lose the name of a synced file.
            File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        let whole = file.metadata().map_err(failed)?.len();
        Ok(Self { file, whole, seq, lost: 0 })
    }

    /// Appends a record; one that does not fit on the disk is taken out again and counted, and the count is written before the next one.
    pub fn write(&mut self, event: Event, sync: Sync) -> io::Result<()> {
        let result = self.append(event);
        match &result {
            Ok(()) if sync == Sync::Now => self.file.sync_data(),
            Ok(()) => Ok(()),
            Err(_) => {
                self.lost += 1;
                result
            }
        }
    }

    fn append(&mut self, event: Event) -> io::Result<()> {
        let lost = (self.lost > 0).then(|| Event::Lost(Lost { records: self.lost, error: LOST_TO.to_owned() }));
        let (mut lines, mut seq) = (Vec::new(), self.seq);
        for event in lost.into_iter().chain([event]) {
            let record = Record { seq, at: Timestamp::now(), boot_s: boot_s(), boot: boot(), event };
            serde_json::to_writer(&mut lines, &record)?;
            lines.push(b'\n');
            seq += 1;
        }
        let written = self.file.write(&lines);
        if matches!(written, Ok(length) if length == lines.len()) {
            (self.whole, self.seq, self.lost) = (self.whole + lines.len() as u64, seq, 0);
            return Ok(());
        }
        // A part of it may stand there now; where even this fails, the next opening seals it.
        self.file.set_len(self.whole)?;
        Err(written.err().unwrap_or_else(|| ErrorKind::StorageFull.into()))
    }
}

/// Keeps other writers out until the file is closed; a reader's glance at the lock is waited for.
fn lock(file: &File, path: &Path) -> Result<(), OpenError> {
    for _ in 0..GLANCES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(GLANCE),
            Err(TryLockError::Error(error)) => return Err(OpenError::Io(path.to_owned(), error)),
        }
    }
    Err(OpenError::Locked(path.to_owned()))
}

/// One more than the number of the last record.
fn next_seq(file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST)))?;
    let mut end = Vec::new();
    file.take(LONGEST).read_to_end(&mut end)?;
    let last = end.split(|byte| *byte == b'\n').rev().find_map(|line| serde_json::from_slice::<Record>(line).ok());
    Ok(last.map_or(0, |record| record.seq + 1))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use ssh_doctor_checks::facts::journal::{Event, Recovered};

    use super::{OpenError, Sync, Writer};
    use crate::journal::read;

    fn event(session: u32) -> Event {
        Event::Recovered(Recovered { session, after_s: 1.5 })
    }

    /// A journal with two records, and the given bytes after them.
    fn journal_with(tail: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/journal.jsonl");
        let mut writer = Writer::open(&path).unwrap();
        writer.write(event(1), Sync::Now).unwrap();
        writer.write(event(2), Sync::Later).unwrap();
        drop(writer);
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(tail);
        fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    fn sessions_after(tail: &[u8]) -> (Vec<u64>, Vec<Event>, u64) {
        let (_folder, path) = journal_with(tail);
        Writer::open(&path).unwrap().write(event(3), Sync::Now).unwrap();
        let journal = read(&path).unwrap();
        let numbers = journal.records.iter().map(|record| record.seq).collect();
        (numbers, journal.records.into_iter().map(|record| record.event).collect(), journal.unreadable)
    }

    #[test]
    fn records_are_read_as_they_were_written_and_numbered_on() {
        assert_eq!(sessions_after(b""), (vec![0, 1, 2], vec![event(1), event(2), event(3)], 0));
    }

    #[test]
    fn a_torn_record_is_moved_away_and_costs_no_other() {
        // Cut in a number, in a key, and in the middle of a character.
        for torn in [&b"{\"seq\":2,\"at\":\"20"[..], b"{\"se", b"2", b"{\"seq\":2,\"error\":\"\xc3"] {
            assert_eq!(sessions_after(torn), (vec![0, 1, 2], vec![event(1), event(2), event(3)], 0), "{torn:?}");
        }
        let (_folder, path) = journal_with(b"{\"se");
        Writer::open(&path).unwrap();
        assert_eq!(fs::read_to_string(path.with_extension("jsonl.torn")).unwrap(), "{\"se\n");
    }

    #[test]
    fn a_record_that_lacks_only_its_line_end_is_kept() {
        let (_folder, path) = journal_with(b"");
        let mut bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.pop(), Some(b'\n'));
        fs::write(&path, bytes).unwrap();
        Writer::open(&path).unwrap().write(event(3), Sync::Now).unwrap();
        let journal = read(&path).unwrap();
        assert_eq!((journal.records.len(), journal.unreadable), (3, 0));
    }

    #[test]
    fn a_second_writer_is_refused_and_a_reader_is_not() {
        let (_folder, path) = journal_with(b"");
        let writer = Writer::open(&path).unwrap();
        assert!(matches!(Writer::open(&path), Err(OpenError::Locked(_))));
        assert!(read(&path).unwrap().in_use);
        drop(writer);
        assert!(!read(&path).unwrap().in_use);
        Writer::open(&path).unwrap();
    }

    #[test]
    fn what_is_no_record_and_a_kind_of_a_later_version_are_passed_over() {
        let later = r#"{"seq":2,"at":"2026-01-02T03:04:05Z","boot_s":null,"boot":null,"kind":"telepathy","of":7}"#;
        let (numbers, events, unreadable) = sessions_after(format!("garbage\n\n{later}\n").as_bytes());
        assert_eq!((numbers, unreadable), (vec![0, 1, 2, 3], 2));
        assert_eq!(events[2], Event::Unknown);
    }

    #[test]
    fn a_journal_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, path) = journal_with(b"");
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }
}
