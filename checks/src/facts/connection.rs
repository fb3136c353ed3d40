//! A connection and a command in it: how each can end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::text::{self, sanitize};

/// The ways a connection or its channel can end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Manner {
    /// Nothing comes back any more; the connection never ended as far as we can see.
    Silent,
    /// A TCP reset.
    Reset,
    /// An orderly end without a message (TCP FIN).
    Fin,
    /// SSH_MSG_DISCONNECT.
    Disconnect {
        /// Reason code, RFC 4253 section 11.1.
        code: u32,
        /// The server's text, as it came.
        text: String,
    },
    /// The channel was closed and the connection lives on.
    ChannelClose,
    /// The command in the channel ended by itself, with this status.
    ExitStatus {
        /// The status.
        status: u32,
    },
    /// The kernel gave the connection up.
    Errno {
        /// The error number.
        errno: i32,
    },
    /// The library could not make sense of what came; its words.
    Protocol {
        /// The library's error.
        error: String,
    },
}

impl Manner {
    /// True if the connection itself ended, and not only what was in its channel.
    #[must_use]
    pub fn is_of_connection(&self) -> bool {
        !matches!(self, Self::ChannelClose | Self::ExitStatus { .. })
    }

    /// In a few words, what the server sent being escaped.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Silent => "silence".to_owned(),
            Self::Reset => "a reset (TCP RST)".to_owned(),
            Self::Fin => "an orderly close (TCP FIN)".to_owned(),
            Self::Disconnect { code, text } => format!("SSH_MSG_DISCONNECT {code} \"{}\"", sanitize(text)),
            Self::ChannelClose => "a closed channel".to_owned(),
            Self::ExitStatus { status } => format!("the command's end with status {status}"),
            Self::Errno { errno } => format!("\"{}\"", std::io::Error::from_raw_os_error(*errno)),
            Self::Protocol { error } => format!("unreadable data ({})", sanitize(error)),
        }
    }
}

/// The text that the library says where a packet failed its integrity check, or where its length cannot be right, which is encrypted with
/// it.
const INTEGRITY: [&str; 3] = ["Wrong packet authentication code", "Failed to decrypt a packet", "Bad packet size"];

/// The start of the library's words for a length that no packet may have; the length follows.
const BAD_LENGTH: &str = "Bad packet size: ";

/// True if the library refused a packet's length that was read right: one that was decrypted with other keys has 32 random bits, and is
/// rarely (once in 1,024) below 4 MiB.
fn is_forbidden_length(error: &str) -> bool {
    error.strip_prefix(BAD_LENGTH).and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length < 4 << 20)
}

impl Manner {
    /// True if a packet failed its integrity check: by the library's word, or by the server's (RFC 4253 section 11.1).
    #[must_use]
    pub fn is_of_integrity(&self) -> bool {
        const MAC_ERROR: u32 = 5;
        match self {
            Self::Protocol { error } => {
                INTEGRITY.iter().any(|words| error.starts_with(words)) && !is_forbidden_length(error)
            }
            Self::Disconnect { code, .. } => *code == MAC_ERROR,
            _ => false,
        }
    }

    /// True if the server ended the connection because what it received is no text: AsyncSSH decodes the input of its own programs as UTF-8
    /// unless they ask for bytes, and passes on the words of Python's UnicodeDecodeError.
    pub(crate) fn is_of_text(&self) -> bool {
        matches!(self, Self::Disconnect { text, .. } if text.contains("codec can't decode"))
    }

    /// Returns data that our library could not read although it had passed the integrity check: our fault alone.
    #[must_use]
    pub fn unreadable(&self) -> Option<String> {
        match self {
            Self::Protocol { error } if !self.is_of_integrity() => {
                Some(format!("our SSH library could not read what the server sent ({})", sanitize(error)))
            }
            _ => None,
        }
    }
}

/// A message that no server may send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Violation {
    /// An answer to a request that cannot have reached it yet.
    UnaskedAnswer,
    /// More than all that a login can need.
    TooMuch {
        /// The bytes received by then.
        bytes: u64,
    },
    /// A message that cannot be read.
    Malformed {
        /// The library's words.
        error: String,
    },
}

impl Violation {
    /// A message that the library could not read, recognized by its error for the end of the connection.
    #[must_use]
    pub fn malformed(error: &str) -> Option<Self> {
        const MALFORMED: [&str; 3] = ["SshEncoding: ", "SshKey: ", "Index out of bounds"];
        let is_malformed = MALFORMED.iter().any(|words| error.starts_with(words)) || is_forbidden_length(error);
        is_malformed.then(|| Self::Malformed { error: error.to_owned() })
    }
}

/// The reason why a hop did not carry a connection on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NotForwarded {
    /// It refused (RFC 4254 section 5.1).
    #[error("refused: {text} (reason {code})")]
    Refused {
        /// The reason code.
        code: u32,
        /// Its text, escaped.
        text: String,
    },
    /// It did not answer in time.
    #[error("no answer in time")]
    Deadline,
    /// The connection to the hop ended.
    #[error("the connection to the hop ended")]
    Gone,
}

