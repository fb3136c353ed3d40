//! What only `--deep` does: keys exchanged anew on a quiet connection and in the middle of a transfer that fills the windows many
//! times, and data for a command that does not read it yet.

use super::returned::returned;
use crate::base::limits::Patience;
use crate::base::nonce::{noise, nonce, seed};
use crate::facts::channel::Lead;
use crate::facts::connection::Ran;
use crate::facts::transfer::{Facts, Rekey};
use crate::measure::channel::command;
use crate::os::pause::timeout;
use crate::ssh::connection::Connection;
use crate::ssh::run::Running;

/// Bytes moved each way: eight windows of 2 MiB, which is what OpenSSH and our library give a channel.
const BYTES: usize = 16 << 20;
/// Bytes for a command that does not read: more than a window holds.
const UNREAD: usize = 4 << 20;
/// How much longer this may take than a stage.
const TIMES: u32 = 4;

/// The rekeys, and the transfer, unless a rekey failed before it.
pub(super) async fn check(
    connection: &Connection,
    running: &mut Running,
    patience: Patience,
) -> (Vec<Rekey>, Option<Facts>) {
    let quiet = rekey(connection, patience, false).await;
    if quiet.ms.is_none() {
        return (vec![quiet], None);
    }
    let sent = noise(seed(), BYTES);
    let long = Patience { total: patience.total * TIMES, ..patience };
    let already = connection.watch().seen().sent;
    let under_way = async {
        tokio::select! {
            () = connection.watch().until(|seen| seen.sent > already + BYTES as u64 / 4) => {}
            () = connection.closed() => {}
        }
        rekey(connection, patience, true).await
    };
    let under_way = timeout(long.total, under_way);
    let (facts, loaded) = tokio::join!(returned(connection, running, &sent, long), under_way);
    ([Some(quiet), loaded.ok()].into_iter().flatten().collect(), Some(facts))
}

/// Data for a command that leaves it unread for a second: the windows fill, and in the end all of it must come back.
pub(super) async fn unread(connection: &Connection, lead: Lead, patience: Patience) -> Option<Facts> {
    let (mark, mut ran) = (nonce(), Ran::default());
    let command = lead.command(&format!("echo {mark}; sleep 1; exec cat"));
    let mut running = connection.start(&command, patience, &mut ran).await?;
    let line = format!("{mark}\n");
    running.read(command::KEPT, patience, &mut ran, |ran| command::end_of(&ran.stdout, &line).is_some()).await;
    command::end_of(&ran.stdout, &line)?;
    let sent = noise(seed(), UNREAD);
    let long = Patience { total: patience.total * TIMES, ..patience };
    let facts = returned(connection, &mut running, &sent, long).await;
    running.close().await;
    Some(facts)
}

async fn rekey(connection: &Connection, patience: Patience, under_load: bool) -> Rekey {
    let took = connection.rekey(patience.silence).await;
    Rekey {
        under_load,
        ms: took.map(|took| took.as_secs_f64() * 1000.0),
        deadline_ms: patience.silence.as_secs_f64() * 1000.0,
        ending: connection.ending().map(|ending| ending.manner),
    }
}
