//! The life of one session in the idle test.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, sleep_until, timeout};

use super::board::Board;
use super::control::{Control, Finding};
use super::facts::{Arm, End, Holds, Moves, Sign, Speaker};
use super::held::{Held, verdict_deadline};
use super::ladder::{Goal, Turn};
use crate::connection::{Answer, Connection, Ending, Manner};
use crate::login::Login;

/// An answer that takes longer than this is in doubt; it is three times OpenSSH's shortest retransmission time-out.
const IN_DOUBT: Duration = Duration::from_millis(600);
/// How often the main session is kept alive: often at first, when a short timer is still possible.
const MAIN_INTERVAL: [u32; 2] = [2, 5];
/// How many times a session is opened anew after an outage.
const REOPENED: u32 = 2;

/// What all sessions of a test share.
pub(super) struct Test {
    pub(super) login: Login,
    pub(super) mark: Option<String>,
    pub(super) control: Control,
    pub(super) board: Board,
    pub(super) deadline: Duration,
}

/// How a wait ended.
enum Waited {
    /// Its time has come.
    Due,
    /// The session ended by itself.
    Ended(Ending),
    /// There is nothing more to learn from it.
    Enough,
}

/// Keeps the main session alive, and notes when that is in vain.
pub(super) async fn keep(test: Arc<Test>, main: Arc<Connection>) {
    let began = Instant::now();
    loop {
        let interval = MAIN_INTERVAL[usize::from(began.elapsed() > Duration::from_mins(1))];
        test.board.lane(0, Goal::Keep(interval), None);
        tokio::select! {
            () = sleep(Duration::from_secs(interval.into())) => {}
            () = test.board.finished() => return,
        }
        let asked = Instant::now();
        match main.keepalive(verdict_deadline(&main)).await {
            Answer::Alive(rtt) => test.board.answered(0, Goal::Keep(interval), began, rtt),
            Answer::Silent | Answer::Gone => {
                let end = match test.control.settle(asked).await {
                    Finding::Fine { .. } => {
                        let ending = main.ending();
                        let manner = ending.map_or(Manner::Silent, |ending| ending.manner);
                        let tcp = main.socket().and_then(crate::socket::Socket::tcp_info);
                        End::Died { manner, sign: Sign::AfterProbe, others_alive: false, tcp }
                    }
                    finding => test.board.doubtful(finding),
                };
                let lasted = began.elapsed().as_secs_f64();
                test.board.record(Arm {
                    session: 0,
                    moves: Moves::Keepalive,
                    holds: Holds::Command,
                    speaks_first: Speaker::Client,
                    hop: None,
                    interval_s: Some(interval),
                    started_s: test.board.since_start(began),
                    lasted_s: lasted,
                    age_s: lasted,
                    channel_quiet_s: None,
                    heard_bytes: 0,
                    end,
                });
                return;
            }
        }
    }
}

/// One session's part in the test.
pub(super) async fn idle(test: Arc<Test>, number: u32) {
    test.board.joined();
    live(&test, number).await;
    test.board.left();
}

/// Opens a session and lets it be silent, or kept, as the ladder says; after an outage, or where a proof is wanted, once more.
async fn live(test: &Test, number: u32) {
    for _ in 0..=REOPENED {
        let opening = Held::open(&test.login, test.mark.as_deref(), test.deadline);
        let opened = tokio::select! {
            opened = opening => opened,
            () = test.board.finished() => return,
        };
        let mut held = match opened {
            Ok(held) => held,
            Err(error) => return test.board.not_opened(error.to_string()),
        };
        test.board.started(held.pids);
        let again = climb(test, number, &mut held).await || test.board.take_proof(number);
        held.close().await;
        if !again {
            return;
        }
    }
}

