//! What a session of the idle test is for.

use super::goal::Goal;
use crate::facts::idle::Moves;

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Role {
    /// To be silent for as long as the ladder says, again and again.
    Ladder,
    /// To be a login shell at its prompt for the longest time.
    Longest(f64),
    /// To have data in its channel, both ways.
    Data,
    /// To have data in its channel from the server only.
    ServerData,
    /// To have the kernel's TCP keepalives and nothing else, until something has died.
    TcpKeepalive,
}

impl Role {
    /// Whether the test goes on for its sake.
    pub(super) fn climbs(self) -> bool {
        matches!(self, Self::Ladder | Self::Longest(_))
    }

    /// What moves on it.
    pub(super) fn moves(self, goal: Goal) -> Moves {
        match (self, goal) {
            (Self::Data, _) => Moves::ChannelData,
            (Self::ServerData, _) => Moves::ServerData,
            (Self::TcpKeepalive, _) => Moves::TcpKeepalive,
            (_, Goal::Keep(_)) => Moves::Keepalive,
            _ => Moves::Nothing,
        }
    }
}
