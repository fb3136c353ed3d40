//! Data that a command stores before it sends any back, part by part: the next one where the link carried those before in little time.

use std::future::pending;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::alignment::Alignment;
use super::returned::compared;
use crate::base::limits::Patience;
use crate::base::nonce::{noise, nonce, seed};
use crate::facts::channel::Lead;
use crate::facts::connection::Ran;
use crate::facts::transfer::Facts;
use crate::measure::channel::command;
use crate::os::socket::Socket;
use crate::ssh::connection::Connection;
use crate::ssh::run::Running;

/// The time within which a link carries the first part at a Mbit/s, at which 1 MiB takes 8 s each way.
const SLOW: Duration = Duration::from_millis(500);
/// Data that waits for so long before it is acknowledged waits in the queue of a slow link; where packets are lost it does not.
const QUEUED: Duration = Duration::from_millis(100);
/// Data that takes longer than this to come back is followed by no more, whatever the reason.
const SLOW_BACK: Duration = Duration::from_secs(2);
/// Bytes that make a beginning of what comes back: more than the messages that answer what is sent.
const BEGUN: u64 = 1024;

/// The time that data took to the server, and back.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    up: Duration,
    down: Duration,
    /// True if data waited in a queue on its way to the server.
    queued: bool,
}

impl Times {
    /// True if more would take long.
    fn are_slow(self) -> bool {
        self.up > SLOW && self.queued || self.down > SLOW_BACK
    }
}

/// Sends so many bytes in the parts in which the command stores them, and reads each back; fewer where they take long. True if that was so.
pub(super) async fn stored(
    connection: &Connection,
    running: &mut Running,
    count: usize,
    patience: Patience,
) -> (Facts, bool) {
    let sent = noise(seed(), count);
    let (mut ran, mut moved, mut times) = (Ran::default(), 0, Times::default());
    for part in command::parts(count) {
        let data = &sent[moved..][..part];
        let (next, took) = returned(connection, running, data, patience).await;
        let is_back = is_back(data, &next);
        ran = ran.followed_by(next);
        moved += part;
        times = Times { up: times.up + took.up, down: times.down + took.down, queued: took.queued };
        if !is_back || times.are_slow() {
            break;
        }
    }
    let is_slow = moved < sent.len();
    let mut facts = compared(connection, &sent[..moved], ran);
    if facts.rate.is_some() {
        facts.tell_directions(times.up, times.down);
    }
    (facts, is_slow)
}

/// Sends a part, and reads it back.
async fn returned(connection: &Connection, running: &mut Running, part: &[u8], patience: Patience) -> (Ran, Times) {
    let (began, before, stored) = (Instant::now(), connection.watch().seen().received, OnceLock::new());
    // On a slow link a whole packet comes seconds after its first byte.
    let arrival = async {
        connection.watch().until(|seen| seen.received > before + BEGUN).await;
        let tcp = connection.socket().and_then(Socket::tcp_info);
        let _ = stored.set((began.elapsed(), tcp.is_some_and(|tcp| tcp.rtt() > QUEUED)));
        pending().await
    };
    let ran = tokio::select! {
        biased;
        never = arrival => never,
        ran = running.exchange(part.to_vec(), patience, connection, |ran| is_back(part, ran)) => ran,
    };
    let (up, queued) = stored.get().copied().unwrap_or_default();
    (ran, Times { up, down: began.elapsed().saturating_sub(up), queued })
}

/// True if so much is back, and nothing that comes later could change what that shows.
fn is_back(sent: &[u8], ran: &Ran) -> bool {
    ran.stdout_bytes >= sent.len() as u64 && Alignment::of(sent, &ran.stdout).is_settled()
}

/// The command that sends back what it is sent as it comes, once it has printed its mark.
pub(super) async fn streaming(connection: &Connection, lead: Lead, patience: Patience) -> Option<Running> {
    let (mark, mut ran) = (nonce(), Ran::default());
    let mut running = connection.start(&command::command(lead, &mark, 0), patience, &mut ran).await?;
    let line = format!("{mark}\n");
    running.read(command::LONG, patience, &mut ran, |ran| command::end_of(&ran.stdout, &line).is_some()).await;
    command::end_of(&ran.stdout, &line)?;
    Some(running)
}

#[cfg(test)]
mod tests {
    use super::{Duration, Times};

    #[test]
    fn a_link_that_is_slow_either_way_is_slow() {
        let slow = |up, down, queued| {
            let [up, down] = [up, down].map(Duration::from_millis);
            Times { up, down, queued }.are_slow()
        };
        assert!(slow(8_000, 8_000, true));
        assert!(slow(600, 10, true), "to the server");
        assert!(slow(20, 8_000, false), "from the server");
        assert!(!slow(2, 2, false));
        assert!(!slow(900, 50, false), "packets are lost, and none waits");
    }
}