/// One session's stretches until it dies or there is nothing more to learn; whether it should be opened again.
async fn climb(test: &Test, number: u32, held: &mut Held) -> bool {
    let mut last = None;
    while let Some(goal) = test.board.next(number, last) {
        let began = held.begin_silence();
        let (waited, goal) = wait(test, number, held, goal, began).await;
        let (end, lasted, heard) = match waited {
            Waited::Enough => (End::Open, held.silence(began).0, 0),
            Waited::Ended(ending) => {
                let (lasted, heard) = held.silence(began);
                (passive(test, ending, goal, lasted).await, lasted, heard)
            }
            Waited::Due => {
                let (lasted, heard) = held.silence(began);
                (ask(test, number, held, goal, lasted).await, lasted, heard)
            }
        };
        let (channel_quiet, age) = held.ages();
        let mut arm = Arm {
            session: number,
            moves: Moves::Nothing,
            holds: Holds::Command,
            speaks_first: Speaker::Client,
            hop: None,
            interval_s: None,
            started_s: test.board.since_start(began),
            lasted_s: lasted.as_secs_f64(),
            age_s: age.as_secs_f64(),
            channel_quiet_s: channel_quiet.map(|quiet| quiet.as_secs_f64()),
            heard_bytes: heard,
            end: end.clone(),
        };
        match (&end, goal) {
            (End::Alive { rtt_ms }, _) => {
                test.board.answered(number, goal, began, Duration::from_secs_f64(rtt_ms / 1000.0));
                if matches!(goal, Goal::Silence(_)) {
                    test.board.record(arm);
                }
            }
            // The board knows since when it is kept.
            (End::Open, Goal::Keep(_)) => {}
            (_, Goal::Keep(interval)) => {
                let since = test.board.kept_since(number).unwrap_or(began);
                arm.moves = Moves::Keepalive;
                arm.interval_s = Some(interval);
                arm.started_s = test.board.since_start(since);
                arm.lasted_s = since.elapsed().as_secs_f64();
                test.board.record(arm);
            }
            _ => test.board.record(arm),
        }
        match end {
            End::Alive { .. } | End::Unheard { .. } => last = Some(goal),
            // A session that was not asked is not known to live: it must not go on as if it did.
            End::Died { .. } | End::Open => return false,
            End::Void { .. } => return true,
        }
    }
    false
}

/// Waits for the session's time, which the ladder may change meanwhile.
async fn wait(test: &Test, number: u32, held: &mut Held, goal: Goal, began: Instant) -> (Waited, Goal) {
    let mut goal = goal;
    let mut changes = test.board.changes();
    loop {
        test.board.lane(number, goal, Some(began));
        let due = began + Duration::from_secs_f64(goal.length());
        tokio::select! {
            () = sleep_until(due.into()) => return (Waited::Due, goal),
            ending = held.ended() => return (Waited::Ended(ending), goal),
            changed = changes.changed() => {
                if changed.is_err() || test.board.is_finished() {
                    return (Waited::Enough, goal);
                }
                match test.board.turn(goal, began.elapsed()) {
                    Turn::Stay => {}
                    Turn::To(length) => goal = Goal::Silence(length),
                    Turn::Leave => return (Waited::Enough, goal),
                }
            }
        }
    }
}

/// A session that ended by itself: a fresh connection shows whether the path and the server are well.
async fn passive(test: &Test, ending: Ending, goal: Goal, lasted: Duration) -> End {
    match test.control.settle(ending.at).await {
        Finding::Fine { kept_alive } => {
            test.board.suspect(goal, lasted);
            End::Died { manner: ending.manner, sign: Sign::BeforeProbe, others_alive: kept_alive, tcp: None }
        }
        finding => test.board.doubtful(finding),
    }
}

/// Asks a session whether it is alive; a doubt is settled while we go on waiting for its answer.
async fn ask(test: &Test, number: u32, held: &Held, goal: Goal, lasted: Duration) -> End {
    let asked = Instant::now();
    test.board.asked(number);
    let alive = |rtt: Duration| End::Alive { rtt_ms: rtt.as_secs_f64() * 1000.0 };
    let mut request = pin!(held.ask());
    let first = timeout(IN_DOUBT, &mut request).await.ok();
    if let Some(Answer::Alive(rtt)) = first {
        return alive(rtt);
    }
    let settle = async {
        let finding = test.control.settle(asked).await;
        if matches!(finding, Finding::Fine { .. }) {
            // From here on it is as good as dead: the others need not wait until the last deadline has passed.
            test.board.suspect(goal, lasted);
        }
        finding
    };
    let answer = async {
        match first {
            Some(answer) => answer,
            None => request.await,
        }
    };
    let (answer, finding) = tokio::join!(answer, settle);
    match (answer, finding) {
        (Answer::Alive(rtt), _) => {
            test.board.unsuspect(goal);
            alive(rtt)
        }
        (_, Finding::Fine { kept_alive }) => {
            let manner = match held.connection().ending() {
                Some(_) => held.connection_ended().await.manner,
                None => Manner::Silent,
            };
            let tcp = held.connection().socket().and_then(crate::socket::Socket::tcp_info);
            End::Died { manner, sign: Sign::AfterProbe, others_alive: kept_alive, tcp }
        }
        (_, finding) => test.board.doubtful(finding),
    }
}
