//! A device on the path sends its own data before ours, and the server answers to that.

use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::handshake::Facts;

/// The first four letters of sshd's answers to a line that is no SSH version, read as the length of a packet: "Invalid SSH
/// identification string." since 7.0, "Protocol mismatch." before (kex.c, sshd.c).
const ANSWERS: [(&str, &str); 2] = [("Inva", "Invalid SSH identification string."), ("Prot", "Protocol mismatch.")];

pub(super) const PROXY_HEADER: Cause = Cause {
    code: "handshake-proxy-header",
    stage: Check::Handshake,
    title: "A proxy sends a PROXY header, and sshd rejects it",
    severity: Severity::Critical,
    explanation: "The server sent its version, and then a text where a packet must stand: it read something else than \
        our version first. A load balancer or proxy that announces the client's address in front of the data (the \
        PROXY protocol) does this; sshd does not read that header. ssh reads the text as a packet of an impossible \
        length.\n\n\
        Anything else that inserts bytes into the connection looks the same.",
    fixes: &[
        Fix {
            side: Side::Network,
            summary: "Disable the PROXY protocol towards SSH: haproxy `send-proxy`, nginx `proxy_protocol on`, AWS target \
                group proxy protocol v2",
            caution: Some("the server then logs the proxy's address in place of the client's"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Find what arrives in front of the client's version",
            snippet: Some("sudo tcpdump -c 20 -A -s 120 'tcp dst port {port}'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Put a program that reads the header between proxy and server: mmproxy, or a second haproxy with \
                `accept-proxy`",
            caution: Some("only the proxy may reach it, or anybody can claim any address"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "Bad packet length 1231976033",
        "Bad protocol version identification 'PROXY TCP4",
        "banner line contains invalid characters: PROXY TCP4",
        "ssh_dispatch_run_fatal: Connection to port: Connection corrupted",
    ],
    hides: &["handshake-protocol-violation", "handshake-reset", "handshake-kex-failed", "handshake-kex-stalled"],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        let length = facts.impossible_length.or_else(|| in_the_librarys_words(facts))?;
        let letters = String::from_utf8(length.to_be_bytes().to_vec()).ok()?;
        let (_, answer) = ANSWERS.iter().find(|(begins, _)| *begins == letters)?;
        let because = [
            format!("after the server's version came \"{letters}\", which begins sshd's answer \"{answer}\""),
            format!("ssh reads these four letters as a packet of {length} bytes"),
        ];
        Some(Match::new(Certainty::Likely, because))
    },
    ..Cause::NEW
};

/// The length where our library read it before it was seen on the way.
fn in_the_librarys_words(facts: &Facts) -> Option<u32> {
    facts.library_error.as_ref()?.strip_prefix("Bad packet size: ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Evidence, Step, Timed};

    fn fires(facts: Facts) -> bool {
        let handshake = Timed { step: Step::Failed(facts), duration_ms: 1.0 };
        (PROXY_HEADER.judge)(&Evidence { handshake, ..Evidence::unexamined() }).is_some()
    }

    #[test]
    fn four_letters_of_an_answer_of_sshd_are_known_and_no_others() {
        let length = |letters: &[u8; 4]| u32::from_be_bytes(*letters);
        for letters in [b"Inva", b"Prot"] {
            assert!(fires(Facts { impossible_length: Some(length(letters)), ..Facts::default() }));
        }
        let said = |text: &str| Facts { library_error: Some(text.into()), ..Facts::default() };
        assert!(fires(said("Bad packet size: 1231976033")));
        for other in [said("Bad packet size: 1212501072"), said("Disconnected"), Facts::default()] {
            assert!(!fires(other));
        }
        assert!(!fires(Facts { impossible_length: Some(length(b"####")), ..Facts::default() }));
    }
}
