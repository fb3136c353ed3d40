//! The connection is closed before the version, without a message.

use super::kex::round_age;
use super::refusal::reconnected;
use super::shared::begins_a_version;
use super::version::LIVING_SERVER;
use crate::base::text::seconds;
use crate::causes::retest::shared;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::handshake::{Facts, Reconnect};

/// A refusal comes within this time, milliseconds; a load balancer that looks for a server takes longer.
const PROMPT_MS: f64 = 2000.0;

pub(super) const SOURCE_DENIED: Cause = Cause {
    code: "handshake-source-denied",
    stage: Check::Handshake,
    title: "The server may reject this address (hosts.deny, DenyHosts)",
    severity: Severity::Critical,
    explanation: "Every connection was closed silently before the banner. An sshd built with TCP wrappers, as on Debian, does \
        exactly this for an address in hosts.deny or added there by a tool such as DenyHosts. An sshd that cannot \
        start a session (no host keys, no /run/sshd, no memory) and a load balancer without a backend look the same \
        from the client. If it works from another address, it is this.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Look for the rejection in sshd's log, and for the address in hosts.deny",
            snippet: Some(
                "journalctl -u ssh -u sshd --since -10min | grep -i refused; grep -v '^#' /etc/hosts.deny /etc/hosts.allow",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Test from another address, for example through ANOTHER-HOST that can reach the server",
            snippet: Some("ssh -J ANOTHER-HOST {alias}"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["refused connect from <host>"],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        let (_, after_ms) = facts.end.as_ref()?;
        let every_time = facts.reconnects.iter().all(turned_away);
        let is_prompt = *after_ms < PROMPT_MS && round_age(*after_ms).is_none();
        if !closed_unheard(facts) || facts.received_bytes > 0 || !every_time || !is_prompt {
            return None;
        }
        let words =
            format!("the connection was closed {} after it was open, without a byte", seconds(after_ms / 1000.0));
        Some(Match::new(Certainty::Possible, std::iter::once(words).chain(reconnected(facts))))
    },
    ..Cause::NEW
};

pub(super) const CLOSED_BEFORE_BANNER: Cause = Cause {
    code: "handshake-closed-before-banner",
    stage: Check::Handshake,
    title: "The server closes the connection before its SSH banner",
    severity: Severity::Critical,
    explanation: "The connection was accepted and closed before the server's SSH banner. From the client these look \
        the same; the server's log shows which:\n\
        - sshd rejects the source: MaxStartups before OpenSSH 8.2, penalties, hosts.deny, RefuseConnection\n\
        - sshd cannot start a session: no host keys, no /run/sshd, no memory\n\
        - a load balancer has no backend",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Read sshd's log of this connection, and test its configuration",
            snippet: Some("journalctl -u ssh -u sshd --since -10min; sshd -t"),
            ..Fix::LOOK
        },
        LIVING_SERVER,
    ],
    hides: &["handshake-reset"],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        let (manner, after_ms) = facts.end.as_ref()?;
        if !closed_unheard(facts) {
            return None;
        }
        let mut because = vec![format!(
            "the connection ended with {} {} after it was open",
            manner.words(),
            seconds(after_ms / 1000.0)
        )];
        because.push(match &facts.first_bytes {
            None => "it sent no byte before that".to_owned(),
            Some(text) => format!("before that it sent only \"{text}\""),
        });
        because.extend(reconnected(facts).or_else(|| shared::only_once(evidence)));
        because.extend(round_age(*after_ms));
        Some(Match::new(Certainty::Certain, because).reason_open())
    },
    ..Cause::NEW
};

/// True if the connection was closed before the version, regardless of our data.
///
/// A close while our own version lies unread shows as a reset; where we say nothing it shows as what it is.
fn closed_unheard(facts: &Facts) -> bool {
    let Some((manner, _)) = &facts.end else { return false };
    let said_little = facts.received_bytes == 0 || facts.is_refused_by_sshd() || begins_a_version(facts);
    let is_close = match manner {
        Manner::Fin => true,
        Manner::Reset => facts.reconnects.iter().any(turned_away),
        _ => false,
    };
    facts.version.is_none() && is_close && said_little
}

/// True if the look was closed in good order before the version.
fn turned_away(look: &Reconnect) -> bool {
    look.version.is_none() && look.end == Some(Manner::Fin)
}
