//! Limits of a run of many targets on simultaneous load for one address, one network and one jump host.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ssh_doctor_checks::base::admission::{Admission, Admitted, Admitting};
use ssh_doctor_checks::base::target::Target;
use tokio::sync::oneshot;
use tokio::time::sleep_until;

use crate::run::penalties::Penalties;

/// Targets of one address that are examined at the same time: sshd counts what one client opens (PerSourceMaxStartups).
const TO_ADDRESS: usize = 1;

/// Targets of one network (IPv4 /24, IPv6 /64) that are examined at the same time: a firewall may count connections.
const TO_NETWORK: usize = 32;

/// Targets behind one first jump host that are examined at the same time: sshd refuses at 10 unauthenticated connections
/// (MaxStartups, sshd_config(5)), and other users log in there too.
const THROUGH_JUMP: usize = 4;

/// A resource that a limited number of targets may use at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// An address.
    Address(IpAddr),
    /// A network, by its first address.
    Network(IpAddr),
    /// A jump host or a proxy command, by the words that name it.
    Way(String),
}

impl Place {
    /// The address, and the network around it.
    pub(crate) fn around(address: IpAddr) -> [Self; 2] {
        let address = address.to_canonical();
        let network = match address {
            IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & !0xff).into()),
            IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        };
        [Self::Address(address), Self::Network(network)]
    }

    fn limit(&self) -> usize {
        match self {
            Self::Address(_) => TO_ADDRESS,
            Self::Network(_) => TO_NETWORK,
            Self::Way(_) => THROUGH_JUMP,
        }
    }
}

/// The places in use, and who waits for one; clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    in_use: Arc<Mutex<InUse>>,
    pub(crate) penalties: Penalties,
}

#[derive(Debug, Default)]
struct InUse {
    counts: HashMap<Place, usize>,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    places: Vec<Place>,
    turn: oneshot::Sender<Permit>,
}

/// The use of some places, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    all: Places,
    places: Vec<Place>,
}

impl Places {
    /// Waits until all these places are free together, the first come first.
    pub(crate) async fn take(&self, mut places: Vec<Place>) -> Permit {
        places.sort_by_key(|place| format!("{place:?}"));
        places.dedup();
        let turn = {
            let mut in_use = self.lock();
            if in_use.has_room(&places) {
                return self.permit(&mut in_use, places);
            }
            let (turn, wait) = oneshot::channel();
            in_use.waiting.push_back(Waiting { places: places.clone(), turn });
            wait
        };
        match turn.await {
            Ok(permit) => permit,
            // The sender goes away with the queue alone.
            Err(_) => Permit { all: self.clone(), places: Vec::new() },
        }
    }

