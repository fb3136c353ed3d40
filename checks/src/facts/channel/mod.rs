//! What was seen of a session channel.

pub mod capabilities;
pub mod sftp;

use serde::{Deserialize, Serialize};

pub use capabilities::{Capabilities, Capability, Sessions};
pub use sftp::Sftp;

use super::connection::{Manner, Ran};
use super::retest::Marks;
use crate::base::text::{self, bytes, sanitize_bytes, seconds};
use crate::facts;

/// How our command begins.
pub(crate) const OURS: &str = "exec sh -c";

/// What was seen.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// What became of the command.
    pub ran: Ran,
    /// The mark came back.
    pub mark_seen: bool,
    /// Output before or after the mark, escaped.
    pub other_output: Option<String>,
    /// Standard error, escaped.
    pub stderr: Option<String>,
    /// Our command itself came back in an output, unrun.
    #[serde(default)]
    pub quoted_back: bool,
    /// The server's words on the connection's end, if it ended.
    pub ending: Option<Manner>,
    /// What the connection may be used for.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// What was seen without ssh's marks (IPQoS), where the session stopped as they were set.
    #[serde(default)]
    pub marks: Option<Marks>,
}

impl facts::Facts for Facts {
    fn summary(&self) -> String {
        let ran = &self.ran;
        if let Some((code, text)) = &ran.refused {
            return format!("channel refused: {} (reason {code})", sanitize_bytes(text.as_bytes()));
        }
        let Some(open_ms) = ran.open_ms else { return "no channel could be opened".to_owned() };
        let opened = format!("channel open in {}", seconds(open_ms / 1000.0));
        let other = format!("{} of other output", bytes(ran.stdout_bytes as f64));
        match (ran.accepted, self.mark_seen, ran.status) {
            (Some(false), ..) => format!("{opened}, command refused"),
            (_, true, _) => format!("{opened}, a command's first output after {}", seconds(ran.duration_ms / 1000.0)),
            (_, false, Some(status)) => format!("{opened}, the command did not run: {}", text::status(status)),
            (_, false, None) if ran.stdout_bytes > 0 => format!("{opened}, {other}"),
            (_, false, None) => format!("{opened}, no output of the command"),
        }
    }
}

impl Facts {
    /// Whether the connection ended between the login and the first channel: the server may have taken the login back, as sshd does
    /// when its two processes disagree on it, and has it in its log as a failed one.
    #[must_use]
    pub fn ended_before_any_channel(&self) -> bool {
        self.ran.connection_lost && self.ran.open_ms.is_none() && self.ran.refused.is_none()
    }
}
