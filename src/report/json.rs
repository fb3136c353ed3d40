//! Placeholder until the reports are merged.

use ssh_doctor_checks::evidence::Evidence;

use crate::diagnose::Diagnosis;

/// The report for programs.
#[must_use]
pub fn render(evidence: &Evidence, diagnosis: &Diagnosis, pretty: bool) -> String {
    let value =
        serde_json::json!({"verdict": diagnosis.verdict, "settings": evidence.settings, "target": evidence.target});
    if pretty { format!("{value:#}") } else { value.to_string() }
}
