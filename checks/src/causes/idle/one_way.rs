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
    title: "After a silence the path loses what the server says, until the client speaks",
    severity: Severity::Critical,
    explanation: "Something near the client forgets idle connections, and takes them up again when the client sends. As long as you type first, nothing seems wrong; but what the server \
        sends after a silence (the next line of tail -f, a finished build, a forwarded connection) does not arrive until you do, and the server gives the session up when that takes \
        too long. A Linux router does this with nf_conntrack_tcp_loose on, its default.\n\n\
        We let the server speak first on some of the silent sessions, and spoke first on the others: only the server's words were lost.",
    fixes: &[KEEPALIVE, LONGER_TIMER],
    symptoms: &["output appears only after a key is pressed", "client_loop: send disconnect: Broken pipe"],
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
                .map(|lasted| format!("where we spoke first, {} of silence were lived through", seconds(lasted))),
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
    title: "Only data of the client keeps a connection open; what the server sends does not",
    severity: Severity::Critical,
    explanation: "Something in the path forgets a connection when its timer runs out, and only data from the client's side winds the timer up again. A session that is silent dies of it, \
        and so does one on which only the server speaks: tail -f, a long build, a download. TCP's acknowledgements of that data do not count.\n\n\
        We held a session on which the server sent a line every second and we nothing. It ended as the silent ones did, while sessions on which we sent keepalives lived on. Mind that \
        OpenSSH's keepalives, ServerAliveInterval and ClientAliveInterval alike, are sent only into a silence of both sides: where the server talks more often than that there are none, and the \
        session dies in spite of the setting. It was one such session: an end that hit it by chance at that moment looks the same.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Where the server talks all the time, say something along, to a command that does not read it",
            snippet: Some("while sleep {interval}; do echo; done | ssh {alias} 'tail -f LOGFILE'"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "For sessions on which both sides are silent, let ssh send something before the timer runs out",
            caution: Some(
                "ssh sends none while the server talks; proven here on silent sessions, which is not where this cause hurts",
            ),
            tried: |_| None,
            ..KEEPALIVE
        },
        Fix {
            side: Side::Network,
            summary: "On the device that forgets, let packets of either direction renew the connection, or raise its timer",
            caution: Some("RFC 5382 asks for at least 2 h 4 min (7440 s)"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "client_loop: send disconnect: Broken pipe",
        "Timeout, server not responding.",
        "Read from remote host: Connection timed out",
    ],
    hides: &["idle-silent-drop", "idle-reset"],
    judge: refresh,
    ..Cause::NEW
};

/// How much longer than the silence that killed the server may seem to have been heard: its lines are a second apart, and the first
/// came a little after our last word.
const HEARD_LONGER_S: f64 = 2.5;

fn refresh(evidence: &Evidence) -> Option<Match> {
    let facts = evidence.idle_deaths()?;
    let (survived, died) = (facts.timeout().survived_s?, facts.timeout().died_s?);
    let silent = *facts.deaths().first()?;
    let arm = facts.arms.iter().find(|arm| arm.moves == Moves::ServerData && outlived(arm))?;
    // Who ends a session by himself is an end of it, or a proxy: these have names of their own.
    let forgotten = |arm: &Arm| matches!(arm.death(), Some((_, Sign::AfterProbe)));
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
        format!("{} of silence was lived through, {} was not", seconds(survived), seconds(died)),
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

/// Whether what the server said first was lost: nothing of it came, and our own word was answered or killed the session.
fn lost(arm: &Arm) -> bool {
    match &arm.end {
        StretchEnd::Unheard { .. } => true,
        StretchEnd::Died { sign: Sign::AfterProbe, .. } => arm.speaks_first == Speaker::Server,
        _ => false,
    }
}
