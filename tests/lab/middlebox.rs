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
    /// A filter with the client inside: it forgets, and only what the client sends takes the flow up again.
    GuardsClient(u32),
    /// A filter with the server inside, as the firewall of a cloud has it: only what the server sends takes the flow up again.
    GuardsServer(u32),
    /// A filter that forgets, and whose timer only some packets wind up again.
    Heeds(Heeded, u32),
}

/// The packets that wind up a timer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Heeded {
    /// All that the client sends, acknowledgements too.
    Outbound,
    /// All that the client receives, acknowledgements too.
    Inbound,
    /// What the client sends that carries data.
    OutboundData,
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
            Self::GuardsClient(after) => return guard(host, NEAR, after),
            Self::GuardsServer(after) => return guard(host, FAR, after),
            Self::Heeds(packets, after) => return heed(host, packets, after),
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

/// A flow as its packets to the server name it.
const OUT: &str = "ip saddr . tcp sport . ip daddr . tcp dport";
/// A flow as its packets to the client name it.
const BACK: &str = "ip daddr . tcp dport . ip saddr . tcp sport";

/// Remembers flows in a set of its own: the kernel's tracking is not told which side is the inside.
fn guard(host: &Namespace, inside: &str, after: u32) {
    remember(host, after);
    for (side, flow) in [(NEAR, OUT), (FAR, BACK)] {
        let known = if side == inside { String::new() } else { format!("{flow} @flows") };
        forward(host, &format!("iifname {side} {known} update @flows {{ {flow} timeout {after}s }} accept"));
    }
    begin_flows(host, after);
}

/// Forwards known flows, and remembers them anew only for some of their packets.
fn heed(host: &Namespace, packets: Heeded, after: u32) {
    remember(host, after);
    let (side, flow, which) = match packets {
        Heeded::Outbound => (NEAR, OUT, ""),
        Heeded::Inbound => (FAR, BACK, ""),
        // An acknowledgement has 52 bytes with its time stamps, the shortest packet of SSH more than 80.
        Heeded::OutboundData => (NEAR, OUT, "ip length > 80"),
    };
    forward(host, &format!("iifname {side} {which} {flow} @flows update @flows {{ {flow} timeout {after}s }} accept"));
    forward(host, &format!("iifname {NEAR} {OUT} @flows accept"));
    forward(host, &format!("iifname {FAR} {BACK} @flows accept"));
    begin_flows(host, after);
}

fn remember(host: &Namespace, after: u32) {
    let key = "type ipv4_addr . inet_service . ipv4_addr . inet_service";
    host.nft(&format!("add set inet lab flows {{ {key}; flags dynamic,timeout; timeout {after}s; }}"));
}

/// Lets connections be opened from the client's side, and drops what is left.
fn begin_flows(host: &Namespace, after: u32) {
    forward(
        host,
        &format!("iifname {NEAR} tcp flags & (syn | ack) == syn update @flows {{ {OUT} timeout {after}s }} accept"),
    );
    forward(host, "meta l4proto tcp drop");
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
