//! One target of many in one line: its verdict, its name, and the cause in a few words.

use ssh_doctor_checks::base::text::seconds;
use ssh_doctor_checks::facts::{Evidence, Step};

use super::style::{Ink, Style};
use crate::diagnose::{Diagnosis, Verdict};

/// The columns of a verdict: the longest has twelve letters.
const VERDICT: usize = 12;

/// The line, without its end.
#[must_use]
pub fn render(evidence: &Evidence, diagnosis: &Diagnosis, style: &Style) -> String {
    let ink = Ink::from(diagnosis.verdict);
    let word = diagnosis.verdict.name().to_uppercase();
    let verdict = style.paint(ink, &format!("{}{word:<VERDICT$}", style.sign(ink)));
    let rest = style.safe(&format!("{}: {}", evidence.target.input, words(evidence, diagnosis)));
    format!("{verdict} {rest}")
}

fn words(evidence: &Evidence, diagnosis: &Diagnosis) -> String {
    let took = || seconds(evidence.duration_ms / 1000.0);
    if diagnosis.verdict == Verdict::Healthy {
        return took();
    }
    if let Some(found) = diagnosis.findings.first() {
        let hop = found.hop.as_ref().map_or_else(String::new, |hop| format!("at the jump host {hop}: "));
        return format!("{hop}{} ({})", found.title, found.code);
    }
    if let Some(check) = evidence.cut_at() {
        let how = if evidence.timed_out { "deadline passed" } else { "interrupted" };
        return format!("{how} during {} after {}", check.name(), took());
    }
    let unfinished = |step: &Step<()>| matches!(step, Step::Void(()) | Step::Error(_));
    let open = evidence.checks().into_iter().find(|view| unfinished(&view.step));
    open.map_or_else(|| "nothing was tested".to_owned(), |view| format!("{}: {}", view.check.name(), view.summary))
}
