//! Data that violates the SSH protocol.

use super::mac::nonsense_after_keys;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::handshake::Facts;

pub(super) const PROTOCOL_VIOLATION: Cause = Cause {
    code: "handshake-protocol-violation",
    stage: Check::Handshake,
    title: "The server violates the SSH protocol",
    severity: Severity::Critical,
    explanation: "The server began like an SSH server, then violated the protocol: a packet with an impossible length, a message \
        out of place or without meaning, or a banner with forbidden characters. Possible reasons:\n\
        - its implementation is broken, or made to attack clients\n\
        - something else writes into the connection: a wrapper or start-up script that prints, a device in the path\n\n\
        Nothing of it was acted on, and what is shown of it is escaped.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Test on the server's console: the same result there means the server, not the path",
            snippet: Some("nc -w 3 127.0.0.1 {port} </dev/null | head -c 300 | od -c"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Upgrade the SSH server, and remove a wrapper that prints into its connections",
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Network,
            summary: "Look for a proxy or inspecting firewall between here and {host}:{port}",
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "Bad string length",
        "Strange packet received",
        "Invalid packet blocking",
        "padding error: need",
        "ssh: unexpected message type",
        "Received unexpected packet when expecting",
        "Strict KEX negotiated but",
        "Received premature higher-layer packet",
        "Incoming packet length field was garbled",
        "Invalid padding length on received packet",
        "Expected packet type",
        "Invalid packet length: <n>",
        "ssh_dispatch_run_fatal: Connection to <address> port <port>: incomplete message",
    ],
    hides: &[
        "handshake-kex-failed",
        "handshake-kex-stalled",
        "handshake-reset",
        "handshake-closed-before-banner",
        "auth-disconnected",
    ],
    judge: |evidence| {
        let facts = evidence.handshake.facts()?;
        let odd_version = facts.version.as_ref().filter(|_| facts.version_unprintable);
        let odd_version = odd_version.map(|version| {
            format!("its version is \"{version}\", with characters outside printable US-ASCII (RFC 4253 section 4.2)")
        });
        if let Some(because) = nonsense_after_keys(evidence) {
            return Some(Match::new(Certainty::Likely, because));
        }
        if evidence.handshake.passed().is_some() {
            return odd_version
                .map(|words| Match::new(Certainty::Certain, [words]).reason_open().at(Severity::Warning));
        }
        let because: Vec<String> = broken(facts).into_iter().chain(odd_version).collect();
        // What only the library refused may be the library's fault.
        let is_plain = facts.impossible_length.is_some()
            || facts.objection.is_some()
            || facts.version_unprintable
            || facts.names_no_software();
        let certainty = if is_plain { Certainty::Certain } else { Certainty::Likely };
        (!because.is_empty()).then(|| Match::new(certainty, because).reason_open())
    },
    ..Cause::NEW
};

/// The data that the server sent against the protocol.
fn broken(facts: &Facts) -> Option<String> {
    if let Some(length) = facts.impossible_length {
        return Some(format!(
            "after its version came a packet that states a length of {length} bytes; RFC 4253 section 6.1 asks for 35,000, and ssh reads 262,144"
        ));
    }
    if facts.names_no_software() {
        return Some(
            "its version ends before the name of the software; ssh refuses that as an invalid format".to_owned(),
        );
    }
    let Some(version) = &facts.version else {
        return crate::causes::handshake::shared::begins_a_version(facts).then_some(facts.objection?).map(|_| {
            "its version line is longer than 8192 bytes, or holds a NUL or a stray carriage return".to_owned()
        });
    };
    // Without an end of the connection it was the library that gave up, on what it had read.
    let error = facts.library_error.as_ref().filter(|_| facts.end.is_none() && facts.gave_up_ms.is_none())?;
    // Where nothing could be agreed on, how the library puts that is of no interest.
    let could_agree = facts.server_offer.is_none() || facts.user_would_agree();
    let agreed = could_agree
        && !error.starts_with("No common")
        && (version.starts_with("SSH-2.0-") || version.starts_with("SSH-1.99-"));
    agreed.then(|| format!("after \"{version}\" came what our SSH library refused with \"{error}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes::handshake::version::failed;

    fn fires(facts: Facts) -> bool {
        (PROTOCOL_VIOLATION.judge)(&failed(facts)).is_some()
    }

    #[test]
    fn only_what_was_sent_counts() {
        let version = || Facts { version: Some("SSH-2.0-x".into()), ..Facts::default() };
        assert!(fires(Facts { impossible_length: Some(0x2323_2323), ..version() }));
        assert!(fires(Facts { version_unprintable: true, ..version() }));
        assert!(fires(Facts { version: Some("SSH-2.0-".into()), ..version() }) && !fires(version()));
        assert!(fires(Facts { library_error: Some("Key exchange init failed".into()), ..version() }));
        assert!(!fires(Facts { library_error: Some("No common Kex algorithm".into()), ..version() }));
        assert!(!fires(Facts { gave_up_ms: Some(3000.0), ..version() }));
        assert!(!fires(Facts {
            version: Some("SSH-1.5-x".into()),
            library_error: Some("x".into()),
            ..Facts::default()
        }));
    }
}
