//! The result of the search for the hop, beside that of the idle test.

use super::hop::Found;
use crate::facts::idle::{Arm, Facts, HopSearch, TtlProbe};
use crate::facts::path::Path;

/// The outcome of the search.
#[derive(Default)]
pub(super) struct HopSearchResult {
    pub(super) path: Option<Path>,
    pub(super) arms: Vec<Arm>,
    pub(super) found: Found,
    /// The reason for which no session could locate the hop on this route.
    pub(super) impossible: Option<String>,
}

impl HopSearchResult {
    /// Returns every conclusive session, with the one beside it that is refreshed all the way.
    pub(super) fn probes(&self, whole: Option<&TtlProbe>) -> Vec<TtlProbe> {
        self.found.trials.iter().chain(whole).cloned().collect()
    }

    /// Adds it to what the test saw.
    pub(super) fn note(self, facts: &mut Facts) {
        facts.arms.extend(self.arms);
        facts.not_opened.extend(self.found.not_opened.iter().cloned());
        facts.hop_search = Some(HopSearch { impossible: self.impossible, not_opened: self.found.not_opened });
        facts.path = self.path;
    }
}
