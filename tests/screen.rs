//! The default report fits on one screen of 80 columns and 24 rows, whatever was found.

use std::fs;
use std::path::Path;

use ssh_doctor::diagnose::{Diagnosis, Verdict, diagnose};
use ssh_doctor::record;
use ssh_doctor::report::{Style, text};
use ssh_doctor_checks::causes::{FixKind, Severity};
use ssh_doctor_checks::facts::Evidence;
use textwrap::core::display_width;

/// Rows for one finding; each further one that matters takes two at most.
const ROWS: usize = 22;
/// Rows for a healthy target.
const HEALTHY_ROWS: usize = 6;

/// The fault of the default report of this evidence; none where it is as it should be.
pub(crate) fn misfit(evidence: &Evidence, diagnosis: &Diagnosis) -> Option<String> {
    let text = text::render(evidence, diagnosis, &Style { unicode: true, ..Style::default() });
    let rows: usize = text.lines().map(|line| display_width(line).div_ceil(80).max(1)).sum();
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let healthy = diagnosis.verdict == Verdict::Healthy;
    let others = diagnosis.findings.iter().skip(1).filter(|found| found.severity != Severity::Info).count();
    let limit = if healthy { HEALTHY_ROWS } else { ROWS + 2 * others.saturating_sub(1) };
    if rows > limit {
        return Some(format!("{rows} rows, at most {limit} are allowed:\n{text}"));
    }
    let missing = |part: &str| (!flat.contains(part)).then(|| format!("'{part}' is missing in\n{text}"));
    if !healthy && let Some(found) = diagnosis.findings.first() {
        if !flat.contains("Fix (") && !flat.contains("Next step (") {
            return Some(format!("there is nothing to do in\n{text}"));
        }
        let fix = found.fixes.iter().find(|fix| fix.kind == FixKind::Change && fix.verified != Some(false));
        let pasted = fix
            .and_then(|fix| fix.snippet.as_ref())
            .map(|snippet| snippet.split_whitespace().collect::<Vec<_>>().join(" "));
        let parts = [Some(found.title.to_string()), Some(found.code.to_owned()), pasted];
        return parts.into_iter().flatten().find_map(|part| missing(&part));
    }
    None
}

#[test]
fn the_report_of_every_recording_fits_on_a_screen_with_verdict_cause_and_fix() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recorded");
    let mut misfits = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let evidence = record::load(&file).unwrap();
        let misfit = misfit(&evidence, &diagnose(&evidence));
        misfits.extend(misfit.map(|misfit| format!("{}: {misfit}", file.display())));
    }
    assert!(misfits.is_empty(), "{}", misfits.join("\n\n"));
}
