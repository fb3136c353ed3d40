//! What can go wrong before the server has named its version.

use crate::cause::{Cause, Certainty, Fix, Match, Severity, Side};
use crate::connection::Manner;
use crate::evidence::Check;
use crate::handshake::Facts;
use crate::text::seconds;

/// Texts with which sshd itself refuses a connection before its version: 8.2 to 9.7, and 9.8 on.
const EXCEEDED_MAX_STARTUPS: &str = "Exceeded MaxStartups";
const NOT_ALLOWED: &str = "Not allowed at this time";

pub(super) const NOT_SSH: Cause = Cause {
    code: "handshake-not-ssh",
    stage: Check::Handshake,
    title: "Something other than an SSH server answers on this port",
    severity: Severity::Critical,
    explanation: "An SSH server begins with a line that starts with SSH-2.0 (RFC 4253 section 4.2); other lines may come before it. What came here \
        is another protocol, so the port, the address or a forwarding rule in front of the server leads to the wrong service.\n\n\
        A proxy or a captive portal that answers in the server's place looks the same from here.",
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
    hides: &["handshake-reset", "handshake-kex-failed", "handshake-closed-before-banner"],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        let first = facts.first_bytes.as_ref()?;
        if facts.version.is_some() || refused_by_sshd(facts) {
            return None;
        }
        let (what, certainty) = match protocol_of(facts) {
            Some(protocol) => (format!("these are the first bytes of {protocol}"), Certainty::Certain),
            None => ("no line of it starts with SSH-".to_owned(), Certainty::Likely),
        };
        Some(Match::new(certainty, [format!("the server's first bytes were \"{first}\""), what]))
    },
};

pub(super) const MAX_STARTUPS: Cause = Cause {
    code: "handshake-max-startups",
    stage: Check::Handshake,
    title: "The SSH server has too many connections waiting to log in (MaxStartups)",
    severity: Severity::Critical,
    explanation: "sshd limits how many connections may be unauthenticated at the same time (MaxStartups, 10:30:100 by default: from 10 on it refuses \
        30 % of new ones, at 100 all). It said so in plain text and closed. Who holds the others cannot be seen from the client: scanners, \
        a monitoring system that connects without logging in, or many parallel logins of one's own.\n\n\
        OpenSSH 8.2 to 9.7 names the limit; later versions use one text for several refusals.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "See who is waiting to log in, then raise the limit or shorten the wait",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("MaxStartups 100:30:200\nLoginGraceTime 30"),
            caution: Some("first see who they are: ss -tnp state established '( sport = :{port} )'"),
            ..Fix::NEW
        },
        Fix {
            side: Side::Client,
            summary: "Open fewer logins at once: share one connection",
            file: Some("~/.ssh/config"),
            snippet: Some(
                "Host {alias}\n    ControlMaster auto\n    ControlPath ~/.ssh/control-%C\n    ControlPersist 10m",
            ),
            ..Fix::NEW
        },
    ],
    symptoms: &["Exceeded MaxStartups", "kex_exchange_identification: Connection closed by remote host"],
    hides: &["handshake-closed-before-banner", "handshake-reset"],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        says(facts, EXCEEDED_MAX_STARTUPS).then(|| {
            Match::new(Certainty::Certain, ["before any version the server sent \"Exceeded MaxStartups\" and closed"])
        })
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
    hides: &["handshake-kex-failed", "handshake-kex-stalled", "handshake-reset", "handshake-closed-before-banner"],
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
        a load balancer accepted without having a server behind it, or the port belongs to a service that waits for the client, such as TLS. \
        The client cannot tell these apart.",
    fixes: &[
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
        (facts.received_bytes == 0 && facts.end.is_none()).then(|| {
            Match::new(
                Certainty::Certain,
                [format!(
                    "the connection was accepted and stayed open, without a byte in {}",
                    seconds(waited / 1000.0)
                )],
            )
        })
    },
};

