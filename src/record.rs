//! Evidence on disk: written redacted and for the user's eyes only, read with suspicion.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use ssh_doctor_checks::facts::{Evidence, VERSION};

use crate::redact::redacted;

/// No recording comes near this many bytes.
const LARGEST: u64 = 16 << 20;

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
    let text = if from_input { bounded(io::stdin().lock()) } else { File::open(path).and_then(bounded) };
    parse(&text.with_context(|| format!("cannot read {name}"))?, &name)
}

fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut text)?;
    Ok(text)
}

fn parse(text: &[u8], name: &str) -> anyhow::Result<Evidence> {
    ensure!(text.len() as u64 <= LARGEST, "{name} is larger than any recording (over {} MiB)", LARGEST >> 20);
    let value: Value = match serde_json::from_slice(text) {
        Ok(value) => value,
        Err(error) => bail!("{name} is not a recording: it is not one JSON object ({error})"),
    };
    match value.get("evidence_version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => {
            bail!("{name} is a recording of version {version}, and this ssh-doctor reads version {VERSION}")
        }
        None if value.get("schema_version").is_some() => {
            bail!("{name} is a report, not a recording: ssh-doctor check --record FILE makes one")
        }
        None => bail!("{name} is not a recording of ssh-doctor: it has no evidence_version"),
    }
    match serde_json::from_value(value) {
        Ok(evidence) => Ok(evidence),
        Err(error) => bail!("{name} is a damaged recording: {error}"),
    }
}
