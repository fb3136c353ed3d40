//! Placeholder until recordings are merged.

use std::path::Path;

use ssh_doctor_checks::evidence::Evidence;

/// Writes the evidence.
pub fn save(evidence: &Evidence, path: &Path) -> anyhow::Result<()> {
    Ok(std::fs::write(path, serde_json::to_string(evidence)?)?)
}

/// Reads evidence from a file, or standard input for `-`.
pub fn load(path: &str) -> anyhow::Result<Evidence> {
    let text = std::fs::read_to_string(path).map_err(|error| anyhow::anyhow!("{path}: {error}"))?;
    Ok(serde_json::from_str(&text)?)
}
