//! Penalties for runs without a login: OpenSSH 9.8 and later refuses an address once its failures add up
//! (PerSourcePenalties, sshd_config(5)), and every other client at that address with it.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ssh_doctor_checks::facts::Evidence;
use ssh_doctor_checks::facts::handshake::Software;
use tokio::time::sleep;

/// The penalty of a failed login, and of a connection that tried none (`authfail` and `noauth`).
const FAILED_LOGIN: Duration = Duration::from_secs(5);
const NO_LOGIN: Duration = Duration::from_secs(1);
/// The sum at which sshd begins to refuse (`min`), less two failed logins: one to come, and one of a run that ends at the same moment.
const TOLERABLE: Duration = Duration::from_secs(15 - 2 * 5 - 1);
/// The number of addresses remembered before those without a penalty are dropped.
const REMEMBERED: usize = 4096;

/// The penalties that this process has earned, as sshd counts them: a moment for each address that every failure moves further on.
/// Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Penalties(Arc<Mutex<HashMap<IpAddr, Instant>>>);

impl Penalties {
    /// Notes the penalties of an examination.
    pub(crate) fn note(&self, evidence: &Evidence) {
        let version = evidence.handshake.facts().and_then(|facts| facts.version.as_deref());
        let address = evidence.tcp.facts().and_then(|facts| facts.connected_to);
        if let Some(address) = address.filter(|_| Software::penalizes(version)) {
            let spent = &evidence.spent;
            let without_login = spent.connections.saturating_sub(spent.logins).saturating_sub(spent.failed_logins);
            self.add(address.ip(), FAILED_LOGIN * spent.failed_logins + NO_LOGIN * without_login);
        }
    }

    fn add(&self, address: IpAddr, penalty: Duration) {
        if penalty.is_zero() {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if known.len() >= REMEMBERED {
            known.retain(|_, until| *until > now);
        }
        let until = known.entry(address.to_canonical()).or_insert(now);
        *until = (*until).max(now) + penalty;
    }

    /// Waits until a further failed login is tolerable at each of the addresses.
    pub(crate) async fn wait(&self, addresses: &[SocketAddr]) {
        let left = {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let until = addresses.iter().filter_map(|address| known.get(&address.ip().to_canonical())).max();
            until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
        };
        sleep(left.saturating_sub(TOLERABLE)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{FAILED_LOGIN, NO_LOGIN, Penalties};

    #[tokio::test]
    async fn one_failed_login_may_follow_another_and_no_third_one_at_once() {
        let (penalties, address) = (Penalties::default(), "192.0.2.1:22".parse().unwrap());
        let waits = async |penalties: &Penalties| {
            tokio::time::timeout(Duration::from_millis(20), penalties.wait(&[address])).await.is_err()
        };
        assert!(!waits(&penalties).await);
        penalties.add(address.ip(), NO_LOGIN * 3);
        assert!(!waits(&penalties).await);
        penalties.add(address.ip(), FAILED_LOGIN);
        assert!(waits(&penalties).await);
        let elsewhere = ["192.0.2.2:22".parse().unwrap()];
        assert!(tokio::time::timeout(Duration::from_millis(20), penalties.wait(&elsewhere)).await.is_ok());
        // A penalty that is over counts no more.
        penalties.0.lock().unwrap().insert(address.ip(), Instant::now());
        assert!(!waits(&penalties).await);
    }
}
