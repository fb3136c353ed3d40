//! Every session ends, busy ones too: by its age, or by the clock on the wall.

use super::one_session::OF_ONE_SESSION;
use crate::base::text::seconds;
use crate::causes::shared::{AUTOSSH_AFTER_CLOSE, TMUX};
use crate::causes::{Cause, Fix, Match, Severity, Side, sessions, suspects, testimony};
use crate::facts::certainty::Certainty;
use crate::facts::idle::age::ended_moving;
use crate::facts::idle::{Arm, Facts, Moves, SessionKind, StretchEnd, hop_state};
use crate::facts::{Check, Evidence};

pub(super) const LIFETIME: Cause = Cause {
    code: "session-lifetime-limit",
    stage: Check::Idle,
    title: "Every session is ended at a fixed age, busy or not",
    severity: Severity::Critical,
    explanation: "Sessions were ended at the same age, including those with constant data, and sessions that started later ended \
        correspondingly later. So it is a limit on a session's age, not an idle timeout, and no keepalive helps. \
        Bastions and access proxies have such limits (certificate expiry, a maximum session time), and so do dropbear \
        with -M and some cloud administration services.",
    fixes: &[
        TMUX,
        AUTOSSH_AFTER_CLOSE,
        Fix {
            side: Side::Server,
            summary: "Find the maximum session time in the bastion's or server's configuration; its owner decides",
            snippet: Some(
                "ps -o args= -C dropbear,sshd; grep -rniE 'max.*(session|duration|ttl)|session.*(max|ttl)' /etc 2>/dev/null | head",
            ),
            ..Fix::LOOK
        },
    ],
    symptoms: &["Max duration reached"],
    hides: OF_ONE_SESSION,
    judge: |evidence| {
        let (first, later) = rounds(evidence)?;
        let moved = if first.moves == Moves::ChannelData { "a busy one" } else { "one that was kept alive" };
        let died: Vec<&Arm> = later.iter().copied().filter(|arm| arm.death().is_some()).collect();
        let same_age = |arm: &&Arm| (arm.age_s / first.age_s - 1.0).abs() < 0.12;
        if died.is_empty() || !died.iter().all(same_age) {
            return None;
        }
        let mut because =
            vec![format!("all sessions were ended at the age of {}, {moved} among them", seconds(first.age_s))];
        because.extend(died.iter().map(|arm| {
            format!(
                "one that was started {} into the test was ended at the age of {}",
                seconds(arm.started_s),
                seconds(arm.age_s)
            )
        }));
        because.extend(leg(evidence, first));
        let certainty = if died.len() > 1 { Certainty::Certain } else { Certainty::Likely };
        Some(Match::new(certainty, because).suspecting(suspects::of_age(evidence, first)))
    },
    judge_sessions: sessions::lifetime,
    ..Cause::NEW
};

pub(super) const WALL_CLOCK: Cause = Cause {
    code: "session-wall-clock-cut",
    stage: Check::Idle,
    title: "All sessions were ended at the same moment",
    severity: Severity::Critical,
    explanation: "All sessions ended at the same moment, busy ones too, while a new login worked, and sessions started \
        afterwards lived longer. So it was a single event, neither an idle timeout nor an age limit: a restart of a \
        proxy or of the network in between, a job that ends sessions, or a server out of memory. Whether and when it \
        recurs needs a longer watch.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Find what happened on the server at that minute",
            snippet: Some("journalctl --since -30min -p notice | grep -iE 'sshd|oom|killed|restart|logind'"),
            ..Fix::LOOK
        },
        TMUX,
        AUTOSSH_AFTER_CLOSE,
    ],
    hides: OF_ONE_SESSION,
    corroborated_by: &[testimony::out_of_memory],
    judge: |evidence| {
        // Without data on it, who counts data ends it too.
        let (first, later) = rounds(evidence).filter(|(first, _)| first.moves == Moves::ChannelData)?;
        let older =
            later.iter().filter(|arm| matches!(arm.end, StretchEnd::Alive { .. }) && arm.age_s > first.age_s * 1.05);
        let oldest = older.map(|arm| arm.age_s).max_by(f64::total_cmp)?;
        let again = later.iter().any(|arm| arm.death().is_some());
        let (how, _) = first.death()?;
        let because = [
            format!(
                "{} into the test all sessions were ended by {}, a busy one among them",
                seconds(first.started_s + first.lasted_s),
                how.words()
            ),
            format!("a session that was started afterwards lived to {}, and was not ended", seconds(oldest)),
        ];
        let because = because.into_iter().chain(leg(evidence, first));
        Some(Match::new(if again { Certainty::Possible } else { Certainty::Likely }, because))
    },
    judge_sessions: sessions::wall_clock,
    ..Cause::NEW
};

/// Names the leg of the route on which it died, where there are hops.
fn leg(evidence: &Evidence, first: &Arm) -> Option<String> {
    hop_state::describe(&evidence.idle.facts()?.legs, first.session)
}

/// The session of the first round on which something moved, ended as all others were, and the sessions of the second round.
fn rounds(evidence: &Evidence) -> Option<(&Arm, Vec<&Arm>)> {
    let facts: &Facts = evidence.idle_deaths()?;
    let later: Vec<&Arm> = facts.busy().filter(|arm| arm.kind() == SessionKind::SecondRound).collect();
    let first = ended_moving(facts)?;
    (!later.is_empty()).then_some((first, later))
}
