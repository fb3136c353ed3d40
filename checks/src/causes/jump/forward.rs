//! A hop that lets us in and does not connect us on.

use crate::base::text::{sanitize, seconds};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::connection::NotForwarded;
use crate::facts::{Check, Evidence, Forward, Hop};

/// SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254 section 5.1).
const PROHIBITED: u32 = 1;

pub(super) const FORWARDING_PROHIBITED: Cause = Cause {
    code: "jump-forwarding-prohibited",
    stage: Check::Tcp,
    title: "The jump host accepts the login but forbids the onward connection",
    severity: Severity::Critical,
    explanation: "The login at the jump host worked, but it refused the connection that ProxyJump needs (direct-tcpip) as \
        administratively prohibited (reason 1, RFC 4254 section 5.1). Possible reasons, which the client cannot \
        distinguish:\n\
        - AllowTcpForwarding or DisableForwarding in sshd_config\n\
        - a PermitOpen that does not list the destination\n\
        - restrict, no-port-forwarding or permitopen on the key in authorized_keys\n\n\
        The jump host's effective settings and the key's line show which.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "On {hop}: show what sshd permits this user, and the options of the key in authorized_keys",
            snippet: Some(
                "sshd -T -C user={hop_user} | grep -iE 'forwarding|permitopen'; grep -nE 'restrict|no-port-forwarding|permitopen' ~{hop_user}/.ssh/authorized_keys",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "On {hop}: allow this user to connect to this destination only",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some(
                "Match User {hop_user}\n    DisableForwarding no\n    AllowTcpForwarding local\n    PermitOpen {behind}",
            ),
            caution: Some(
                "a Match applies up to the next one or the end of the file; check with sshd -t, then reload sshd",
            ),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Use another jump host",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    ProxyJump OTHER_HOP"),
            caution: Some("replace the name by that of the jump host"),
            ..Fix::CHANGE
        },
    ],
    hides: &[],
    strikes_anywhere: true,
    judge: |evidence| {
        let (hop, forward, failure) = stopped(evidence)?;
        let NotForwarded::Refused { code: PROHIBITED, text } = failure else { return None };
        let because = [
            format!("the login at {} succeeded", sanitize(&hop.name)),
            format!("it refused the connection to {}: reason {PROHIBITED}, \"{text}\"", place(forward)),
        ];
        Some(with_values(Match::new(Certainty::Certain, because), hop, forward))
    },
    ..Cause::NEW
};

