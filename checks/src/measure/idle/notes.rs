//! What the sessions of a test have noted, and what it means: pure but for the clock.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::goal::Goal;
use super::ladder::Ladder;
use super::lane::Shown;
use crate::facts::idle::advice::{self, interval};
use crate::facts::idle::bracket::{LATE_ACK_S, channel_quiet_at_death};
use crate::facts::idle::{Arm, AtDeath, End, Facts, Holds, Moves, Outage, SessionKind, Sign, Speaker};
use crate::measure::progress::LaneState;

/// The session that holds no channel.
const MAIN: u32 = 0;

/// The notes.
pub(super) struct Notes {
    pub(super) ladder: Ladder,
    pub(super) arms: Vec<Arm>,
    pub(super) kept: BTreeMap<u32, Kept>,
    pub(super) lanes: BTreeMap<u32, Shown>,
    pub(super) outages: Vec<Outage>,
    pub(super) not_opened: Vec<String>,
    pub(super) legs: Vec<AtDeath>,
    pub(super) started: Vec<(u32, u32)>,
    pub(super) rtt: Option<Duration>,
    pub(super) last_answer: Option<Instant>,
    pub(super) confirmed: bool,
    pub(super) sessions: u32,
    /// Of those, how many are still being opened.
    pub(super) opening: u32,
}

/// A session that is kept alive.
pub(super) struct Kept {
    pub(super) interval: u32,
    pub(super) since: Instant,
    pub(super) last_answer: Option<Instant>,
}

impl Notes {
    /// No notes yet.
    pub(super) fn new(ladder: Ladder) -> Self {
        Self {
            ladder,
            arms: Vec::new(),
            kept: BTreeMap::new(),
            lanes: BTreeMap::new(),
            outages: Vec::new(),
            not_opened: Vec::new(),
            legs: Vec::new(),
            started: Vec::new(),
            rtt: None,
            last_answer: None,
            confirmed: false,
            sessions: 0,
            opening: 0,
        }
    }

    /// What a session does next that has just lived through `last`.
    pub(super) fn next(&mut self, session: u32, last: Option<Goal>) -> Option<Goal> {
        if let (None, Some(kept)) = (last, self.kept.get_mut(&session)) {
            kept.since = Instant::now();
            return Some(Goal::Keep(kept.interval));
        }
        let next = self.ladder.next(last);
        match next {
            Some(Goal::Keep(interval)) => {
                // The silence it has just lived through was as long as the interval: it counts for the proof.
                let silence = match last {
                    Some(Goal::Silence(length)) => Duration::from_secs_f64(length),
                    _ => Duration::ZERO,
                };
                let now = Instant::now();
                let began = now.checked_sub(silence).unwrap_or(now);
                let kept = self.kept.entry(session).or_insert(Kept { interval, since: began, last_answer: None });
                if kept.interval != interval {
                    *kept = Kept { interval, since: began, last_answer: None };
                }
            }
            _ => {
                self.kept.remove(&session);
            }
        }
        if next.is_none() {
            self.lanes.remove(&session);
        }
        next
    }

    /// A session answered at the end of `goal`, or the server spoke.
    pub(super) fn answered(&mut self, session: u32, goal: Goal, moves: Moves, began: Instant, rtt: Duration) {
        let now = Instant::now();
        // What the server says without being asked does not show that it hears us.
        if moves != Moves::ServerData {
            self.last_answer = Some(now);
        }
        if !rtt.is_zero() {
            self.rtt = Some(self.rtt.map_or(rtt, |shortest| shortest.min(rtt)));
        }
        if let (Goal::Keep(interval), Moves::Keepalive) = (goal, moves) {
            let fresh = || Kept { interval, since: began, last_answer: None };
            let kept = self.kept.entry(session).or_insert_with(fresh);
            if kept.interval != interval {
                *kept = Kept { since: now, ..fresh() };
            }
            kept.last_answer = Some(now);
        }
        if let Some(lane) = self.lanes.get_mut(&session) {
            lane.state = LaneState::Alive;
        }
    }

    /// Notes the end of a stretch; whether silent sessions should think again.
    pub(super) fn record(&mut self, arm: Arm) -> bool {
        if let Some(lane) = self.lanes.get_mut(&arm.session) {
            match &arm.end {
                End::Died { manner, .. } => lane.state = LaneState::Dead(manner.words()),
                End::Void { .. } => lane.state = LaneState::Dead("not judged".to_owned()),
                End::Alive { .. } | End::Unheard { .. } | End::Open => {}
            }
        }
        let mut turn = false;
        match (&arm.end, arm.moves) {
            (End::Alive { .. }, Moves::Nothing) => self.ladder.alive(arm.lasted_s, arm.speaks_first),
            // A terminal may have a clock of its own: a shell's end says nothing of the path until others end too.
            (End::Died { sign, .. }, Moves::Nothing) if arm.holds != Holds::Shell || *sign == Sign::AfterProbe => {
                turn = !self.confirmed;
                self.confirmed = true;
                // Another one's late answer may have undone it meanwhile.
                turn |= self.dead(arm.lasted_s);
            }
            (End::Unheard { .. }, _) => {
                turn = true;
                if self.ladder.unheard(arm.lasted_s) {
                    self.confirmed = true;
                    let shortest = self.ladder.shortest_unheard().unwrap_or(arm.lasted_s);
                    turn = self.dead(shortest);
                }
            }
            (End::Died { .. } | End::Void { .. }, Moves::Keepalive) => {
                self.kept.remove(&arm.session);
            }
            (End::Void { .. }, Moves::Nothing) => self.ladder.put_back(arm.lasted_s),
            _ => {}
        }
        if arm.end == End::Open {
            // It takes no further part.
            self.lanes.remove(&arm.session);
        }
        self.arms.push(arm);
        turn
    }

