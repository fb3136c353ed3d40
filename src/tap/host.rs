//! What happens to this machine while it carries a session: sleep, and another address.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ssh_doctor_checks::facts::idle::What;
use ssh_doctor_checks::os::clocks::Reading;
use ssh_doctor_checks::os::local_address::LocalAddress;

/// Between two looks at the address.
const ADDRESS: Duration = Duration::from_secs(10);
/// A stop of this process that load does not explain, seconds.
const STOPPED_S: f64 = 5.0;

/// The clocks and the address of this machine, and what happened to them.
pub(super) struct Host {
    last: Option<Reading>,
    address: LocalAddress,
    looked: Instant,
    happened: Vec<(Instant, What)>,
}

impl Host {
    pub(super) fn new(remote: SocketAddr, local: SocketAddr) -> Self {
        let address = LocalAddress::new(remote, local, None);
        Self { last: Reading::now(), address, looked: Instant::now(), happened: Vec::new() }
    }

    /// Looks again after at most `beat`; what has happened since the last look.
    pub(super) fn look(&mut self, beat: Duration, at_address: bool) -> Vec<What> {
        let (reading, now) = (Reading::now(), Instant::now());
        let halt = reading.zip(self.last).and_then(|(now, last)| now.since(last, beat));
        let halt = halt.filter(|what| !matches!(what, What::NotRun { late_s } if *late_s < STOPPED_S));
        self.last = reading.or(self.last);
        let due = at_address || halt.is_some() || now.saturating_duration_since(self.looked) >= ADDRESS;
        let moved = due.then(|| self.address.look()).flatten();
        if due {
            self.looked = now;
        }
        let known = &self.happened;
        // An address that is gone stays gone: once is enough.
        let new = halt.into_iter().chain(moved).filter(|what| known.iter().all(|(_, known)| known != what));
        let new: Vec<What> = new.collect();
        self.happened.extend(new.iter().map(|what| (now, *what)));
        new
    }

    /// What happened after a moment.
    pub(super) fn since(&self, moment: Instant) -> Vec<What> {
        self.happened.iter().filter(|(at, _)| *at > moment).map(|(_, what)| *what).collect()
    }
}
