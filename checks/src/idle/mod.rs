//! How long silence is survived, who ends it how, and the keepalive that was proven to prevent it.
//!
//! Sessions idle side by side, each for a longer time than the one before ([`ladder`]); each is then asked for an answer ([`held`]), and a
//! doubt is settled by a fresh connection opened at that moment ([`control`]), so that an outage is never taken for a timer.

mod board;
mod causes;
mod control;
mod facts;
mod held;
mod ladder;
mod leftovers;
mod session;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::evidence::Step;
use crate::examination::Examination;
use crate::nonce::nonce;

use board::Board;
use control::Control;
use session::Test;

pub use causes::CAUSES;
pub use facts::{Arm, End, Facts, Holds, Keepalive, Killer, Leftovers, Moves, Outage, Sign, Speaker, Timeout};

/// How often the onlooker is told.
const TICK: Duration = Duration::from_millis(500);
/// How long sessions may take to close at the end.
const CLOSING: Duration = Duration::from_secs(3);

/// Measures how long silence is survived on sessions of its own, beside the connection that auth left.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    if exam.limits.idle.is_zero() {
        return Step::Skipped("not asked for (--idle 0)".into());
    }
    let Some(login) = exam.login.clone() else {
        return Step::Skipped("there is no login: see auth".into());
    };
    let Some(connection) = exam.connection.take() else {
        return Step::Skipped("the connection was lost: see the checks before".into());
    };
    let main = Arc::new(connection);
    let mark = exam.runs_commands.then(nonce);
    let longest = exam.limits.idle.as_secs_f64();
    let test = Arc::new(Test {
        control: Control::new(login.clone(), main.clone(), exam.limits.connect),
        login,
        mark: mark.clone(),
        board: Board::new(longest),
        deadline: exam.limits.connect,
    });
    let mut sessions = JoinSet::new();
    sessions.spawn(session::keep(test.clone(), main.clone()));
    // One session is the main one, one place is left for the fresh connection that settles a doubt.
    for number in 1..exam.limits.sessions.saturating_sub(1).max(2) {
        sessions.spawn(session::idle(test.clone(), u32::try_from(number).unwrap_or(u32::MAX)));
    }
    let interrupted = watch(exam, &test, &mut sessions).await;
    sessions.shutdown().await;
    let mut facts = test.board.facts(longest, !interrupted, &test.control);
    let processes = test.board.processes();
    drop(test);
    if let Some(mark) = mark
        && !main.is_closed()
    {
        facts.leftovers = leftovers::end(&main, &processes, &mark, exam.limits.patience()).await;
    }
    exam.connection = Arc::into_inner(main).filter(|main: &Connection| !main.is_closed());
    let lived = facts.deaths().is_empty() && facts.outages.iter().all(|outage| outage.ended_s.is_some());
    if lived && facts.timeout.survived_s.is_none() && !interrupted {
        return Step::Error(format!("no session could be held: {}", facts.not_opened.join("; ")));
    }
    if lived { Step::Passed(facts) } else { Step::Failed(facts) }
}

/// Tells the onlooker how it goes until all is known or the user wants to end; whether that was so.
async fn watch(exam: &Examination, test: &Test, sessions: &mut JoinSet<()>) -> bool {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            _ = tick.tick() => test.board.tell(&exam.progress),
            ended = sessions.join_next() => if ended.is_none() { return false },
            () = test.board.finished() => break,
            () = exam.stop.wait() => {
                test.board.finish();
                break;
            }
        }
    }
    // The sessions note how they stand and say goodbye.
    let all = async { while sessions.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(CLOSING, all).await;
    test.board.tell(&exam.progress);
    exam.stop.asked()
}