    /// Whether nothing is left to learn: the longest silence was lived through, or a death is confirmed, its bracket narrowed and its
    /// keepalive proven or disproven.
    pub(super) fn is_known(&self, longest: f64) -> bool {
        let (survived, died) = self.ladder.bracket();
        let reached = died.is_none() && survived >= 0.999 * longest - LATE_ACK_S;
        // One line of the server that did not come may have been late: a second one tells.
        let is_asked_again = self.ladder.is_one_unheard() && self.lanes.values().any(Shown::may_hear);
        let is_compared = self.ladder.compares() && self.lanes.values().any(Shown::may_compare);
        match died {
            None if is_asked_again => false,
            _ if reached => true,
            // Whoever is kept alive would go on for ever: with the last silence the test is over.
            None => {
                self.opening == 0
                    && self.ladder.is_climbed()
                    && !is_compared
                    && !self.lanes.values().any(Shown::is_silent)
            }
            Some(died) => {
                let narrow = self.ladder.is_narrow();
                let narrowing = self.lanes.values().any(|lane| lane.is_awaited((survived, died), narrow));
                self.confirmed && !narrowing && (self.proven(died).is_some() || !self.proof_to_come())
            }
        }
    }

    /// A silence of `length` seconds kills: asks for the proof of the interval that follows. Whether that is news.
    pub(super) fn dead(&mut self, length: f64) -> bool {
        let news = self.ladder.dead(length);
        if let (true, Some(interval)) = (news, interval(self.ladder.bracket().0)) {
            self.ladder.prove(interval);
        }
        news
    }

    /// The longest recommendable interval at which a session outlived a silence of `died` seconds that kills.
    pub(super) fn proven(&self, died: f64) -> Option<u32> {
        // Whatever ends sessions without data has had the time to end this one too.
        let quiet = channel_quiet_at_death(&self.arms).unwrap_or_default();
        // Without a channel it is no proof for a session of the user's.
        let kept = self.kept.iter().filter(|(session, _)| **session != MAIN).map(|(_, kept)| kept);
        let kept = kept.filter_map(|kept| Some((kept.interval, (kept.last_answer? - kept.since).as_secs_f64())));
        advice::proven(kept, self.ladder.bracket().0, self.ladder.longest_lived().max(died).max(quiet))
    }

    /// Whether a session is being kept at an interval that may yet be proven.
    fn proof_to_come(&self) -> bool {
        let most = interval(self.ladder.bracket().0);
        self.ladder.is_proving()
            || self.kept.iter().any(|(session, kept)| *session != MAIN && Some(kept.interval) <= most)
    }

    /// All that was noted of a test that began then.
    pub(super) fn facts(&self, began: Instant) -> Facts {
        let mut arms = self.arms.clone();
        for (session, kept) in &self.kept {
            let Some(last_answer) = kept.last_answer else { continue };
            let lasted_s = (last_answer - kept.since).as_secs_f64();
            // A session that was not kept for even its own interval has nothing to tell.
            if lasted_s < f64::from(kept.interval) {
                continue;
            }
            arms.push(Arm {
                session: *session,
                kind: Some(if *session == MAIN { SessionKind::Main } else { SessionKind::FirstRound }),
                moves: Moves::Keepalive,
                holds: if *session == MAIN { Holds::Nothing } else { Holds::Command },
                speaks_first: Speaker::Client,
                hop: None,
                interval_s: Some(kept.interval),
                started_s: kept.since.saturating_duration_since(began).as_secs_f64(),
                lasted_s,
                age_s: lasted_s,
                channel_quiet_s: None,
                heard_bytes: 0,
                answered: None,
                end: End::Alive { rtt_ms: self.rtt.unwrap_or_default().as_secs_f64() * 1000.0 },
            });
        }
        arms.sort_by(|a, b| {
            (a.moves == Moves::Keepalive, a.lasted_s)
                .partial_cmp(&(b.moves == Moves::Keepalive, b.lasted_s))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        Facts {
            rtt_ms: self.rtt.map(|rtt| rtt.as_secs_f64() * 1000.0),
            outages: self.outages.clone(),
            not_opened: self.not_opened.clone(),
            legs: self.legs.clone(),
            arms,
            ..Facts::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::connection::Manner;

    /// Notes by which 6 s of silence killed and 5 s did not, and a session was kept every second for 20 s.
    fn proven() -> Notes {
        let since = Instant::now();
        let mut noted = Notes::new(Ladder::new(60.0, 10, false));
        noted.ladder.alive(5.0, Speaker::Client);
        noted.ladder.dead(6.0);
        noted.kept.insert(7, Kept { interval: 1, since, last_answer: Some(since + Duration::from_secs(20)) });
        noted
    }

    #[test]
    fn a_proof_is_longer_than_every_silence_that_was_lived_through() {
        let mut noted = proven();
        assert_eq!(noted.proven(6.0), Some(1));
        noted.ladder.alive(21.0, Speaker::Client);
        assert_eq!(noted.proven(6.0), None);
    }

    #[test]
    fn a_death_that_another_ones_late_answer_undid_is_known_again_when_it_is_recorded() {
        let mut noted = proven();
        noted.ladder.undo_death();
        noted.record(Arm::sample(
            Moves::Nothing,
            6.0,
            End::Died { manner: Manner::Silent, sign: Sign::AfterProbe, others_alive: true, tcp: None },
        ));
        assert_eq!(noted.ladder.bracket(), (5.0, Some(6.0)));
    }
}
