//! The evidence that the judges of the config check go by.

use crate::facts::Evidence;
use crate::facts::config::Facts;

/// The user's own ssh and its settings, where they were looked at.
pub(super) fn facts(evidence: &Evidence) -> Option<&Facts> {
    evidence.config.facts()
}
