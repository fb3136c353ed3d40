//! True if a login's connection is still there: the library's answers do not say (research: an empty list of methods).

use std::time::{Duration, Instant};

use crate::facts::connection::Manner;
use crate::os::pause::{timeout, timeout_at};
use crate::os::socket::Socket;
use crate::ssh::connection::Connection;
use crate::ssh::tap::Watch;

/// The time that a dying connection may take to be seen as such.
const DYING: Duration = Duration::from_millis(500);
/// The interval of that check: the library does not report when it gives a connection up, or why.
const GLANCE: Duration = Duration::from_millis(5);

/// The connection to check while a login is unanswered.
pub(crate) struct Unheard {
    watch: Watch,
    socket: Option<Socket>,
    received: u64,
}

impl Unheard {
    pub(crate) fn on(connection: &Connection) -> Self {
        let watch = connection.watch().clone();
        let received = watch.seen().received;
        Self { socket: connection.socket().and_then(|socket| socket.again().ok()), watch, received }
    }

    /// Returns at `deadline`, and only if no byte has come by then, or what we sent is not even acknowledged.
    ///
    /// A server accepts the request to log in before it looks anything up: however slow a login, this answer comes at once.
    pub(crate) async fn by(self, deadline: Instant) {
        let _ = timeout_at(deadline, std::future::pending::<()>()).await;
        let lost = self.socket.and_then(|socket| socket.tcp_info()).is_some_and(|tcp| tcp.is_losing());
        if !lost && self.watch.seen().received > self.received {
            std::future::pending::<()>().await;
        }
    }
}

/// The way the connection ended, in words, after an answer without methods; none when the server itself gave that answer.
pub(crate) async fn after_silence(connection: &Connection) -> Option<String> {
    let _ = timeout(DYING, async {
        while !(connection.is_closed() && connection.ending().is_some()) {
            tokio::time::sleep(GLANCE).await;
        }
    })
    .await;
    if !connection.is_closed() {
        return None;
    }
    match connection.ending().map(|ending| ending.manner) {
        // The library gives up when it knows none of the methods that can continue.
        Some(Manner::Protocol { error }) if error == russh::Error::NoAuthMethod.to_string() => None,
        Some(manner) => Some(manner.words()),
        None => Some("the connection ended".into()),
    }
}
