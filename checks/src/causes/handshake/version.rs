//! Failures before the server has sent its version.

use super::shared::begins_a_version;
use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::handshake::Facts;

/// A silence after which no server that works is expected to speak, milliseconds: most of sshd's LoginGraceTime (2 min, sshd_config(5)).
const LONG_MS: f64 = 100_000.0;

/// Load balancers accept a connection before they know whether anyone takes it.
pub(super) const LIVING_SERVER: Fix = Fix {
    side: Side::Network,
    summary: "Check that the load balancer or port forwarding in front of {host}:{port} has a live backend",
    ..Fix::LOOK
};

pub(super) const PROTOCOL_VERSION: Cause = Cause {
    code: "handshake-protocol-version",
    stage: Check::Handshake,
    title: "The server speaks only an obsolete SSH protocol version",
    severity: Severity::Critical,
    explanation: "The server's identification string does not begin with SSH-2.0 or SSH-1.99, which a client of SSH protocol 2 \
        requires (RFC 4253 section 5.1). OpenSSH removed protocol 1 in version 7.6, because it cannot be made secure.",
    fixes: &[Fix {
        side: Side::Server,
        summary: "Upgrade the device's SSH server, or enable protocol 2 on it",
        file: Some("the device's configuration"),
        snippet: Some("ip ssh version 2"),
        caution: Some("Cisco IOS syntax; other devices differ"),
        ..Fix::CHANGE
    }],
    symptoms: &[
        "Protocol major versions differ",
        "SSH protocol version 2 required by our configuration but remote only provides",
        "Incompatible version (",
        "No version of SSH protocol usable",
        "incompatible SSH version",
        "Unsupported SSH version",
        "could not read protocol version",
        "Remote protocol version 1.",
        "Unsupported protocol version",
        "Incompatible remote version",
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
    ..Cause::NEW
};

pub(super) const NO_BANNER: Cause = Cause {
    code: "handshake-no-banner",
    stage: Check::Handshake,
    title: "TCP connects, but no SSH banner arrives",
    severity: Severity::Critical,
    explanation: "The TCP connection was accepted, but no SSH banner arrived before the deadline. sshd sends it as soon as a \
        process for the connection has started. Possible reasons:\n\
        - the server is too loaded to start a process, or waits first, as for a reverse name lookup\n\
        - a load balancer accepted the connection without a backend\n\
        - the service on this port waits for its client to send first\n\
        - a tarpit: endlessh sends its first line after 10 s by default\n\n\
        Listening for a minute identifies two of them: a tarpit sends a line of nonsense, a slow server its banner.\n\n\
        If a banner began and its line never ended, the peer hangs in the middle of it, or imitates an SSH server. A \
        slow server looks so only if it pauses for seconds within the line.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Listen for a minute: a slow server sends its banner, a tarpit a line of nonsense",
            snippet: Some("ssh-doctor check --only handshake -o ConnectTimeout=60 -p {port} {alias}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Test on the server's console: an immediate banner means that sshd is fine and the path is not",
            snippet: Some("nc -w 5 127.0.0.1 {port} </dev/null; uptime; journalctl -u ssh -u sshd --since -10min"),
            ..Fix::LOOK
        },
        LIVING_SERVER,
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        let waited = facts.gave_up_ms?;
        if let Some(begun) = facts.unfinished_line.as_ref().filter(|_| stalls(facts)) {
            let last = facts.last_received_ms.unwrap_or_default();
            let words = format!(
                "the version's line never ended: \"{begun}\" came within {}, and nothing more in {}",
                seconds(last / 1000.0),
                seconds(waited / 1000.0)
            );
            return Some(Match::new(Certainty::Likely, [words]).reason_open());
        }
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
            // ssh, which has no limit of its own, may still have had an answer after a shorter wait.
            let settings = &evidence.settings;
            let as_ssh = settings.connect_timeout_from == "ConnectTimeout" || waited >= LONG_MS;
            let certainty = if as_ssh { Certainty::Certain } else { Certainty::Likely };
            Match::new(certainty, std::iter::once(words).chain(tls)).reason_open()
        })
    },
    ..Cause::NEW
};

/// True if the server fell silent in the middle of its version.
fn stalls(facts: &Facts) -> bool {
    facts.version.is_none()
        && facts.end.is_none()
        && facts.objection.is_none()
        && begins_a_version(facts)
        && !crate::causes::handshake::shared::drips(facts)
}

/// The evidence of a handshake that failed with these facts, for the tests of the neighbours too.
#[cfg(test)]
pub(super) fn failed(facts: Facts) -> crate::facts::Evidence {
    use crate::facts::{Evidence, Step, Timed};
    Evidence { handshake: Timed { step: Step::Failed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() }
}

/// The handshake's causes that these facts show.
#[cfg(test)]
pub(super) fn fired(facts: &Facts) -> Vec<&'static str> {
    let evidence = failed(facts.clone());
    crate::causes::handshake::CAUSES.iter().filter(|c| (c.judge)(&evidence).is_some()).map(|c| c.code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::connection::Manner;

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
    fn what_is_only_seen_leaves_its_reason_open() {
        let http = Facts { first_bytes: Some("HTTP/1.1 400".into()), received_bytes: 24, ..closed() };
        let version = Some("SSH-2.0-x".to_owned());
        for (code, facts) in [
            ("handshake-closed-before-banner", closed()),
            ("handshake-no-banner", Facts { gave_up_ms: Some(3000.0), ..Facts::default() }),
            ("handshake-reset", Facts { end: Some((Manner::Reset, 12.0)), ..Facts::default() }),
            ("handshake-kex-failed", Facts { version: version.clone(), ..closed() }),
            ("handshake-kex-stalled", Facts { version, gave_up_ms: Some(3000.0), ..Facts::default() }),
            ("handshake-not-ssh", http),
        ] {
            let cause = crate::causes::handshake::CAUSES.iter().find(|cause| cause.code == code).unwrap();
            assert_eq!((cause.judge)(&failed(facts)).map(|found| found.reason_open), Some(true), "{code}");
        }
        let old = failed(Facts { version: Some("SSH-1.5-Cisco-1.25".into()), ..closed() });
        assert_eq!((PROTOCOL_VERSION.judge)(&old).map(|found| found.reason_open), Some(false));
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
        let stalled = Facts { last_received_ms: Some(20.0), ..half.clone() };
        assert_eq!(fired(&stalled), ["handshake-no-banner"], "a line that never ends is not slow");
        let found = (NO_BANNER.judge)(&failed(stalled)).map(|found| (found.certainty, found.because.concat()));
        let (certainty, because) = found.unwrap();
        assert!(certainty == Certainty::Likely && because.contains("SSH-2.0-Open"), "{because}");
        let dripped = Facts { last_received_ms: Some(2500.0), ..half.clone() };
        assert_eq!(fired(&dripped), ["handshake-slow"], "bytes still came");
        let dripped = Facts { first_bytes: Some("SSH".into()), unfinished_line: Some("SSH".into()), ..dripped };
        assert_eq!(fired(&dripped), ["handshake-slow"], "a byte a second");
        let cut = Facts { gave_up_ms: None, end: Some((Manner::Fin, 5.0)), ..half };
        assert_eq!(fired(&cut), ["handshake-closed-before-banner"]);
    }
}
