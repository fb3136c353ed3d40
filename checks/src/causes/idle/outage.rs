//! An outage: nothing comes through, new connections included, so that no timer is to blame.

use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side, sessions};
use crate::facts::Check;
use crate::facts::Evidence;
use crate::facts::certainty::Certainty;

pub(super) const NETWORK_OUTAGE: Cause = Cause {
    code: "network-outage",
    stage: Check::Idle,
    title: "The path to the server went down during the test",
    severity: Severity::Critical,
    explanation: "At one moment all sessions stopped answering, including those with keepalives, and no new connection \
        succeeded. This is an outage of the path or the server, not an idle timeout, and no keepalive setting prevents \
        it. Until it is fixed, nothing can be said about idle sessions.",
    fixes: &[
        Fix {
            side: Side::Network,
            summary: "Find where the path ends now",
            snippet: Some("mtr -rwbzc 20 -T -P {port} {host}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Check whether the server was down: its uptime and its log of that time",
            snippet: Some("uptime; journalctl --since -1h -p warning"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Use sessions that survive short outages",
            snippet: Some("mosh {alias}    # or: ssh -t {alias} tmux new -A -s main"),
            // Before there was a session, none could have survived.
            when: |evidence| evidence.auth.failed().is_none() && evidence.handshake.failed().is_none(),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["Timeout, client not responding", "Got <n> heartbeat requests without reply"],
    hides: &[
        "idle-silent-drop",
        "idle-reset",
        "idle-closed",
        "idle-server-disconnect",
        "idle-channel-timeout",
        "idle-closed-by-proxy",
        "idle-server-inactivity",
        "idle-shell-timeout",
        "idle-terminal-timeout",
        "idle-one-way-refresh",
        "idle-unused-connection-timeout",
        "idle-one-way-drop",
        "idle-no-keepalive",
        "session-lifetime-limit",
        "session-wall-clock-cut",
        "transfer-stalled",
        "handshake-kex-stalled",
        "handshake-no-banner",
        "auth-key-lookup-hangs",
        "auth-disconnected",
        "session-start-hangs",
    ],
    strikes_anywhere: true,
    judge: |evidence| {
        let Some(facts) = evidence.idle.facts() else { return lost(evidence) };
        let lasting = facts.outages.iter().find(|outage| outage.ended_s.is_none());
        if let Some(outage) = lasting {
            let tried = facts.elapsed_s - outage.started_s;
            return Some(Match::new(
                Certainty::Certain,
                [
                    format!("no answer came on any session from {} into the idle test on", seconds(outage.started_s)),
                    format!("no new connection succeeded in the {} after that", seconds(tried)),
                ],
            ));
        }
        // An interruption that is over has another name, where the clock of all connections is there to tell.
        let facts = Some(facts).filter(|_| evidence.timeline.flows.is_empty())?;
        let because: Vec<String> = facts
            .outages
            .iter()
            .filter_map(|outage| {
                let ended = outage.ended_s?;
                let (from, lasted) = (seconds(outage.started_s), seconds(ended - outage.started_s));
                Some(format!("{from} into the idle test a fresh connection took {lasted}"))
            })
            .collect();
        (!because.is_empty() && evidence.idle.passed().is_some())
            .then(|| Match::new(Certainty::Likely, because).at(Severity::Warning))
    },
    judge_sessions: sessions::outage,
    ..Cause::NEW
};

/// An outage before the idle test: what hangs then at a step hangs at all of them.
fn lost(evidence: &Evidence) -> Option<Match> {
    let lost = evidence.timeline.lost()?;
    let unacknowledged = if lost.is_unacknowledged { ", and what we had sent was not acknowledged" } else { "" };
    Some(Match::new(
        Certainty::Likely,
        [
            format!("the last answer came {} after the start", seconds(lost.at_s)),
            format!("the open connection waited {} for the next one{unacknowledged}", seconds(lost.waited_s)),
            format!("{} new connections were asked for meanwhile: no answer to any", lost.tried),
            "a firewall that shuts this address out in the middle of a login would show the same".to_owned(),
        ],
    ))
}