    fn permit(&self, in_use: &mut InUse, places: Vec<Place>) -> Permit {
        for place in &places {
            *in_use.counts.entry(place.clone()).or_default() += 1;
        }
        Permit { all: self.clone(), places }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, InUse> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission for Places {
    fn admit<'a>(&'a self, addresses: &'a [SocketAddr]) -> Admitting<'a> {
        let places = addresses.iter().flat_map(|address| Place::around(address.ip())).collect();
        Box::pin(async move {
            let hold = Box::new(self.take(places).await);
            self.penalties.wait(addresses).await;
            Ok(Admitted { addresses: addresses.to_vec(), hold })
        })
    }
}

impl InUse {
    fn has_room(&self, places: &[Place]) -> bool {
        places.iter().all(|place| self.counts.get(place).is_none_or(|count| *count < place.limit()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut refused = Vec::new();
        {
            let mut in_use = self.all.lock();
            for place in self.places.drain(..) {
                if let Some(count) = in_use.counts.get_mut(&place) {
                    *count -= 1;
                    if *count == 0 {
                        in_use.counts.remove(&place);
                    }
                }
            }
            let mut at = 0;
            while at < in_use.waiting.len() {
                if !in_use.has_room(&in_use.waiting[at].places) {
                    at += 1;
                    continue;
                }
                let Some(Waiting { places, turn }) = in_use.waiting.remove(at) else { break };
                let permit = self.all.permit(&mut in_use, places);
                // Who no longer waits gives it back, once the lock is free.
                refused.extend(turn.send(permit).err());
            }
        }
        drop(refused);
    }
}

/// The words that name a target's first jump host or its proxy command, with holes for the target's own name and port; none where it is
/// reached directly.
pub(crate) fn way(target: &Target) -> Option<String> {
    let proxy = target.proxy.as_ref()?;
    Some(match proxy.jumps.first() {
        Some(first) => format!("{}:{}", first.host, first.port),
        None => proxy.command.replace(&target.host, "%h").replace(&target.port.to_string(), "%p"),
    })
}

/// The rate at which targets are begun.
#[derive(Debug)]
pub(crate) struct Rate {
    every: Duration,
    next: Mutex<Instant>,
}

impl Rate {
    /// Returns a rate of this many starts a second, evenly spaced.
    pub(crate) fn of(per_second: f64) -> Self {
        Self { every: Duration::from_secs_f64(1.0 / per_second), next: Mutex::new(Instant::now()) }
    }

    /// Waits for the next turn.
    pub(crate) async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = (*next).max(Instant::now());
            *next = at + self.every;
            at
        };
        sleep_until(at.into()).await;
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::{Duration, Instant};

    use tokio::time::timeout;

    use super::{Place, Places, Rate, THROUGH_JUMP, TO_NETWORK};

    const SOON: Duration = Duration::from_millis(50);

    fn around(address: &str) -> Vec<Place> {
        Place::around(address.parse::<IpAddr>().unwrap()).into()
    }

    #[tokio::test]
    async fn an_address_is_used_once_and_handed_to_who_waits() {
        let places = Places::default();
        let first = places.take(around("192.0.2.1")).await;
        assert!(timeout(SOON, places.take(around("192.0.2.1"))).await.is_err());
        // Of one machine in two notations, and of a machine with two addresses.
        assert!(timeout(SOON, places.take(around("::ffff:192.0.2.1"))).await.is_err());
        let both = [around("192.0.2.1"), around("198.51.100.1")].concat();
        assert!(timeout(SOON, places.take(both.clone())).await.is_err());
        assert!(timeout(SOON, places.take(around("192.0.2.2"))).await.is_ok());
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { places.take(both).await }
        });
        tokio::task::yield_now().await;
        drop(first);
        let second = timeout(SOON, waiting).await.unwrap().unwrap();
        assert!(timeout(SOON, places.take(around("198.51.100.1"))).await.is_err());
        drop(second);
        assert!(places.lock().counts.is_empty() && places.lock().waiting.is_empty());
    }

    #[tokio::test]
    async fn a_network_and_a_jump_host_have_limits_of_their_own() {
        let places = Places::default();
        let mut held = Vec::new();
        for host in 1..=TO_NETWORK {
            held.push(timeout(SOON, places.take(around(&format!("192.0.2.{host}")))).await.unwrap());
        }
        assert!(timeout(SOON, places.take(around("192.0.2.200"))).await.is_err());
        assert!(timeout(SOON, places.take(around("192.0.3.200"))).await.is_ok());
        let jump = || vec![Place::Way("bastion:22".to_owned())];
        for _ in 0..THROUGH_JUMP {
            held.push(timeout(SOON, places.take(jump())).await.unwrap());
        }
        assert!(timeout(SOON, places.take(jump())).await.is_err());
        held.clear();
        assert!(timeout(SOON, places.take(jump())).await.is_ok());
    }

    #[tokio::test]
    async fn targets_are_begun_at_the_rate() {
        let (rate, began) = (Rate::of(100.0), Instant::now());
        for _ in 0..11 {
            rate.turn().await;
        }
        assert!(began.elapsed() >= Duration::from_millis(100), "{:?}", began.elapsed());
    }
}
