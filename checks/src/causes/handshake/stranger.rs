//! The port belongs to a service of another kind.

use super::refusal::reconnected;
use super::shared::begins_a_version;
use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::handshake::Facts;

pub(super) const NOT_SSH: Cause = Cause {
    code: "handshake-not-ssh",
    stage: Check::Handshake,
    title: "Something other than an SSH server answers on this port",
    severity: Severity::Critical,
    explanation: "An SSH server begins with a line that starts with SSH-2.0 (RFC 4253 section 4.2); other lines may precede it. \
        Another protocol answered here, so the port, the address or a forwarding rule in front of the server leads to \
        the wrong service.\n\n\
        A proxy or captive portal that answers for the server looks the same, and so does a wrapper of sshd that \
        prints an error and exits. A service that waits for the client, such as TLS, may close silently after our \
        banner, or keep waiting. Where nothing arrived, one further connection began as a TLS client does. A \
        multiplexer such as sslh serves TLS and SSH on one port: there the SSH server behind it is missing.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Use the port that the SSH server listens on",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    HostName {host}\n    Port PORT"),
            caution: Some("replace PORT by the port of the SSH server"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Show which ports sshd listens on, and what holds this one",
            snippet: Some("sshd -T | grep -iE '^(port|listenaddress)'; ss -tlnp | grep ':{port} '"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "Check where the port forwarding or load balancer in front of {host}:{port} sends connections",
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "banner line contains invalid characters",
        "banner line <n>: HTTP/",
        "banner line <n>: 220",
        "Indecipherable protocol version",
        "Invalid SSH banner",
        "ssh: overflow reading version string",
        "junk character in version line",
        "Invalid identification string",
        "ssh_exchange_identification: HTTP/",
        "ssh_exchange_identification: 220",
        "Header line too long",
        "Invalid version string:",
        "Bad remote protocol version identification: '<text>'",
        "exchange_identification: No SSH identification string found",
    ],
    hides: &[
        "handshake-no-banner",
        "handshake-reset",
        "handshake-kex-failed",
        "handshake-closed-before-banner",
        "handshake-source-denied",
    ],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        if let Some(because) = speaks_tls(facts).or_else(|| greets_late(facts)) {
            return Some(Match::new(Certainty::Likely, because));
        }
        if let Some(silent) = waits_for_client(facts) {
            let words =
                "the server closed the connection when we had sent our version, and sent no byte itself".to_owned();
            return Some(Match::new(Certainty::Likely, [words, silent]));
        }
        let first = facts.first_bytes.as_ref()?;
        if facts.version.is_some() || facts.is_refused_by_sshd() || begins_a_version(facts) {
            return None;
        }
        let (what, certainty) = match protocol_of(facts) {
            Some(protocol) => (format!("these are the first bytes of {protocol}"), Certainty::Certain),
            None => ("no line of it starts with SSH-".to_owned(), Certainty::Likely),
        };
        Some(Match::new(certainty, [format!("the server's first bytes were \"{first}\""), what]).reason_open())
    },
    ..Cause::NEW
};

/// A connection on which we said nothing stayed open and silent, and ours was closed at our words: as a sentence.
fn waits_for_client(facts: &Facts) -> Option<String> {
    let last = facts.reconnects.last().filter(|look| look.end.is_none() && look.first_bytes.is_none())?;
    // A close that came later than we listened there may have come there too.
    let closed = matches!(facts.end, Some((Manner::Fin, after_ms)) if after_ms < last.ms) && facts.received_bytes == 0;
    (closed && last.ms > 500.0).then(|| reconnected(facts)).flatten()
}

/// Returns the evidence that the port answers a TLS client's first message and not ours.
fn speaks_tls(facts: &Facts) -> Option<[String; 2]> {
    let look = facts.tls.as_ref().filter(|_| facts.received_bytes == 0 && facts.later.is_none())?;
    let kind = match look.first_octets.as_slice() {
        [TLS_ALERT, 0x03, ..] => "alert",
        [TLS_HANDSHAKE, 0x03, ..] => "ServerHello",
        _ => return None,
    };
    let silent = match (&facts.end, facts.gave_up_ms) {
        (Some((manner, _)), _) => {
            format!("at our version the connection ended with {}, without a byte", manner.words())
        }
        (None, waited) => format!("no byte came in {}", seconds(waited? / 1000.0)),
    };
    let spoken = format!(
        "this port speaks TLS: a further connection, which began as a TLS client does, was answered with its {kind}"
    );
    Some([spoken, silent])
}