pub(super) const CLOSED_BEFORE_BANNER: Cause = Cause {
    code: "handshake-closed-before-banner",
    stage: Check::Handshake,
    title: "The server accepts the connection and closes it before naming its version",
    severity: Severity::Critical,
    explanation: "The connection was accepted and closed again before the server's version. sshd does this when it refuses the source (MaxStartups before \
        OpenSSH 8.2, penalties, hosts.deny, RefuseConnection), when it cannot start a session (no host keys, no /run/sshd, no memory), and \
        a load balancer does it when no server is behind it. From the client these look the same; the server's log tells.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Read what sshd logged about this connection, and test its configuration",
            snippet: Some("journalctl -u ssh -u sshd --since -10min; sshd -t"),
            ..Fix::NEW
        },
        Fix {
            side: Side::Network,
            summary: "Check that the load balancer or port forwarding in front of {host}:{port} has a living server behind it",
            ..Fix::NEW
        },
    ],
    symptoms: &[
        "kex_exchange_identification: Connection closed by remote host",
        "ssh_exchange_identification: Connection closed by remote host",
        "Remote side unexpectedly closed network connection",
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        let (manner, after_ms) = facts.end.as_ref()?;
        if facts.version.is_some() || *manner != Manner::Fin || !(facts.received_bytes == 0 || refused_by_sshd(facts)) {
            return None;
        }
        let mut because =
            vec![format!("the server closed the connection {} after it was open", seconds(after_ms / 1000.0))];
        because.push(match &facts.first_bytes {
            None => "it sent no byte before that".to_owned(),
            Some(text) => format!("before that it sent only \"{text}\""),
        });
        Some(Match::new(Certainty::Certain, because))
    },
};

/// Whether a line before the version, or the unfinished first one, begins with `text`.
fn says(facts: &Facts, text: &str) -> bool {
    facts.version.is_none()
        && (facts.lines_before_version.iter().any(|line| line.starts_with(text))
            || facts.first_bytes.as_ref().is_some_and(|first| first.starts_with(text)))
}

/// Whether the text is one with which sshd itself refuses.
fn refused_by_sshd(facts: &Facts) -> bool {
    says(facts, EXCEEDED_MAX_STARTUPS) || says(facts, NOT_ALLOWED)
}

/// The protocol that a service's first bytes give away.
fn protocol_of(facts: &Facts) -> Option<&'static str> {
    let text = facts.first_bytes.as_deref()?;
    let octets = facts.first_octets.as_slice();
    match octets {
        // TLS record layer: alert or handshake, major version 3 (RFC 8446 section 5.1).
        [0x15 | 0x16, 0x03, ..] => Some("TLS"),
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

    fn fired(facts: &Facts) -> Vec<&'static str> {
        let evidence = failed(facts.clone());
        crate::handshake::CAUSES.iter().filter(|c| (c.judge)(&evidence).is_some()).map(|c| c.code).collect()
    }

    fn closed() -> Facts {
        Facts { end: Some((Manner::Fin, 12.0)), ..Facts::default() }
    }

    #[test]
    fn each_way_of_not_being_ssh_has_its_own_name() {
        assert_eq!(fired(&closed()), ["handshake-closed-before-banner"]);
        assert_eq!(fired(&Facts { gave_up_ms: Some(10_000.0), ..Facts::default() }), ["handshake-no-banner"]);
        let web = Facts {
            first_bytes: Some("HTTP/1.1 400 Bad Request".into()),
            lines_before_version: vec!["HTTP/1.1 400 Bad Request".into()],
            received_bytes: 24,
            ..closed()
        };
        assert_eq!(fired(&web), ["handshake-not-ssh"]);
        let full = Facts {
            first_bytes: Some("Exceeded MaxStartups\\r\\n".into()),
            lines_before_version: vec!["Exceeded MaxStartups".into()],
            received_bytes: 22,
            ..closed()
        };
        assert_eq!(fired(&full), ["handshake-max-startups", "handshake-closed-before-banner"]);
        let old = Facts { version: Some("SSH-1.5-Cisco-1.25".into()), received_bytes: 20, ..closed() };
        assert_eq!(fired(&old), ["handshake-protocol-version", "handshake-kex-failed"]);
    }
}
