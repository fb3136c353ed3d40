//! The channels that the sessions of an idle test hold, by what the account serves.

use crate::base::nonce::nonce;
use crate::facts::channel::Lead;
use crate::facts::idle::Holds;
use crate::measure::handles::LoggedIn;

/// The channel that each session has open while it is idle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ChannelUse {
    /// A waiting command that begins so, with this mark in its arguments.
    Command {
        /// The beginning of a command that this account runs.
        lead: Lead,
        /// The mark.
        mark: String,
    },
    /// The sftp server, for an account that runs no commands.
    Sftp,
    /// A shell at its prompt, for an account that has nothing else, as on network devices.
    Prompt,
    /// No channel at all.
    #[default]
    Nothing,
}

impl ChannelUse {
    /// Chooses by what an account serves: commands that wait for input; where it runs none, a prompt or sftp.
    pub(in crate::measure) fn of(logged_in: &LoggedIn) -> Self {
        match (&logged_in.runs_commands, logged_in.no_input) {
            (Ok(lead), false) => Self::Command { lead: *lead, mark: nonce() },
            (Err(_), _) if logged_in.has_prompt => Self::Prompt,
            (Err(_), _) if logged_in.serves_sftp => Self::Sftp,
            // Without input, a command that waits for it ends at once.
            _ => Self::Nothing,
        }
    }

    /// Returns the beginning of the waiting commands, and the mark in their arguments.
    pub(in crate::measure) fn command(&self) -> Option<(Lead, &str)> {
        match self {
            Self::Command { lead, mark } => Some((*lead, mark)),
            Self::Sftp | Self::Prompt | Self::Nothing => None,
        }
    }

    /// True if what is sent in the channel is answered in it.
    pub(in crate::measure) fn answers(&self) -> bool {
        *self != Self::Nothing
    }

    /// True if the server can be asked to speak later, by itself.
    pub(super) fn speaks(&self) -> bool {
        matches!(self, Self::Command { .. })
    }

    /// The most sessions that are held at once: devices have few lines, Cisco's routers five (`line vty 0 4`), which other people need too.
    pub(super) fn most_sessions(&self) -> usize {
        const LINES: usize = 5;
        if *self == Self::Prompt { LINES } else { usize::MAX }
    }

    /// Returns it as the facts record it.
    pub(super) fn holds(&self) -> Holds {
        match self {
            Self::Command { .. } => Holds::Command,
            Self::Sftp => Holds::Sftp,
            Self::Prompt => Holds::Prompt,
            Self::Nothing => Holds::Nothing,
        }
    }
}
