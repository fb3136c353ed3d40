//! The file of reports that a run of many targets goes on with: what it holds is not examined again, what is new is appended.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::diagnose::Verdict;

/// The longest report, bytes; the longest that was seen has 200 KiB.
const LONGEST: u64 = 16 << 20;

/// The interval at which appended reports are synced to the disk.
const SYNC: Duration = Duration::from_secs(1);

/// A file of reports, one a line, that only this run writes to.
#[derive(Debug)]
pub struct Reports {
    file: File,
    path: PathBuf,
    synced: Instant,
}

/// The targets that a file holds already. Memory: about 16 bytes a target.
#[derive(Debug, Default)]
pub struct Earlier {
    counts: HashMap<u64, u32>,
    /// The number of reports with each verdict.
    pub verdicts: Vec<(Verdict, u64)>,
    /// The bytes of a last line that was cut off by the end of an earlier run, and taken out.
    pub torn: usize,
}

#[derive(Deserialize)]
struct Head {
    target: Target,
    verdict: Verdict,
}

#[derive(Deserialize)]
struct Target {
    input: String,
}

impl Reports {
    /// Opens the file, or makes it, and reads which targets it holds. A last line that was cut off is taken out of it.
    pub fn open(path: &Path) -> Result<(Self, Earlier)> {
        let name = path.display();
        let opened = OpenOptions::new().read(true).append(true).create(true).open(path);
        let mut file = opened.with_context(|| format!("--resume cannot use {name}"))?;
        ensure!(file.metadata()?.is_file(), "--resume needs a plain file, and {name} is none");
        if file.try_lock().is_err() {
            bail!("another run is writing to {name}; wait for its end or use another file");
        }
        let mut earlier = Earlier::default();
        let whole = earlier.read(&mut file).with_context(|| format!("--resume cannot use {name}"))?;
        let length = file.metadata()?.len();
        if whole < length {
            earlier.torn = usize::try_from(length - whole).unwrap_or(usize::MAX);
            file.set_len(whole)?;
        }
        file.seek(SeekFrom::End(0))?;
        Ok((Self { file, path: path.to_owned(), synced: Instant::now() }, earlier))
    }

    /// Appends one report, whole, by one write.
    pub fn append(&mut self, report: &str) -> Result<()> {
        let line = format!("{report}\n");
        let written = self.file.write_all(line.as_bytes()).and_then(|()| {
            if self.synced.elapsed() < SYNC {
                return Ok(());
            }
            self.synced = Instant::now();
            self.file.sync_data()
        });
        written.with_context(|| format!("{} cannot be written to", self.path.display()))
    }

    /// Makes all of it safe on the disk.
    pub fn close(self) -> Result<()> {
        self.file.sync_data().with_context(|| format!("{} cannot be written to", self.path.display()))
    }
}

impl Earlier {
    /// True if a target has a report already; each report stands for one line of the list.
    pub fn takes(&mut self, input: &str) -> bool {
        match self.counts.get_mut(&key(input)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    /// Reads the reports; returns the bytes of the file that are whole lines.
    fn read(&mut self, file: &mut File) -> Result<u64> {
        let (mut reader, mut whole, mut number) = (BufReader::new(file), 0, 0u64);
        let mut line = Vec::new();
        loop {
            line.clear();
            let count = (&mut reader).take(LONGEST).read_until(b'\n', &mut line)?;
            number += 1;
            if count == 0 {
                return Ok(whole);
            }
            match serde_json::from_slice::<Head>(&line) {
                Ok(head) if line.ends_with(b"\n") => self.note(&head),
                // The end of a run that was killed in the middle of a line, not somebody else's file.
                _ if !line.ends_with(b"\n") && line.starts_with(&b"{\"schema_version\""[..line.len().min(17)]) => {
                    return Ok(whole);
                }
                Ok(_) => bail!("its last line has no end"),
                Err(_) => bail!("line {number} is not a report of ssh-doctor check --format json"),
            }
            whole += count as u64;
        }
    }

    fn note(&mut self, head: &Head) {
        *self.counts.entry(key(&head.target.input)).or_default() += 1;
        match self.verdicts.iter_mut().find(|(verdict, _)| *verdict == head.verdict) {
            Some((_, count)) => *count += 1,
            None => self.verdicts.push((head.verdict, 1)),
        }
    }
}

/// Sixty-four bits stand for a name: of a million names two are alike once in 40 million runs.
fn key(input: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Reports;
    use crate::diagnose::Verdict;

    fn report(input: &str, verdict: &str) -> String {
        format!(r#"{{"schema_version":1,"target":{{"input":"{input}","host":"h"}},"verdict":"{verdict}","checks":[]}}"#)
    }

    #[test]
    fn what_is_there_is_not_examined_again_and_a_torn_line_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("reports.jsonl");
        let (mut reports, earlier) = Reports::open(&file).unwrap();
        assert!(earlier.verdicts.is_empty());
        for input in ["a", "b", "a"] {
            reports.append(&report(input, "healthy")).unwrap();
        }
        assert!(Reports::open(&file).unwrap_err().to_string().contains("another run"));
        reports.close().unwrap();
        let whole = fs::read(&file).unwrap();
        for torn in 1..report("c", "broken").len() {
            fs::write(&file, [&whole, &report("c", "broken").as_bytes()[..torn]].concat()).unwrap();
            let (mut reports, mut earlier) = Reports::open(&file).unwrap();
            assert_eq!(earlier.torn, torn);
            assert_eq!(earlier.verdicts, [(Verdict::Healthy, 3)]);
            let taken = ["a", "c", "b", "a", "a", "b"].map(|input| earlier.takes(input));
            assert_eq!(taken, [true, false, true, true, false, false]);
            reports.append(&report("c", "broken")).unwrap();
            reports.close().unwrap();
            let text = fs::read_to_string(&file).unwrap();
            assert_eq!(text.lines().count(), 4);
            assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
        }
    }

    #[test]
    fn a_file_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hosts");
        for text in ["a\nb\n", "a", "{}\n", "\n"] {
            fs::write(&file, text).unwrap();
            assert!(Reports::open(&file).is_err(), "{text:?}");
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
    }
}
