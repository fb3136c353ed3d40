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
    title: "The local address for the host name differs from the one in DNS",
    severity: Severity::Info,
    explanation: "ssh uses the address from the system's resolver. Here it differs from all addresses in DNS: the hosts file, or \
        another source besides DNS (multicast DNS, a directory service), has its own address for the name. This may be \
        intended. It may also be an entry left behind when the server moved; then ssh reaches nobody, or a machine \
        with another host key.\n\n\
        It is a note if the connection works, and a warning if it fails. Other machines, and tools that query DNS \
        directly such as dig, use the other address.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Remove an outdated entry from the hosts file",
            file: Some("/etc/hosts"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Compare the answers",
            snippet: Some("getent hosts {host}; grep -n {host} /etc/hosts; dig +short {host}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "To test the other address, connect to it once; the host key is still looked up by name",
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
    title: "The name servers of this machine disagree about the host name",
    severity: Severity::Warning,
    explanation: "Each configured name server was queried on its own. One resolves the name while another says that it does not \
        exist, or one returns a private address and another a public one. The resolver uses the first answer, and asks \
        the next server only if one is silent. So the name resolves, or leads elsewhere, depending on which server \
        answers in time: lookups fail now and then.\n\n\
        This is usual where a VPN's or company's name server is listed beside a public one: they do not serve the same \
        names, and resolv.conf cannot say which is for what.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Remove the name server that does not know the name, or use a resolver with per-domain servers",
            file: Some("/etc/resolv.conf"),
            caution: Some("systemd-resolved can bind a domain to an interface: resolvectl domain INTERFACE '~DOMAIN'"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Find where it is set",
            snippet: Some("grep -n '^nameserver {other}' /etc/resolv.conf"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Query each of them",
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

/// True if the system asks others than files and DNS (nsswitch.conf(5)); systemd-resolved may ask by multicast.
fn asks_others(facts: &Facts) -> bool {
    facts.sources.iter().flatten().any(|source| dns::is_beside_dns(source))
}

/// True if the connection fails in a way that a wrong address could be the reason of.
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
