//! The log of the server about a refusal, whose reason it never sends to the client.

use crate::causes::software::{SERVERS_OWN_LOG, Software, is_dropbear, software};
use crate::causes::{Fix, Side};
use crate::facts::Evidence;

pub(super) const SSHD_LOG: Fix = Fix {
    side: Side::Server,
    when: |evidence| !is_dropbear(evidence) && other(evidence).is_none(),
    summary: "Read the reason in sshd's log; it is nowhere else",
    snippet: Some("journalctl -u ssh -u sshd --since '-10 min' | grep -F 'sshd'"),
    ..Fix::LOOK
};

pub(super) const DROPBEAR_LOG: Fix = Fix {
    side: Side::Server,
    when: is_dropbear,
    summary: "Read dropbear's messages in the system log",
    snippet: Some("journalctl -t dropbear --since '-10 min' || logread -e dropbear"),
    ..Fix::LOOK
};

pub(super) const OTHER_LOG: Fix = Fix { when: |evidence| other(evidence).is_some(), ..SERVERS_OWN_LOG };

/// The version of a server that is neither OpenSSH nor dropbear.
fn other(evidence: &Evidence) -> Option<&str> {
    let version = evidence.handshake.facts()?.version.as_deref();
    version.filter(|_| software(evidence) == Software::Other)
}
