//! Tells an answer that is late because the path delivered the request late from one whose request was lost at first.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::facts::tcp::TcpInfo;
use crate::os::socket::Socket;
use crate::ssh::connection::Connection;

/// The reports of what came twice arrive right after the answer; how often we look for them, and how many times.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: u32 = 8;

/// Counters that are read later than this after the request do not show what became of it.
const AT_ONCE: Duration = Duration::from_millis(50);

/// The counters of a connection before something was asked on it.
pub(super) struct Lateness<'a> {
    connection: &'a Connection,
    /// Segments lost by then; `None` where the system does not tell.
    lost: Option<u32>,
}

impl<'a> Lateness<'a> {
    /// To be called when the request is sent, at `sent`.
    pub(super) fn begin(connection: &'a Connection, sent: Instant) -> Self {
        Self { connection, lost: lost(connection).filter(|_| sent.elapsed() < AT_ONCE) }
    }

    /// True if nothing was lost since: every packet that was sent again had arrived (DSACK, RFC 2883).
    pub(super) async fn was_all(&self) -> bool {
        let Some(before) = self.lost else { return false };
        for _ in 0..LOOKS {
            if lost(self.connection).is_some_and(|lost| lost <= before) {
                return true;
            }
            sleep(LOOK).await;
        }
        false
    }
}

fn lost(connection: &Connection) -> Option<u32> {
    connection.socket().and_then(Socket::tcp_info).as_ref().map(TcpInfo::lost)
}
