//! Where the sessions of a test note what they see, and learn what to do next.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use super::advice::{count_max, interval};
use super::bracket::{LATE_ACK_S, bracket, data_alone_lives, died_kept, server_speaks};
use super::control::{Control, Finding};
use super::facts::{Arm, End, Facts, Holds, Keepalive, Moves, Outage, Speaker};
use super::ladder::{Goal, Ladder, Turn, longer};
use super::lane::Shown;
use super::legs::AtDeath;
use super::session::DATA_INTERVAL;
use crate::progress::{Event, IdleState, LaneState, Progress};
use crate::text::seconds;

/// The board.
pub(super) struct Board {
    began: Instant,
    longest: f64,
    noted: Mutex<Noted>,
    /// Counts the changes that make silent sessions think again.
    changed: watch::Sender<u64>,
    over: watch::Sender<bool>,
}

struct Noted {
    ladder: Ladder,
    arms: Vec<Arm>,
    kept: BTreeMap<u32, Kept>,
    lanes: BTreeMap<u32, Shown>,
    outages: Vec<Outage>,
    not_opened: Vec<String>,
    legs: Vec<AtDeath>,
    started: Vec<(u32, u32)>,
    rtt: Option<Duration>,
    last_answer: Option<Instant>,
    confirmed: bool,
    sessions: u32,
    /// Of those, how many are still being opened.
    opening: u32,
}

/// A session that is kept alive.
struct Kept {
    interval: u32,
    since: Instant,
    last_answer: Option<Instant>,
}

