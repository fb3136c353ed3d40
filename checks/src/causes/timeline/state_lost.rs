//! A device on the path that lost its table of connections at one moment.

use super::shared::{Place, QUICK_KEEPALIVE};
use crate::base::text::seconds;
use crate::causes::shared::{AUTOSSH, MOSH, TMUX};
use crate::causes::{Cause, Fix, Match, Severity, Side, sessions};
use crate::facts::certainty::Certainty;
use crate::facts::timeline::{Flow, StateLoss, Timeline};
use crate::facts::{Check, Evidence};

pub(super) const STATE_LOST: Cause = Cause {
    code: "path-state-lost",
    stage: Check::Idle,
    title: "Open connections were lost at one moment; new ones work",
    severity: Severity::Critical,
    explanation: "At one moment every session was dead, busy or idle, whatever its age: its next packets got no ACK, \
        or a RST, while new connections worked at once. A stateful device on the path lost its table of connections: a \
        failover, a reboot, a flushed conntrack table, a reconnected VPN or a changed NAT address.\n\n\
        Neither end notices, so the sessions hang until one of them gives up. A keepalive does not prevent it, only \
        shortens the wait. The server did not end them: it would have sent a FIN.",
    fixes: &[
        QUICK_KEEPALIVE,
        TMUX,
        MOSH,
        AUTOSSH,
        Fix {
            side: Side::Network,
            summary: "On the firewall, NAT or VPN gateway, see what happened at that minute: failover, reload, reconnect",
            snippet: Some(
                "uptime; journalctl --since -1h -p notice | grep -iE 'conntrack|failover|vrrp|nft|firewall|ipsec|wireguard|link'",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "On a pair of firewalls, synchronise the connection tables (conntrackd on Linux), so that a failover keeps sessions",
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "client_loop: send disconnect: Broken pipe",
        "Read from remote host: Connection reset by peer",
        "Timeout, server not responding.",
        "all sessions hang at the same time",
    ],
    hides: &["session-wall-clock-cut", "session-lifetime-limit"],
    strikes_anywhere: true,
    judge: |evidence| {
        let timeline = evidence.undisturbed_timeline();
        let lost = timeline.state_loss().filter(|lost| !is_limit_on_age(&timeline, lost))?;
        let oldest = outlived(&timeline, &lost);
        let certainty = if lost.lost > 3 && oldest.is_some() { Certainty::Certain } else { Certainty::Likely };
        Some(Match::new(certainty, because(evidence, &lost, oldest)))
    },
    judge_sessions: sessions::state_lost,
    ..Cause::NEW
};

fn because(evidence: &Evidence, lost: &StateLoss, oldest: Option<f64>) -> Vec<String> {
    let how = if lost.reset { "were answered with a RST" } else { "were without an ACK" };
    let into_idle = evidence.idle.facts().map(|facts| lost.at_s - facts.began_s).filter(|at| *at > 0.0);
    let into_idle = into_idle.map_or_else(String::new, |at| format!(" ({} into the idle test)", seconds(at)));
    let mut because = vec![
        format!(
            "{} into the run{into_idle} {} dead at once, {} of them busy: their next packets {how}",
            seconds(lost.at_s),
            if lost.lost == 1 { "1 session was".to_owned() } else { format!("{} sessions were", lost.lost) },
            lost.busy,
        ),
        format!("a new login succeeded {} later", seconds(lost.new_after_s.max(0.0))),
    ];
    because.extend(match Place::of(evidence, lost.leg) {
        Place::Direct => None,
        Place::At(hop) => Some(format!("the connections to {hop} were dead: the state was lost before that host")),
        Place::Behind(hop) => Some(format!("the connections to {hop} went on: the state was lost behind that host")),
    });
    because.extend(oldest.map(|age| {
        format!("sessions opened afterwards lived on, to the age of {}: it was no limit on age", seconds(age))
    }));
    because
}

/// The ages of the sessions on which something moved: of the youngest that was lost, and of the oldest that was opened afterwards.
fn ages(timeline: &Timeline, lost: &StateLoss) -> (f64, f64) {
    let age_then = timeline.open_at(lost.at_s - 0.1).filter(|flow| flow.beat_s.is_some());
    let youngest = age_then.map(|flow| lost.at_s - flow.began_s).fold(f64::INFINITY, f64::min);
    let age = |flow: &Flow| flow.heard_s.map_or(0.0, |heard| heard - flow.began_s);
    (youngest, opened_later(timeline, lost).map(age).fold(0.0, f64::max))
}

fn opened_later<'a>(timeline: &'a Timeline, lost: &StateLoss) -> impl Iterator<Item = &'a Flow> {
    let at_s = lost.at_s;
    timeline.flows.iter().filter(move |flow| flow.began_s > at_s && flow.beat_s.is_some())
}

/// True if those that were opened afterwards were lost at the same age: that is a limit on age.
fn is_limit_on_age(timeline: &Timeline, lost: &StateLoss) -> bool {
    let (youngest, oldest) = ages(timeline, lost);
    let is_lost = |flow: &&Flow| flow.gaps.last().is_some_and(|gap| gap.until_s.is_none());
    opened_later(timeline, lost).filter(is_lost).count() > 1 && oldest < youngest * 1.12
}

/// The age of a session that was opened afterwards and became older than those that were lost.
fn outlived(timeline: &Timeline, lost: &StateLoss) -> Option<f64> {
    let (youngest, oldest) = ages(timeline, lost);
    (oldest > youngest * 1.05).then_some(oldest)
}
