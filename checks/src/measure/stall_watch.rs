//! A further connection for an overdue answer on the only one: it shows whether the path and the server are well.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::sync::watch::Receiver;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::context::Context;
use crate::base::target::{Route, Target};
use crate::ssh::budget::Budget;
use crate::ssh::dial;
use crate::ssh::observations::Observations;
use crate::ssh::recorder::PathState;
use crate::ssh::tap::Tap;

/// An answer that is overdue for so long is worth a further connection.
const OVERDUE: Duration = Duration::from_millis(2500);
/// The time that its banner is waited for.
const LONGEST: Duration = Duration::from_mins(1);
/// Further connections of an examination: from OpenSSH 9.8 on each costs a second of penalty (`PerSourcePenalties`, sshd_config(5)).
const CONNECTIONS: usize = 2;

/// The task; it ends with this value.
pub(crate) struct StallWatch(Option<AbortHandle>);

/// Starts to watch the connection to a server, as long as the checks work on it alone; nothing where it is no direct TCP connection.
pub(crate) fn begin(ctx: &Context, route: Route) -> StallWatch {
    if !matches!(route, Route::Direct(_)) {
        return StallWatch(None);
    }
    StallWatch(Some(tokio::spawn(watch(ctx.budget.clone(), ctx.target.clone(), route)).abort_handle()))
}

impl Drop for StallWatch {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

async fn watch(budget: Arc<Budget>, target: Arc<Target>, route: Route) {
    let Some(mut path) = budget.recorder().path() else { return };
    for _ in 0..CONNECTIONS {
        if path.wait_for(|state| state.expecting > OVERDUE && !state.is_looked_into).await.is_err() {
            return;
        }
        let _ = timeout(LONGEST, greeting(&budget, &target, route)).await;
        if !is_over(&mut path).await {
            return;
        }
    }
}

/// Waits until nothing has been overdue for a while: where a packet now and then comes through, it is the same stall. False where nobody
/// tells any more.
async fn is_over(path: &mut Receiver<PathState>) -> bool {
    loop {
        if path.wait_for(|state| state.expecting.is_zero()).await.is_err() {
            return false;
        }
        match timeout(OVERDUE, path.wait_for(|state| !state.expecting.is_zero())).await {
            Err(_) => return true,
            Ok(Err(_)) => return false,
            Ok(Ok(_)) => {}
        }
    }
}

/// Opens a connection, waits for the server's identification, and closes it.
async fn greeting(budget: &Budget, target: &Target, route: Route) {
    let Ok(transport) = dial::open(budget, target, route, LONGEST).await else { return };
    let record = transport.record();
    let socket = transport.socket().map(Arc::new);
    let (mut stream, watch) = Tap::new(transport);
    record.watched(&watch, &Observations::default(), socket.as_ref());
    let mut bytes = [0; 256];
    while watch.seen().server.version.is_none() {
        if !matches!(stream.read(&mut bytes).await, Ok(1..)) {
            return;
        }
    }
}
