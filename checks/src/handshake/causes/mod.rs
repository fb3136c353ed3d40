//! The causes that show in the handshake.

mod algorithms;
mod closed;
mod kex;
mod kinds;
mod mac;
mod refusal;
mod slow;
mod stranger;
mod tarpit;
mod version;
mod violation;
mod weak;

pub(super) use algorithms::{library_lacks, user_would_agree};
pub(super) use refusal::{is_refusal, may_be_chance};

use crate::cause::Cause;

/// The causes that show in the handshake.
pub static CAUSES: &[Cause] = &[
    stranger::NOT_SSH,
    tarpit::TARPIT,
    refusal::MAX_STARTUPS,
    refusal::SOURCE_PENALTY,
    closed::SOURCE_DENIED,
    version::PROTOCOL_VERSION,
    version::NO_BANNER,
    closed::CLOSED_BEFORE_BANNER,
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
