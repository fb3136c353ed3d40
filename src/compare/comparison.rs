//! Common ground and differences of two reports.

use serde::Serialize;

use super::difference::{self, Difference};
use super::input::Report;
use super::masked::Masked;
use super::outcome::Outcome;

/// The common ground and differences of two reports.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// The version of this object's keys.
    pub schema_version: u32,
    /// The first report.
    pub a: Outcome,
    /// The second report.
    pub b: Outcome,
    /// The differences that matter: those that may explain the outcome first, then in the order of the checks.
    pub differences: Vec<Difference>,
    /// The values that a recording masks, of one shape on both sides: they may differ or not.
    pub not_compared: Vec<Masked>,
    /// True where names, accounts or addresses were left out, because a recording replaces them.
    pub names_left_out: bool,
}

impl Comparison {
    /// True if nothing that matters is known to differ, the outcome included.
    pub(super) fn is_same(&self) -> bool {
        self.a.is_like(&self.b) && self.differences.is_empty()
    }
}

/// Compares two reports.
pub(super) fn compared(a: &Report, b: &Report) -> Comparison {
    let names_left_out = a.is_anonymous() || b.is_anonymous();
    let (outcome_a, outcome_b) = (a.outcome(), b.outcome());
    let (mut differences, not_compared) = difference::between(a, b, names_left_out);
    if !outcome_a.is_like(&outcome_b) {
        difference::mark_explanations(&mut differences, a, b);
    }
    Comparison { schema_version: 1, a: outcome_a, b: outcome_b, differences, not_compared, names_left_out }
}
