//! The capabilities of a connection of this account, one answer of the server each.

use serde::{Deserialize, Serialize};

use super::sftp::Sftp;
use crate::base::text::sanitize;

/// The server's answers, by what was asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// A session channel.
    pub session: Capability,
    /// Sessions open at once: two were tried, or as many as the bound under `--deep`.
    pub sessions_at_once: Option<Sessions>,
    /// A command in a session.
    pub exec: Capability,
    /// The account's shell in a session, without a terminal.
    pub shell: Capability,
    /// A pseudo-terminal for a session.
    pub pty: Capability,
    /// True if a command could open a terminal (`/dev/ptmx`): where commands run, terminals are neither used up nor missing. `null` where that was not tried;
    /// it is tried where OpenSSH or dropbear refused one.
    pub has_terminals: Option<bool>,
    /// An environment variable for a session: `LANG`, which ssh_config of most systems sends.
    pub env: Capability,
    /// The subsystem sftp: whether it was accepted, which sshd does before it starts the server behind it.
    pub sftp: Capability,
    /// The answer of the sftp server; `null` where none was requested.
    pub sftp_said: Option<Sftp>,
    /// True if a Git server's program is there; `null` where it was not looked for, which `--expect git` does.
    pub git: Option<bool>,
    /// A connection through the server to its own loopback, as `ssh -L` asks for.
    pub direct_tcpip: Capability,
    /// A port of the server that leads back to us, as `ssh -R` asks for.
    pub remote_forward: Capability,
    /// A connection to a socket of the server's file system.
    pub streamlocal: Capability,
    /// The agent made available on the server.
    pub agent_forwarding: Capability,
    /// X11 windows shown at the client.
    pub x11: Capability,
}

/// The number of sessions that were open at once on one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    /// Open at once.
    pub open: u32,
    /// The connection ended as one more was asked for.
    #[serde(default)]
    pub ended: bool,
    /// Reason code and text, escaped, of the refusal of one more; `null` where no more were tried.
    pub refused: Option<(u32, String)>,
}

/// The answer to one wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Capability {
    /// It may be used.
    Allowed,
    /// It may not.
    Refused {
        /// The reason code, where the protocol has one (RFC 4254 section 5.1).
        code: Option<u32>,
        /// The server's text, escaped, where the protocol has one.
        text: Option<String>,
    },
    /// An answer that the server gives to what is forbidden and to what is not there.
    Untold {
        /// The reason code.
        code: u32,
        /// The server's text, escaped.
        text: String,
    },
    /// The server said yes, as it does to what cannot be: whether it may be used is not known.
    Unproven,
    /// It was not asked, or not answered.
    NotTested {
        /// The reason why not.
        why: String,
    },
}

impl Default for Capability {
    fn default() -> Self {
        Self::not_tested("not asked for")
    }
}

impl Capability {
    /// Not tested, for this reason.
    #[must_use]
    pub fn not_tested(why: &str) -> Self {
        Self::NotTested { why: why.to_owned() }
    }

    /// An answer without reason and text: SSH_MSG_CHANNEL_SUCCESS or FAILURE, SSH_MSG_REQUEST_SUCCESS or FAILURE.
    #[must_use]
    pub fn of(answer: Option<bool>) -> Self {
        match answer {
            Some(true) => Self::Allowed,
            Some(false) => Self::Refused { code: None, text: None },
            None => Self::not_tested("no answer"),
        }
    }

    /// SSH_MSG_CHANNEL_OPEN_FAILURE.
    #[must_use]
    pub fn refused(code: u32, text: &str) -> Self {
        Self::Refused { code: Some(code), text: Some(sanitize(text)) }
    }

    /// True if the server said no.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// True if the answer does not tell whether it is allowed.
    #[must_use]
    pub fn is_untold(&self) -> bool {
        matches!(self, Self::Untold { .. } | Self::Unproven)
    }

    /// True if the server said yes, and nothing speaks against it.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        *self == Self::Allowed
    }
}

impl Capabilities {
    /// All of them by the protocol's name, those that are asked for by a flag of ssh with that flag, in the order in which reports show them.
    #[must_use]
    pub fn named(&self) -> [(&'static str, &Capability); 11] {
        [
            ("session", &self.session),
            ("exec", &self.exec),
            ("shell", &self.shell),
            ("pty", &self.pty),
            ("env LANG", &self.env),
            ("sftp", &self.sftp),
            ("direct-tcpip for ssh -L, -D, -J", &self.direct_tcpip),
            ("tcpip-forward for ssh -R", &self.remote_forward),
            ("direct-streamlocal", &self.streamlocal),
            ("agent for ssh -A", &self.agent_forwarding),
            ("x11 for ssh -X", &self.x11),
        ]
    }
}
