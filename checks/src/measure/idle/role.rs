//! The part of a session in the idle test.

use std::time::Duration;

use super::next_probe::NextProbe;
use super::rungs::SERVER_INTERVAL;
use crate::facts::idle::Moves;
use crate::ssh::recorder::Expect;

/// The number of the session that holds no channel.
pub(super) const MAIN: u32 = 0;
/// The kernel's TCP keepalive interval on a session that has them: the shortest possible (TCP_KEEPIDLE, tcp(7)).
pub(super) const TCP_KEEPALIVE: Duration = Duration::from_secs(1);

/// The part of a session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Role {
    /// The session that the checks before have left: it holds no channel, and is kept alive.
    Main,
    /// Silent for as long as the ladder says, again and again.
    Ladder,
    /// A login shell at its prompt for the longest time.
    Longest(f64),
    /// Data in its channel, both ways.
    Data,
    /// Data in its channel from the server only.
    ServerData,
    /// The kernel's TCP keepalives and nothing else, until something has died.
    TcpKeepalive,
}

impl Role {
    /// True if the test goes on for its sake.
    pub(super) fn climbs(self) -> bool {
        matches!(self, Self::Ladder | Self::Longest(_))
    }

    /// Returns the packets expected from the other end.
    pub(super) fn expects(self, probe: NextProbe) -> Expect {
        let seconds = |interval: u32| Duration::from_secs(interval.into());
        match (self, probe) {
            (Self::ServerData, _) => Expect::Lines(seconds(SERVER_INTERVAL)),
            (Self::TcpKeepalive, _) => Expect::Acknowledgements(TCP_KEEPALIVE),
            (_, NextProbe::Keep(interval)) => Expect::Answers(Some(seconds(interval))),
            (_, NextProbe::ServerFirst(after)) => Expect::Line(seconds(after)),
            _ => Expect::Silence,
        }
    }

    /// Returns the traffic on it.
    pub(super) fn moves(self, probe: NextProbe) -> Moves {
        match (self, probe) {
            (Self::Data, _) => Moves::ChannelData,
            (Self::ServerData, _) => Moves::ServerData,
            (Self::TcpKeepalive, _) => Moves::TcpKeepalive,
            (_, NextProbe::Keep(_)) => Moves::Keepalive,
            _ => Moves::Nothing,
        }
    }
}
