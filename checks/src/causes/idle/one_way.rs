//! Only one direction counts: what the server says after a silence is lost until the client speaks, or never keeps the path open.

use super::survived;
use super::timer::{LONGER_TIMER, outlived};
use crate::base::text::seconds;
use crate::causes::shared::KEEPALIVE;
use crate::causes::{Cause, Fix, Match, Severity, Side, testimony};
use crate::facts::certainty::Certainty;
use crate::facts::idle::{Arm, Facts, Moves, Sign, Speaker, StretchEnd};
use crate::facts::{Check, Evidence};

pub(super) const DROP: Cause = Cause {
    code: "idle-one-way-drop",
    stage: Check::Idle,
    title: "After idle time, data from the server is lost until the client sends",
    severity: Severity::Critical,
    explanation: "Something near the client drops the state of idle connections and creates it again when the client sends. As \
        long as you type first, nothing seems wrong. But data that the server sends after idle time (the next line of \
        tail -f, a finished build, a forwarded connection) does not arrive until you type, and the server gives up if \
        that takes too long. A Linux router does this with nf_conntrack_tcp_loose on, its default.\n\n\
        On some of the idle sessions the server sent first, on the others the client: only the server's data was lost.",
    fixes: &[KEEPALIVE, LONGER_TIMER],
    symptoms: &["output appears only after a key is pressed"],
    hides: &["idle-reset", "idle-silent-drop", "idle-closed"],
    corroborated_by: &[testimony::dropped_there_too, testimony::connection_tracking],
    judge: |evidence| {
        let facts = evidence.idle.facts()?;
        let lost: Vec<&Arm> = facts.arms.iter().filter(|arm| lost(arm)).collect();
        let shortest = lost.iter().map(|arm| arm.lasted_s).min_by(f64::total_cmp)?;
        let alive = |speaker: Speaker| {
            let arms = facts.arms.iter().filter(move |arm| arm.speaks_first == speaker && arm.moves == Moves::Nothing);
            arms.filter(|arm| matches!(arm.end, StretchEnd::Alive { .. })).map(|arm| arm.lasted_s)
        };
        let heard_later = alive(Speaker::Server).any(|lasted| lasted > shortest);
        let spoke_later = alive(Speaker::Client).any(|lasted| lasted > shortest);
        // One late line is no loss; one that killed its session is.
        let enough = lost.len() > 1 || lost.iter().any(|arm| arm.death().is_some());
        if !enough || heard_later || !spoke_later {
            return None;
        }
        let times = if lost.len() == 1 { "once".to_owned() } else { format!("{} times", lost.len()) };
        let mut because = vec![format!(
            "{times} a line of the server did not arrive, after {} of silence and more",
            seconds(shortest)
        )];
        because.extend(
            alive(Speaker::Client)
                .max_by(f64::total_cmp)
                .map(|lasted| format!("where the client sent first, idle {} survived", seconds(lasted))),
        );
        because.extend(
            alive(Speaker::Server)
                .max_by(f64::total_cmp)
                .map(|lasted| format!("after {} of silence a line of the server did arrive", seconds(lasted))),
        );
        because.extend(lost.iter().find_map(|arm| arm.death()).map(|(how, _)| {
            format!("a session on which the server had spoken in vain ended with {} when we spoke", how.words())
        }));
        Some(survived::by_own_keepalive(evidence, facts, with_keepalive(Match::new(Certainty::Likely, because), facts)))
    },
    ..Cause::NEW
};

