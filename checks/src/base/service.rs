//! The services for which an account may be used.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A use of a login that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Commands (`ssh host command`), of POSIX or of a command line of the server's own.
    Exec,
    /// An interactive session (`ssh host`).
    Shell,
    /// File transfer by the subsystem sftp (`sftp`, `scp`, `sshfs`).
    Sftp,
    /// Git repositories (`git clone`).
    Git,
    /// Connections through the server (`ssh -L`, `-D`, `-W`, `-J`).
    Forward,
    /// A program of the account's own, whatever is asked for.
    Program,
}

impl Service {
    /// The services that a user can expect (`--expect`).
    pub const EXPECTED: [Self; 5] = [Self::Shell, Self::Exec, Self::Sftp, Self::Git, Self::Forward];

    /// Its name on the command line and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Shell => "shell",
            Self::Sftp => "sftp",
            Self::Git => "git",
            Self::Forward => "forward",
            Self::Program => "program",
        }
    }

    /// Returns the name used in reports.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Exec => "commands",
            Self::Shell => "a shell",
            Self::Sftp => "sftp",
            Self::Git => "Git",
            Self::Forward => "forwarding",
            Self::Program => "a program of its own",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
