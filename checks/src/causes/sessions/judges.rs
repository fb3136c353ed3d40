//! From explanations to matches.

use super::because;
use super::clusters::cluster;
use super::explain::{Explanation, explain, longest_survived};
use crate::causes::suspects::{Clock, Seen, SuspectEnding, consistent_with};
use crate::causes::{Match, Severity};
use crate::facts::Evidence;
use crate::facts::certainty::Certainty;
use crate::facts::idle::Timeout;
use crate::facts::idle::advice;
use crate::facts::sessions::{Observer, Session, Traffic};

/// Ends at one idle time or age that leave chance no room.
const MANY: usize = 3;
/// Sentences about single sessions.
const TOLD: usize = 3;

/// Idle sessions whose next packet was without an ACK.
pub(in crate::causes) fn silent_drop(evidence: &Evidence) -> Option<Match> {
    idle(evidence, Explanation::IdleSilent)
}

/// Idle sessions that were reset.
pub(in crate::causes) fn reset(evidence: &Evidence) -> Option<Match> {
    idle(evidence, Explanation::IdleReset)
}

/// Idle sessions that were closed.
pub(in crate::causes) fn closed(evidence: &Evidence) -> Option<Match> {
    idle(evidence, Explanation::IdleClosed).map(Match::reason_open)
}

/// Idle sessions that the server ended with some last words.
pub(in crate::causes) fn disconnected(evidence: &Evidence) -> Option<Match> {
    idle(evidence, Explanation::IdleDisconnected).map(|found| Match { certainty: Certainty::Possible, ..found })
}

/// Shells that left by themselves.
pub(in crate::causes) fn left_by_shell(evidence: &Evidence) -> Option<Match> {
    let (_, members) = explained_by(evidence, Explanation::IdleShell)?;
    let clock = same_idle_time(&members);
    // At a prompt that belongs to us, nobody has typed `exit`.
    let watched = members.iter().any(|session| session.observer == Observer::Watch);
    let certainty = match (watched, clock) {
        (true, true) => Certainty::Certain,
        (true, false) | (false, true) => Certainty::Likely,
        (false, false) => Certainty::Possible,
    };
    let found = Match::new(certainty, members.iter().take(TOLD).map(|session| because::ended(session)));
    Some(if clock || watched { found } else { found.at(Severity::Info) })
}

/// Sessions whose channel the server closed.
pub(in crate::causes) fn channel_timeout(evidence: &Evidence) -> Option<Match> {
    let (_, members) = explained_by(evidence, Explanation::ChannelTimeout)?;
    let kept = members.iter().any(|session| matches!(session.traffic, Traffic::Keepalive { .. }));
    let certainty = if kept && same_idle_time(&members) { Certainty::Certain } else { Certainty::Likely };
    Some(Match::new(certainty, details(&members)))
}

/// Sessions that the server's side ended at one moment at which it took no new ones.
pub(in crate::causes) fn restarted(evidence: &Evidence) -> Option<Match> {
    let (_, members) = explained_by(evidence, Explanation::Restarted)?;
    let more = "no new login to the server succeeded at that moment".to_owned();
    Some(Match::new(Certainty::Likely, details(&members).chain([more])))
}

/// Sessions that ended at one age.
pub(in crate::causes) fn lifetime(evidence: &Evidence) -> Option<Match> {
    let (all, members) = explained_by(evidence, Explanation::Lifetime)?;
    let in_use = |session: &&&Session| {
        session.quiet_s < 5.0 || matches!(session.traffic, Traffic::Data { .. } | Traffic::Keepalive { .. })
    };
    let busy = members.iter().filter(in_use).count();
    let mut facts = vec![because::same_age(&members)];
    if busy > 0 {
        facts.push(format!("{busy} of them were in use until then: it is no idle timeout"));
    }
    facts.push(format!("none of {} sessions became older", all.len()));
    let certain = busy > 0 && members.len() >= MANY;
    Some(Match::new(if certain { Certainty::Certain } else { Certainty::Likely }, facts))
}

/// Sessions that ended at one moment, or at one minute of the hour.
pub(in crate::causes) fn wall_clock(evidence: &Evidence) -> Option<Match> {
    let (_, members) = explained_by(evidence, Explanation::WallClock)?;
    let minutes: Vec<String> =
        members.iter().map(|session| session.seen_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()).collect();
    let count = members.len();
    let ends = format!("{count} sessions of different age and idle time ended at {}", minutes.join(", "));
    let moments: Vec<i64> = members.iter().map(|session| session.seen_at.as_second()).collect();
    let apart = moments.iter().max().zip(moments.iter().min()).is_some_and(|(last, first)| last - first > 600);
    let certainty = if apart { Certainty::Likely } else { Certainty::Possible };
    Some(Match::new(certainty, [ends].into_iter().chain(details(&members))))
}

