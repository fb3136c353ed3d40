//! Helpers shared by the causes of a session channel.

use crate::causes::{Fix, Side};
use crate::facts::Evidence;
use crate::facts::channel::Facts;

/// Milliseconds until the first output of a command from which on start-up files are slow.
pub(super) const SLOW_MS: f64 = 2000.0;

/// The observations of an account that runs our commands.
pub(super) fn commands(evidence: &Evidence) -> Option<&Facts> {
    evidence.channel.passed().filter(|facts| facts.mark_seen)
}

pub(super) const TRY_SFTP: Fix = Fix {
    side: Side::Client,
    summary: "Check whether file transfer is what this account is for",
    snippet: Some("sftp {alias}"),
    ..Fix::LOOK
};

pub(super) const SEE_FORCED: Fix = Fix {
    side: Side::Server,
    summary: "Check whether a command is forced for this account or key",
    snippet: Some(
        "sshd -T -C user={user},host=localhost,addr=127.0.0.1 | grep -i forcecommand; grep -n command= ~{user}/.ssh/authorized_keys",
    ),
    ..Fix::LOOK
};
