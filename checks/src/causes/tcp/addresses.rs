//! Faults of some of the addresses, ours or the server's.

use super::reading::{self, ConnectFailure};
use super::shared::{PATIENT_S, failed_as, lines};
use crate::base::text;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::tcp::{self, Attempt, ConnectOutcome};

/// The ConnectTimeout that is advised, seconds: time for a SYN that is lost twice (RFC 6298: sent again after 1 and 3 s).
const ADVISED_S: f64 = 5.0;
/// A dead address that costs the user less than this before a live one is not worth a word.
const COSTS_MS: f64 = 1000.0;

pub(super) const BIND_ADDRESS: Cause = Cause {
    code: "tcp-bind-address",
    stage: Check::Tcp,
    title: "The local address to connect from cannot be used (BindAddress)",
    severity: Severity::Critical,
    explanation: "The settings select a local address to connect from (BindAddress, ssh -b), but the system does not allow it: \
        no interface of this machine has that address now. It may belong to a VPN or network that is not connected, \
        the machine's address may have changed, or it is of another family than the server's addresses.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Show this machine's addresses",
            snippet: Some("ip -brief address"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Connect the network that the address belongs to, or remove BindAddress",
            file: Some("~/.ssh/config"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Test the connection without it",
            snippet: Some("ssh -o BindAddress=0.0.0.0 {alias}"),
            caution: Some("it forces IPv4"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["Cannot assign requested address", "Can't assign requested address", "EADDRNOTAVAIL"],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.tcp.failed()?;
        let bind = facts.bind?;
        let unusable = |attempt: &Attempt| match &attempt.outcome {
            ConnectOutcome::Failed { errno: Some(errno), .. } => {
                errno == "EADDRNOTAVAIL" || attempt.address.is_ipv4() != bind.is_ipv4()
            }
            _ => false,
        };
        failed_as(evidence, ConnectFailure::Other).filter(|_| facts.attempts.iter().any(unusable))?;
        let because = [format!("the settings connect from {bind}")].into_iter().chain(lines(facts));
        Some(Match::new(Certainty::Certain, because))
    },
    ..Cause::NEW
};

pub(super) const SOME_ADDRESSES_DEAD: Cause = Cause {
    code: "tcp-some-addresses-dead",
    stage: Check::Tcp,
    title: "ssh first waits for an address that does not answer",
    severity: Severity::Warning,
    explanation: "The name has several addresses. ssh tries them one after the other, each for the full ConnectTimeout, or \
        without one for as long as the system retries, about two minutes on Linux. An address before the working one \
        does not answer, so every connection begins with that delay, and programs with a short overall limit give up.\n\n\
        Usual reasons are an IPv6 address in DNS where the server or the path has no IPv6, and a decommissioned \
        machine left in DNS. This examination tries all addresses at the same time, so the result is the state of one \
        moment.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Use the address family that works only",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    AddressFamily {family}"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Limit the wait for each address to a few seconds",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    ConnectTimeout {patience}"),
            caution: Some("ConnectTimeout also bounds the key exchange; a slow server may need more"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Network,
            summary: "Remove {dead} from DNS (or the hosts file), or bring it back into service",
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Network,
            summary: "Show the addresses of the name",
            snippet: Some("getent ahosts {host}"),
            ..Fix::LOOK
        },
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.tcp.passed()?;
        let winner = facts.attempts.iter().position(|attempt| Some(attempt.address) == facts.connected_to)?;
        let (before, rest) = facts.attempts.split_at(winner);
        let dead: Vec<_> = before.iter().filter(|attempt| costly(attempt)).collect();
        let cost: f64 = dead.iter().map(|attempt| attempt.ms / 1000.0).sum();
        let first = dead.first()?;
        let mut because: Vec<_> = dead.iter().map(|attempt| tcp::line(attempt)).collect();
        because.extend(rest.first().map(tcp::line));
        because.push(format!(
            "ssh tries one after the other, so it comes to {} no sooner than after {}",
            rest.first()?.address,
            text::seconds(cost)
        ));
        let certainty = if facts.deadline_s >= PATIENT_S { Certainty::Certain } else { Certainty::Likely };
        let found = Match::new(certainty, because).with("dead", first.address.ip().to_string());
        let headline = format!("connecting takes {}: {} does not answer", text::seconds(cost), first.address.ip());
        let found = found.headline(headline);
        // Whoever has set as little has nothing to gain by it.
        let found = if facts.deadline_s > ADVISED_S { found.with("patience", ADVISED_S.to_string()) } else { found };
        let v4 = rest.first()?.address.is_ipv4();
        let other_family = dead.iter().all(|attempt| attempt.address.is_ipv4() != v4);
        Some(if other_family { found.with("family", if v4 { "inet" } else { "inet6" }) } else { found })
    },
    ..Cause::NEW
};

fn costly(attempt: &Attempt) -> bool {
    reading::kind(attempt).is_some() && attempt.ms >= COSTS_MS
}
