//! The time that an answer is waited for: time in which the path is interrupted, or the server silent, does not count.

use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use crate::ssh::connection::Connection;
use crate::ssh::keepalive::KeepaliveReply;
use crate::ssh::recorder::PathState;

/// The interval at which the end of the time is checked.
const LOOK: Duration = Duration::from_millis(100);
/// The time that a retransmission may take beyond an outage: TCP doubles its wait each time (RFC 6298).
const RETRANSMITTED: Duration = Duration::from_secs(3);
/// The longest wait for any answer: a path that has not come back by then is gone.
const MOST: Duration = Duration::from_secs(75);

/// The known facts of the path that a connection takes, where anything is.
fn path_of(connection: &Connection) -> Option<watch::Receiver<PathState>> {
    connection.record().recorder().path()
}

/// Returns the time at which the answer to a request sent at `asked` is overdue, unless a disturbance follows; `None`
/// during one. `noticed` is the last time at which one was on: as long as only sessions that it did not hit have been heard after it, it may
/// have been their own.
fn overdue_at(state: &PathState, asked: Instant, deadline: Duration, noticed: Option<Instant>) -> Option<Instant> {
    if state.is_disturbed() {
        return None;
    }
    let until = state.disturbed_until(asked).max(noticed);
    let again = until.map(|until| until + until.saturating_duration_since(asked).min(MOST / 2) + RETRANSMITTED);
    Some((asked + deadline).max(again.unwrap_or(asked)))
}

/// The path of a connection on which something was asked.
pub(super) struct Patience {
    path: Option<watch::Receiver<PathState>>,
    asked: Instant,
    deadline: Duration,
}

impl Patience {
    /// Starts the wait for a request sent now; the answer may take `deadline` where nothing disturbs the path.
    pub(super) fn new(connection: &Connection, deadline: Duration) -> Self {
        Self { path: path_of(connection), asked: Instant::now(), deadline }
    }

    /// Waits for the answer for so long, and for as much longer as the path is disturbed.
    pub(super) async fn wait(&self, request: impl Future<Output = KeepaliveReply>) -> KeepaliveReply {
        let mut request = pin!(request);
        let mut noticed = None;
        loop {
            tokio::select! {
                answer = &mut request => return answer,
                () = sleep(LOOK) => {}
            }
            let now = Instant::now();
            let state = self.path.as_ref().map(|path| path.borrow().clone()).unwrap_or_default();
            if state.is_disturbed() {
                noticed = Some(now);
            }
            let over = overdue_at(&state, self.asked, self.deadline, noticed).is_some_and(|at| now >= at);
            if over || self.asked.elapsed() > MOST {
                return KeepaliveReply::Silent;
            }
        }
    }
}

/// Asks a connection whether it is alive, with that patience.
pub(super) async fn keepalive(connection: &Connection, deadline: Duration) -> KeepaliveReply {
    Patience::new(connection, deadline).wait(connection.keepalive(MOST)).await
}

/// True if the path was interrupted, or the server silent, at any time after `since`.
pub(super) fn is_disturbed_since(connection: &Connection, since: Instant) -> bool {
    path_of(connection).is_some_and(|path| {
        let state = path.borrow();
        state.is_disturbed() || state.disturbed_until(since).is_some()
    })
}

/// The time at which the last disturbance ended that was on after `since`.
pub(super) fn disturbed_until(connection: &Connection, since: Instant) -> Option<Instant> {
    path_of(connection).and_then(|path| path.borrow().disturbed_until(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_that_another_session_does_not_show_is_remembered() {
        let asked = Instant::now();
        let at = |seconds| asked + Duration::from_secs(seconds);
        let deadline = Duration::from_secs(7);
        let during = PathState { events: vec![(at(0), None)], ..PathState::default() };
        assert_eq!(overdue_at(&during, asked, deadline, Some(at(8))), None);
        // A silent session was heard, and those that had been waiting have not been yet.
        let after = PathState::default();
        assert_eq!(overdue_at(&after, asked, deadline, Some(at(8))), Some(at(19)));
        assert_eq!(overdue_at(&after, asked, deadline, None), Some(at(7)));
    }
}
