//! Changes of this machine while a program holds a session: sleep, and another address.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::clocks::Reading;
use super::local_address::LocalAddress;
use crate::facts::idle::What;

/// The time between two looks at the address.
const ADDRESS: Duration = Duration::from_secs(10);
/// A stop of this process that load does not explain, seconds.
const STOPPED_S: f64 = 5.0;
/// Events that are remembered, the last ones.
const REMEMBERED: usize = 256;

/// The clocks and the address of this machine, and their changes.
#[derive(Debug)]
pub struct HostChanges {
    last: Option<Reading>,
    bind: Option<IpAddr>,
    /// The address that is monitored, and both ends of the connection that it was taken from.
    address: Option<(LocalAddress, SocketAddr, SocketAddr)>,
    looked: Instant,
    happened: Vec<(Instant, What)>,
    /// Changes of the address reported since it was first read.
    told: Vec<What>,
    /// Those that were seen as another connection took the place of the one that is followed.
    untold: Vec<What>,
}

impl HostChanges {
    /// Starts now; `bind` is the source address of connections.
    #[must_use]
    pub fn new(bind: Option<IpAddr>) -> Self {
        let (address, happened, told, untold) = (None, Vec::new(), Vec::new(), Vec::new());
        Self { last: Reading::now(), bind, address, looked: Instant::now(), happened, told, untold }
    }

    /// Looks from now on at the address of this connection.
    pub fn follow(&mut self, remote: SocketAddr, local: SocketAddr) {
        let known = self.address.as_mut();
        if known.as_ref().is_none_or(|(_, of, ours)| *of != remote || ours.ip() != local.ip()) {
            // A new connection may come from another address before the next look at the old one.
            let moved = known.and_then(|(address, ..)| address.look()).filter(|what| !self.told.contains(what));
            self.happened.extend(moved.map(|what| (Instant::now(), what)));
            self.untold.extend(moved);
            self.address = Some((LocalAddress::new(remote, local, self.bind), remote, local));
            self.told.clear();
        }
    }

    /// Looks again after at most `beat`; returns the changes since the last look.
    pub fn look(&mut self, beat: Duration, at_address: bool) -> Vec<What> {
        let (reading, now) = (Reading::now(), Instant::now());
        let halt = reading.zip(self.last).and_then(|(now, last)| now.since(last, beat));
        let halt = halt.filter(|what| !matches!(what, What::NotRun { late_s } if *late_s < STOPPED_S));
        self.last = reading.or(self.last);
        let due = at_address || halt.is_some() || now.saturating_duration_since(self.looked) >= ADDRESS;
        let address = self.address.as_mut().filter(|_| due);
        let moved = address.and_then(|(address, ..)| address.look());
        if due {
            self.looked = now;
        }
        // An address that is gone stays gone: once is enough.
        let moved = moved.filter(|what| !self.told.contains(what));
        self.told.extend(moved);
        let new: Vec<What> = halt.into_iter().chain(moved).collect();
        self.happened.extend(new.iter().map(|what| (now, *what)));
        let new = std::mem::take(&mut self.untold).into_iter().chain(new).collect();
        let beyond = self.happened.len().saturating_sub(REMEMBERED);
        self.happened.drain(..beyond);
        new
    }

    /// Returns the changes after a moment.
    #[must_use]
    pub fn since(&self, moment: Instant) -> Vec<What> {
        self.happened.iter().filter(|(at, _)| *at > moment).map(|(_, what)| *what).collect()
    }
}
