//! Helpers shared by the judges of a login.

use crate::facts::Evidence;
use crate::facts::auth::{Conclusion, Facts};

/// The facts of a login that ended with nothing left to try.
pub(super) fn refused(evidence: &Evidence) -> Option<&Facts> {
    evidence.auth.failed().filter(|facts| facts.conclusion == Conclusion::Refused)
}

/// Returns the methods that the server offers, as a sentence.
pub(super) fn offers(facts: &Facts) -> String {
    match facts.methods.as_slice() {
        [] => "the server offers no method that this client knows".into(),
        methods => format!("the server offers {}", methods.join(", ")),
    }
}
