//! Somebody says no.

use super::reading::ConnectFailure;
use super::shared::{failed_as, lines};
use super::unanswered::{BASTION, FIREWALLD, UFW};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::tcp::{Attempt, ConnectOutcome};

pub(super) const REFUSED: Cause = Cause {
    code: "tcp-refused",
    stage: Check::Tcp,
    title: "Connection refused: nothing listens on this port",
    severity: Severity::Critical,
    explanation: "The first packet (SYN) was answered with a TCP RST, as for a port that nothing listens on: sshd is not \
        running, or listens on another port or address, or this address belongs to another machine.\n\n\
        A firewall can send the same RST (iptables and nftables: reject with tcp reset), which looks the same from \
        outside. On systems other than Linux an ICMP message behind the refusal is not visible either. The server's \
        listening sockets settle it: if sshd listens on the address and port, something in between refuses.\n\n\
        If systemd listens for sshd (ssh.socket), a burst of connections makes it close the socket, and the port \
        refuses until it is restarted (systemd.socket(5): TriggerLimitBurst).",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Check whether sshd runs, and on which port; this settles whether a firewall is the reason",
            snippet: Some("sudo ss -ltnp | grep -E 'sshd|:{port} '"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Start sshd and enable it at boot (the unit is called ssh on Debian and Ubuntu)",
            snippet: Some("sudo systemctl enable --now sshd || sudo systemctl enable --now ssh"),
            caution: Some("only if SSH should be reachable on this machine"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "If systemd listens for sshd, check whether the socket has failed",
            snippet: Some("systemctl status ssh.socket"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Restart a failed socket (ssh.socket)",
            snippet: Some("sudo systemctl reset-failed ssh.socket && sudo systemctl restart ssh.socket"),
            caution: Some("the log says why it failed; it may fail again for the same reason"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "If sshd listens on another port, set it",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    Port PORT"),
            caution: Some("replace PORT by the port that sshd listens on"),
            ..Fix::CHANGE
        },
    ],
    hides: &[],
    judge: |evidence| {
        let (facts, alone) = failed_as(evidence, ConnectFailure::Refused)?;
        let certainty = if alone { Certainty::Likely } else { Certainty::Possible };
        Some(Match::new(certainty, lines(facts)))
    },
    ..Cause::NEW
};

pub(super) const PROHIBITED: Cause = Cause {
    code: "tcp-prohibited",
    stage: Check::Tcp,
    title: "A packet filter rejects the connection",
    severity: Severity::Critical,
    explanation: "The first packet (SYN) was answered with an ICMP message: port unreachable or administratively prohibited. A \
        closed port answers with a TCP RST instead, so this is a rule of a packet filter on the machine that sent the \
        message. If the error comes from this machine, one of its own rules, routes or security modules forbids the \
        connection.\n\n\
        Many programs show \"port unreachable\" as \"Connection refused\", and the other messages as \"No route to \
        host\" or \"Permission denied\". A ban by fail2ban looks like this with its usual settings (reject with port \
        unreachable, ten minutes): it ends by itself, and other clients get through. A client cannot see whether the \
        rule applies to it alone; the server's rules and fail2ban's list settle it.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Check whether fail2ban has banned your address",
            snippet: Some("sudo fail2ban-client status sshd"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Find the rule that rejects the connection",
            snippet: Some("sudo nft list ruleset | grep -n reject; sudo iptables-save | grep REJECT"),
            ..Fix::LOOK
        },
        UFW,
        FIREWALLD,
        Fix {
            side: Side::Network,
            summary: "If the message comes from a router in between, change its rules, or jump through a host that is \
                allowed",
            ..BASTION
        },
    ],
    symptoms: &[
        "connect to host <host> port <port>: Permission denied",
        "connect to host <host> port <port>: Operation not permitted",
        "dial tcp <address>: connect: permission denied",
        "An attempt was made to access a socket in a way forbidden by its access permissions",
    ],
    hides: &["tcp-refused", "tcp-unreachable"],
    judge: |evidence| {
        let (facts, alone) = failed_as(evidence, ConnectFailure::Prohibited)?;
        // Only the message shows that it was a filter: a route or a security module of this machine denies without one.
        let by_message = |attempt: &Attempt| matches!(attempt.outcome, ConnectOutcome::Failed { icmp: Some(_), .. });
        let shown = facts.attempts.iter().any(by_message);
        let certainty = if alone && shown { Certainty::Certain } else { Certainty::Likely };
        Some(Match::new(certainty, lines(facts)))
    },
    ..Cause::NEW
};
