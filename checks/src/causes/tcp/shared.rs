//! Helpers shared by the causes of a failed connection.

use super::reading::{self, ConnectFailure};
use crate::facts::Evidence;
use crate::facts::tcp::{self, Facts};

/// By then a SYN has been repeated at least once even where the first repetition waits 3 s (RFC 6298 section 2.1
/// asks for 1 s; RFC 1122 had 3 s).
pub(super) const PATIENT_S: f64 = 4.0;

/// The facts of a check that failed in this way, and whether every address did.
pub(super) fn failed_as(evidence: &Evidence, kind: ConnectFailure) -> Option<(&Facts, bool)> {
    let facts = evidence.tcp.failed()?;
    let (telling, alone) = reading::telling(facts)?;
    (telling == kind).then_some((facts, alone))
}

pub(super) fn lines(facts: &Facts) -> Vec<String> {
    facts.attempts.iter().map(tcp::line).collect()
}
