//! Placeholder until the reports are merged.

use ssh_doctor_checks::evidence::Evidence;

use super::Style;
use crate::diagnose::Diagnosis;

/// The report for people.
#[must_use]
pub fn render(evidence: &Evidence, diagnosis: &Diagnosis, _style: &Style) -> String {
    format!("{:#?}\n{:#?}\n", evidence.settings, diagnosis.verdict)
}
