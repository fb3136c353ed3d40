//! How a connection ended, told from what was seen and not from what a call returned.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::notes::Notes;
use crate::tap::{Disconnect, EndKind, Watch};
use crate::text::shown;

/// How and when a connection ended.
#[derive(Debug, Clone)]
pub struct Ending {
    /// When we noticed.
    pub at: Instant,
    /// How.
    pub manner: Manner,
}

/// The ways a connection or its channel can end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Manner {
    /// Nothing comes back any more; the connection never ended as far as we can see.
    Silent,
    /// A TCP reset.
    Reset,
    /// An orderly end without a word (TCP FIN).
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
    /// Whether the connection itself ended, and not only what was in its channel.
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
            Self::Disconnect { code, text } => format!("SSH_MSG_DISCONNECT {code} \"{}\"", shown(text)),
            Self::ChannelClose => "a closed channel".to_owned(),
            Self::ExitStatus { status } => format!("the command's end with status {status}"),
            Self::Errno { errno } => format!("\"{}\"", std::io::Error::from_raw_os_error(*errno)),
            Self::Protocol { error } => format!("unreadable data ({})", shown(error)),
        }
    }
}

impl Ending {
    /// The end of the connection that these two watched, if it ended.
    #[must_use]
    pub fn of(watch: &Watch, notes: &Notes) -> Option<Self> {
        let plain = watch.seen().server.disconnect.clone();
        let end = watch.seen().end;
        let noted = notes.read();
        if let Some((Disconnect { code, text }, at)) = noted.disconnect.clone() {
            return Some(Self { at, manner: Manner::Disconnect { code, text } });
        }
        if let Some(Disconnect { code, text }) = plain {
            return Some(Self {
                at: end.map_or_else(Instant::now, |end| end.at),
                manner: Manner::Disconnect { code, text },
            });
        }
        if let Some(end) = end {
            let manner = match end.how {
                EndKind::Fin => Manner::Fin,
                EndKind::Reset => Manner::Reset,
                EndKind::Errno(errno) => Manner::Errno { errno },
            };
            return Some(Self { at: end.at, manner });
        }
        noted.failure.clone().map(|(error, at)| Self { at, manner: Manner::Protocol { error } })
    }
}
