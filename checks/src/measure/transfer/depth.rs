//! Tests of `--deep` alone: rekeying on a quiet connection and in the middle of a transfer that fills the windows many
//! times, and data for a command that does not read it yet.

use std::future::pending;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::ahead::streaming;
use super::returned::{in_time, returned};
use crate::base::limits::Patience;
use crate::base::nonce::{noise, nonce, seed};
use crate::facts::channel::Lead;
use crate::facts::connection::Ran;
use crate::facts::transfer::{Facts, Rekey};
use crate::measure::channel::command;
use crate::measure::retest::leave;
use crate::os::pause::timeout;
use crate::ssh::connection::Connection;
use crate::ssh::login::Login;
use crate::ssh::run::Running;

/// Bytes moved each way: eight windows of 2 MiB, which is what OpenSSH and our library give a channel.
const BYTES: usize = 16 << 20;
/// Bytes for a command that does not read: more than a window holds.
const UNREAD: usize = 4 << 20;
/// The time limit of the longer transfer, seconds.
const TIME_S: f64 = 20.0;
/// The number of times as long as a stage the new keys under load are waited for.
const TIMES: u32 = 4;

/// The rekeys, and the transfer, unless a rekey failed before it; less of it where a slow link would take long for all.
pub(super) async fn check(
    connection: &Connection,
    running: &mut Running,
    patience: Patience,
    rate: Option<f64>,
) -> (Vec<Rekey>, Option<Facts>) {
    let quiet = quiet_rekey(connection, patience.silence).await;
    if quiet.ms.is_none() {
        return (vec![quiet], None);
    }
    let sent = noise(seed(), BYTES.min(within(rate)));
    let already = connection.watch().seen().sent;
    let (moving, mut stopped) = oneshot::channel::<()>();
    let under_way = async {
        tokio::select! {
            biased;
            () = connection.watch().until(|seen| seen.sent > already + sent.len() as u64 / 4) => {}
            () = connection.closed() => {}
            // Data that stalled before that leaves nothing to do it under.
            _ = &mut stopped => return None,
        }
        Some(rekey_under_load(connection, stopped, patience).await)
    };
    let moved = async {
        let facts = returned(connection, running, &sent, patience).await;
        drop(moving);
        facts
    };
    let (facts, loaded) = tokio::join!(moved, under_way);
    ([Some(quiet), loaded].into_iter().flatten().collect(), Some(facts))
}

/// Data for a command that leaves it unread for a second, not on a link that is too slow for it: the windows fill, and in the end all of it must come back.
pub(super) async fn unread(
    connection: &Connection,
    lead: Lead,
    patience: Patience,
    rate: Option<f64>,
) -> Option<Facts> {
    if within(rate) < UNREAD {
        return None;
    }
    let (mark, mut ran) = (nonce(), Ran::default());
    let command = lead.command(&format!("echo {mark}; sleep 1; exec cat"));
    let mut running = connection.start(&command, patience, &mut ran).await?;
    let line = format!("{mark}\n");
    running.read(command::LONG, patience, &mut ran, |ran| command::end_of(&ran.stdout, &line).is_some()).await;
    command::end_of(&ran.stdout, &line)?;
    let sent = noise(seed(), UNREAD);
    let facts = returned(connection, &mut running, &sent, patience).await;
    running.close().await;
    Some(facts)
}

/// True if so many bytes come back on a connection of its own, on which no keys are exchanged anew; `None` where that would need a person.
pub(super) async fn without_rekey(login: &Login, lead: Lead, count: usize, patience: Patience) -> Option<bool> {
    /// The connections: this one, and the one that takes the place of the stalled one.
    const CONNECTIONS: u32 = 2;
    if !login.repeatable() || login.needs_touch() || login.budget.left() < CONNECTIONS {
        return None;
    }
    let connection = login.open(patience.silence).await.ok()?;
    let passed = match streaming(&connection, lead, patience).await {
        Some(mut running) => {
            let facts = returned(&connection, &mut running, &noise(seed(), count), patience).await;
            running.close().await;
            Some(facts.rate.is_some())
        }
        None => None,
    };
    leave(connection, passed == Some(true)).await;
    passed
}

/// Bytes that go there and back within [`TIME_S`] at that rate, which counts both ways; 64 KiB at least.
fn within(rate: Option<f64>) -> usize {
    rate.map_or(BYTES, |rate| in_time(rate / 2.0, TIME_S, BYTES).max(64 * 1024))
}

async fn quiet_rekey(connection: &Connection, wait: Duration) -> Rekey {
    let took = connection.rekey(wait).await;
    outcome(connection, false, took, wait)
}

/// Rekeys while data is under way, behind which the new keys wait: for as long as it moves, and then as long as on a quiet connection.
async fn rekey_under_load(connection: &Connection, stopped: oneshot::Receiver<()>, patience: Patience) -> Rekey {
    let (asked, longest) = (Instant::now(), patience.total * TIMES);
    let waited = async {
        // The other end of it is dropped, which is no message.
        let _ = stopped.await;
        let _ = timeout(patience.silence, pending::<()>()).await;
    };
    let took = tokio::select! {
        biased;
        took = connection.rekey(longest) => took,
        () = waited => None,
    };
    outcome(connection, true, took, asked.elapsed())
}

fn outcome(connection: &Connection, under_load: bool, took: Option<Duration>, waited: Duration) -> Rekey {
    Rekey {
        under_load,
        ms: took.map(|took| took.as_secs_f64() * 1000.0),
        deadline_ms: waited.as_secs_f64() * 1000.0,
        ending: connection.ending().map(|ending| ending.manner),
    }
}