/// The timeout that expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GaveUp {
    /// Nothing came any more.
    Silence,
    /// It went on, and took too long.
    Total,
}

/// The outcome of a command, or of one exchange with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ran {
    /// The reason for which the channel was not opened: reason code and text (RFC 4254 section 5.1).
    pub refused: Option<(u32, String)>,
    /// Milliseconds until the channel was open.
    pub open_ms: Option<f64>,
    /// True if the server agreed to run the command.
    pub accepted: Option<bool>,
    /// Milliseconds until it said so, or until the first output where that came before.
    pub answered_ms: Option<f64>,
    /// Standard output; the first bytes of it.
    #[serde(skip)]
    pub stdout: Vec<u8>,
    /// Standard error; the first bytes of it.
    #[serde(skip)]
    pub stderr: Vec<u8>,
    /// Bytes of standard output in all.
    pub stdout_bytes: u64,
    /// Milliseconds until the first of them.
    pub first_output_ms: Option<f64>,
    /// Milliseconds until the last bytes of either output.
    #[serde(skip)]
    pub last_output_ms: Option<f64>,
    /// The number of seconds in which output came.
    #[serde(skip)]
    pub seconds_with_output: u32,
    /// Exit status.
    pub status: Option<u32>,
    /// The signal that ended it, without `SIG`.
    pub signal: Option<String>,
    /// The server said that no more output comes.
    pub eof: bool,
    /// The server closed the channel.
    pub closed: bool,
    /// The connection ended before the channel did.
    pub connection_lost: bool,
    /// We stopped waiting.
    pub gave_up: Option<GaveUp>,
    /// Milliseconds that it took.
    pub duration_ms: f64,
}

impl Ran {
    /// True if the server answered the wish for a channel or for the command.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.open_ms.is_some() || self.refused.is_some()
    }

    /// True if the server opened no channel, or did not agree to run anything on it.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.refused.is_some() || self.accepted == Some(false)
    }

    /// True if nothing more can come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.closed || self.connection_lost || self.gave_up.is_some() || self.accepted == Some(false)
    }

    /// Joins it with the next exchange of the same command.
    pub(crate) fn followed_by(self, next: Self) -> Self {
        Self {
            stdout: [self.stdout, next.stdout].concat(),
            stderr: [self.stderr, next.stderr].concat(),
            stdout_bytes: self.stdout_bytes + next.stdout_bytes,
            first_output_ms: self.first_output_ms.or(next.first_output_ms.map(|ms| self.duration_ms + ms)),
            duration_ms: self.duration_ms + next.duration_ms,
            ..next
        }
    }

    /// The way the command ended: a status, a signal or neither are three things, which ssh's own status 255 makes one.
    #[must_use]
    pub fn end_words(&self) -> String {
        match (self.status, &self.signal) {
            (Some(status), _) => text::status(status),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "no status".to_owned(),
        }
    }
}

impl Manner {
    /// The contract's word for it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Reset => "reset",
            Self::Fin => "fin",
            Self::Disconnect { .. } => "disconnect",
            Self::ChannelClose => "channel-close",
            Self::ExitStatus { .. } => "exit-status",
            Self::Errno { .. } => "error",
            Self::Protocol { .. } => "protocol",
        }
    }
}

/// The reason why a further login did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLoggedIn {
    /// The TCP connection, or the proxy, could not be opened.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The handshake did not end in time, or failed.
    #[error("no handshake: {error}")]
    Handshake {
        /// The library's words.
        error: String,
        /// True if the server sent anything, or ended the connection: it can be reached then.
        answered: bool,
    },
    /// Another host key than the first time.
    #[error("another host key answered: {0}")]
    OtherHostKey(String),
    /// A credential accepted before is refused now, explicitly or by hanging up. Never tried again.
    #[error("the login that worked before was refused")]
    Refused,
    /// The login succeeded, and the server does not run a command.
    #[error("no command could be run: {0}")]
    NoCommand(String),
    /// The connection died during the login, or the server did not answer in time.
    #[error("the login got no answer")]
    NoAnswer,
}

#[cfg(test)]
mod tests {
    use super::{Manner, Violation};

    #[test]
    fn a_length_that_was_read_right_is_the_servers_and_a_random_one_the_keys() {
        for (error, of_integrity) in [
            ("Bad packet size: 300076", false),
            ("Bad packet size: 2", false),
            ("Bad packet size: 1231976033", true),
            ("Wrong packet authentication code", true),
            ("SshEncoding: length invalid", false),
        ] {
            let manner = Manner::Protocol { error: error.to_owned() };
            assert_eq!(manner.is_of_integrity(), of_integrity, "{error}");
            assert_eq!(Violation::malformed(error).is_some(), !of_integrity, "{error}");
            assert_eq!(manner.unreadable().is_some(), !of_integrity, "{error}");
        }
    }
}
