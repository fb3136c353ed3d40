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

/// The rekeys, and the transfer, unless a rekey failed before it; less of it where a slow link would take long for all. It begins with little,
/// since what a shaper lets through at once shows nothing of its rate.
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
    let (mut moved, mut rate, mut inserted) = (0, rate, Vec::new());
    for part in command::parts(sent.len()) {
        let is_last = moved + part == sent.len();
        if is_last || moved > 0 && within(rate) < part {
            break;
        }
        let mut facts = returned(connection, running, &sent[moved..][..part], patience).await;
        inserted.append(&mut facts.inserted);
        if facts.rate.is_none() {
            return (vec![quiet], Some(Facts { inserted, ..facts }));
        }
        (moved, rate) = (moved + part, facts.rate);
    }
    let rest = &sent[moved..];
    let (mut facts, loaded) = with_new_keys(connection, running, &rest[..rest.len().min(within(rate))], patience).await;
    inserted.append(&mut facts.inserted);
    ([Some(quiet), loaded].into_iter().flatten().collect(), Some(Facts { inserted, ..facts }))
}

/// Sends this and reads it back, and asks for new keys when a quarter is on its way; `None` where it stalled before that.
async fn with_new_keys(
    connection: &Connection,
    running: &mut Running,
    sent: &[u8],
    patience: Patience,
) -> (Facts, Option<Rekey>) {
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
        let facts = returned(connection, running, sent, patience).await;
        drop(moving);
        facts
    };
    tokio::join!(moved, under_way)
}

/// Data for a command that leaves it unread for a second, not on a link that is too slow for it: the windows fill, and in the end all of it must come back.
pub(super) async fn unread(
    connection: &Connection,
    (lead, starting): (Lead, Patience),
    patience: Patience,
    rate: Option<f64>,
) -> Option<Facts> {
    if within(rate) < UNREAD {
        return None;
    }
    let (mark, mut ran) = (nonce(), Ran::default());
    let command = lead.command(&format!("echo {mark}; sleep 1; exec cat"));
    let mut running = connection.start(&command, starting, &mut ran).await?;
    command::await_mark(&mut running, &mark, starting, &mut ran).await?;
    let sent = noise(seed(), UNREAD);
    let facts = returned(connection, &mut running, &sent, patience).await;
    if facts.rate.is_some() {
        // Some servers end the connection where a channel is closed whose command still runs.
        running.end(patience).await;
    } else {
        running.close().await;
    }
    Some(facts)
}

/// True if so many bytes come back on a connection of its own, with new keys in the middle or without; `None` where that would need a person.
pub(super) async fn anew(login: &Login, lead: Lead, count: usize, new_keys: bool, patience: Patience) -> Option<bool> {
    /// The connections: this one, and the one that takes the place of the stalled one.
    const CONNECTIONS: u32 = 2;
    if !login.repeatable() || login.needs_touch() || login.budget.left() < CONNECTIONS {
        return None;
    }
    let connection = login.open(patience.silence).await.ok()?;
    let passed = match streaming(&connection, lead, login.command_patience(patience)).await {
        Some(mut running) => {
            let sent = noise(seed(), count);
            let (facts, rekeyed) = if new_keys {
                let (facts, rekey) = with_new_keys(&connection, &mut running, &sent, patience).await;
                (facts, rekey.is_some_and(|rekey| rekey.ms.is_some()))
            } else {
                (returned(&connection, &mut running, &sent, patience).await, true)
            };
            running.close().await;
            Some(rekeyed && facts.rate.is_some())
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
