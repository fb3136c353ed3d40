//! Nobody answers, or somebody on the way says that the server cannot be reached.

use super::reading::{self, ConnectFailure};
use super::shared::{PATIENT_S, failed_as, lines};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::tcp::ConnectOutcome;

pub(super) const UFW: Fix = Fix {
    side: Side::Server,
    summary: "Where ufw keeps the rules, let ssh in",
    snippet: Some("sudo ufw allow {port}/tcp"),
    caution: Some("opens the port to every address; a cloud provider's security group may have to allow it too"),
    ..Fix::CHANGE
};

pub(super) const FIREWALLD: Fix = Fix {
    side: Side::Server,
    summary: "Where firewalld keeps the rules, let ssh in",
    snippet: Some("sudo firewall-cmd --permanent --add-port={port}/tcp && sudo firewall-cmd --reload"),
    caution: Some("opens the port to every address; the reload drops rules that were not made permanent"),
    ..Fix::CHANGE
};

pub(super) const BASTION: Fix = Fix {
    side: Side::Client,
    summary: "Where the server can only be reached from inside, connect the VPN, or go by way of a host that is inside",
    file: Some("~/.ssh/config"),
    snippet: Some("Host {alias}\n    ProxyJump BASTION"),
    caution: Some("put in a host from which the server can be reached"),
    ..Fix::CHANGE
};

pub(super) const FILTERED: Cause = Cause {
    code: "tcp-filtered",
    stage: Check::Tcp,
    title: "Nothing answers: packets to this port are dropped, or the host is down",
    severity: Severity::Critical,
    explanation: "The first packet of the connection (SYN), which TCP sends again after 1, 3 and 7 s while it is waited for, got no answer \
        of any kind, neither a refusal nor an ICMP error. A running host without a firewall would have refused a closed port at once. \
        So a firewall or a security group drops packets to this port or from this address (this machine's own firewall \
        may do it too), or the host is down and its \
        router says nothing about it (for an address of this machine's own network, it says so itself after 3 s, and only to who waits as long), or the answers take a way on which they are lost. A program that no longer takes its \
        connections, so that their queue is full, is silent too.\n\n\
        From the client alone these cannot be told apart, nor a ban that drops (some settings of fail2ban, sshguard). \
        Watching on the server while the client tries settles it: where the SYN is seen there and answered, the way back \
        is broken; where it is seen and not answered, the server's own firewall drops it, or the queue is full (ss -ltn: Recv-Q \
        above Send-Q); where it is not seen, something in between does.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Watch whether the client's packets arrive while it tries",
            snippet: Some("sudo tcpdump -ni any 'tcp port {port} and tcp[tcpflags] & tcp-syn != 0'"),
            ..Fix::LOOK
        },
        UFW,
        FIREWALLD,
        Fix {
            side: Side::Server,
            summary: "Where it worked from here a while ago and works from elsewhere: see whether your address is banned",
            snippet: Some("sudo fail2ban-client status sshd; sudo nft list ruleset | grep -nE 'drop|limit rate'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "Look where the packets stop",
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
    title: "There is no route to the host",
    severity: Severity::Critical,
    explanation: "The connection fails before it reaches the server. Either this machine has no route to the address (it says \
        so at once and sends nothing: no network, no IPv6, a VPN that is down), or the address belongs to the local network \
        and no machine there owns up to it (after about 3 s of asking by ARP or neighbour discovery: the host is off, or \
        the address or netmask is wrong), or a router on the way reports that it cannot deliver (the message's sender is \
        among what was seen).\n\n\
        A firewall may send the same report instead of its own kind (reject with host unreachable); only the machine \
        that sent it can tell.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "See which route this machine takes to it: a VPN that should be up has one of its own",
            snippet: Some("ip route get {address}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "See how far packets get",
            snippet: Some("tracepath {address}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "On the server's console, see whether it is up and has this address",
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