/// Sessions that stopped together, or without a new connection available.
pub(in crate::causes) fn outage(evidence: &Evidence) -> Option<Match> {
    let (_, members) = explained_by(evidence, Explanation::Outage)?;
    let refused = members.iter().any(|session| session.next.is_some_and(|next| !next.answered));
    let mut facts: Vec<String> = details(&members).collect();
    if refused {
        facts.push("no new connection to the server succeeded at that moment".to_owned());
    }
    let lost: u32 = members.iter().map(|session| session.others.lost).sum();
    if lost > 0 {
        facts.push("other sessions to the same server stopped with it".to_owned());
    }
    let certainty = match members.len() {
        _ if refused => Certainty::Certain,
        1 if lost == 0 => Certainty::Possible,
        _ => Certainty::Likely,
    };
    Some(Match::new(certainty, facts))
}

/// Sessions that stopped at one moment while a new one worked.
pub(in crate::causes) fn state_lost(evidence: &Evidence) -> Option<Match> {
    of(evidence, Explanation::StateLost, Certainty::Likely)
}

/// Sessions whose packets were acknowledged and not answered.
pub(in crate::causes) fn stalled(evidence: &Evidence) -> Option<Match> {
    /// Without a measured timer or interruption: five and a half minutes.
    const PATIENT: (&str, &str) = ("30", "10");
    let found = of(evidence, Explanation::Stalled, Certainty::Likely)?;
    Some(found.at(Severity::Critical).with("interval", PATIENT.0).with("count_max", PATIENT.1))
}

/// Sessions with no reason but this one.
pub(super) fn of(evidence: &Evidence, explanation: Explanation, certainty: Certainty) -> Option<Match> {
    let (_, members) = explained_by(evidence, explanation)?;
    let events = members.iter().flat_map(|session| session.machine.iter().map(because::of_machine));
    let mut facts: Vec<String> = events.chain(details(&members)).collect();
    facts.dedup();
    facts.extend(members.iter().find_map(|session| because::path_worked(session)));
    Some(Match::new(certainty, facts))
}

fn details<'a>(members: &'a [&'a Session]) -> impl Iterator<Item = String> + 'a {
    members.iter().take(TOLD).map(|session| because::ended(session))
}

/// All sessions, and those with this explanation.
fn explained_by(evidence: &Evidence, explanation: Explanation) -> Option<(&[Session], Vec<&Session>)> {
    let all = &evidence.idle.facts()?.sessions;
    let found = explain(all);
    let members: Vec<&Session> =
        all.iter().zip(found).filter(|(_, found)| *found == Some(explanation)).map(|(session, _)| session).collect();
    (!members.is_empty()).then_some((all.as_slice(), members))
}

/// Sessions that an idle time ended: sure where several ended after the same one and the path worked.
fn idle(evidence: &Evidence, explanation: Explanation) -> Option<Match> {
    let (all, members) = explained_by(evidence, explanation)?;
    let shortest = *members.iter().min_by(|a, b| a.quiet_s.total_cmp(&b.quiet_s))?;
    let survived = longest_survived(all, shortest);
    let path_worked = members.iter().find_map(|session| because::path_worked(session));
    let certain = (same_idle_time(&members) || all_watched(&members)) && path_worked.is_some() && survived > 0.0;
    let facts = because::same_idle(&members)
        .into_iter()
        .chain([because::ended(shortest)])
        .chain(because::survived(survived))
        .chain(path_worked);
    let mut found = Match::new(if certain { Certainty::Certain } else { Certainty::Likely }, facts);
    if let Some(interval) = advice::interval(if survived > 0.0 { survived } else { shortest.quiet_s / 2.0 }) {
        found = found.with("interval", interval.to_string());
        found = found.with("count_max", advice::count_max(interval, 0.0).to_string());
    }
    Some(found.suspecting(suspects(shortest, survived)))
}

/// True if several of them were lost while a session beside each was alive: one held for that.
fn all_watched(members: &[&Session]) -> bool {
    let watched = |session: &&Session| session.observer == Observer::Watch && session.others.alive > 0;
    members.len() >= MANY && members.iter().all(watched)
}

fn same_idle_time(members: &[&Session]) -> bool {
    let idle: Vec<f64> = members.iter().map(|session| session.quiet_s).collect();
    cluster(&idle, MANY.max(members.len())).is_some()
}

/// Known products whose timer lies between the idle times that were survived and that were not.
fn suspects(shortest: &Session, survived: f64) -> Vec<&'static crate::causes::suspects::Suspect> {
    let seen = shortest.death().and_then(|(manner, sign)| {
        Some(Seen {
            clock: Clock::Idle,
            bracket: Timeout { survived_s: Some(survived).filter(|s| *s > 0.0), died_s: Some(shortest.quiet_s) },
            ending: SuspectEnding::of(manner, sign)?,
            tcp_keepalive_held: None,
            server_heard: None,
            version: None,
        })
    });
    seen.map(|seen| consistent_with(&seen)).unwrap_or_default()
}
