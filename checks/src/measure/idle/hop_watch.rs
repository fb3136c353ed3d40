//! The break in the path: while it is interrupted the hops are probed for those that still answer, and again when it is
//! over.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::base::target::Route;
use crate::measure::context::Context;
use crate::os::path;
use crate::ssh::login::Login;
use crate::ssh::recorder::{PathState, Recorder};

/// Interruptions in which the hops are asked.
const TIMES: usize = 6;
/// Hops that are asked: a path that is longer breaks before its end.
const HOPS: u8 = 16;
/// The time that their answers may take.
const ANSWERS: Duration = Duration::from_millis(900);
/// The time after an interruption at which they are probed again.
const AFTERWARDS: Duration = Duration::from_secs(1);
/// The time that an interruption is waited for to end.
const LONGEST: Duration = Duration::from_mins(1);

/// The task; it ends with this value.
pub(super) struct HopWatch(Option<AbortHandle>);

/// Starts to watch the path to the server, or to the first hop of a jump; nothing where there is no direct TCP path.
pub(super) fn begin(ctx: &Context, login: &Login) -> HopWatch {
    let mut first = login;
    while let Some(hop) = &first.via {
        first = hop;
    }
    let Route::Direct(address) = first.route else { return HopWatch(None) };
    let task = tokio::spawn(watch(ctx.budget.recorder(), address, first.target.bind));
    HopWatch(Some(task.abort_handle()))
}

impl Drop for HopWatch {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

async fn watch(recorder: Recorder, address: SocketAddr, bind: Option<IpAddr>) {
    let Some(mut state) = recorder.path() else { return };
    for _ in 0..TIMES {
        if state.wait_for(PathState::is_disturbed).await.is_err() {
            return;
        }
        ask(&recorder, address, bind).await;
        // One that lasts is told by what answered in it.
        let _ = timeout(LONGEST, state.wait_for(|path| !path.is_disturbed())).await;
        sleep(AFTERWARDS).await;
        ask(&recorder, address, bind).await;
    }
}

async fn ask(recorder: &Recorder, address: SocketAddr, bind: Option<IpAddr>) {
    let (at, hops) = (Instant::now(), (1..=HOPS).collect::<Vec<_>>());
    let answered = path::answering(address, bind, &hops, ANSWERS).await;
    recorder.hops(at, hops, answered);
}
