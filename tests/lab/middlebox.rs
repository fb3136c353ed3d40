//! Routers, and what they do to a connection that was silent for too long.

use super::namespace::Namespace;

/// The kind of a router; the times are seconds of silence.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Middlebox {
    /// Forwards and remembers nothing.
    Plain,
    /// Forwards nothing: a host between two networks, which one has to log in to.
    Bastion,
    /// A NAT that forgets, and then drops what it does not know.
    Forgets(u32),
    /// A NAT that forgets, and then answers what it does not know with a TCP reset.
    Resets(u32),
    /// A NAT that forgets, and takes up an unknown flow when the inside speaks (Linux's default).
    PicksUp(u32),
}

/// The side of a router that looks at the server.
pub(crate) const FAR: &str = "far";
/// The side of a router that looks at the client.
pub(crate) const NEAR: &str = "near";

impl Middlebox {
    /// Makes a host with both sides connected this router.
    pub(crate) fn install(self, host: &Namespace) {
        if matches!(self, Self::Bastion) {
            return host.sysctl("net.ipv4.ip_forward = 0");
        }
        host.sysctl("net.ipv4.ip_forward = 1");
        chain(host, "inet lab forward", "type filter hook forward priority 0");
        let (after, unknown) = match self {
            Self::Plain | Self::Bastion => return,
            Self::Forgets(after) => (after, Some("drop")),
            Self::Resets(after) => (after, Some("meta l4proto tcp reject with tcp reset")),
            Self::PicksUp(after) => (after, None),
        };
        chain(host, "ip lab postrouting", "type nat hook postrouting priority srcnat");
        host.nft(&format!("add rule ip lab postrouting oifname {FAR} masquerade"));
        forward(host, &format!("ct state invalid {}", unknown.unwrap_or("accept")));
        // After the rules: the settings appear with the module that these load.
        host.sysctl(&format!(
            "net.netfilter.nf_conntrack_tcp_loose = {}\n\
             net.netfilter.nf_conntrack_tcp_timeout_established = {after}\n\
             net.netfilter.nf_conntrack_tcp_timeout_unacknowledged = {after}",
            u8::from(unknown.is_none())
        ));
    }
}

/// Adds a rule to what a router does to forwarded packets.
pub(crate) fn forward(router: &Namespace, rule: &str) {
    router.nft(&format!("add rule inet lab forward {rule}"));
}

/// Drops every forwarded packet from now on.
pub(crate) fn cut(router: &Namespace) {
    chain(router, "inet outage forward", "type filter hook forward priority -300; policy drop");
}

/// Ends a [`cut`].
pub(crate) fn restore(router: &Namespace) {
    router.nft("delete table inet outage");
}

/// Adds a base chain, named by its family, table and name, and the table.
fn chain(router: &Namespace, name: &str, hook: &str) {
    let (table, _) = name.rsplit_once(' ').expect("a family, a table and a name");
    router.nft(&format!("add table {table}\nadd chain {name} {{ {hook}; }}\n"));
}
