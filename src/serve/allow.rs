//! The allow-list: names are checked before they are resolved, addresses after, and only allowed addresses are connected to.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use ssh_doctor_checks::base::admission::{Admission, Admitted, Admitting};
use ssh_doctor_checks::base::pattern::matches;
use ssh_doctor_checks::base::text::sanitize;

use super::config::Allow;
use crate::run::penalties::Penalties;

impl Allow {
    /// Refuses a target by the name or the address and the port of the request, before anything is resolved.
    pub(super) fn check_target(&self, host: &str, port: Option<u16>) -> Result<(), String> {
        self.check_name(host)?;
        port.map_or(Ok(()), |port| self.check_port(port))
    }

    fn check_name(&self, host: &str) -> Result<(), String> {
        let named = self.names.iter().any(|pattern| matches(pattern, &host.to_lowercase()));
        let may = match host.parse::<IpAddr>() {
            Ok(address) => named || self.contains_address(address),
            Err(_) => named || (self.names.is_empty() && !self.networks.is_empty()),
        };
        if may { Ok(()) } else { Err(format!("'{}' is not on the allow-list", sanitize(host))) }
    }

    /// Refuses a port that is not listed.
    pub(super) fn check_port(&self, port: u16) -> Result<(), String> {
        let may = self.ports.is_empty() || self.ports.contains(&port);
        if may { Ok(()) } else { Err(format!("port {port} is not on the allow-list")) }
    }

    /// Refuses a target behind a jump host or a proxy command whose address cannot be checked here.
    pub(super) fn check_unresolved(&self, host: &str) -> Result<(), String> {
        if self.networks.is_empty() || host.parse().is_ok_and(|address| self.contains_address(address)) {
            return Ok(());
        }
        Err(format!(
            "'{}' is resolved behind a jump host, so its address cannot be checked against allow.networks",
            sanitize(host)
        ))
    }

    fn contains_address(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address.to_canonical()))
    }

    fn may_connect(&self, address: IpAddr) -> bool {
        self.networks.is_empty() || self.contains_address(address)
    }
}

/// The admission of one probe: only addresses on the list are connected to, regardless of name resolution.
#[derive(Debug)]
pub(super) struct AllowedAddresses {
    allow: Arc<Allow>,
    penalties: Penalties,
    refused: Mutex<Option<String>>,
}

impl AllowedAddresses {
    pub(super) fn new(allow: Arc<Allow>, penalties: Penalties) -> Arc<Self> {
        Arc::new(Self { allow, penalties, refused: Mutex::default() })
    }

    /// The reason of the refusal, if there was one.
    pub(super) fn refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Admission for AllowedAddresses {
    fn admit<'a>(&'a self, addresses: &'a [SocketAddr]) -> Admitting<'a> {
        Box::pin(async move {
            let may = |address: &&SocketAddr| self.allow.may_connect(address.ip());
            let allowed: Vec<_> = addresses.iter().filter(may).copied().collect();
            if allowed.is_empty() {
                let first = addresses.first().map(ToString::to_string).unwrap_or_default();
                let why = format!("{first} is not on the allow-list");
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
                return Err(why);
            }
            self.penalties.wait(&allowed).await;
            Ok(Admitted { addresses: allowed, hold: Box::new(()) })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use ssh_doctor_checks::base::admission::Admission;

    use super::{Allow, AllowedAddresses, Penalties};

    fn allow(names: &[&str], networks: &[&str]) -> Allow {
        Allow {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
            ports: Vec::new(),
        }
    }

    #[test]
    fn nothing_is_allowed_unless_it_is_listed() {
        let nothing = allow(&[], &[]);
        let by_name = allow(&["*.corp.example", "192.0.2.9"], &[]);
        let by_network = allow(&[], &["10.0.0.0/8", "2001:db8::/32"]);
        let both = allow(&["*.corp.example"], &["10.0.0.0/8"]);
        for (host, expected) in [
            ("db.corp.example", [false, true, true, true]),
            ("DB.CORP.EXAMPLE", [false, true, true, true]),
            ("db.corp.example.evil", [false, false, true, false]),
            ("10.1.2.3", [false, false, true, true]),
            ("::ffff:10.1.2.3", [false, false, true, true]),
            ("2001:db8::1", [false, false, true, false]),
            ("127.0.0.1", [false, false, false, false]),
            ("192.0.2.9", [false, true, false, false]),
            ("localhost", [false, false, true, false]),
        ] {
            let may = [&nothing, &by_name, &by_network, &both].map(|allow| allow.check_name(host).is_ok());
            assert_eq!(may, expected, "{host}");
        }
    }

    #[tokio::test]
    async fn a_name_that_resolves_elsewhere_is_not_connected_to() {
        let gate = AllowedAddresses::new(Arc::new(allow(&[], &["10.0.0.0/8"])), Penalties::default());
        let [inside, outside]: [SocketAddr; 2] =
            ["10.0.0.1:22", "127.0.0.1:22"].map(|address| address.parse().unwrap());
        assert_eq!(gate.admit(&[outside, inside]).await.unwrap().addresses, [inside]);
        assert!(gate.refused().is_none());
        assert!(gate.admit(&[outside]).await.is_err());
        assert!(gate.refused().unwrap().contains("127.0.0.1:22"));
    }

    #[test]
    fn behind_a_jump_host_only_the_name_is_checked() {
        assert!(allow(&["*.corp"], &[]).check_unresolved("db.corp").is_ok());
        assert!(allow(&["*.corp"], &["10.0.0.0/8"]).check_unresolved("db.corp").is_err());
        assert!(allow(&[], &["10.0.0.0/8"]).check_unresolved("10.0.0.9").is_ok());
    }
}
