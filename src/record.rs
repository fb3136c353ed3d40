//! Evidence on disk: written redacted and for the user's eyes only, read with suspicion.

mod bundle;

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, ensure};
pub use bundle::bundle;
use ssh_doctor_checks::facts::Evidence;

use crate::named_file;
use crate::redact::{Redacted, redacted};

/// Bytes read of a file at most; a larger one is no recording.
const LARGEST: u64 = 4 << 20;

/// The part of the evidence that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// No names, and of other people's words what the causes need.
    Anonymous,
    /// All.
    Plain,
}

/// Writes the evidence, readable by its owner only; a file that is there is replaced at once or not at all. Gives what is in it of other
/// people's words.
pub fn save(evidence: &Evidence, path: &Path, words: Words) -> anyhow::Result<Vec<&'static str>> {
    let write = || {
        let (evidence, kept) = written(evidence, words)?;
        replace(path, &recording(&evidence)?)?;
        Ok(kept)
    };
    let written: anyhow::Result<_> = write();
    written.with_context(|| format!("cannot record to {}", path.display()))
}

/// The evidence that is written, and the foreign text left in it.
fn written(evidence: &Evidence, words: Words) -> anyhow::Result<(Cow<'_, Evidence>, Vec<&'static str>)> {
    Ok(match words {
        Words::Plain => (Cow::Borrowed(evidence), vec!["everything"]),
        Words::Anonymous => {
            let Redacted { evidence, kept } = redacted(evidence)?;
            (Cow::Owned(evidence), kept)
        }
    })
}

fn recording(evidence: &Evidence) -> anyhow::Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(evidence)?;
    json.push(b'\n');
    Ok(json)
}

/// Replaces a file at once, or not at all.
fn replace(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if let Ok(there) = path.symlink_metadata() {
        ensure!(there.is_file(), "it is there already and is not a plain file");
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Reads a recording from a file, or from standard input for `-`.
pub fn load(path: impl AsRef<Path>) -> anyhow::Result<Evidence> {
    let path = path.as_ref();
    let from_input = path == Path::new("-");
    let name = if from_input { "standard input".to_owned() } else { path.display().to_string() };
    let text = if from_input { bounded(io::stdin().lock()) } else { named_file::open(path).and_then(bounded) };
    parse(&text.with_context(|| format!("cannot read {name}"))?, &name)
}

fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut text)?;
    Ok(text)
}

fn parse(text: &[u8], name: &str) -> anyhow::Result<Evidence> {
    Evidence::from_json(text).map_err(|why| anyhow::anyhow!("{name} {why}"))
}
