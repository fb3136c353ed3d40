//! The causes that show in the handshake.

mod algorithms;
mod kex;
mod version;

pub(super) use algorithms::user_would_agree;

use crate::cause::Cause;

/// The causes that show in the handshake.
pub static CAUSES: &[Cause] = &[
    version::NOT_SSH,
    version::MAX_STARTUPS,
    version::PROTOCOL_VERSION,
    version::NO_BANNER,
    version::CLOSED_BEFORE_BANNER,
    kex::RESET,
    kex::STALLED,
    kex::FAILED,
    algorithms::KEX,
    algorithms::HOST_KEY,
    algorithms::CIPHER,
    algorithms::MAC,
];
