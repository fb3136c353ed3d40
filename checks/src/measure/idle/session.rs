//! The life of one session in the idle test.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use super::board::Board;
use super::control::Control;
use super::goal::{Goal, Turn};
use super::held::{Event, Held};
use super::opening::{self, Next};
use super::role::Role;
use super::{legs, verdict};
use crate::facts::connection::NotLoggedIn;
use crate::facts::idle::{Arm, End, SessionKind, Speaker};
use crate::ssh::ending::Ending;
use crate::ssh::login::Login;

/// How often data moves on the session that has data, seconds: below the first rung.
pub(super) const DATA_INTERVAL: u32 = 2;
/// How often the server speaks on the session on which only it does, seconds: below the first rung.
pub(super) const SERVER_INTERVAL: u32 = 1;
/// How often the kernel sends TCP keepalives on a session that has them: the least it can do (TCP_KEEPIDLE, tcp(7)).
const TCP_KEEPALIVE: Duration = Duration::from_secs(1);
/// How long a line of the server may be late, beyond the round trip: the server's `sleep` and its shell take their time.
pub(super) const LATE_LINE: Duration = Duration::from_millis(1500);
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
    /// The server said its line.
    Heard,
    /// The session ended by itself.
    Ended(Ending),
    /// There is nothing more to learn from it.
    Enough,
}

/// One session's part in the test.
pub(super) async fn take_part(test: Arc<Test>, number: u32, role: Role) {
    let climbs = role.climbs();
    if climbs {
        test.board.joined();
    }
    live(&test, number, role).await;
    if climbs {
        test.board.left();
    }
}

/// Opens a session and lets it do its part; after an outage, or where a proof is wanted, once more.
async fn live(test: &Test, number: u32, role: Role) {
    let mut awaited = role.climbs();
    for attempt in 0..=REOPENED {
        let shell = matches!(role, Role::Longest(_));
        let opening = Held::open(&test.login, test.mark.as_deref(), shell, test.deadline);
        let opened = tokio::select! {
            opened = opening => opened,
            // What another one waits for in vain is not to be had here either.
            () = test.control.opening_in_doubt() => Err(NotLoggedIn::NoAnswer),
            () = test.board.finished() => return,
        };
        let opened = match opened {
            Ok(held) => Ok(held),
            Err(error) => match opening::failed(test, &error).await {
                Next::Again if attempt < REOPENED => continue,
                Next::Again => Err(error.to_string()),
                Next::Never(why) => Err(why),
            },
        };
        if std::mem::take(&mut awaited) {
            test.board.opened();
        }
        let mut held = match opened {
            Ok(held) => held,
            Err(why) => {
                if matches!(role, Role::Longest(_)) {
                    test.board.take_longest_back();
                }
                return test.board.not_opened(why);
            }
        };
        test.board.started(held.pids);
        let again = climb(test, number, role, &mut held).await;
        held.close().await;
        let once_more = again || (role == Role::Ladder && test.board.take_proof(number));
        if !once_more {
            return;
        }
    }
}

/// What the session does next that has just lived through `last`.
fn next(test: &Test, number: u32, role: Role, last: Option<Goal>) -> Option<Goal> {
    match (role, last) {
        (Role::Ladder, _) => test.board.next(number, last),
        _ if test.board.is_finished() => None,
        (Role::Longest(length), None) => Some(Goal::Silence(length)),
        (Role::TcpKeepalive, None) => Some(Goal::Await),
        (Role::Data, _) => Some(Goal::Keep(DATA_INTERVAL)),
        (Role::ServerData, _) => Some(Goal::Keep(SERVER_INTERVAL)),
        (Role::Longest(_) | Role::TcpKeepalive, Some(_)) => None,
    }
}

