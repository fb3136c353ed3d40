//! IPv6 beside IPv4 on the same links.

use std::net::Ipv6Addr;

use super::middlebox::{FAR, NEAR, forward};
use super::{Lab, Server, skip};

impl Lab {
    /// Gives every host of the path IPv6 addresses; none where this machine has no IPv6.
    pub(crate) fn with_v6(self) -> Option<Self> {
        if !std::path::Path::new("/proc/sys/net/ipv6").exists() {
            return skip("the kernel has no IPv6");
        }
        let last = self.hosts.len() - 1;
        for (at, host) in self.hosts.iter().enumerate() {
            host.sysctl("net.ipv6.conf.all.disable_ipv6 = 0\nnet.ipv6.conf.all.forwarding = 1");
            // Without the search for duplicates an address can be used at once.
            if at > 0 {
                host.ip(&format!("addr add {}/64 dev {NEAR} nodad", self.address_v6(at - 1, 2)));
            }
            if at < last {
                host.ip(&format!("addr add {}/64 dev {FAR} nodad", self.address_v6(at, 1)));
            }
        }
        for (at, host) in self.hosts.iter().enumerate() {
            let back = (0..at.saturating_sub(1)).map(|link| (link, at - 1, 1));
            let on = (at + 1..last).map(|link| (link, at, 2));
            for (link, by, end) in back.chain(on) {
                host.ip(&format!("route add {}/64 via {}", self.address_v6(link, 0), self.address_v6(by, end)));
            }
        }
        Some(self)
    }

    /// Makes the router at a hop a packet filter without NAT that forgets after so many seconds of silence, for both families, and
    /// does this with what it does not know.
    pub(crate) fn filter_that_forgets(&self, hop: usize, after: u32, unknown: &str) {
        let host = self.router(hop);
        forward(host, &format!("ct state invalid {unknown}"));
        host.sysctl(&format!(
            "net.netfilter.nf_conntrack_tcp_loose = 0\n\
             net.netfilter.nf_conntrack_tcp_timeout_established = {after}\n\
             net.netfilter.nf_conntrack_tcp_timeout_unacknowledged = {after}"
        ));
    }

    /// OpenSSH's sshd by IPv6, known to the client's known_hosts.
    pub(crate) fn sshd_v6(&self) -> Server {
        let at = self.server_address_v6();
        let server = self.sshd(&[&format!("ListenAddress {at}")]);
        let key = std::fs::read_to_string(self.home.path("host_key.pub")).expect("a key");
        self.home.know(&at.to_string(), server.port(), &key);
        server
    }

    /// Makes the second link of the path one of so many bytes, whose ends tell nobody that a packet is too big for it.
    pub(crate) fn narrow_silent_link(&self, mtu: u32) {
        for (hop, side) in [(1, FAR), (2, NEAR)] {
            let router = self.router(hop);
            router.ip(&format!("link set {side} mtu {mtu}"));
            router.nft("add table inet mute\nadd chain inet mute output { type filter hook output priority 0; }");
            router.nft("add rule inet mute output icmpv6 type packet-too-big drop");
        }
    }

    pub(crate) fn server_address_v6(&self) -> Ipv6Addr {
        self.address_v6(self.hosts.len() - 2, 2)
    }

    /// The address with which the router at a hop answers the client.
    pub(crate) fn router_address_v6(&self, hop: usize) -> Ipv6Addr {
        self.address_v6(hop - 1, 2)
    }

    fn address_v6(&self, link: usize, end: u16) -> Ipv6Addr {
        let lab = u16::try_from(std::process::id() % 60_000).expect("a remainder");
        let (number, link) =
            (u16::try_from(self.number).expect("few labs"), u16::try_from(link).expect("a short path"));
        Ipv6Addr::new(0xfd5d, lab, number, link, 0, 0, 0, end)
    }
}
