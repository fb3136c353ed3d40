//! The last results of each target. Failures are kept apart, so that later successes do not push a rare failure out.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::value::RawValue;
use ssh_doctor_checks::facts::Evidence;

use crate::diagnose::{Diagnosis, Verdict};

/// The number of targets whose results are kept; beyond that the least recently probed one is dropped.
const MAX_TARGETS: usize = 10_000;

/// The number of complete reports kept of each target's failures.
const REPORTS_PER_TARGET: usize = 2;

/// The summary of one result.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Entry {
    pub(super) at_unix: f64,
    pub(super) module: String,
    pub(super) verdict: Verdict,
    pub(super) died_at: Option<&'static str>,
    pub(super) code: Option<&'static str>,
    pub(super) duration_ms: f64,
}

/// The results of one target.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct TargetHistory {
    /// The last results, the newest last.
    pub(super) results: VecDeque<Entry>,
    /// The last results that were broken or inconclusive.
    pub(super) failures: VecDeque<Entry>,
    /// The brief reports of the last failures.
    pub(super) reports: VecDeque<Box<RawValue>>,
}

/// The results of all targets.
#[derive(Debug, Default)]
pub(super) struct History {
    targets: BTreeMap<String, TargetHistory>,
}

impl Entry {
    pub(super) fn of(module: &str, evidence: &Evidence, diagnosis: &Diagnosis) -> Self {
        Self {
            at_unix: evidence.started_at.as_millisecond() as f64 / 1000.0,
            module: module.to_owned(),
            verdict: diagnosis.verdict,
            died_at: diagnosis.died_at.map(ssh_doctor_checks::facts::Check::name),
            code: diagnosis.findings.first().map(|found| found.code),
            duration_ms: evidence.duration_ms.round(),
        }
    }

    fn is_good(&self) -> bool {
        matches!(self.verdict, Verdict::Healthy | Verdict::Degraded)
    }
}

impl History {
    /// Keeps a result, at most `most` successes and failures each; the report is kept for failures only.
    pub(super) fn keep(&mut self, target: &str, entry: Entry, most: usize, report: impl FnOnce() -> String) {
        if most == 0 {
            return;
        }
        if !self.targets.contains_key(target) && self.targets.len() >= MAX_TARGETS {
            let at = |of: &TargetHistory| of.results.back().map_or(0.0, |entry| entry.at_unix);
            let oldest = self.targets.iter().min_by(|one, other| at(one.1).total_cmp(&at(other.1)));
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                self.targets.remove(&oldest);
            }
        }
        let of = self.targets.entry(target.to_owned()).or_default();
        if !entry.is_good() {
            push(&mut of.failures, entry.clone(), most);
            if let Ok(report) = RawValue::from_string(report()) {
                push(&mut of.reports, report, REPORTS_PER_TARGET);
            }
        }
        push(&mut of.results, entry, most);
    }

    /// The results of one target.
    pub(super) fn of(&self, target: &str) -> Option<&TargetHistory> {
        self.targets.get(target)
    }

    /// Every target, and its last result.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.targets.iter().filter_map(|(name, of)| Some((name.as_str(), of.results.back()?)))
    }

    /// Returns the number of targets.
    pub(super) fn len(&self) -> usize {
        self.targets.len()
    }
}

fn push<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    queue.push_back(item);
    while queue.len() > most {
        queue.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, History, MAX_TARGETS};
    use crate::diagnose::Verdict;

    fn entry(at_unix: f64, verdict: Verdict) -> Entry {
        Entry { at_unix, module: "m".to_owned(), verdict, died_at: None, code: None, duration_ms: 1.0 }
    }

    #[test]
    fn a_failure_outlives_many_successes() {
        let mut history = History::default();
        history.keep("db", entry(1.0, Verdict::Broken), 3, || "{\"n\":1}".to_owned());
        for at in 2..100 {
            history.keep("db", entry(f64::from(at), Verdict::Healthy), 3, || unreachable!("a good report is not kept"));
        }
        let of = history.of("db").unwrap();
        assert_eq!((of.results.len(), of.failures.len(), of.reports.len()), (3, 1, 1));
        assert!(of.results.iter().all(|entry| entry.at_unix > 90.0));
    }

    #[test]
    fn the_number_of_targets_is_bounded() {
        let mut history = History::default();
        for number in 0..MAX_TARGETS + 5 {
            history.keep(&format!("h{number}"), entry(number as f64, Verdict::Healthy), 1, String::new);
        }
        assert_eq!(history.len(), MAX_TARGETS);
        assert!(history.of("h0").is_none() && history.of("h5").is_some());
    }
}
