//! In words, which machine a hop is.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Path;

/// The place of a hop on the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The first hop: the user's own router, or their network's gateway.
    Gateway,
    /// Neither the first nor the last.
    Middle,
    /// The last hop before the server: its router, firewall or load balancer.
    BeforeServer,
    /// The address of the server.
    Server,
    /// Behind the first, with an unknown distance to the server.
    Unknown,
}

/// The kind of a hop's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Range {
    /// For private networks (RFC 1918, RFC 4193 section 3).
    Private,
    /// Between a provider and its customers' routers (RFC 6598): carrier-grade NAT.
    Shared,
    /// Good on one link only (RFC 3927, RFC 4291 section 2.5.6), or on this machine.
    Local,
    /// Any other.
    Public,
}

impl Place {
    /// The place of a hop when the server is `distance` hops away.
    #[must_use]
    pub fn of(hop: u8, distance: Option<u8>) -> Self {
        match distance {
            Some(distance) if hop >= distance => Self::Server,
            _ if hop <= 1 => Self::Gateway,
            Some(distance) if hop + 1 == distance => Self::BeforeServer,
            Some(_) => Self::Middle,
            None => Self::Unknown,
        }
    }

    /// Returns the operator or owner of a hop at this place.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Gateway => "your own router or gateway",
            Self::Middle => "a machine in the middle of the path",
            Self::BeforeServer => "the last machine before the server",
            Self::Server => "the server itself, or what forwards its address to it",
            Self::Unknown => "a machine behind your router",
        }
    }
}

impl Range {
    /// The kind of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => match address.octets() {
                [100, 64..=127, ..] => Self::Shared,
                _ if address.is_private() => Self::Private,
                _ if address.is_link_local() || address.is_loopback() => Self::Local,
                _ => Self::Public,
            },
            IpAddr::V6(address) if address.is_unique_local() => Self::Private,
            IpAddr::V6(address) if address.is_unicast_link_local() || address.is_loopback() => Self::Local,
            IpAddr::V6(_) => Self::Public,
        }
    }

    /// The text that it says of the machine; nothing for a public address.
    #[must_use]
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::Private => Some("a private address"),
            Self::Shared => Some("an address of carrier-grade NAT, RFC 6598"),
            Self::Local => Some("an address of this link only"),
            Self::Public => None,
        }
    }
}

impl Path {
    /// Describes a hop, such as `hop 2 (100.64.0.1, an address of carrier-grade NAT, RFC 6598), a machine in the middle
    /// of the path`.
    #[must_use]
    pub fn words(&self, hop: u8) -> String {
        let distance = self.distance.map(|distance| distance.hops);
        let addresses: Vec<_> = self.address(hop).iter().chain(self.others(hop)).map(ToString::to_string).collect();
        let known = match self.address(hop) {
            Some(address) => {
                let kind = Range::of(address).words().map(|kind| format!(", {kind}")).unwrap_or_default();
                format!("{}{kind}", addresses.join(" or "))
            }
            None => "it does not say its address".to_owned(),
        };
        let routes = match addresses.len() {
            0 | 1 => "",
            _ => "; the path has several routes, and which of them a session takes is not known",
        };
        let place = Place::of(hop, distance).words();
        // On a path of one router it is both.
        let also = if hop == 1 && distance == Some(2) { " and the only machine before the server" } else { "" };
        format!("hop {hop} ({known}), {place}{also}{routes}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::path::{Distance, Hop, Protocol};

    #[test]
    fn a_place_is_told_by_the_number_and_the_distance() {
        let places = [1, 2, 3, 4, 5].map(|hop| Place::of(hop, Some(4)));
        assert_eq!(places, [Place::Gateway, Place::Middle, Place::BeforeServer, Place::Server, Place::Server]);
        assert_eq!([1, 2].map(|hop| Place::of(hop, Some(2))), [Place::Gateway, Place::Server]);
        assert_eq!([1, 2].map(|hop| Place::of(hop, None)), [Place::Gateway, Place::Unknown]);
        assert_eq!(Place::of(1, Some(1)), Place::Server);
    }

    #[test]
    fn private_and_shared_addresses_are_told_apart() {
        let of = |text: &str| Range::of(text.parse().unwrap());
        assert_eq!(["10.1.2.3", "172.31.0.1", "192.168.1.1", "fd00::1"].map(of), [Range::Private; 4]);
        assert_eq!(["100.64.0.1", "100.127.255.254"].map(of), [Range::Shared; 2]);
        assert_eq!(["169.254.1.1", "fe80::1", "127.0.0.1"].map(of), [Range::Local; 3]);
        assert_eq!(["100.63.0.1", "100.128.0.1", "172.32.0.1", "2001:db8::1"].map(of), [Range::Public; 4]);
    }

    #[test]
    fn the_words_name_the_machine() {
        let hop = |number, address: Option<&str>| Hop {
            number,
            address: address.map(|address| address.parse().unwrap()),
            rtt_ms: None,
            others: Vec::new(),
        };
        let mut path = Path {
            hops: vec![
                hop(1, Some("192.168.1.1")),
                hop(2, Some("100.64.0.1")),
                hop(3, None),
                hop(4, Some("192.0.2.4")),
            ],
            distance: Some(Distance { hops: 4, by: Protocol::Udp }),
        };
        assert_eq!(path.words(1), "hop 1 (192.168.1.1, a private address), your own router or gateway");
        assert_eq!(
            path.words(2),
            "hop 2 (100.64.0.1, an address of carrier-grade NAT, RFC 6598), a machine in the middle of the path"
        );
        assert_eq!(path.words(3), "hop 3 (it does not say its address), the last machine before the server");
        assert_eq!(path.words(4), "hop 4 (192.0.2.4), the server itself, or what forwards its address to it");
        path.distance = Some(Distance { hops: 2, by: Protocol::Tcp });
        assert!(path.words(1).ends_with("your own router or gateway and the only machine before the server"));
    }
}