/// One session's stretches until it dies or there is nothing more to learn; whether it should be opened again.
async fn climb(test: &Test, number: u32, role: Role, held: &mut Held) -> bool {
    let mut last = None;
    let mut last_rtt = None;
    let mut kept_since = Instant::now();
    while let Some(planned) = next(test, number, role, last) {
        prepare(role, planned, last, held).await;
        let began = held.begin_silence();
        if last != Some(planned) {
            kept_since = test.board.kept_since(number).unwrap_or(began);
        }
        let (waited, goal) = wait(test, number, role, held, planned, (began, kept_since)).await;
        let server_first = matches!(goal, Goal::ServerFirst(_));
        let moves = role.moves(goal);
        if role == Role::TcpKeepalive && matches!(waited, Waited::Due) {
            held.tcp_keepalive(None);
        }
        let (lasted, heard) = held.silence(began);
        // What the server said, and was lost, ended the silence.
        let lasted = match goal {
            Goal::ServerFirst(seconds) => lasted.min(Duration::from_secs(seconds.into())),
            _ => lasted,
        };
        let (channel_quiet, age) = held.ages();
        let over = match &waited {
            Waited::Ended(ending) => ending.at,
            // What the server sends is known to get through only until its last line that did.
            Waited::Due | Waited::Enough if role == Role::ServerData => began,
            _ => Instant::now(),
        };
        let kept = matches!(goal, Goal::Keep(_));
        let end = match waited {
            // A session on which something moves has been asked a moment ago.
            Waited::Enough => match last_rtt.filter(|_| matches!(role, Role::Data | Role::ServerData)) {
                Some(rtt_ms) => End::Alive { rtt_ms },
                None => End::Open,
            },
            Waited::Heard => End::Alive { rtt_ms: 0.0 },
            Waited::Ended(ending) => verdict::passive(test, held, ending, goal, lasted).await,
            Waited::Due if role == Role::Data => verdict::echo(test, number, held, goal).await,
            Waited::Due => match verdict::ask(test, number, held, goal, lasted).await {
                // We have spoken on it, and cannot tell a line that was late from one that was lost.
                End::Alive { .. } if role == Role::ServerData => {
                    End::Void { why: "a line of the server did not come in time; it answered when we asked".to_owned() }
                }
                end => end,
            },
        };
        if matches!(end, End::Died { .. }) {
            test.board.note_legs(legs::at_death(number, held.connection()).await);
        }
        let lived = match end {
            End::Alive { rtt_ms } | End::Unheard { rtt_ms } => Some(Duration::from_secs_f64(rtt_ms / 1000.0)),
            _ => None,
        };
        if let Some(rtt) = lived {
            test.board.answered(number, goal, moves, began, rtt);
        }
        // The board knows since when a session is kept, and how it stands at the end; of others only the last word is wanted.
        let told = match role {
            Role::Ladder => kept && (lived.is_some() || end == End::Open),
            _ => kept && lived.is_some() && !test.board.is_finished(),
        };
        if !told {
            let since = if kept { kept_since } else { began };
            test.board.record(Arm {
                session: number,
                kind: Some(SessionKind::FirstRound),
                moves,
                holds: held.holds(),
                speaks_first: if server_first { Speaker::Server } else { Speaker::Client },
                hop: None,
                interval_s: match (role, goal) {
                    (_, Goal::Keep(interval)) => Some(interval),
                    (Role::TcpKeepalive, _) => u32::try_from(TCP_KEEPALIVE.as_secs()).ok(),
                    _ => None,
                },
                started_s: test.board.since_start(since),
                lasted_s: if kept { over.saturating_duration_since(since) } else { lasted }.as_secs_f64(),
                age_s: age.as_secs_f64(),
                channel_quiet_s: channel_quiet.map(|quiet| quiet.as_secs_f64()),
                heard_bytes: heard,
                answered: None,
                end: end.clone(),
            });
        }
        match end {
            End::Alive { rtt_ms } | End::Unheard { rtt_ms } => {
                last = Some(goal);
                last_rtt = Some(rtt_ms);
            }
            // A session that was not asked is not known to live: it must not go on as if it did.
            End::Died { .. } | End::Open => return false,
            End::Void { .. } => return true,
        }
    }
    false
}

/// What has to be said or set before a silence begins.
async fn prepare(role: Role, goal: Goal, last: Option<Goal>, held: &mut Held) {
    if role == Role::ServerData && last.is_none() {
        held.ask_for_lines().await;
    }
    if matches!(last, Some(Goal::ServerFirst(_))) {
        // A timer that counts only what we say runs since before the server spoke; a session that is lost here is found so later.
        held.ask().await;
    }
    if let Goal::ServerFirst(seconds) = goal {
        held.ask_for_line(seconds).await;
    }
    if role == Role::TcpKeepalive {
        held.tcp_keepalive(Some(TCP_KEEPALIVE));
    }
}

/// Waits for the session's time, which the ladder may change meanwhile.
async fn wait(
    test: &Test,
    number: u32,
    role: Role,
    held: &mut Held,
    goal: Goal,
    (began, kept_since): (Instant, Instant),
) -> (Waited, Goal) {
    let mut goal = goal;
    let server_data = role == Role::ServerData;
    let shown_since = if server_data { kept_since } else { began };
    let mut changes = test.board.changes();
    // What has changed since the goal was set counts too.
    changes.mark_changed();
    loop {
        test.board.lane(number, goal, role.moves(goal), Some(shown_since));
        let late = if server_data || matches!(goal, Goal::ServerFirst(_)) { LATE_LINE } else { Duration::ZERO };
        let due = goal.length().map(|length| began + Duration::from_secs_f64(length) + late);
        let time = async {
            match due {
                Some(due) => sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = time => {
                let over = held.is_over();
                return (if over { Waited::Ended(held.ended().await) } else { Waited::Due }, goal);
            }
            event = held.event() => match event {
                Event::Ended(ending) => return (Waited::Ended(ending), goal),
                // An earlier line is one that was lost before and found its way now.
                Event::Line if server_data || goal.is_due_to_hear(began.elapsed()) => return (Waited::Heard, goal),
                Event::Line => {}
            },
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
