//! Alive or dead: an answer, or what a fresh connection shows in its absence.

use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::control::Finding;
use super::goal::Goal;
use super::held::Held;
use super::session::Test;
use crate::facts::connection::Manner;
use crate::facts::idle::{End, Holds, Sign};
use crate::os::socket::Socket;
use crate::ssh::connection::Answer;
use crate::ssh::ending::Ending;

/// An answer that takes longer than this is in doubt; it is three times OpenSSH's shortest retransmission time-out.
const IN_DOUBT: Duration = Duration::from_millis(600);

/// An answer that takes longer than this, while a fresh connection works at once, came in spite of the path.
const LATE: Duration = Duration::from_millis(1500);

/// A session that ended by itself: a fresh connection shows whether the path and the server are well.
pub(super) async fn passive(test: &Test, held: &Held, ending: Ending, goal: Goal, lasted: Duration) -> End {
    match test.control.settle(ending.at).await {
        Finding::Fine { kept_alive } => {
            match held.holds() {
                Holds::Shell if ending.manner.is_of_connection() => test.board.terminal_ended(lasted),
                // A shell that leaves has its own reasons.
                Holds::Shell => {}
                Holds::Command | Holds::Nothing => test.board.suspect(goal, lasted),
            }
            let others_alive = kept_alive || test.board.answers_after(ending.at).await;
            End::Died { manner: ending.manner, sign: Sign::BeforeProbe, others_alive, tcp: None }
        }
        finding => test.board.doubtful(finding),
    }
}

/// Asks a session whether it is alive; a doubt is settled while we go on waiting for its answer.
pub(super) async fn ask(test: &Test, number: u32, held: &Held, goal: Goal, lasted: Duration) -> End {
    let end = settle(test, number, held, goal, Some(lasted), held.ask()).await;
    match (end, goal) {
        // Its line had not come, and our request was answered at once: only what the server said was lost.
        (End::Alive { rtt_ms }, Goal::ServerFirst(_)) => End::Unheard { rtt_ms },
        (end, _) => end,
    }
}

/// Sends a line and waits until the server has sent it back.
pub(super) async fn echo(test: &Test, number: u32, held: &mut Held, goal: Goal) -> End {
    let mut ended = None;
    let answer = held.echo(&mut ended).await;
    if let Some(ending) = ended {
        return passive(test, held, ending, goal, Duration::ZERO).await;
    }
    settle(test, number, held, goal, None, std::future::ready(answer)).await
}

async fn settle(
    test: &Test,
    number: u32,
    held: &Held,
    goal: Goal,
    silent_for: Option<Duration>,
    request: impl Future<Output = Answer>,
) -> End {
    let asked = Instant::now();
    test.board.asked(number);
    let alive = |rtt: Duration| End::Alive { rtt_ms: rtt.as_secs_f64() * 1000.0 };
    let mut request = pin!(request);
    let first = timeout(IN_DOUBT.max(test.board.rtt() * 3), &mut request).await.ok();
    if let Some(Answer::Alive(rtt)) = first {
        return alive(rtt);
    }
    let settle = async {
        let finding = test.control.settle(asked).await;
        if let (Finding::Fine { .. }, Some(lasted)) = (&finding, silent_for) {
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
        // A fresh connection worked at once, and this one only when something else had woken the path: it did not just live.
        (Answer::Alive(rtt), Finding::Fine { .. }) if rtt > LATE.max(test.board.rtt() * 4) => End::Void {
            why: format!("it answered only after {:.1} s, while a fresh connection worked at once", rtt.as_secs_f64()),
        },
        (Answer::Alive(rtt), _) => {
            test.board.unsuspect(goal);
            alive(rtt)
        }
        (_, Finding::Fine { kept_alive }) => {
            let manner = match held.connection().ending() {
                Some(_) => held.connection_ended().await.manner,
                None => Manner::Silent,
            };
            let tcp = held.connection().socket().and_then(Socket::tcp_info);
            let others_alive = kept_alive || test.board.answers_after(asked).await;
            End::Died { manner, sign: Sign::AfterProbe, others_alive, tcp }
        }
        (_, finding) => test.board.doubtful(finding),
    }
}
