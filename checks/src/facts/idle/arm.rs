//! One stretch of one session of the idle test.

use serde::{Deserialize, Serialize};

use crate::facts::connection::Manner;
use crate::facts::path::some_hop_number;
use crate::facts::tcp::TcpInfo;

/// One stretch of one session: what moved on it, for how long, and its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// The number of the session.
    pub session: u32,
    /// The part that the session has in the test; recordings of the first version tell it by the session's number.
    #[serde(default)]
    pub kind: Option<SessionKind>,
    /// The traffic on the session.
    pub moves: Moves,
    /// The channel that the session held.
    #[serde(default)]
    pub holds: Holds,
    /// The party that was to speak first after the silence.
    #[serde(default)]
    pub speaks_first: Speaker,
    /// The hop that its TCP keepalives reached, where they were limited.
    #[serde(default, deserialize_with = "some_hop_number")]
    pub hop: Option<u8>,
    /// Seconds between two keepalives, on a kept session.
    pub interval_s: Option<u32>,
    /// The time at which the stretch began.
    pub started_s: f64,
    /// The time that it lasted: the longest time in it without a byte either way on a silent session, all of it on a kept one.
    pub lasted_s: f64,
    /// The age of the connection at its end.
    pub age_s: f64,
    /// The time of its end; `null` where it is that of its beginning and what it lasted together.
    #[serde(default)]
    pub ended_s: Option<f64>,
    /// The time for which nothing had moved in its channel at its end, seconds; `null` without a channel.
    pub channel_quiet_s: Option<f64>,
    /// Bytes that the server sent by itself during a silence.
    pub heard_bytes: u64,
    /// True if limited TCP keepalives were answered until the end; `null` where there were none, or where that is not known.
    #[serde(default)]
    pub answered: Option<bool>,
    /// Its end.
    pub end: StretchEnd,
}

/// The times of a stretch, seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Times {
    /// From the start of the test to that of the stretch.
    pub started_s: f64,
    /// The time that it lasted.
    pub lasted_s: f64,
    /// The age of the connection at its end.
    pub age_s: f64,
}

/// The part that a session has in the idle test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionKind {
    /// The session that the checks before have left: it holds no channel, and is kept alive.
    Main,
    /// Silent for a while, kept alive, or moved by data.
    FirstRound,
    /// Refreshed as far as one hop, to locate the hop that drops idle connections.
    HopProbe,
    /// Begun after all others had ended, with data on it, to tell an age from a moment.
    SecondRound,
}

/// The traffic on a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moves {
    /// Nothing from our side.
    Nothing,
    /// `keepalive@openssh.com` requests and their answers.
    Keepalive,
    /// The kernel's TCP keepalives and nothing of SSH; with a limited time-to-live where the arm has a hop.
    TcpKeepalive,
    /// Data in the channel, both ways.
    ChannelData,
    /// Data in the channel, from the server; from us only TCP's acknowledgements.
    ServerData,
}

/// The channel that a session held while it was idle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// A command in a channel, without a terminal.
    #[default]
    Command,
    /// A login shell on a terminal, at its prompt.
    Shell,
    /// The sftp server in a channel.
    Sftp,
    /// A shell or a device's command line at its prompt, where the account has nothing else.
    Prompt,
    /// No channel at all.
    Nothing,
}

impl Holds {
    /// True if it is the channel that the account is for, and no login shell beside commands, which may have a clock of its own.
    #[must_use]
    pub fn is_plain(self) -> bool {
        matches!(self, Self::Command | Self::Sftp | Self::Prompt)
    }
}

/// The party that speaks first after a silence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speaker {
    /// Our request comes first.
    #[default]
    Client,
    /// A line of the server comes first.
    Server,
}

/// The way a stretch ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum StretchEnd {
    /// A request was answered.
    Alive {
        /// The time until then, milliseconds.
        rtt_ms: f64,
    },
    /// The session was dead while a fresh connection to the same server worked.
    Died {
        /// The manner.
        manner: Manner,
        /// The origin of the first sign: it came by itself, or after our request.
        sign: Sign,
        /// True if another session, kept alive, was well at that moment.
        others_alive: bool,
        /// The kernel's view at that moment.
        tcp: Option<TcpInfo>,
    },
    /// The server's first data was lost; our own request after it was answered.
    Unheard {
        /// The time until then, milliseconds.
        rtt_ms: f64,
    },
    /// Inconclusive, for this reason.
    Void {
        /// The reason.
        why: String,
    },
    /// The test was over before its time had come.
    Open,
}

/// The time at which a death showed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// Before we sent anything: somebody ended the session actively.
    BeforeProbe,
    /// Only after we had sent: a device on the way had dropped the session.
    AfterProbe,
}

impl Arm {
    /// A stretch of a session that held a command, and on which we were to speak first after any silence.
    #[must_use]
    pub fn new(session: u32, kind: SessionKind, moves: Moves, times: Times, end: StretchEnd) -> Self {
        let Times { started_s, lasted_s, age_s } = times;
        Self {
            session,
            kind: Some(kind),
            moves,
            holds: Holds::Command,
            speaks_first: Speaker::Client,
            hop: None,
            interval_s: None,
            started_s,
            lasted_s,
            age_s,
            ended_s: None,
            channel_quiet_s: None,
            heard_bytes: 0,
            answered: None,
            end,
        }
    }

    /// One that lasted from the start of the test, for tests.
    #[cfg(test)]
    pub(crate) fn sample(moves: Moves, lasted_s: f64, end: StretchEnd) -> Self {
        Self::new(1, SessionKind::FirstRound, moves, Times { started_s: 0.0, lasted_s, age_s: lasted_s }, end)
    }

    /// The part that the session has in the test.
    #[must_use]
    pub fn kind(&self) -> SessionKind {
        self.kind.unwrap_or(match self.session {
            0 => SessionKind::Main,
            1..50 => SessionKind::FirstRound,
            50..=100 => SessionKind::HopProbe,
            _ => SessionKind::SecondRound,
        })
    }

    /// The way a dead arm died.
    #[must_use]
    pub fn death(&self) -> Option<(&Manner, Sign)> {
        match &self.end {
            StretchEnd::Died { manner, sign, .. } => Some((manner, *sign)),
            _ => None,
        }
    }

    /// True if it did not answer although TCP acknowledged our request: nothing on the path dropped it.
    #[must_use]
    pub fn was_acknowledged(&self) -> bool {
        matches!(&self.end, StretchEnd::Died { manner: Manner::Silent, tcp: Some(tcp), .. } if tcp.is_acknowledged())
    }

    /// True if it was ended by the shell in it.
    #[must_use]
    pub fn is_left_by_shell(&self) -> bool {
        self.holds == Holds::Shell && matches!(self.death(), Some((Manner::ExitStatus { .. }, _)))
    }

    /// The quiet that counts for this arm's end: that of its channel when only the channel ended, else that of the connection.
    #[must_use]
    pub fn quiet_s(&self) -> f64 {
        match self.death() {
            Some((Manner::ChannelClose | Manner::ExitStatus { .. }, _)) => {
                self.channel_quiet_s.unwrap_or(self.lasted_s)
            }
            _ => self.lasted_s,
        }
    }
}
