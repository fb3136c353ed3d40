//! Lists of targets: the command line, a file of lines, a list of Prometheus' file_sd; read as they are needed, never whole.

mod entry;
mod file_sd;
mod lines;
mod reports;
mod shard;

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read, stdin};
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use nix::sys::stat::{SFlag, fstat, major, minor};

use crate::named_file;
use crate::terminal::reason;

pub use entry::Entry;
pub use reports::{Earlier, Reports};
pub use shard::Shard;

/// The source of targets.
#[derive(Debug)]
pub struct Source {
    given: Vec<String>,
    list: Option<List>,
    read: Arc<AtomicU64>,
}

#[derive(Debug)]
struct List {
    name: String,
    file: Option<File>,
    /// Its length in bytes, where it is a plain file.
    length: Option<u64>,
}

/// The position up to which a source was read.
#[derive(Debug, Clone)]
pub struct Position {
    read: Arc<AtomicU64>,
    length: Option<u64>,
}

impl Position {
    /// The part that was read, from 0 to 1; none where the length is not known.
    #[must_use]
    pub fn part(&self) -> Option<f64> {
        let length = self.length.filter(|length| *length > 0)?;
        Some((self.read.load(Ordering::Relaxed) as f64 / length as f64).min(1.0))
    }
}

impl Source {
    /// Opens the list, if there is one (`-` is standard input): a file that cannot be read is known before anything is examined.
    pub fn open(given: &[String], list: Option<&Path>) -> Result<Self> {
        let list = match list {
            None => None,
            Some(path) if path == Path::new("-") => {
                if is_endless(&stdin()) {
                    bail!("standard input is a device; give a file or a pipe");
                }
                Some(List { name: "standard input".to_owned(), file: None, length: None })
            }
            Some(path) => Some(List::open(path)?),
        };
        Ok(Self { given: given.to_vec(), list, read: Arc::default() })
    }

    /// Returns the position for another thread.
    #[must_use]
    pub fn position(&self) -> Position {
        let length = match &self.list {
            Some(list) => list.length,
            None => Some(self.given.len() as u64),
        };
        Position { read: self.read.clone(), length }
    }

    /// True if the rest can be counted without waiting for it.
    #[must_use]
    pub fn has_end(&self) -> bool {
        self.list.as_ref().is_none_or(|list| list.length.is_some())
    }

    /// Passes on every target, in order, until the receiver wants no more. It blocks while the list does.
    ///
    /// A line that cannot be used is an entry with a fault; an error is a list that cannot be read on.
    pub fn each(self, mut to: impl FnMut(Entry) -> ControlFlow<()>) -> Result<()> {
        for input in self.given {
            if self.list.is_none() {
                self.read.fetch_add(1, Ordering::Relaxed);
            }
            if to(Entry { input, ..Entry::default() }).is_break() {
                return Ok(());
            }
        }
        let Some(List { name, file, .. }) = self.list else { return Ok(()) };
        let reader: Box<dyn Read> = file.map_or_else(|| Box::new(stdin()) as Box<dyn Read>, |file| Box::new(file));
        let mut reader = BufReader::new(Counted { reader, read: self.read });
        let start = reader.fill_buf().with_context(|| format!("{name} cannot be read"))?;
        if file_sd::begins_like_one(start) {
            file_sd::each(reader, &mut to).with_context(|| format!("{name} is not a list of file_sd"))
        } else {
            lines::each(reader, &mut to).with_context(|| format!("{name} cannot be read"))
        }
    }
}

impl List {
    fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let cannot =
            |error| anyhow::anyhow!("the list {name} cannot be read: {}; check its name and mode", reason(&error));
        let file = named_file::open(path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if metadata.is_dir() {
            bail!("the list {name} is a folder; give a file");
        }
        if is_endless(&file) {
            bail!("the list {name} is a device; give a file or a pipe");
        }
        Ok(Self { name, length: metadata.is_file().then_some(metadata.len()), file: Some(file) })
    }
}

/// True for a device that is neither a terminal nor `/dev/null`: `/dev/random` never ends.
fn is_endless(file: &(impl AsFd + IsTerminal)) -> bool {
    /// Major and minor number of `/dev/null` (null(4)).
    const NULL: (u64, u64) = (1, 3);
    let Ok(found) = fstat(file) else { return false };
    let kind = SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT;
    let is_null = (major(found.st_rdev), minor(found.st_rdev)) == NULL;
    kind == SFlag::S_IFBLK || kind == SFlag::S_IFCHR && !file.is_terminal() && !is_null
}

/// A reader that counts.
struct Counted<R> {
    reader: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
