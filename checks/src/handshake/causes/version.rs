//! What can go wrong before the server has named its version.

use super::refusal::{looked, refused_by_sshd};
use crate::cause::{Cause, Certainty, Fix, Match, Severity, Side};
use crate::connection::Manner;
use crate::evidence::Check;
use crate::handshake::Facts;
use crate::text::seconds;

pub(super) const NOT_SSH: Cause = Cause {
    code: "handshake-not-ssh",
    stage: Check::Handshake,
    title: "Something other than an SSH server answers on this port",
    severity: Severity::Critical,
    explanation: "An SSH server begins with a line that starts with SSH-2.0 (RFC 4253 section 4.2); other lines may come before it. What came here \
        is another protocol, so the port, the address or a forwarding rule in front of the server leads to the wrong service.\n\n\
        A proxy or a captive portal that answers in the server's place looks the same from here. A service that waits for the client to speak first, such as \
        TLS, may close at our version without a word, or wait for a better one; an SSH server names its version unasked. Where nothing came, one further \
        connection began as a TLS client does. A multiplexer such as sslh has TLS and SSH on one port: there it is the SSH server behind it that is missing.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Use the port that the SSH server listens on",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    HostName {host}\n    Port <port of the SSH server>"),
            ..Fix::NEW
        },
        Fix {
            side: Side::Server,
            summary: "See which ports sshd listens on, and what holds this one",
            snippet: Some("sshd -T | grep -iE '^(port|listenaddress)'; ss -tlnp | grep ':{port} '"),
            ..Fix::NEW
        },
        Fix {
            side: Side::Network,
            summary: "Check where the port forwarding or load balancer in front of {host}:{port} sends connections",
            ..Fix::NEW
        },
    ],
    symptoms: &[
        "kex_exchange_identification: banner line contains invalid characters",
        "kex_exchange_identification: No SSH version received in first 1024 lines from server",
        "Indecipherable protocol version",
        "Invalid SSH banner",
        "Error reading SSH protocol banner",
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
        if facts.version.is_some() || refused_by_sshd(facts) || begins_a_version(facts) {
            return None;
        }
        let (what, certainty) = match protocol_of(facts) {
            Some(protocol) => (format!("these are the first bytes of {protocol}"), Certainty::Certain),
            None => ("no line of it starts with SSH-".to_owned(), Certainty::Likely),
        };
        Some(Match::new(certainty, [format!("the server's first bytes were \"{first}\""), what]))
    },
};

pub(super) const PROTOCOL_VERSION: Cause = Cause {
    code: "handshake-protocol-version",
    stage: Check::Handshake,
    title: "The server speaks only an SSH protocol version that clients no longer speak",
    severity: Severity::Critical,
    explanation: "The server's identification string does not begin with SSH-2.0 or SSH-1.99, the two that a client of SSH protocol 2 accepts \
        (RFC 4253 section 5.1). OpenSSH removed protocol 1 in version 7.6, because it cannot be made secure.",
    fixes: &[Fix {
        side: Side::Server,
        summary: "Upgrade the device's SSH server, or enable protocol 2 on it",
        snippet: Some("# on a network device, for example: ip ssh version 2"),
        ..Fix::NEW
    }],
    symptoms: &[
        "Protocol major versions differ: 2 vs. 1",
        "SSH protocol version 2 required by our configuration but remote only provides",
    ],
    hides: &[
        "handshake-protocol-violation",
        "handshake-kex-failed",
        "handshake-kex-stalled",
        "handshake-reset",
        "handshake-closed-before-banner",
    ],
    judge: |evidence| {
        let version = evidence.handshake.failed()?.version.as_ref()?;
        let spoken = version.starts_with("SSH-2.0-") || version.starts_with("SSH-1.99-");
        (!spoken).then(|| Match::new(Certainty::Certain, [format!("the server identified itself as \"{version}\"")]))
    },
};

pub(super) const NO_BANNER: Cause = Cause {
    code: "handshake-no-banner",
    stage: Check::Handshake,
    title: "The port accepts connections and then says nothing",
    severity: Severity::Critical,
    explanation: "The TCP connection was accepted, and no byte came before our deadline. sshd sends its version as soon as it has started a process for the \
        connection. So either the server is too loaded to start one, it waits for something first (a reverse name look-up in a wrapper), \
        a load balancer accepted without having a server behind it, the port belongs to a service that waits for its client to speak, or it is a tarpit, \
        which holds scanners by saying next to nothing: endlessh sends its first line after 10 s unless told otherwise.\n\n\
        In so short a time the client cannot tell these apart. Listening for a minute tells two of them: a tarpit sends a line of nonsense, a slow server \
        its version.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Listen for a minute: a slow server will have named its version, and a tarpit sent a line of nonsense",
            snippet: Some("ssh-doctor check --only handshake -o ConnectTimeout=60 -p {port} {alias}"),
            ..Fix::NEW
        },
        Fix {
            side: Side::Server,
            summary: "Ask the server itself, on its console: a version at once means that sshd is well and the path is not",
            snippet: Some("nc -w 5 127.0.0.1 {port} </dev/null; uptime; journalctl -u ssh -u sshd --since -10min"),
            ..Fix::NEW
        },
        Fix {
            side: Side::Network,
            summary: "Check that the load balancer or port forwarding in front of {host}:{port} has a living server behind it",
            ..Fix::NEW
        },
    ],
    symptoms: &[
        "Connection timed out during banner exchange",
        "Error reading SSH protocol banner",
        "kex_exchange_identification: read: Connection timed out",
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        let waited = facts.gave_up_ms?;
        (facts.received_bytes == 0 && facts.end.is_none() && facts.later.is_none()).then(|| {
            let words =
                format!("the connection was accepted and stayed open, without a byte in {}", seconds(waited / 1000.0));
            let tls = facts.tls.as_ref().map(|look| match &look.end {
                _ if look.first_bytes.is_some() => {
                    "a further connection, which began as a TLS client does, was answered".to_owned()
                }
                None => "a further connection, which began as a TLS client does, had no answer either".to_owned(),
                Some(manner) => {
                    format!("a further connection, which began as a TLS client does, ended with {}", manner.words())
                }
            });
            Match::new(Certainty::Certain, std::iter::once(words).chain(tls))
        })
    },
};

