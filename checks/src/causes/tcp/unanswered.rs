//! No answer, or a message from the path that the server cannot be reached.

use super::reading::{self, ConnectFailure};
use super::shared::{PATIENT_S, failed_as, lines};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::tcp::ConnectOutcome;

pub(super) const UFW: Fix = Fix {
    side: Side::Server,
    summary: "If ufw manages the rules, allow ssh",
    snippet: Some("sudo ufw allow {port}/tcp"),
    caution: Some("it opens the port to every address; a cloud provider's security group may have to allow it too"),
    ..Fix::CHANGE
};

pub(super) const FIREWALLD: Fix = Fix {
    side: Side::Server,
    summary: "If firewalld manages the rules, allow ssh",
    snippet: Some("sudo firewall-cmd --permanent --add-port={port}/tcp && sudo firewall-cmd --reload"),
    caution: Some("it opens the port to every address; the reload drops rules that are not permanent"),
    ..Fix::CHANGE
};

pub(super) const BASTION: Fix = Fix {
    side: Side::Client,
    summary: "If the server is reachable from inside only, connect the VPN, or jump through a host inside",
    file: Some("~/.ssh/config"),
    snippet: Some("Host {alias}\n    ProxyJump BASTION"),
    caution: Some("replace BASTION by a host that can reach the server"),
    ..Fix::CHANGE
};

pub(super) const FILTERED: Cause = Cause {
    code: "tcp-filtered",
    stage: Check::Tcp,
    title: "No answer: packets are dropped, or the host is down",
    severity: Severity::Critical,
    explanation: "The first packet (SYN), retransmitted after 1, 3 and 7 s, got no answer, neither a refusal nor an ICMP error. \
        A host without a firewall would refuse a closed port at once. Possible reasons:\n\
        - a firewall or security group drops packets to this port or from this address\n\
        - the host is down, and its router does not report it\n\
        - replies take a route on which they are lost\n\
        - sshd's accept queue is full\n\
        - a ban that drops packets (fail2ban, sshguard)\n\n\
        From the client alone these look the same. The firewall may be this machine's own. On the local network this \
        machine itself reports a host that is down, after 3 s. Watching on the server while the client tries settles \
        it: if the SYN is seen and answered, the return path is broken; if it is seen and not answered, the server's \
        firewall drops it, or the queue is full (ss -ltn: Recv-Q above Send-Q); if it is not seen, something in \
        between drops it.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Watch on the server whether the client's packets arrive",
            snippet: Some("sudo tcpdump -ni any 'tcp port {port} and tcp[tcpflags] & tcp-syn != 0'"),
            ..Fix::LOOK
        },
        UFW,
        FIREWALLD,
        Fix {
            side: Side::Server,
            summary: "If it worked from here before and works from elsewhere, check whether your address is banned",
            snippet: Some("sudo fail2ban-client status sshd; sudo nft list ruleset | grep -nE 'drop|limit rate'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "Find where the packets stop",
            snippet: Some("sudo traceroute -T -p {port} {host}"),
            ..Fix::LOOK
        },
        BASTION,
    ],
    hides: &[],
    judge: |evidence| {
        let (facts, alone) = failed_as(evidence, ConnectFailure::Silent)?;
        let patient = facts.deadline_s >= PATIENT_S;
        Some(Match::new(if alone && patient { Certainty::Likely } else { Certainty::Possible }, lines(facts)))
    },
    ..Cause::NEW
};

pub(super) const UNREACHABLE: Cause = Cause {
    code: "tcp-unreachable",
    stage: Check::Tcp,
    title: "No route to the host",
    severity: Severity::Critical,
    explanation: "The connection fails before it reaches the server. Possible reasons:\n\
        - this machine has no route to the address, and says so at once: no network, no IPv6, a VPN that is down\n\
        - the address is on the local network, and no host answers ARP or neighbour discovery for it within 3 s: the \
        host is off, or the address or netmask is wrong\n\
        - a router in the path reports that it cannot deliver; the facts name it\n\n\
        A firewall may send the same report (reject with host unreachable); only the machine that sent it can tell.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Show this machine's route to it: a VPN that is up has its own",
            snippet: Some("ip route get {address}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "Show how far packets get",
            snippet: Some("tracepath {address}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "On the server's console, check that it is up and has this address",
            snippet: Some("ip -brief address; ip route"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "Network is unreachable",
        "ENETUNREACH",
        "Host is down",
        "EHOSTDOWN",
        "ENETDOWN",
        "A socket operation was attempted to an unreachable",
    ],
    hides: &[],
    judge: |evidence| {
        let (facts, kind, alone) = failed_as(evidence, ConnectFailure::Unreachable)
            .map(|(facts, alone)| (facts, ConnectFailure::Unreachable, alone))
            .or_else(|| {
                failed_as(evidence, ConnectFailure::NoRoute)
                    .map(|(facts, alone)| (facts, ConnectFailure::NoRoute, alone))
            })?;
        let first = facts.attempts.iter().find(|attempt| reading::kind(attempt) == Some(kind))?;
        // Where the system does not tell of ICMP messages, "no route to host" may be a router's or a firewall's word.
        let own =
            matches!(&first.outcome, ConnectOutcome::Failed { errno: Some(errno), .. } if errno != "EHOSTUNREACH");
        let certainty = match (kind, alone) {
            (ConnectFailure::NoRoute, _) if own => Certainty::Certain,
            (_, true) => Certainty::Likely,
            (_, false) => Certainty::Possible,
        };
        Some(Match::new(certainty, lines(facts)).with("address", first.address.ip().to_string()))
    },
    ..Cause::NEW
};
