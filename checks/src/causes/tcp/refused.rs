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
    title: "The connection is refused: nothing accepts connections on this port",
    severity: Severity::Critical,
    explanation: "The first packet of the connection (SYN) is answered with a TCP reset, which is what a machine does for a \
        port that no program listens on: sshd is not running, listens on another port, or only on another address, or \
        the machine at this address is not the one that is meant.\n\n\
        A firewall can send the same reset (iptables and nftables: reject with tcp reset), and from the outside that \
        cannot be told from a closed port. On systems other than Linux the doctor cannot see either whether an ICMP \
        message stood behind the refusal. Looking at the server's listening sockets settles it: where sshd listens on \
        the address and port, something in between refuses.\n\n\
        Where systemd listens in sshd's place (ssh.socket), a burst of connections makes it close the socket, and the port \
        refuses until it is started again (systemd.socket(5): TriggerLimitBurst).",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "See whether sshd runs and on which port it listens; this settles whether a firewall is to blame",
            snippet: Some("sudo ss -ltnp | grep -E 'sshd|:{port} '"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Start sshd, and have it started at boot (the unit is called ssh on Debian and Ubuntu)",
            snippet: Some("sudo systemctl enable --now sshd || sudo systemctl enable --now ssh"),
            caution: Some("only where SSH is meant to be reachable on this machine"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Where systemd listens in its place, see whether the socket has failed",
            snippet: Some("systemctl status ssh.socket"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Start a failed socket again",
            snippet: Some("sudo systemctl reset-failed ssh.socket && sudo systemctl restart ssh.socket"),
            caution: Some("the log says why it failed; it may fail again for the same reason"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Where sshd listens on another port, tell ssh",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    Port PORT"),
            caution: Some("put in the port that sshd listens on"),
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
    title: "The connection is prohibited: a packet filter rejects it",
    severity: Severity::Critical,
    explanation: "The first packet of the connection (SYN) is answered with an ICMP message that says \"port unreachable\" or \
        \"administratively prohibited\". A closed port is answered with a TCP reset instead, so this is a rule of a packet \
        filter, and the sender of the message is the machine that holds it. Where the error comes from this machine itself, \
        one of its own rules, routes or security modules forbids the connection.\n\n\
        Many programs show \"port unreachable\" as \"Connection refused\", and the other messages as \"No route to host\" or \
        \"Permission denied\". It is also what a ban by fail2ban looks like with its usual settings (reject with port \
        unreachable, ten minutes): it then ends by itself and other clients get through. A client cannot see whether the \
        rule is meant for it alone; the server's rules and fail2ban's list settle it.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "See whether fail2ban has banned your address",
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
            summary: "Where the message comes from a router in between, have its rules changed, or go by way of a host that may",
            ..BASTION
        },
    ],
    symptoms: &[
        "connect to host <host> port <port>: Permission denied",
        "connect to host <host> port <port>: Operation not permitted",
        "connect: permission denied",
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
