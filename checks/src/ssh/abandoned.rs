//! Connections that are given up before the login: the server is told, even if the path is interrupted just then.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use crate::os::socket::Socket;

/// For so long we wait for an interrupted path: half of sshd's default LoginGraceTime (sshd_config(5)), after which it ends the connection itself.
const PATH_RETURNS_WITHIN: Duration = Duration::from_mins(1);

/// The pause between two looks at what is still unacknowledged.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Resets a connection when it can hear it.
///
/// A reset is sent once: one that an interruption swallows leaves the server with a connection that nobody uses, and which counts
/// for its MaxStartups until its LoginGraceTime. Data and the end of it the kernel sends again until they are acknowledged; once they have
/// arrived, a reset arrives too. Data that is too large for the path never does: after a minute, or when we end, the reset goes out anyway.
pub(crate) fn reset(socket: Socket) {
    socket.end_sending();
    let abandoned = Abandoned(socket);
    if abandoned.is_unacknowledged()
        && let Ok(runtime) = Handle::try_current()
    {
        runtime.spawn(abandoned.reset_once_heard());
    }
}

/// Resets what is given up halfway, at its deadline or because its result is no longer needed. Whatever is kept is taken out first.
pub(crate) struct ResetOnDrop(pub(crate) Option<Socket>);

impl Drop for ResetOnDrop {
    fn drop(&mut self) {
        if let Some(socket) = self.0.take() {
            reset(socket);
        }
    }
}

/// A connection that is reset when this is dropped.
struct Abandoned(Socket);

impl Abandoned {
    fn is_unacknowledged(&self) -> bool {
        self.0.is_connected() && self.0.tcp_info().is_some_and(|info| info.unacked > 0)
    }

    async fn reset_once_heard(self) {
        let until = Instant::now() + PATH_RETURNS_WITHIN;
        while self.is_unacknowledged() && Instant::now() < until {
            sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.abort();
    }
}