/// Returns the evidence that another protocol's greeting came after we had given up.
fn greets_late(facts: &Facts) -> Option<[String; 2]> {
    let later = facts.later.as_ref()?;
    let protocol = protocol(&later.first_bytes, &later.first_octets)?;
    Some([
        format!("after {} the server's first bytes came: \"{}\"", seconds(later.ms / 1000.0), later.first_bytes),
        format!("these are the first bytes of {protocol}"),
    ])
}

/// Types of TLS records; the major version 3 follows (RFC 8446 section 5.1).
const TLS_ALERT: u8 = 0x15;
const TLS_HANDSHAKE: u8 = 0x16;

/// The protocol that a service's first bytes give away.
pub(super) fn protocol_of(facts: &Facts) -> Option<&'static str> {
    protocol(facts.first_bytes.as_deref()?, &facts.first_octets)
}

/// The protocol whose first bytes these are, as text and as numbers.
pub(super) fn protocol(text: &str, octets: &[u8]) -> Option<&'static str> {
    match octets {
        [TLS_ALERT | TLS_HANDSHAKE, 0x03, ..] => Some("TLS"),
        // Telnet IAC followed by WILL, WONT, DO or DONT (RFC 854).
        [0xff, 0xfb..=0xfe, ..] => Some("telnet"),
        _ if text.starts_with("HTTP/") || text.starts_with("<!DOCTYPE") || text.starts_with("<html") => Some("HTTP"),
        _ if text.starts_with("220") && text.contains("FTP") => Some("FTP"),
        _ if text.starts_with("220") && text.contains("SMTP") => Some("SMTP"),
        _ if text.starts_with("+OK") => Some("POP3"),
        _ if text.starts_with("* OK") => Some("IMAP"),
        _ if text.starts_with("RFB ") => Some("VNC"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes::handshake::version::fired;
    use crate::facts::handshake::Reconnect;

    fn closed() -> Facts {
        Facts { end: Some((Manner::Fin, 12.0)), ..Facts::default() }
    }

    #[test]
    fn a_service_that_closes_at_our_words_only_is_no_ssh_server() {
        let silent = Reconnect { ms: 700.0, ..Reconnect::default() };
        let waits = Facts { reconnects: vec![silent], ..closed() };
        assert!(fired(&waits).contains(&"handshake-not-ssh"));
        let late = Facts { end: Some((Manner::Fin, 2000.0)), ..waits };
        assert!(!fired(&late).contains(&"handshake-not-ssh"), "it may close so whatever is said");
        let turned_away = Reconnect { end: Some(Manner::Fin), ..Reconnect::default() };
        assert!(!fired(&Facts { reconnects: vec![turned_away], ..closed() }).contains(&"handshake-not-ssh"));
    }

    #[test]
    fn a_port_that_answers_tls_and_not_ssh_speaks_tls() {
        let answered = |octets: &[u8]| Reconnect {
            first_bytes: Some("x".into()),
            first_octets: octets.into(),
            end: Some(Manner::Fin),
            ..Reconnect::default()
        };
        let alert = Some(answered(&[0x15, 3, 1, 0]));
        let silent = Facts { gave_up_ms: Some(4000.0), tls: alert.clone(), ..Facts::default() };
        assert_eq!(fired(&silent), ["handshake-not-ssh", "handshake-no-banner"]);
        let reset = Facts { end: Some((Manner::Reset, 12.0)), tls: alert, ..Facts::default() };
        assert!(fired(&reset).contains(&"handshake-not-ssh"));
        for tls in [Some(answered(b"SSH-")), Some(Reconnect { ms: 1500.0, ..Reconnect::default() }), None] {
            let facts = Facts { tls, ..silent.clone() };
            assert_eq!(fired(&facts), ["handshake-no-banner"]);
        }
    }

    #[test]
    fn what_comes_late_is_told_by_what_it_is() {
        let late = |first: &str, version: Option<&str>| Facts {
            gave_up_ms: Some(4000.0),
            later: Some(crate::facts::handshake::Later {
                ms: 5000.0,
                first_bytes: first.into(),
                version: version.map(Into::into),
                ..Default::default()
            }),
            ..Facts::default()
        };
        assert_eq!(fired(&late("220 mail ESMTP Postfix", None)), ["handshake-not-ssh"]);
        assert_eq!(fired(&late("k2b8", None)), ["handshake-tarpit"]);
        assert_eq!(fired(&late("SSH-2.0-x", Some("SSH-2.0-x"))), ["handshake-slow"]);
        assert_eq!(fired(&late("SSH-2.", None)), ["handshake-slow"]);
    }
}
