//! The address with which this machine reaches the server, looked at without a packet.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::facts::idle::What;

/// The route to the server, or to the first hop on the way there.
#[derive(Debug)]
pub struct LocalAddress {
    to: SocketAddr,
    bind: Option<IpAddr>,
    /// This end of the connection that the test began with.
    ours: SocketAddr,
    /// The address that a new connection would have.
    source: Option<IpAddr>,
}

impl LocalAddress {
    /// Returns the address of a connection to `to` whose own end is `ours`; `bind` is the requested source address.
    #[must_use]
    pub fn new(to: SocketAddr, ours: SocketAddr, bind: Option<IpAddr>) -> Self {
        Self { to, bind, ours, source: source(to, bind) }
    }

    /// Returns the change since the last look.
    pub fn look(&mut self) -> Option<What> {
        let before = self.source;
        let now = source(self.to, self.bind);
        let gone = UdpSocket::bind(with_any_port(self.ours)).is_err_and(|error| is_not_ours(&error));
        self.source = now.or(before);
        if gone {
            let from = self.ours.ip();
            return Some(What::AddressGone { from, to: now.filter(|to| *to != from) });
        }
        let (from, to) = (before?, now?);
        (!same_link(from, to)).then_some(What::RouteMoved { from, to })
    }
}

/// The address that the kernel would give a connection: connecting a datagram socket sends nothing (connect(2)).
fn source(to: SocketAddr, bind: Option<IpAddr>) -> Option<IpAddr> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((bind.unwrap_or(any), 0)).ok()?;
    socket.connect(to).ok()?;
    socket.local_addr().ok().map(|own| own.ip())
}

fn with_any_port(mut address: SocketAddr) -> SocketAddr {
    address.set_port(0);
    address
}

fn is_not_ours(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable
}

/// True if only the temporary half of an IPv6 address is another one, as privacy wants it once a day (RFC 8981).
fn same_link(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V6(one), IpAddr::V6(other)) => one.segments()[..4] == other.segments()[..4],
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(to: &str, ours: &str, source: &str) -> LocalAddress {
        let [to, ours] = [to, ours].map(|address| address.parse().unwrap());
        LocalAddress { to, bind: None, ours, source: Some(source.parse().unwrap()) }
    }

    #[test]
    fn a_way_that_stays_is_not_mentioned() {
        let mut way = way("127.0.0.1:22", "127.0.0.1:5000", "127.0.0.1");
        assert_eq!([way.look(), way.look()], [None; 2]);
    }

    #[test]
    fn an_address_that_this_machine_no_longer_has_is_told_with_the_new_one() {
        // 192.0.2.0/24 is for documentation (RFC 5737).
        let mut way = way("127.0.0.1:22", "192.0.2.7:5000", "192.0.2.7");
        let (from, to) = ("192.0.2.7".parse().unwrap(), Some("127.0.0.1".parse().unwrap()));
        assert_eq!(way.look(), Some(What::AddressGone { from, to }));
    }

    #[test]
    fn a_route_that_begins_elsewhere_is_told_once() {
        let mut way = way("127.0.0.1:22", "127.0.0.1:5000", "192.0.2.7");
        let (from, to) = ("192.0.2.7".parse().unwrap(), "127.0.0.1".parse().unwrap());
        assert_eq!([way.look(), way.look()], [Some(What::RouteMoved { from, to }), None]);
    }

    #[test]
    fn a_new_temporary_address_of_the_same_network_is_no_other_way() {
        let same = |one: &str, other: &str| same_link(one.parse().unwrap(), other.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::aaaa:2"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1") && !same("192.0.2.1", "192.0.2.2"));
    }
}
