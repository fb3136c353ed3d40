//! A watch on this machine while sessions are idle: a suspension, a halt or another address makes all that is seen worthless.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

use crate::base::target::Route;
use crate::facts::idle::Incident;
use crate::os::clocks::Reading;
use crate::os::local_address::LocalAddress;
use crate::ssh::connection::Connection;
use crate::ssh::login::Login;

/// The interval at which the clocks are read.
const BEAT: Duration = Duration::from_millis(250);
/// The number of beats between two checks of the address.
const ADDRESS: u32 = 4;

/// The handle of the task that watches.
pub(super) struct HostMonitor {
    noticed: watch::Receiver<bool>,
    looks: mpsc::UnboundedSender<oneshot::Sender<Vec<Incident>>>,
}

/// The state of the task.
struct Known {
    began: Instant,
    last: Option<Reading>,
    address: Option<LocalAddress>,
    incidents: Vec<Incident>,
}

impl HostMonitor {
    /// Starts with the address that the connection has.
    pub(super) fn begin(login: &Login, main: &Connection) -> Self {
        let address = local_address(login, main);
        let known = Known { began: Instant::now(), last: Reading::now(), address, incidents: Vec::new() };
        let (tell, noticed) = watch::channel(false);
        let (looks, asked) = mpsc::unbounded_channel();
        tokio::spawn(known.beat(tell, asked));
        Self { noticed, looks }
    }

    /// Returns as soon as something has happened.
    pub(super) fn incident(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut noticed = self.noticed.clone();
        async move {
            if noticed.wait_for(|noticed| *noticed).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// True if something has happened so far.
    pub(super) async fn has_noticed(&self) -> bool {
        !self.look().await.is_empty()
    }

    /// Ends the watch with a last look; all that has happened.
    pub(super) async fn end(self) -> Vec<Incident> {
        self.look().await
    }

    async fn look(&self) -> Vec<Incident> {
        let (reply, incidents) = oneshot::channel();
        let _ = self.looks.send(reply);
        incidents.await.unwrap_or_default()
    }
}

/// The address with which this machine reaches the server, or the first hop on the way there; none where a proxy command knows it and we do not.
fn local_address(login: &Login, main: &Connection) -> Option<LocalAddress> {
    let (mut first, mut nearest) = (login, main);
    while let Some(hop) = &first.via {
        first = hop;
    }
    while let Some(via) = nearest.via() {
        nearest = via.connection();
    }
    let Route::Direct(to) = first.route else { return None };
    Some(LocalAddress::new(to, nearest.socket()?.local_address()?, first.target.bind))
}

impl Known {
    /// Checks at intervals, and on request; ends with its handle.
    async fn beat(
        mut self,
        tell: watch::Sender<bool>,
        mut asked: mpsc::UnboundedReceiver<oneshot::Sender<Vec<Incident>>>,
    ) {
        for beats in 1_u32.. {
            tokio::select! {
                () = sleep(BEAT) => self.look(beats.is_multiple_of(ADDRESS)),
                reply = asked.recv() => {
                    let Some(reply) = reply else { return };
                    self.look(true);
                    let _ = reply.send(self.incidents.clone());
                }
            }
            if !self.incidents.is_empty() {
                tell.send_replace(true);
            }
        }
    }

    /// Looks at the clocks, and at the address too.
    fn look(&mut self, at_address: bool) {
        let now = Reading::now();
        let halt = now.zip(self.last).and_then(|(now, last)| now.since(last, BEAT));
        let moved = self.address.as_mut().filter(|_| at_address).and_then(LocalAddress::look);
        let at_s = self.began.elapsed().as_secs_f64();
        self.last = now.or(self.last);
        // An address that is gone stays gone: once is enough.
        let known = &self.incidents;
        let new = halt.into_iter().chain(moved).filter(|what| known.iter().all(|incident| incident.what != *what));
        let new: Vec<_> = new.map(|what| Incident { at_s, what }).collect();
        self.incidents.extend(new);
    }
}
