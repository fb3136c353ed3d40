//! What is wrong with some of the addresses, ours or the server's.

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
    title: "The local address to connect from cannot be used",
    severity: Severity::Critical,
    explanation: "The settings ask to connect from a particular local address (BindAddress, ssh -b), and the system does not \
        let a socket have it: no interface of this machine has that address now. It may belong to a VPN or a network that \
        is not connected, or the machine got another address; or it is of the other family than the server's addresses.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "See which addresses this machine has",
            snippet: Some("ip -brief address"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Connect the network that the address belongs to, or take BindAddress out",
            file: Some("~/.ssh/config"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Try to connect without it",
            snippet: Some("ssh -o BindAddress=0.0.0.0 {alias}"),
            caution: Some("this forces IPv4"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["Cannot assign requested address", "Can't assign requested address"],
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
    title: "ssh connects only after it has waited for an address that does not answer",
    severity: Severity::Warning,
    explanation: "The name has several addresses. ssh tries them one after the other and gives each the full time: its \
        ConnectTimeout, or without one as long as the system keeps trying, about two minutes on Linux. An address that comes \
        before the one that works does not answer, so every connection begins with that wait, and programs that set a short \
        limit for the whole give up.\n\n\
        Usual reasons are an IPv6 address in DNS while the server or the way to it has no IPv6, and a machine that was taken \
        out of service and left in DNS. The doctor tries all addresses side by side, so what it reports is the state of the \
        same moment.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Use only the address family that works",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    AddressFamily {family}"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Wait no longer than a few seconds for each address",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    ConnectTimeout {patience}"),
            caution: Some("ConnectTimeout also bounds the key exchange; a slow server may need more"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Network,
            summary: "Take {dead} out of DNS (or the hosts file), or bring it back into service",
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Network,
            summary: "See which addresses the name has",
            snippet: Some("getent ahosts {host}"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[],
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
