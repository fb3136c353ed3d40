//! Resets that depend neither on silence nor on age.

use super::shared::{Place, moments};
use crate::base::text::seconds;
use crate::causes::shared::{AUTOSSH_AFTER_CLOSE, MOSH, TMUX};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::idle::{self, bracket::data_alone_lives};
use crate::facts::timeline::RandomResets;
use crate::facts::{Check, Evidence};

pub(super) const RANDOM_RESETS: Cause = Cause {
    code: "path-random-resets",
    stage: Check::Idle,
    title: "Connections are reset at random, busy or idle",
    severity: Severity::Critical,
    explanation: "Several connections were ended by a TCP RST at different moments, at different ages, busy ones among \
        them, while others went on. So it is neither an idle timer, which spares busy sessions, nor a limit on age, \
        nor one event.\n\n\
        An intrusion prevention system or a censor that injects resets, a load balancer whose members disagree, a \
        firewall whose table runs full, and two machines with one address do this; so does an administrator who ends \
        sessions on the server. The time-to-live of the resets, in a capture, shows how far away their sender is.",
    fixes: &[
        Fix {
            side: Side::Network,
            summary: "Capture the resets: a time-to-live other than that of the server's packets shows a sender in between",
            snippet: Some("sudo tcpdump -nv 'host {host} and port {port} and tcp[tcpflags] & tcp-rst != 0'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Check whether the server saw resets too, or ended the sessions itself",
            snippet: Some("journalctl -u ssh -u sshd --since -1h | grep -iE 'reset|disconnect|closed|killed'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "Check whether another machine has the server's address",
            snippet: Some("arping -c 3 {host}"),
            ..Fix::LOOK
        },
        TMUX,
        MOSH,
        AUTOSSH_AFTER_CLOSE,
    ],
    symptoms: &[
        "Read from remote host: Connection reset by peer",
        "client_loop: send disconnect: Connection reset by peer",
        "Connection reset by peer",
        "kex_exchange_identification: read: Connection reset by peer",
    ],
    hides: &[
        "session-wall-clock-cut",
        "session-lifetime-limit",
        "idle-terminal-timeout",
        "idle-unused-connection-timeout",
    ],
    strikes_anywhere: true,
    judge: |evidence| {
        // A server that ends whoever sends no data resets those whose keepalive it had not read (RFC 2525, 2.17).
        let all = |facts: &idle::Facts| [&facts.arms[..], &facts.random_resets[..]].concat();
        if evidence.idle.facts().is_some_and(|facts| data_alone_lives(&all(facts))) {
            return None;
        }
        let resets = evidence.undisturbed_timeline().random_resets()?;
        let certainty = if resets.busy > 1 && resets.resets.len() > 2 { Certainty::Certain } else { Certainty::Likely };
        Some(Match::new(certainty, because(evidence, &resets)).reason_open())
    },
    ..Cause::NEW
};

fn because(evidence: &Evidence, resets: &RandomResets) -> Vec<String> {
    let span = |values: Vec<f64>| {
        let (min, max) =
            (values.iter().copied().fold(f64::INFINITY, f64::min), values.iter().copied().fold(0.0, f64::max));
        format!("{} to {}", seconds(min), seconds(max))
    };
    let place = Place::of(evidence, resets.leg);
    let how = if let Place::Behind(_) = &place { "ended" } else { "reset" };
    vec![
        format!(
            "{} connections{} were {how}, {} of them busy, {} into the run",
            resets.resets.len(),
            place.words(),
            resets.busy,
            moments(resets.resets.iter().map(|(at, ..)| *at))
        ),
        format!(
            "nothing had moved on them for {}, and they were {} old: neither decides",
            span(resets.resets.iter().map(|(_, quiet, _)| *quiet).collect()),
            span(resets.resets.iter().map(|(.., age)| *age).collect())
        ),
        "other connections, as old and as quiet, went on at those moments".to_owned(),
    ]
}
