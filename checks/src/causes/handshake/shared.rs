//! Helpers shared by the judges of the handshake.

use crate::facts::handshake::Facts;

/// A server that sent something so shortly before our deadline had not fallen silent, milliseconds.
const LIVELY_MS: f64 = 1500.0;

/// True if bytes of a version or of the key exchange still came shortly before we gave up.
pub(super) fn drips(facts: &Facts) -> bool {
    let Some(waited) = facts.gave_up_ms else { return false };
    let is_underway = (facts.version.is_some() && facts.server_offer.is_none())
        || (facts.version.is_none() && begins_a_version(facts));
    is_underway && facts.last_received_ms.is_some_and(|last| waited - last < LIVELY_MS && last > LIVELY_MS)
}

/// True if these first bytes of a line begin a version, or are the beginning of that.
pub(super) fn may_become_a_version(text: &str) -> bool {
    const BEGINNING: &str = "SSH-";
    text.starts_with(BEGINNING) || (!text.is_empty() && BEGINNING.starts_with(text))
}

/// True if what came last could have become a version.
pub(super) fn begins_a_version(facts: &Facts) -> bool {
    facts.unfinished_line.as_ref().is_some_and(|line| may_become_a_version(line))
        || (facts.objection.is_some() && facts.first_bytes.as_ref().is_some_and(|first| first.starts_with("SSH-")))
}
