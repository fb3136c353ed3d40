//! A watch on this machine while sessions are idle: a suspension, a halt or another address makes all that is seen worthless.

mod clocks;
mod way;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::facts::idle::Incident;
use crate::ssh::connection::Connection;
use crate::ssh::login::Login;
use clocks::Reading;
use way::Way;

/// How often the clocks are read.
const BEAT: Duration = Duration::from_millis(250);
/// How many beats pass between two looks at the way.
const WAY: u32 = 4;

/// The watch.
pub(super) struct Vigil {
    lookout: Arc<Mutex<Lookout>>,
    noticed: watch::Receiver<bool>,
    beating: JoinHandle<()>,
}

struct Lookout {
    began: Instant,
    last: Option<Reading>,
    way: Option<Way>,
    incidents: Vec<Incident>,
}

impl Vigil {
    /// Begins; must be told of its [`end`](Self::end).
    pub(super) fn begin(login: &Login, main: &Connection) -> Self {
        let way = Way::of(login, main);
        let lookout = Lookout { began: Instant::now(), last: Reading::now(), way, incidents: Vec::new() };
        let lookout = Arc::new(Mutex::new(lookout));
        let (tell, noticed) = watch::channel(false);
        let beating = tokio::spawn(beat(lookout.clone(), tell));
        Self { lookout, noticed, beating }
    }

    /// Returns as soon as something has happened.
    pub(super) async fn incident(&self) {
        let mut noticed = self.noticed.clone();
        if noticed.wait_for(|noticed| *noticed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether something has happened so far.
    pub(super) fn has_noticed(&self) -> bool {
        look(&self.lookout, true)
    }

    /// Ends the watch with a last look; all that has happened.
    pub(super) fn end(self) -> Vec<Incident> {
        self.beating.abort();
        look(&self.lookout, true);
        let mut lookout = self.lookout.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut lookout.incidents)
    }
}

async fn beat(lookout: Arc<Mutex<Lookout>>, tell: watch::Sender<bool>) {
    for beats in 1_u32.. {
        sleep(BEAT).await;
        if look(&lookout, beats.is_multiple_of(WAY)) {
            tell.send_replace(true);
        }
    }
}

/// Looks at the clocks, and at the way too; whether anything has happened so far.
fn look(lookout: &Mutex<Lookout>, at_way: bool) -> bool {
    let mut lookout = lookout.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Reading::now();
    let halt = now.zip(lookout.last).and_then(|(now, last)| now.since(last, BEAT));
    let moved = lookout.way.as_mut().filter(|_| at_way).and_then(Way::look);
    let at_s = lookout.began.elapsed().as_secs_f64();
    lookout.last = now.or(lookout.last);
    // An address that is gone stays gone: once is enough.
    let new = halt.into_iter().chain(moved).filter(|what| lookout.incidents.iter().all(|known| known.what != *what));
    let new: Vec<_> = new.map(|what| Incident { at_s, what }).collect();
    lookout.incidents.extend(new);
    !lookout.incidents.is_empty()
}
