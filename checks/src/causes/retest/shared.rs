//! Stalls that the size of packets does not explain, as further connections show them.

use crate::base::text::sanitize;
use crate::facts::Evidence;
use crate::facts::certainty::Certainty;
use crate::facts::retest::{Retest, RetestOutcome};

/// The results of the arms for a stall that no black hole explains.
pub(crate) struct Stall {
    /// The certainty that the size of packets is not to blame.
    pub(crate) certainty: Certainty,
    /// The reason, as a sentence.
    pub(crate) words: Option<String>,
    /// True if there were any.
    pub(crate) tried: bool,
}

/// Reads the arms of an exchange that stalled, where they show no black hole.
pub(crate) fn without_a_black_hole(evidence: &Evidence, arms: &[Retest]) -> Stall {
    let Some(small) = arms.first() else {
        return Stall { certainty: Certainty::Likely, words: only_once(evidence), tried: false };
    };
    let size = small.segment.unwrap_or_default();
    let (certainty, words) = match &small.outcome {
        RetestOutcome::Through => {
            (Certainty::Likely, "further connections got through: it does not stall every time".to_owned())
        }
        RetestOutcome::Silent => (
            Certainty::Certain,
            format!("a connection held to segments of {size} bytes stalled as well: their size is hardly to blame"),
        ),
        RetestOutcome::Failed { error } => (
            Certainty::Likely,
            format!("a connection held to segments of {size} bytes failed too, otherwise: {}", sanitize(error)),
        ),
    };
    Stall { certainty, words: Some(words), tried: true }
}

/// Returns the reason for which no further connection was tried, where the route is not a direct TCP connection.
pub(crate) fn only_once(evidence: &Evidence) -> Option<String> {
    let proxied = evidence.handshake.facts().is_some_and(|facts| facts.proxied);
    let by = if proxied { "a proxy command" } else { "a jump host" };
    (proxied || !evidence.target.via.is_empty()).then(|| {
        format!("nothing was tried on further connections: behind {by} each would be a login there, and its packets are not ours to shape")
    })
}
