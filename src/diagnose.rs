//! From evidence to a diagnosis: every cause's judge is asked, consequences are hidden, fixes are filled in.

use std::cmp::Reverse;

use serde::Serialize;
use ssh_doctor_checks::cause::{Cause, Certainty, Fix, Match, Severity, Side};
use ssh_doctor_checks::evidence::{Check, Evidence, Step};

/// What the evidence says, root cause first.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// The verdict that the exit status follows from.
    pub verdict: Verdict,
    /// The check at which sessions or channels die.
    pub died_at: Option<Check>,
    /// The causes, root cause first; consequences of a named cause are left out.
    pub findings: Vec<Finding>,
}

/// The verdict on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing wrong was found in what was tested.
    Healthy,
    /// It works, and something will bite.
    Degraded,
    /// Sessions or channels die, or cannot be had.
    Broken,
    /// The doctor could not tell.
    Inconclusive,
}

impl Verdict {
    /// The process's exit status.
    #[must_use]
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Degraded => 1,
            Self::Broken => 2,
            Self::Inconclusive => 3,
        }
    }

    /// Of several targets the worst counts, in the order broken, inconclusive, degraded, healthy.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let rank = |verdict| match verdict {
            Self::Healthy => 0,
            Self::Degraded => 1,
            Self::Inconclusive => 2,
            Self::Broken => 3,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// One cause as found in this run.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The catalogue's name for it.
    pub code: &'static str,
    /// The check at which it shows.
    pub stage: Check,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// One line.
    pub title: &'static str,
    /// What happens.
    pub explanation: &'static str,
    /// The observed facts.
    pub because: Vec<String>,
    /// What mends it.
    pub fixes: Vec<FilledFix>,
}

/// A fix with this run's values in it.
#[derive(Debug, Clone, Serialize)]
pub struct FilledFix {
    /// Who acts.
    pub side: Side,
    /// What to do.
    pub summary: String,
    /// The file the snippet belongs in.
    pub file: Option<&'static str>,
    /// Text to paste.
    pub snippet: Option<String>,
    /// What to mind first.
    pub caution: Option<&'static str>,
    /// Whether it was tried in this run, and held.
    pub verified: Option<bool>,
}

/// Judges the evidence. Pure: the same evidence always gives the same diagnosis.
#[must_use]
pub fn diagnose(evidence: &Evidence) -> Diagnosis {
    let matches: Vec<(&Cause, Match)> =
        ssh_doctor_checks::causes().filter_map(|cause| Some((cause, (cause.judge)(evidence)?))).collect();
    let hidden: Vec<&str> = matches.iter().flat_map(|(cause, _)| cause.hides).copied().collect();
    let mut findings: Vec<Finding> = matches
        .into_iter()
        .filter(|(cause, _)| !hidden.contains(&cause.code))
        .map(|(cause, found)| finding(cause, found, evidence))
        .collect();
    findings.sort_by_key(|found| (found.severity, found.stage, Reverse(found.because.len())));
    let checks = evidence.checks();
    let died_at = checks.iter().find(|view| matches!(view.step, Step::Failed(()))).map(|view| view.check);
    let errors = checks.iter().any(|view| matches!(view.step, Step::Error(_)));
    let worst = findings.iter().map(|found| found.severity).min();
    let verdict = match (died_at, worst) {
        (Some(_), _) | (_, Some(Severity::Critical)) => Verdict::Broken,
        _ if errors || evidence.interrupted => Verdict::Inconclusive,
        (None, Some(Severity::Warning)) => Verdict::Degraded,
        (None, Some(Severity::Info) | None) => Verdict::Healthy,
    };
    Diagnosis { verdict, died_at, findings }
}

fn finding(cause: &'static Cause, found: Match, evidence: &Evidence) -> Finding {
    let target = &evidence.target;
    let mut values = vec![
        ("alias", target.input.clone()),
        ("host", target.host.clone()),
        ("port", target.port.to_string()),
        ("user", target.user.clone()),
    ];
    values.extend(found.values);
    Finding {
        code: cause.code,
        stage: cause.stage,
        severity: found.severity.unwrap_or(cause.severity),
        certainty: found.certainty,
        title: cause.title,
        explanation: cause.explanation,
        because: found.because,
        fixes: cause.fixes.iter().filter_map(|fix| fill(fix, &values, evidence)).collect(),
    }
}

/// The fix with its placeholders filled; none when a value is missing.
fn fill(fix: &Fix, values: &[(&str, String)], evidence: &Evidence) -> Option<FilledFix> {
    let insert = |template: &str| {
        let text =
            values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
        (!has_placeholder(&text)).then_some(text)
    };
    let snippet = match fix.snippet {
        Some(template) => Some(insert(template)?),
        None => None,
    };
    Some(FilledFix {
        side: fix.side,
        summary: insert(fix.summary)?,
        file: fix.file,
        snippet,
        caution: fix.caution,
        verified: (fix.tried)(evidence),
    })
}

/// Whether a `{name}` is left; braces around anything else are text (shell, configuration blocks).
fn has_placeholder(text: &str) -> bool {
    text.split('{').skip(1).any(|rest| {
        rest.split_once('}')
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    })
}
