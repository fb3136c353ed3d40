//! Limits on connections: some are established, and further ones from the same address are not.

use crate::causes::shared::ONE_CONNECTION;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::idle::StretchEnd;
use crate::facts::tcp::{self, Attempt, ConnectOutcome, Facts};

/// Connections of a series that must fail to be spoken of: one alone is chance.
pub(super) const SERIES: usize = 2;

const SEE_LIMITS: Fix = Fix {
    side: Side::Server,
    summary: "See whether a rule limits new connections",
    snippet: Some(
        "sudo nft list ruleset | grep -nE 'limit rate|meter|ct count'; sudo iptables-save | grep -E 'recent|limit|hashlimit'",
    ),
    ..Fix::LOOK
};

pub(super) const CONNECTION_LIMIT: Cause = Cause {
    code: "tcp-connection-limit",
    stage: Check::Tcp,
    title: "The number of connections from this address is limited",
    severity: Severity::Info,
    explanation: "Some connections were established, and further ones were refused while those went on: a limit on new \
        or simultaneous connections from one address. `ufw limit` refuses the sixth new connection within 30 s, and \
        each attempt in that time prolongs it; connlimit and per-source limits count connections that are open. One \
        session at a time is not affected; scripts, Ansible and parallel copies that open many connections are.\n\n\
        ssh-doctor stopped opening connections when the first was refused, and went on with the sessions that it had.",
    fixes: &[
        SEE_LIMITS,
        ONE_CONNECTION,
        Fix {
            side: Side::Client,
            summary: "Test with fewer sessions",
            snippet: Some("ssh-doctor check --sessions {sessions} {alias}"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["ssh: connect to host port: Connection refused"],
    hides: &["tcp-source-banned"],
    judge: |evidence| {
        let limit = evidence.spent.limit?;
        let facts = evidence.idle.facts()?;
        let goes_on = facts.arms.iter().any(|arm| matches!(arm.end, StretchEnd::Alive { .. }));
        (goes_on && !facts.not_opened.is_empty() && limit.accepted > 0).then(|| {
            let (accepted, refused) = (limit.accepted + 1, limit.refused);
            let because = [
                format!("{accepted} connections were established, then {refused} were refused, while sessions went on"),
                format!("{} sessions of the idle test could not be opened", facts.not_opened.len()),
            ];
            let certainty = if limit.ended { Certainty::Likely } else { Certainty::Possible };
            Match::new(certainty, because).with("sessions", limit.accepted.to_string())
        })
    },
    ..Cause::NEW
};

pub(super) const SOURCE_BANNED: Cause = Cause {
    code: "tcp-source-banned",
    stage: Check::Tcp,
    title: "Connections from here are no longer accepted: a ban or a rate limit",
    severity: Severity::Warning,
    explanation: "The first connections of this run were established, and later ones to the same address and port were refused \
        or not answered. A firewall that limits new connections from one address does this (ufw limit, nftables and \
        iptables limits, a cloud provider's protection), and so does a ban after too many failures (fail2ban, \
        sshguard, DenyHosts).\n\n\
        From the client alone it cannot be distinguished from a server that was just stopped, or from an outage. If it \
        works from another address at the same time, or again some minutes later, it is a ban; the server's list \
        settles it. Each further attempt may extend it.",
    fixes: &[
        SEE_LIMITS,
        Fix {
            side: Side::Server,
            summary: "Check whether your address is banned",
            snippet: Some("sudo fail2ban-client status sshd"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Lift the ban",
            snippet: Some("sudo fail2ban-client set sshd unbanip CLIENT-ADDRESS"),
            caution: Some("replace CLIENT-ADDRESS by the address that the server sees for this client"),
            ..Fix::CHANGE
        },
        ONE_CONNECTION,
    ],
    symptoms: &[
        "[sshd] Ban <address>",
        "[ssh] Ban <address>",
        "[sshd] Restore Ban <address>",
        "[sshd] <address> already banned",
        "UFW LIMIT BLOCK<text>DPT=22",
        "UFW BLOCK<text>DPT=22",
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.tcp.passed()?;
        let refused = evidence.spent.refused_since;
        if let Some((before, after)) = cut_off(facts) {
            let because = [
                format!(
                    "{} further connections were established, then {} in a row were not",
                    before.len(),
                    after.len()
                ),
                format!("the first of those: {}", after.first().map(tcp::line)?),
            ];
            return Some(Match::new(Certainty::Possible, because));
        }
        (refused as usize >= SERIES).then(|| {
            let line =
                format!("the first connection was established, and the last {refused} that were tried were refused");
            Match::new(Certainty::Possible, [line])
        })
    },
    ..Cause::NEW
};

/// The attempts before and from the first that failed, where none was established after it.
pub(super) fn cut_off(facts: &Facts) -> Option<(&[Attempt], &[Attempt])> {
    let at = facts.repeats.iter().position(|attempt| attempt.outcome != ConnectOutcome::Connected)?;
    let (before, after) = facts.repeats.split_at(at);
    let none = after.iter().all(|attempt| attempt.outcome != ConnectOutcome::Connected);
    (none && after.len() >= SERIES).then_some((before, after))
}
