//! Which targets may be probed: a name before anything is asked about it, its addresses once it was looked up.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use ssh_doctor_checks::base::admission::{Admission, Admitted, Admitting};
use ssh_doctor_checks::base::pattern::matches;
use ssh_doctor_checks::base::text::shown;

use super::config::Allow;

impl Allow {
    /// Whether a target may be looked into, by the name or the address that was asked for; the sentence of a refusal.
    pub(super) fn name(&self, host: &str) -> Result<(), String> {
        let named = self.names.iter().any(|pattern| matches(pattern, &host.to_lowercase()));
        let may = match host.parse::<IpAddr>() {
            Ok(address) => named || self.holds(address),
            Err(_) => named || (self.names.is_empty() && !self.networks.is_empty()),
        };
        if may { Ok(()) } else { Err(format!("'{}' is not on the allow-list", shown(host))) }
    }

    /// Whether a port may be connected to.
    pub(super) fn port(&self, port: u16) -> Result<(), String> {
        let may = self.ports.is_empty() || self.ports.contains(&port);
        if may { Ok(()) } else { Err(format!("port {port} is not on the allow-list")) }
    }

    /// Whether a target may be reached through a jump host or a command, where its address is not known here.
    pub(super) fn unseen(&self, host: &str) -> Result<(), String> {
        if self.networks.is_empty() || host.parse().is_ok_and(|address| self.holds(address)) {
            return Ok(());
        }
        Err(format!(
            "'{}' is looked up behind a jump host, so that its address cannot be held against the allow-list",
            shown(host)
        ))
    }

    fn holds(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address.to_canonical()))
    }

    fn may_connect(&self, address: IpAddr) -> bool {
        self.networks.is_empty() || self.holds(address)
    }
}

/// The leave for one probe: only addresses of the list are connected to, whatever a name leads to.
#[derive(Debug)]
pub(super) struct Gate {
    allow: Arc<Allow>,
    refused: Mutex<Option<String>>,
}

impl Gate {
    pub(super) fn new(allow: Arc<Allow>) -> Arc<Self> {
        Arc::new(Self { allow, refused: Mutex::default() })
    }

    /// The sentence of the refusal, if there was one.
    pub(super) fn refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Admission for Gate {
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
            Ok(Admitted { addresses: allowed, hold: Box::new(()) })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use ssh_doctor_checks::base::admission::Admission;

    use super::{Allow, Gate};

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
            let may = [&nothing, &by_name, &by_network, &both].map(|allow| allow.name(host).is_ok());
            assert_eq!(may, expected, "{host}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_elsewhere_is_not_followed() {
        let gate = Gate::new(Arc::new(allow(&[], &["10.0.0.0/8"])));
        let [inside, outside]: [SocketAddr; 2] =
            ["10.0.0.1:22", "127.0.0.1:22"].map(|address| address.parse().unwrap());
        assert_eq!(gate.admit(&[outside, inside]).await.unwrap().addresses, [inside]);
        assert!(gate.refused().is_none());
        assert!(gate.admit(&[outside]).await.is_err());
        assert!(gate.refused().unwrap().contains("127.0.0.1:22"));
    }

    #[test]
    fn what_is_looked_up_elsewhere_is_allowed_by_its_name_only() {
        assert!(allow(&["*.corp"], &[]).unseen("db.corp").is_ok());
        assert!(allow(&["*.corp"], &["10.0.0.0/8"]).unseen("db.corp").is_err());
        assert!(allow(&[], &["10.0.0.0/8"]).unseen("10.0.0.9").is_ok());
    }
}
