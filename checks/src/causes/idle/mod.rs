//! The causes that show while a session is idle.

mod age;
mod channel;
mod one_session;
mod one_way;
mod outage;
mod own;
mod proxy;
mod server;
mod survived;
mod terminal;
mod timer;

use super::Cause;

/// The causes that show while a session is idle.
pub static CAUSES: &[Cause] = &[
    outage::NETWORK_OUTAGE,
    timer::SILENT_DROP,
    timer::RESET,
    proxy::CLOSED_BY_PROXY,
    timer::CLOSED,
    timer::SERVER_DISCONNECT,
    channel::CHANNEL_TIMEOUT,
    server::INACTIVITY,
    terminal::SHELL_TIMEOUT,
    terminal::TERMINAL_TIMEOUT,
    server::UNUSED_CONNECTION,
    age::LIFETIME,
    age::WALL_CLOCK,
    one_way::DROP,
    one_way::REFRESH,
    own::NO_KEEPALIVE,
    own::CLIENT_TIMEOUT,
];

#[cfg(test)]
mod tests;
