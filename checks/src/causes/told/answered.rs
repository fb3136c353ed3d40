//! Questions of a login that were answered: it is the answer that is refused.

use super::families::Writer;
use super::owners::owners;
use crate::facts::log::{Connection, Sighting};

/// The words with which a server, or a client for it, refuses an answer and asks again.
const REFUSALS: [&str; 3] = ["Access denied", "Access denied.", "Permission denied, please try again"];

/// True for a question to which an answer was refused: PuTTY and ssh say so once they have sent one.
pub(super) fn was_answered(connection: &Connection, seen: &Sighting) -> bool {
    let is_a_question =
        || owners(&seen.symptom, Writer::Anyone).iter().any(|cause| cause.code == "auth-question-unanswered");
    let refusals = || connection.sightings.iter().filter(|other| REFUSALS.contains(&other.symptom.as_str()));
    // The question is asked again below the refusal of the first round.
    let is_asked_before = |refusal: &Sighting| {
        connection
            .sightings
            .iter()
            .any(|other| other.symptom == seen.symptom && other.line.number < refusal.line.number)
    };
    refusals().any(is_asked_before) && is_a_question()
}