impl Board {
    /// An empty board for silences of up to `longest` seconds.
    pub(super) fn new(longest: f64, sessions: usize, server_speaks: bool) -> Self {
        let noted = Noted {
            ladder: Ladder::new(longest, sessions, server_speaks),
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
        };
        let (changed, _) = watch::channel(0);
        let (over, _) = watch::channel(false);
        Self { began: Instant::now(), longest, noted: Mutex::new(noted), changed, over }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds from the start of the test to `at`.
    pub(super) fn since_start(&self, at: Instant) -> f64 {
        at.saturating_duration_since(self.began).as_secs_f64()
    }

    /// What a session does next that has just lived through `last`.
    pub(super) fn next(&self, session: u32, last: Option<Goal>) -> Option<Goal> {
        if self.is_finished() {
            return None;
        }
        let mut noted = self.noted();
        if let (None, Some(kept)) = (last, noted.kept.get_mut(&session)) {
            kept.since = Instant::now();
            return Some(Goal::Keep(kept.interval));
        }
        let next = noted.ladder.next(last);
        match next {
            Some(Goal::Keep(interval)) => {
                // The silence it has just lived through was as long as the interval: it counts for the proof.
                let silence = match last {
                    Some(Goal::Silence(length)) => Duration::from_secs_f64(length),
                    _ => Duration::ZERO,
                };
                let now = Instant::now();
                let began = now.checked_sub(silence).unwrap_or(now);
                let kept = noted.kept.entry(session).or_insert(Kept { interval, since: began, last_answer: None });
                if kept.interval != interval {
                    *kept = Kept { interval, since: began, last_answer: None };
                }
            }
            _ => {
                noted.kept.remove(&session);
            }
        }
        if next.is_none() {
            noted.lanes.remove(&session);
        }
        next
    }

    /// A session answered at the end of `goal`, or the server spoke.
    pub(super) fn answered(&self, session: u32, goal: Goal, moves: Moves, began: Instant, rtt: Duration) {
        let now = Instant::now();
        let mut noted = self.noted();
        // What the server says without being asked does not show that it hears us.
        if moves != Moves::ServerData {
            noted.last_answer = Some(now);
        }
        if !rtt.is_zero() {
            noted.rtt = Some(noted.rtt.map_or(rtt, |shortest| shortest.min(rtt)));
        }
        if let (Goal::Keep(interval), Moves::Keepalive) = (goal, moves) {
            let fresh = || Kept { interval, since: began, last_answer: None };
            let kept = noted.kept.entry(session).or_insert_with(fresh);
            if kept.interval != interval {
                *kept = Kept { since: now, ..fresh() };
            }
            kept.last_answer = Some(now);
        }
        if let Some(lane) = noted.lanes.get_mut(&session) {
            lane.state = LaneState::Alive;
        }
        drop(noted);
        self.finish_when_known();
    }

    /// Whether any session answers after that moment; waits for the next word of the session that has data.
    pub(super) async fn answers_after(&self, moment: Instant) -> bool {
        let patience = Instant::now() + Duration::from_secs(u64::from(DATA_INTERVAL) + 1);
        loop {
            if self.noted().last_answer.is_some_and(|answer| answer > moment) {
                return true;
            }
            if Instant::now() > patience {
                return false;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// The shortest time that an answer took so far.
    pub(super) fn rtt(&self) -> Duration {
        self.noted().rtt.unwrap_or_default()
    }

    /// Since when a session is kept at its interval.
    pub(super) fn kept_since(&self, session: u32) -> Option<Instant> {
        self.noted().kept.get(&session).map(|kept| kept.since)
    }

    /// The session's request is under way.
    pub(super) fn asked(&self, session: u32) {
        if let Some(lane) = self.noted().lanes.get_mut(&session) {
            lane.state = LaneState::Probing;
        }
    }

    /// One session is silent for the longest time from the start: the ladder need not get there.
    pub(super) fn leave_out_longest(&self) {
        self.noted().ladder.leave_out_longest();
    }

    /// A session takes part.
    pub(super) fn joined(&self) {
        let mut noted = self.noted();
        noted.sessions += 1;
        noted.opening += 1;
    }

    /// A session that takes part is open, or cannot be.
    pub(super) fn opened(&self) {
        let mut noted = self.noted();
        noted.opening = noted.opening.saturating_sub(1);
    }

    /// A session no longer takes part; the last one ends the test.
    pub(super) fn left(&self) {
        let mut noted = self.noted();
        noted.sessions -= 1;
        let last = noted.sessions == 0;
        drop(noted);
        if last {
            self.finish();
        }
    }

    /// Takes on the proof of a keepalive with a session yet to be opened, if one is asked for.
    pub(super) fn take_proof(&self, session: u32) -> bool {
        if self.is_finished() {
            return false;
        }
        let mut noted = self.noted();
        let Some(interval) = noted.ladder.take_proof() else { return false };
        noted.kept.insert(session, Kept { interval, since: Instant::now(), last_answer: None });
        true
    }

    /// A silence is as good as proven to kill: the other sessions turn to what is still to be learnt.
    pub(super) fn suspect(&self, goal: Goal, lasted: Duration) {
        let Some(length) = goal.length().filter(|_| goal.is_silence()) else { return };
        let mut noted = self.noted();
        let turn = noted.dead(length.min(lasted.as_secs_f64()));
        if turn && goal.speaker() == Speaker::Server {
            noted.ladder.contrast();
        }
        drop(noted);
        if turn {
            self.changed.send_modify(|count| *count += 1);
        }
    }

    /// The answer came after all.
    pub(super) fn unsuspect(&self, goal: Goal) {
        let mut noted = self.noted();
        if goal.is_silence() && !noted.confirmed {
            noted.ladder.undo_death();
        }
    }

    /// What a session should do now. Nobody leaves for a death that may yet turn out to be a late answer.
    pub(super) fn turn(&self, goal: Goal, age: Duration) -> Turn {
        let mut noted = self.noted();
        match noted.ladder.turn(goal, age.as_secs_f64()) {
            Turn::Leave if !noted.confirmed => Turn::Stay,
            turn => turn,
        }
    }

    /// Notes a finding that forbids a verdict.
    pub(super) fn doubtful(&self, finding: Finding) -> End {
        let why = match finding {
            Finding::Disturbed { outage: (from, to) } => {
                self.outage(from, Some(to));
                "the path was disturbed: a fresh connection could not be had at once".to_owned()
            }
            Finding::NoPath { since, why } => {
                self.outage(since, None);
                self.finish();
                format!("no fresh connection could be had any more: {why}")
            }
            Finding::Refused(why) => format!("the server turned a fresh connection away: {why}"),
            Finding::Fine { .. } => "a fresh connection worked".to_owned(),
        };
        End::Void { why }
    }

    fn outage(&self, from: Instant, to: Option<Instant>) {
        let outage = Outage { started_s: self.since_start(from), ended_s: to.map(|to| self.since_start(to)) };
        let mut noted = self.noted();
        if !noted.outages.contains(&outage) {
            noted.outages.push(outage);
        }
    }

    /// Notes how the connections to the hops were at a death.
    pub(super) fn note_legs(&self, states: Vec<AtDeath>) {
        self.noted().legs.extend(states);
    }

    /// Notes the end of a stretch.
    pub(super) fn record(&self, arm: Arm) {
        let mut noted = self.noted();
        if let Some(lane) = noted.lanes.get_mut(&arm.session) {
            match &arm.end {
                End::Died { manner, .. } => lane.state = LaneState::Dead(manner.words()),
                End::Void { .. } => lane.state = LaneState::Dead("not judged".to_owned()),
                End::Alive { .. } | End::Unheard { .. } | End::Open => {}
            }
        }
        let mut turn = false;
        match (&arm.end, arm.moves) {
            (End::Alive { .. }, Moves::Nothing) => noted.ladder.alive(arm.lasted_s, arm.speaks_first),
            // A shell that leaves, or is left, says nothing of the path.
            (End::Died { manner, .. }, Moves::Nothing) => {
                let confirms = arm.holds != Holds::Shell || manner.is_of_connection();
                turn = confirms && !noted.confirmed;
                noted.confirmed |= confirms;
            }
            (End::Unheard { .. }, _) => {
                turn = true;
                if noted.ladder.unheard(arm.lasted_s) {
                    noted.confirmed = true;
                    let shortest = noted.ladder.shortest_unheard().unwrap_or(arm.lasted_s);
                    turn = noted.dead(shortest);
                }
            }
            (End::Died { .. } | End::Void { .. }, Moves::Keepalive) => {
                noted.kept.remove(&arm.session);
            }
            (End::Void { .. }, Moves::Nothing) => noted.ladder.put_back(arm.lasted_s),
            _ => {}
        }
        if arm.end == End::Open {
            // It takes no further part.
            noted.lanes.remove(&arm.session);
        }
        noted.arms.push(arm);
        drop(noted);
        if turn {
            self.changed.send_modify(|count| *count += 1);
        }
        self.finish_when_known();
    }

    /// Notes the processes that a session has on the server.
    pub(super) fn started(&self, pids: Option<(u32, u32)>) {
        self.noted().started.extend(pids);
    }

    /// The processes of every session that there was.
    pub(super) fn processes(&self) -> Vec<(u32, u32)> {
        self.noted().started.clone()
    }

    /// A session could not be opened.
    pub(super) fn not_opened(&self, why: String) {
        self.noted().not_opened.push(why);
    }

    /// Tells when silent sessions should think again.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Returns, when a silence is as good as proven to kill, one that is surely longer; when the test ends without that, none at all.
    pub(super) async fn longer_than_killed(&self) -> Duration {
        let mut changes = self.changed.subscribe();
        loop {
            match self.died() {
                Some(died) => return Duration::from_secs_f64(longer(died)),
                None if self.is_finished() => return Duration::ZERO,
                None => {}
            }
            if changes.changed().await.is_err() {
                return Duration::ZERO;
            }
        }
    }

    /// The session that only TCP keepalives refresh, once it has been asked; none where there is none, or the test was over first.
    pub(super) async fn kernel_keepalive(&self) -> Option<Arm> {
        let asked = |arm: &&Arm| arm.moves == Moves::TcpKeepalive && arm.end != End::Open;
        loop {
            let over = self.is_finished();
            if let Some(arm) = self.noted().arms.iter().find(asked) {
                return Some(arm.clone());
            }
            if over {
                return None;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Sessions of the ladder that are still held.
    pub(super) fn climbing(&self) -> usize {
        usize::try_from(self.noted().sessions).unwrap_or(usize::MAX)
    }

    /// The longest silence that was lived through, seconds.
    pub(super) fn survived(&self) -> f64 {
        self.noted().ladder.bracket().0
    }

    /// Whether a keepalive is proven against the silence that kills.
    pub(super) fn is_kept(&self) -> bool {
        let noted = self.noted();
        noted.ladder.bracket().1.is_some_and(|died| noted.proven(died).is_some())
    }

    /// Since the test began.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The shortest silence that killed, seconds.
    pub(super) fn died(&self) -> Option<f64> {
        self.noted().ladder.bracket().1
    }

    /// Ends the test.
    pub(super) fn finish(&self) {
        self.over.send_replace(true);
        self.changed.send_modify(|count| *count += 1);
    }

    /// Whether the test is over.
    pub(super) fn is_finished(&self) -> bool {
        *self.over.borrow()
    }

    /// Returns when the test is over.
    pub(super) async fn finished(&self) {
        let mut over = self.over.subscribe();
        let _ = over.wait_for(|over| *over).await;
    }

    /// Ends the test as soon as nothing is left to learn: the longest silence was lived through, or a death is confirmed, its
    /// bracket narrowed and its keepalive proven or disproven.
    fn finish_when_known(&self) {
        let noted = self.noted();
        let (survived, died) = noted.ladder.bracket();
        let reached = died.is_none() && survived >= 0.999 * self.longest - LATE_ACK_S;
        // One line of the server that did not come may have been late: a second one tells.
        let is_asked_again = noted.ladder.is_one_unheard() && noted.lanes.values().any(Shown::may_hear);
        let in_doubt = died.is_none() && is_asked_again;
        let known = match died {
            _ if in_doubt => false,
            _ if reached => true,
            // Whoever is kept alive would go on for ever: with the last silence the test is over.
            None => noted.opening == 0 && noted.ladder.is_climbed() && !noted.lanes.values().any(Shown::is_silent),
            Some(died) => {
                let narrow = noted.ladder.is_narrow();
                let narrowing = noted.lanes.values().any(|lane| lane.is_awaited((survived, died), narrow));
                noted.confirmed && !narrowing && (noted.proven(died).is_some() || !noted.proof_to_come())
            }
        };
        drop(noted);
        if known {
            self.finish();
        }
    }

    /// Shows where a session stands.
    pub(super) fn lane(&self, session: u32, goal: Goal, moves: Moves, began: Option<Instant>) {
        self.noted().lanes.insert(session, Shown { goal, moves, began, state: LaneState::Waiting });
    }

    /// Tells the onlooker.
    pub(super) fn tell(&self, progress: &Progress) {
        let elapsed = self.began.elapsed();
        let noted = self.noted();
        let (_, died) = noted.ladder.bracket();
        let phase = match died {
            None => "looking for a silence that kills".to_owned(),
            Some(died) => format!("{} of silence killed; proving a keepalive", seconds(died)),
        };
        // Once something has died, it takes as long as the proof: nobody knows how long yet.
        let left = died.map_or(Duration::from_secs_f64(self.longest), |_| Duration::ZERO).saturating_sub(elapsed);
        let lanes = noted.lanes.values().map(Shown::lane).collect();
        drop(noted);
        progress.tell(Event::Idle(IdleState { phase, elapsed, left, lanes }));
    }

    /// All that was seen.
    pub(super) fn facts(&self, longest: f64, complete: bool, control: &Control) -> Facts {
        let noted = self.noted();
        let mut arms = noted.arms.clone();
        for (session, kept) in &noted.kept {
            let Some(last_answer) = kept.last_answer else { continue };
            let lasted_s = (last_answer - kept.since).as_secs_f64();
            // A session that was not kept for even its own interval has nothing to tell.
            if lasted_s < f64::from(kept.interval) {
                continue;
            }
            arms.push(Arm {
                session: *session,
                moves: Moves::Keepalive,
                holds: Holds::Command,
                speaks_first: Speaker::Client,
                hop: None,
                interval_s: Some(kept.interval),
                started_s: self.since_start(kept.since),
                lasted_s,
                age_s: lasted_s,
                channel_quiet_s: None,
                heard_bytes: 0,
                end: End::Alive { rtt_ms: noted.rtt.unwrap_or_default().as_secs_f64() * 1000.0 },
            });
        }
        arms.sort_by(|a, b| {
            (a.moves == Moves::Keepalive, a.lasted_s)
                .partial_cmp(&(b.moves == Moves::Keepalive, b.lasted_s))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        let (timeout, manner) = bracket(&arms);
        Facts {
            keepalive: noted.ladder.bracket().1.map_or_else(Keepalive::default, |died| noted.keepalive(died, &arms)),
            timeout,
            manner: manner.map(|manner| manner.code().to_owned()),
            longest_s: longest,
            elapsed_s: self.began.elapsed().as_secs_f64(),
            complete,
            rtt_ms: noted.rtt.map(|rtt| rtt.as_secs_f64() * 1000.0),
            outages: noted.outages.clone(),
            controls: control.opened(),
            server_speaks_every_s: server_speaks(&arms),
            not_opened: noted.not_opened.clone(),
            legs: noted.legs.clone(),
            arms,
            ..Facts::default()
        }
    }
}

impl Noted {
    /// A silence of `length` seconds kills: asks for the proof of the interval that follows. Whether that is news.
    fn dead(&mut self, length: f64) -> bool {
        let news = self.ladder.dead(length);
        if let (true, Some(interval)) = (news, interval(self.ladder.bracket().0)) {
            self.ladder.prove(interval);
        }
        news
    }

    /// The longest recommendable interval at which a session outlived a silence of `died` seconds that kills.
    fn proven(&self, died: f64) -> Option<u32> {
        let most = interval(self.ladder.bracket().0)?;
        self.kept
            .values()
            .filter(|kept| kept.interval <= most && f64::from(kept.interval) * 10.0 > self.ladder.bracket().0)
            .filter(|kept| kept.last_answer.is_some_and(|answer| (answer - kept.since).as_secs_f64() > died))
            .map(|kept| kept.interval)
            .max()
    }

    /// Whether a session is being kept at an interval that may yet be proven.
    fn proof_to_come(&self) -> bool {
        let most = interval(self.ladder.bracket().0);
        self.ladder.is_proving() || self.kept.iter().any(|(session, kept)| *session != 0 && Some(kept.interval) <= most)
    }

    fn keepalive(&self, died: f64, arms: &[Arm]) -> Keepalive {
        // A kept session whose channel was closed, or whose data was missed, shows that it is not packets that count.
        let of_channel = |arm: &Arm| arm.death().is_some_and(|(manner, _)| !manner.is_of_connection());
        if data_alone_lives(arms) || arms.iter().any(|arm| arm.moves == Moves::Keepalive && of_channel(arm)) {
            return Keepalive { verified: Some(false), ..Keepalive::default() };
        }
        if let Some(interval) = self.proven(died).filter(|interval| !died_kept(arms, *interval)) {
            return Keepalive {
                interval_s: Some(interval),
                count_max: Some(count_max(interval)),
                verified: Some(true),
            };
        }
        let in_vain = arms.iter().any(|arm| {
            arm.moves == Moves::Keepalive
                && arm.death().is_some()
                && arm.interval_s.is_some_and(|interval| f64::from(interval) < died)
        });
        if in_vain {
            return Keepalive { verified: Some(false), ..Keepalive::default() };
        }
        let advised = interval(self.ladder.bracket().0);
        Keepalive { interval_s: advised, count_max: advised.map(count_max), verified: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Manner;
    use crate::idle::facts::Sign;

    /// A board on which 6 s of silence killed and 5 s did not, and a session was kept every second for 20 s.
    fn proven() -> Noted {
        let board = Board::new(60.0, 10, false);
        let since = board.began;
        let mut noted = board.noted.into_inner().unwrap();
        noted.ladder.alive(5.0, Speaker::Client);
        noted.ladder.dead(6.0);
        noted.kept.insert(7, Kept { interval: 1, since, last_answer: Some(since + Duration::from_secs(20)) });
        noted
    }

    fn kept_and_died(holds: Holds) -> Arm {
        let end = End::Died { manner: Manner::Silent, sign: Sign::AfterProbe, others_alive: true, tcp: None };
        Arm {
            session: 8,
            moves: Moves::Keepalive,
            holds,
            speaks_first: Speaker::Client,
            hop: None,
            interval_s: Some(1),
            started_s: 0.0,
            lasted_s: 9.0,
            age_s: 9.0,
            channel_quiet_s: None,
            heard_bytes: 0,
            end,
        }
    }

    #[test]
    fn a_session_that_died_although_it_was_kept_forbids_to_call_the_keepalive_proven() {
        let noted = proven();
        assert_eq!(noted.keepalive(6.0, &[]).verified, Some(true));
        assert_eq!(noted.keepalive(6.0, &[kept_and_died(Holds::Command)]).verified, Some(false));
        assert_eq!(noted.keepalive(6.0, &[kept_and_died(Holds::Shell)]).verified, Some(false));
        let slower = Arm { interval_s: Some(2), ..kept_and_died(Holds::Command) };
        assert_eq!(noted.keepalive(6.0, &[slower]).verified, Some(true));
        // A connection without a channel has a timer of its own (UnusedConnectionTimeout).
        assert_eq!(noted.keepalive(6.0, &[kept_and_died(Holds::Nothing)]).verified, Some(true));
    }
}