pub(super) const REFRESH: Cause = Cause {
    code: "idle-one-way-refresh",
    stage: Check::Idle,
    title: "Only data from the client keeps the connection open",
    severity: Severity::Critical,
    explanation: "A device in the path drops a connection when its timer expires, and only data from the client resets that \
        timer. Idle sessions die, and so do sessions on which only the server sends: tail -f, a long build, a \
        download. TCP ACKs of that data do not count.\n\n\
        On one session the server sent a line every second and the client nothing. It died like the idle ones, while \
        sessions with client keepalives survived. OpenSSH's keepalives, ServerAliveInterval and ClientAliveInterval \
        alike, are sent only when both sides are idle: if the server sends more often than that there are none, and \
        the session dies in spite of the setting. This was one such session; something that ended it at that moment by \
        chance looks the same.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "If the server sends all the time, send input as well, to a command that does not read it (here: \
        tail -f LOGFILE)",
            snippet: Some("while sleep {interval}; do echo; done | ssh {alias} 'tail -f LOGFILE'"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "For sessions that are idle on both sides, send a keepalive before the timeout",
            caution: Some("ssh sends none while the server sends; this was proven on idle sessions only"),
            tried: |_| None,
            ..KEEPALIVE
        },
        Fix {
            side: Side::Network,
            summary: "On the device, let packets of either direction refresh the connection, or raise its timeout",
            caution: Some("RFC 5382 requires at least 2 h 4 min (7440 s)"),
            ..Fix::CHANGE
        },
    ],
    hides: &["idle-silent-drop", "idle-reset"],
    judge: refresh,
    ..Cause::NEW
};

/// Seconds by which the server may seem to have been heard for longer than the fatal idle time: its lines are a second
/// apart, and the first came a little after our last packet.
const HEARD_LONGER_S: f64 = 2.5;

fn refresh(evidence: &Evidence) -> Option<Match> {
    let facts = evidence.idle_deaths()?;
    let (survived, died) = (facts.timeout().survived_s?, facts.timeout().died_s?);
    let silent = *facts.deaths().first()?;
    let arm = facts.arms.iter().find(|arm| arm.moves == Moves::ServerData && outlived(arm))?;
    // Who ends a session by himself is an end of it, or a proxy: these have names of their own.
    let forgotten = |arm: &Arm| matches!(arm.death(), Some((_, Sign::AfterProbe))) && !arm.was_acknowledged();
    let (how, _) = arm.death().filter(|_| forgotten(arm) && forgotten(silent))?;
    // The same timer, or it is another one's end: what was sent on it had to be no reason to live longer.
    let same = (survived * 0.95 - HEARD_LONGER_S..died * 1.05 + HEARD_LONGER_S).contains(&arm.lasted_s);
    if !same || !outlived(silent) || facts.keepalive().verified != Some(true) {
        return None;
    }
    let mut because = vec![
        format!(
            "a session on which only the server spoke, every {}, was ended by {} {} after our last word",
            seconds(f64::from(arm.interval_s.unwrap_or_default())),
            how.words(),
            seconds(arm.lasted_s)
        ),
        format!("idle {} survived, idle {} did not", seconds(survived), seconds(died)),
    ];
    because.extend(
        facts.keepalive().interval_s.map(|interval| {
            format!("one on which we sent a keepalive every {} lived on", seconds(f64::from(interval)))
        }),
    );
    let found = Match::new(Certainty::Likely, because);
    Some(with_keepalive(found, facts).suspecting(crate::causes::suspects::of(evidence)))
}

/// The values that the fixes have in their snippets.
fn with_keepalive(found: Match, facts: &Facts) -> Match {
    let values = [("interval", facts.keepalive().interval_s), ("count_max", facts.keepalive().count_max)];
    values.into_iter().fold(found, |found, (name, value)| match value {
        Some(value) => found.with(name, value.to_string()),
        None => found,
    })
}

/// True if what the server said first was lost: nothing of it came, and our own word was answered or killed the session.
fn lost(arm: &Arm) -> bool {
    match &arm.end {
        StretchEnd::Unheard { .. } => true,
        StretchEnd::Died { sign: Sign::AfterProbe, .. } => {
            arm.speaks_first == Speaker::Server && !arm.was_acknowledged()
        }
        _ => false,
    }
}
