//! The causes that show in the handshake.

mod algorithm_fixes;
mod algorithms;
mod closed;
mod compression;
mod inserted;
mod kex;
mod mac;
mod names;
mod refusal;
mod shared;
mod slow;
mod stranger;
mod tarpit;
mod version;
mod violation;
mod weak;

use super::Cause;

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
    compression::NO_COMMON_COMPRESSION,
    inserted::PROXY_HEADER,
    mac::MAC_MISMATCH,
    weak::WEAK_ALGORITHMS,
];
