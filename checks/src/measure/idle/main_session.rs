//! The session that the checks before have left: it holds no channel, and is kept alive.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::control::Finding;
use super::goal::Goal;
use super::held::verdict_deadline;
use super::session::Test;
use crate::facts::connection::Manner;
use crate::facts::idle::{Arm, End, Holds, Moves, SessionKind, Sign, Speaker};
use crate::os::socket::Socket;
use crate::ssh::connection::{Answer, Connection};

/// How often the main session is kept alive: often at first, when a short timer is still possible.
const INTERVAL: [u32; 2] = [2, 5];

/// Keeps the main session alive, which holds no channel, and notes when that is in vain.
pub(super) async fn keep(test: Arc<Test>, main: Arc<Connection>) {
    let began = Instant::now();
    loop {
        let interval = INTERVAL[usize::from(began.elapsed() > Duration::from_mins(1))];
        test.board.lane(0, Goal::Keep(interval), Moves::Keepalive, None);
        tokio::select! {
            () = sleep(Duration::from_secs(interval.into())) => {}
            // What ended with the others is told as they are.
            () = test.board.finished() => if main.ending().is_none() { return },
        }
        let asked = Instant::now();
        let ended_before = main.ending().is_some();
        let rtt = match main.keepalive(verdict_deadline(&main)).await {
            Answer::Alive(rtt) => rtt,
            Answer::Silent | Answer::Gone => {
                let end = match test.control.settle(asked).await {
                    Finding::Fine { .. } => {
                        let manner = main.ending().map_or(Manner::Silent, |ending| ending.manner);
                        let sign = if ended_before { Sign::BeforeProbe } else { Sign::AfterProbe };
                        let others_alive = test.board.answers_after(asked).await;
                        End::Died { manner, sign, others_alive, tcp: main.socket().and_then(Socket::tcp_info) }
                    }
                    finding => test.board.doubtful(finding),
                };
                let over = main.ending().map_or_else(Instant::now, |ending| ending.at);
                return test.board.record(Arm {
                    session: 0,
                    kind: Some(SessionKind::Main),
                    moves: Moves::Keepalive,
                    holds: Holds::Nothing,
                    speaks_first: Speaker::Client,
                    hop: None,
                    interval_s: Some(interval),
                    started_s: test.board.since_start(began),
                    lasted_s: over.saturating_duration_since(began).as_secs_f64(),
                    age_s: main.age().saturating_sub(over.elapsed()).as_secs_f64(),
                    channel_quiet_s: None,
                    heard_bytes: 0,
                    answered: None,
                    end,
                });
            }
        };
        test.board.answered(0, Goal::Keep(interval), Moves::Keepalive, began, rtt);
    }
}