pub(super) const TARGET_UNREACHABLE: Cause = Cause {
    code: "jump-target-unreachable",
    stage: Check::Tcp,
    title: "The jump host accepts the login but cannot connect onward",
    severity: Severity::Critical,
    explanation: "The login at the jump host worked, but it could not make the onward connection. Its own words say why where it \
        sends any: the name is unknown there, the port is refused, there is no route, or nothing answers. The name is \
        looked up at the jump host, and firewalls on its route apply: that it works from this machine proves nothing.\n\n\
        An OpenSSH jump host that does not answer at all still waits for its own connection attempt, up to two \
        minutes. One that disconnects at that moment may have revoked the login, as sshd does where root may only run \
        forced commands: then its log says so, and the server behind it is not the reason.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "On {hop}: look up the name, and test whether the port answers",
            snippet: Some("getent ahosts '{behind_host}'; nc -vz -w 5 '{behind_host}' {behind_port}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "On {hop}: read sshd's log of the attempt and of the login",
            snippet: Some("journalctl -u ssh -u sshd --since '-10 min' | grep -F 'sshd'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "If the jump host knows the server by another name or address, use that one",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    HostName NAME"),
            caution: Some("replace the name by one that the jump host can reach"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Network,
            summary: "Let {hop} reach {behind}, and check that sshd listens there",
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "open failed: connect failed: Connection refused",
        "open failed: connect failed: Connection timed out",
        "open failed: connect failed: Operation timed out",
        "open failed: connect failed: No route to host",
        "open failed: connect failed: Network is unreachable",
        "open failed: connect failed: Name or service not known",
        "open failed: connect failed: Temporary failure in name resolution",
        "open failed: connect failed: nodename nor servname",
        "open failed: connect failed: <host>: <why>",
        "ssh: rejected: connect failed (Connection refused)",
    ],
    hides: &[],
    strikes_anywhere: true,
    judge: |evidence| {
        let (hop, forward, failure) = stopped(evidence)?;
        let (certainty, what) = match failure {
            NotForwarded::Refused { code: PROHIBITED, .. } => return None,
            NotForwarded::Refused { code, text } => {
                let what = format!("it did not connect to {}: reason {code}, \"{text}\"", place(forward));
                // OpenSSH says so too when it lacks descriptors or memory for a channel.
                (if text == "open failed" { Certainty::Likely } else { Certainty::Certain }, what)
            }
            NotForwarded::Deadline => {
                let waited = seconds(forward.ms / 1000.0);
                (Certainty::Likely, format!("it had not connected to {} after {waited}", place(forward)))
            }
            NotForwarded::Gone => {
                (Certainty::Possible, format!("it ended the connection when asked for {}", place(forward)))
            }
        };
        let because = [format!("the login at {} succeeded", sanitize(&hop.name)), what];
        Some(with_values(Match::new(certainty, because), hop, forward))
    },
    ..Cause::NEW
};

/// Returns the hop at which the route ends although its login worked.
fn stopped(evidence: &Evidence) -> Option<(&Hop, &Forward, &NotForwarded)> {
    let hop = evidence.hops.last()?;
    let forward = hop.forward.as_ref()?;
    Some((hop, forward, forward.failure.as_ref()?))
}

fn place(forward: &Forward) -> String {
    let host = sanitize(&forward.host);
    if host.contains(':') { format!("[{host}]:{}", forward.port) } else { format!("{host}:{}", forward.port) }
}

fn with_values(found: Match, hop: &Hop, forward: &Forward) -> Match {
    found
        .with("hop", hop.name.clone())
        .with("hop_user", hop.evidence.target.user.clone())
        .with("behind", place(forward))
        .with("behind_host", forward.host.clone())
        .with("behind_port", forward.port.to_string())
}

#[cfg(test)]
mod tests {
    use crate::facts::certainty::Certainty;
    use crate::facts::connection::NotForwarded;
    use crate::facts::{Evidence, Forward, Hop};

    fn fired(failure: Option<NotForwarded>) -> Vec<(&'static str, Certainty)> {
        let forward = Some(Forward { host: "db".into(), port: 22, ms: 10_000.0, failure });
        let hop = Hop { name: "bastion".into(), evidence: Evidence::unexamined(), forward };
        let evidence = Evidence { hops: vec![hop], ..Evidence::unexamined() };
        let causes = crate::causes::jump::CAUSES.iter();
        causes.filter_map(|cause| Some((cause.code, (cause.judge)(&evidence)?.certainty))).collect()
    }

    fn refused(code: u32, text: &str) -> NotForwarded {
        NotForwarded::Refused { code, text: text.into() }
    }

    #[test]
    fn the_reason_code_tells_a_ban_from_a_failure() {
        assert_eq!(fired(Some(refused(1, "open failed"))), [("jump-forwarding-prohibited", Certainty::Certain)]);
        assert_eq!(fired(Some(refused(2, "Connection refused"))), [("jump-target-unreachable", Certainty::Certain)]);
        assert_eq!(fired(Some(refused(2, "open failed"))), [("jump-target-unreachable", Certainty::Likely)]);
        assert_eq!(fired(Some(NotForwarded::Deadline)), [("jump-target-unreachable", Certainty::Likely)]);
    }

    #[test]
    fn a_hop_that_connects_on_is_healthy() {
        assert!(fired(None).is_empty());
    }
}