/// A connection on which we said nothing stayed open and silent, and ours was closed at our words: as a sentence.
fn waits_for_client(facts: &Facts) -> Option<String> {
    let last = facts.looks.last().filter(|look| look.end.is_none() && look.first_bytes.is_none())?;
    let closed = matches!(facts.end, Some((Manner::Fin, _))) && facts.received_bytes == 0;
    (closed && last.ms > 500.0).then(|| looked(facts)).flatten()
}

/// Whether what came last could have become a version.
pub(super) fn begins_a_version(facts: &Facts) -> bool {
    facts.unfinished_line.as_ref().is_some_and(|line| line.starts_with("SSH-"))
        || (facts.objection.is_some() && facts.first_bytes.as_ref().is_some_and(|first| first.starts_with("SSH-")))
}

/// What was seen where the port answers the first words of a TLS client, and not ours.
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

/// What was seen where another protocol's greeting came after we had given up.
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

/// The evidence of a handshake that failed with these facts, for the tests of the neighbours too.
#[cfg(test)]
pub(super) fn failed(facts: Facts) -> crate::evidence::Evidence {
    use crate::evidence::{Evidence, Step, Timed};
    Evidence { handshake: Timed { step: Step::Failed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::Look;

    fn fired(facts: &Facts) -> Vec<&'static str> {
        let evidence = failed(facts.clone());
        crate::handshake::CAUSES.iter().filter(|c| (c.judge)(&evidence).is_some()).map(|c| c.code).collect()
    }

    fn closed() -> Facts {
        Facts { end: Some((Manner::Fin, 12.0)), ..Facts::default() }
    }

    #[test]
    fn each_way_of_not_being_ssh_has_its_own_name() {
        assert_eq!(fired(&closed()), ["handshake-source-denied", "handshake-closed-before-banner"]);
        assert_eq!(fired(&Facts { gave_up_ms: Some(10_000.0), ..Facts::default() }), ["handshake-no-banner"]);
        let web = Facts {
            first_bytes: Some("HTTP/1.1 400 Bad Request".into()),
            lines_before_version: vec!["HTTP/1.1 400 Bad Request".into()],
            received_bytes: 24,
            ..closed()
        };
        assert_eq!(fired(&web), ["handshake-not-ssh"]);
        let old = Facts { version: Some("SSH-1.5-Cisco-1.25".into()), received_bytes: 20, ..closed() };
        assert_eq!(fired(&old), ["handshake-protocol-version", "handshake-kex-failed"]);
    }

    #[test]
    fn a_service_that_closes_at_our_words_only_is_no_ssh_server() {
        let silent = Look { ms: 700.0, ..Look::default() };
        let waits = Facts { looks: vec![silent], ..closed() };
        assert!(fired(&waits).contains(&"handshake-not-ssh"));
        let turned_away = Look { end: Some(Manner::Fin), ..Look::default() };
        assert!(!fired(&Facts { looks: vec![turned_away], ..closed() }).contains(&"handshake-not-ssh"));
    }

    #[test]
    fn a_port_that_answers_tls_and_not_ssh_speaks_tls() {
        let answered = |octets: &[u8]| Look {
            first_bytes: Some("x".into()),
            first_octets: octets.into(),
            end: Some(Manner::Fin),
            ..Look::default()
        };
        let alert = Some(answered(&[0x15, 3, 1, 0]));
        let silent = Facts { gave_up_ms: Some(4000.0), tls: alert.clone(), ..Facts::default() };
        assert_eq!(fired(&silent), ["handshake-not-ssh", "handshake-no-banner"]);
        let reset = Facts { end: Some((Manner::Reset, 12.0)), tls: alert, ..Facts::default() };
        assert!(fired(&reset).contains(&"handshake-not-ssh"));
        for tls in [Some(answered(b"SSH-")), Some(Look { ms: 1500.0, ..Look::default() }), None] {
            let facts = Facts { tls, ..silent.clone() };
            assert_eq!(fired(&facts), ["handshake-no-banner"]);
        }
    }

    #[test]
    fn what_comes_late_is_told_by_what_it_is() {
        let late = |first: &str, version: Option<&str>| Facts {
            gave_up_ms: Some(4000.0),
            later: Some(crate::handshake::Later {
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

    #[test]
    fn half_a_version_is_no_other_protocol() {
        let half = Facts {
            first_bytes: Some("SSH-2.0-Open".into()),
            unfinished_line: Some("SSH-2.0-Open".into()),
            gave_up_ms: Some(3000.0),
            received_bytes: 12,
            ..Facts::default()
        };
        assert_eq!(fired(&half), ["handshake-slow"]);
        let cut = Facts { gave_up_ms: None, end: Some((Manner::Fin, 5.0)), ..half };
        assert_eq!(fired(&cut), ["handshake-closed-before-banner"]);
    }
}
