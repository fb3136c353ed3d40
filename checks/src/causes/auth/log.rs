//! What the server wrote down about a refusal, which it never tells the client.

use crate::causes::software::{Software, software};
use crate::causes::{Fix, Match, Side};
use crate::facts::Evidence;

pub(super) const SSHD_LOG: Fix = Fix {
    side: Side::Server,
    summary: "Read why {sshd} refused: it says so in its log, and only there",
    snippet: Some("journalctl -u ssh -u sshd --since '-10 min' | grep -F 'sshd'"),
    ..Fix::NEW
};

pub(super) const DROPBEAR_LOG: Fix = Fix {
    side: Side::Server,
    summary: "Read what {dropbear} wrote about it to the system's log",
    snippet: Some("journalctl -t dropbear --since '-10 min' || logread -e dropbear"),
    ..Fix::NEW
};

pub(super) const OTHER_LOG: Fix = Fix {
    side: Side::Server,
    summary: "Read the log of the server's own program, which calls itself {software}: if the reason is written down, then there",
    ..Fix::NEW
};

/// The match with what the fix of the server's own log needs, and no other server's.
pub(super) fn with_log(evidence: &Evidence, found: Match) -> Match {
    let version = || evidence.handshake.facts().and_then(|facts| facts.version.clone());
    match (software(evidence), version()) {
        (Software::Dropbear, _) => found.with("dropbear", "dropbear"),
        (Software::Other, Some(version)) => found.with("software", version),
        (Software::OpenSsh, _) | (Software::Other, None) => found.with("sshd", "sshd"),
    }
}
