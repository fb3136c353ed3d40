//! The causes that show in the handshake.

mod algorithms;
mod kex;
mod mac;
mod refusal;
mod slow;
mod version;
mod violation;
mod weak;

pub(super) use algorithms::{library_lacks, user_would_agree};
pub(super) use refusal::is_refusal;

use crate::cause::Cause;

/// The causes that show in the handshake.
pub static CAUSES: &[Cause] = &[
    version::NOT_SSH,
    version::TARPIT,
    refusal::MAX_STARTUPS,
    refusal::SOURCE_PENALTY,
    refusal::SOURCE_DENIED,
    version::PROTOCOL_VERSION,
    version::NO_BANNER,
    refusal::CLOSED_BEFORE_BANNER,
    slow::SLOW,
    violation::PROTOCOL_VIOLATION,
    kex::RESET,
    kex::STALLED,
    kex::FAILED,
    algorithms::KEX,
    algorithms::HOST_KEY,
    algorithms::CIPHER,
    algorithms::MAC,
    mac::MAC_MISMATCH,
    weak::WEAK_ALGORITHMS,
];
