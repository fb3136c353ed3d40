//! Evidence on disk: written redacted and for the user's eyes only, read with suspicion.

use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, ensure};
use ssh_doctor_checks::facts::Evidence;

use crate::named_file;
use crate::redact::redacted;

/// What is read of a file, bytes; more is no recording.
const LARGEST: u64 = 4 << 20;

/// Writes the evidence, redacted, readable by its owner only; a file that is there is replaced at once or not at all.
pub fn save(evidence: &Evidence, path: &Path) -> anyhow::Result<()> {
    let name = path.display();
    if let Ok(there) = path.symlink_metadata() {
        ensure!(there.is_file(), "cannot record to {name}: it is there already and is not a plain file");
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> anyhow::Result<()> {
        let mut json = serde_json::to_vec_pretty(&redacted(evidence)?)?;
        json.push(b'\n');
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&json)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot record to {name}"))
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
