//! Sources that should say the same, and do not.

use std::net::IpAddr;

use super::reading;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::dns::{self, Facts, NameServer, SystemAnswer, lines};
use crate::facts::hostkey::{Decision, KnownHostsMatch};
use crate::facts::{Check, Evidence};

pub(super) const HOSTS_MISMATCH: Cause = Cause {
    code: "dns-hosts-mismatch",
    stage: Check::Dns,
    title: "This machine has another address for the host name than DNS has",
    severity: Severity::Info,
    explanation: "ssh goes where the system's resolver sends it. Here that is not where DNS says the host is: the hosts file, or \
        another source that the system asks besides DNS (multicast DNS, a directory service), has an address of its own for the \
        name, and none of them is among those of the name servers. It may be meant so. It may also be an entry that was left \
        behind when the server moved; then ssh reaches nobody, or a machine with another host key.\n\n\
        It is a mere note where the connection works, and a warning where it fails. Other machines, and tools that ask DNS by \
        themselves such as dig, go to the other address.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Take the entry out of the hosts file where it is out of date",
            file: Some("/etc/hosts"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "See what each of them says",
            snippet: Some("getent hosts {host}; grep -n {host} /etc/hosts; dig +short {host}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "To see whether the other address is the right one, go there once; the host key is still looked for under the name",
            snippet: Some("ssh -o HostKeyAlias='{known_as}' -p {port} {user}@{address}"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.dns.passed().filter(|facts| !facts.literal)?;
        let used = used(facts)?;
        let published: Vec<IpAddr> =
            facts.name_servers.iter().flat_map(|server| reading::given(facts, server)).collect();
        let address = published.first()?;
        if used.iter().any(|ip| published.contains(ip)) {
            return None;
        }
        let certainty = if used.iter().any(|ip| facts.hosts_file.contains(ip)) {
            Certainty::Certain
        } else if asks_others(facts) {
            Certainty::Likely
        } else {
            // DNS alone was asked: two answers of a name that has many addresses in turn.
            return None;
        };
        let matched = Match::new(certainty, lines::lines(facts)).with("address", address.to_string());
        Some(if fails_at_the_host(evidence) { matched.at(Severity::Warning) } else { matched })
    },
    ..Cause::NEW
};

pub(super) const SERVERS_DISAGREE: Cause = Cause {
    code: "dns-servers-disagree",
    stage: Check::Dns,
    title: "The name servers of this machine do not agree about the host name",
    severity: Severity::Warning,
    explanation: "Each name server of the system's configuration was asked by itself, and one knows the name where another says \
        that it does not exist, or one has a private address where another has a public one. The resolver takes the first \
        answer that it gets, and turns to the next server only when one is silent: so the name is found as long as the first \
        one answers in time, and is not found, or leads elsewhere, when it does not. This shows as a look-up that fails now and then.\n\n\
        It is usual where a VPN or a company's name server stands beside a public one: they do not hold the same names, and \
        the list in resolv.conf cannot say which is for what.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Take out the name server that does not know the name, or use a resolver that holds domains apart",
            file: Some("/etc/resolv.conf"),
            caution: Some("systemd-resolved can hold a domain to an interface: resolvectl domain INTERFACE '~DOMAIN'"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "See where it is set",
            snippet: Some("grep -n '^nameserver {other}' /etc/resolv.conf"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Ask each of them yourself",
            snippet: Some("dig +short @{server} {host}; dig +short @{other} {host}"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.dns.passed()?;
        let servers = || facts.name_servers.iter().filter(|server| server.configured);
        let knowing = servers().find(|server| !reading::given(facts, server).is_empty())?;
        let named = |other: &NameServer, certainty| {
            Match::new(certainty, lines::lines(facts))
                .with("server", knowing.address.ip().to_string())
                .with("other", other.address.ip().to_string())
        };
        if let Some(denying) = servers().find(|server| reading::denies(facts, server)) {
            return Some(named(denying, Certainty::Certain));
        }
        let reach = |server: &NameServer| {
            let given = reading::given(facts, server);
            let private = given.iter().filter(|&&ip| is_private(ip)).count();
            (!given.is_empty() && (private == 0 || private == given.len())).then_some(private > 0)
        };
        let elsewhere = servers().find(|server| reach(server).is_some_and(|other| Some(!other) == reach(knowing)))?;
        Some(named(elsewhere, Certainty::Likely))
    },
    ..Cause::NEW
};

/// The addresses that ssh uses, without their ports.
fn used(facts: &Facts) -> Option<Vec<IpAddr>> {
    match &facts.system.answer {
        SystemAnswer::Addresses { addresses } => Some(dns::ips(addresses)),
        _ => None,
    }
}

/// Whether the system asks others than files and DNS (nsswitch.conf(5)); systemd-resolved may ask by multicast.
fn asks_others(facts: &Facts) -> bool {
    facts.sources.iter().flatten().any(|source| dns::is_beside_dns(source))
}

/// Whether the connection fails in a way that a wrong address could be the reason of.
fn fails_at_the_host(evidence: &Evidence) -> bool {
    let other_key = evidence
        .hostkey
        .facts()
        .is_some_and(|facts| facts.standing == KnownHostsMatch::Changed && facts.decision != Decision::NotChecked);
    evidence.tcp.failed().is_some() || evidence.handshake.failed().is_some() || other_key
}

/// RFC 1918 and RFC 4193 addresses.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}
