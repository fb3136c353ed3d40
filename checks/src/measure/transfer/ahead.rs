//! Data that a command stores before it sends any back, and what is moved instead where a slow link would take long for it.

use std::mem::replace;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::alignment::Alignment;
use super::returned::{compared, measured};
use crate::base::limits::Patience;
use crate::base::nonce::{noise, nonce, seed};
use crate::facts::channel::Lead;
use crate::facts::connection::Ran;
use crate::facts::transfer::Facts;
use crate::measure::channel::command;
use crate::os::socket::Socket;
use crate::ssh::connection::Connection;
use crate::ssh::run::Running;

/// Bytes that are sent ahead: four times what the bucket of a usual shaper lets through at once (tc-tbf(8): `burst 16kb`).
const AHEAD: usize = 64 * 1024;
/// The time after which a link that has not delivered them is slow: a Mbit/s, and 1 MiB takes 8 s each way.
const SLOW: Duration = Duration::from_millis(500);
/// Data that waits for so long before it is acknowledged waits in the queue of a slow link; where packets are lost it does not.
const QUEUED: Duration = Duration::from_millis(100);
/// The time without progress after which nothing is waited for here: a slow link's lost segment is sent again after a second or two.
const STALLED: Duration = Duration::from_secs(3);

/// Sends so many bytes, and reads them back once the command has stored them all; on a slow link moves less, both ways at once, by a
/// command that begins so and takes the place of the first.
pub(super) async fn stored(
    connection: &Connection,
    running: &mut Running,
    count: usize,
    lead: Option<Lead>,
    patience: Patience,
) -> Facts {
    let (sent, began) = (noise(seed(), count), Instant::now());
    let (ahead, rest) = sent.split_at(AHEAD.min(sent.len()));
    let before = connection.delivered();
    let (is_slow, still) = if running.write(ahead, patience).await {
        is_slow(connection, before.bytes() + ahead.len() as u64).await
    } else {
        (false, Duration::ZERO)
    };
    if let (true, Some(lead)) = (is_slow, lead)
        && let Some(anew) = streaming(connection, lead, patience).await
    {
        replace(running, anew).close().await;
        return measured(connection, running, count, patience).await;
    }
    let took_ms = began.elapsed().as_secs_f64() * 1000.0;
    let settled = |ran: &Ran| ran.stdout_bytes >= sent.len() as u64 && Alignment::of(&sent, &ran.stdout).is_settled();
    // The silence so far counts.
    let patience = Patience { silence: patience.silence.saturating_sub(still), ..patience };
    let mut ran = running.exchange(rest.to_vec(), patience, connection, settled).await;
    ran.duration_ms += took_ms;
    ran.first_output_ms = ran.first_output_ms.map(|first| first + took_ms);
    let mut facts = compared(connection, &sent, ran);
    if facts.rate.is_some() {
        facts.tell_directions();
    }
    facts
}

/// True if what was sent arrives late and waits in a queue; false as soon as so many bytes are acknowledged in time, or nothing moves. And
/// the time since something moved.
async fn is_slow(connection: &Connection, acknowledged: u64) -> (bool, Duration) {
    /// The time between two looks: one round trip of a near path, at most.
    const LOOK: Duration = Duration::from_millis(1);
    let began = Instant::now();
    let (mut last, mut moved) = (0, began);
    loop {
        let (now, tcp) = (connection.delivered().bytes(), connection.socket().and_then(Socket::tcp_info));
        let is_there = now >= acknowledged;
        if is_there || tcp.is_none() || moved.elapsed() > STALLED {
            let is_slow = is_there && began.elapsed() > SLOW && tcp.is_some_and(|tcp| tcp.rtt() > QUEUED);
            return (is_slow, if is_there { Duration::ZERO } else { moved.elapsed() });
        }
        if now > last {
            (last, moved) = (now, Instant::now());
        }
        // The kernel reports acknowledgements only when asked (TCP_INFO).
        sleep(LOOK).await;
    }
}

/// The command that sends back what it is sent as it comes, once it has printed its mark.
async fn streaming(connection: &Connection, lead: Lead, patience: Patience) -> Option<Running> {
    let (mark, mut ran) = (nonce(), Ran::default());
    let mut running = connection.start(&command::command(lead, &mark, 0), patience, &mut ran).await?;
    let line = format!("{mark}\n");
    running.read(command::KEPT, patience, &mut ran, |ran| command::end_of(&ran.stdout, &line).is_some()).await;
    command::end_of(&ran.stdout, &line)?;
    Some(running)
}
