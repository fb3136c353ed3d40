//! Data one way at a time, after both ways at once stalled: some servers move input and output in turns, and wait for ever where a command
//! does not read while it writes.

use crate::base::limits::Patience;
use crate::base::nonce::{noise, nonce, seed};
use crate::facts::channel::Lead;
use crate::facts::connection::Ran;
use crate::facts::transfer::OneWay;
use crate::measure::channel::command;
use crate::measure::retest::leave;
use crate::ssh::connection::Connection;
use crate::ssh::login::Login;

/// Bytes of a block of `dd`.
const BLOCK: usize = 1024;

/// Moves this many bytes from the server and then to it, each on a connection of its own; `None` where that would need a person.
pub(super) async fn each_way(login: &Login, lead: Lead, count: usize, patience: Patience) -> Option<OneWay> {
    /// The connections: one for each way, and the one that takes the place of the stalled one.
    const CONNECTIONS: u32 = 3;
    if !login.repeatable() || login.needs_touch() || login.budget.left() < CONNECTIONS {
        return None;
    }
    let blocks = count.div_ceil(BLOCK);
    let connection = login.open(patience.silence).await.ok()?;
    let from_server = received(&connection, lead, blocks * BLOCK, login.command_patience(patience)).await;
    leave(connection, from_server).await;
    let connection = login.open(patience.silence).await.ok()?;
    let to_server = delivered(&connection, lead, count, login.command_patience(patience)).await;
    leave(connection, to_server).await;
    Some(OneWay { bytes: count as u64, from_server, to_server })
}

/// True if all of a command's output arrives that reads nothing.
async fn received(connection: &Connection, lead: Lead, count: usize, patience: Patience) -> bool {
    let mut ran = Ran::default();
    // It goes on until we leave: what a server loses where a command ends is a matter of exit.
    let command = lead.command(&format!("dd if=/dev/zero bs={BLOCK} count={} 2>/dev/null; exec cat", count / BLOCK));
    let Some(mut running) = connection.start(&command, patience, &mut ran).await else { return false };
    let whole = |ran: &Ran| ran.stdout_bytes >= count as u64;
    running.read(0, patience, &mut ran, whole).await;
    running.close().await;
    whole(&ran)
}

/// True if a command that writes nothing meanwhile has read all that was sent.
async fn delivered(connection: &Connection, lead: Lead, count: usize, patience: Patience) -> bool {
    let (mut ran, mark) = (Ran::default(), nonce());
    let command = lead.command(&format!("head -c {count} >/dev/null; echo {mark}"));
    let Some(mut running) = connection.start(&command, patience, &mut ran).await else { return false };
    let said = |ran: &Ran| command::end_of(&ran.stdout, &mark).is_some();
    let ran = running.exchange(noise(seed(), count), patience, connection, said).await;
    running.close().await;
    said(&ran)
}
