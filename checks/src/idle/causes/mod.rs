//! The causes that show while a session is idle.

mod channel;
mod outage;
mod own;
mod timer;

use crate::cause::Cause;

/// The causes that show while a session is idle.
pub static CAUSES: &[Cause] = &[
    outage::NETWORK_OUTAGE,
    timer::SILENT_DROP,
    timer::RESET,
    timer::CLOSED,
    timer::SERVER_DISCONNECT,
    channel::CHANNEL_TIMEOUT,
    own::NO_KEEPALIVE,
];

#[cfg(test)]
mod tests;
