//! Faults of the name servers.

use super::reading::Failure;
use super::shared::{LOOK_AGAIN, found};
use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::dns::{self, NameServer, SystemAnswer, lines};

/// A lookup that takes longer is felt, and longer than a cold cache explains: resolvers repeat a question after 1 to 5 s.
const SLOW_MS: f64 = 2000.0;

const OTHER_SERVER: Fix = Fix {
    side: Side::Client,
    summary: "Use a name server that works; for an internal name, connect the VPN first",
    file: Some("/etc/resolv.conf"),
    snippet: Some("nameserver ADDRESS"),
    caution: Some(
        "replace ADDRESS; if systemd-resolved or NetworkManager writes this file, use resolvectl dns INTERFACE ADDRESS, \
        or nmcli connection modify NAME ipv4.dns ADDRESS",
    ),
    ..Fix::CHANGE
};

pub(super) const SERVFAIL: Cause = Cause {
    code: "dns-servfail",
    stage: Check::Dns,
    title: "The name server failed to resolve the host name (SERVFAIL)",
    severity: Severity::Critical,
    explanation: "The name server was reached but could not get an answer itself (SERVFAIL). Usual reasons: the zone's name \
        servers do not answer it, the zone's DNSSEC signatures are invalid, or a forwarder behind it is down. The name \
        may exist; nothing here says that it does not.\n\n\
        A client cannot see why. Asking with +cd (checking disabled) identifies DNSSEC: if that gets an answer and the \
        plain query does not, the signatures are at fault.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Check whether DNSSEC is the reason: the second query skips validation",
            snippet: Some("dig @{server} {host}; dig @{server} +cd {host}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "On the name server, find which of the zone's servers does not answer",
            snippet: Some("dig +trace {host}"),
            ..Fix::LOOK
        },
        OTHER_SERVER,
    ],
    symptoms: &["server misbehaving"],
    hides: &[],
    judge: |evidence| found(evidence, Failure::ServerFailed),
    ..Cause::NEW
};

pub(super) const REFUSED: Cause = Cause {
    code: "dns-refused",
    stage: Check::Dns,
    title: "The name server refuses to answer this client (REFUSED)",
    severity: Severity::Critical,
    explanation: "The name server answers REFUSED: it does not serve this client's address, or no names outside its own zones \
        (no recursion). A name server meant for another network answers this way, often one left in the configuration \
        after a VPN or location change.",
    fixes: &[
        LOOK_AGAIN,
        OTHER_SERVER,
        Fix {
            side: Side::Network,
            summary: "If this name server should serve this client, allow it (BIND: named.conf; unbound: access-control)",
            file: Some("named.conf"),
            snippet: Some("options { allow-query { CLIENT-NETWORK; }; allow-recursion { CLIENT-NETWORK; }; };"),
            caution: Some("replace CLIENT-NETWORK; never open recursion to the whole internet"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["Non-recoverable failure in name resolution"],
    hides: &[],
    judge: |evidence| found(evidence, Failure::ServerRefused),
    ..Cause::NEW
};

pub(super) const TIMEOUT: Cause = Cause {
    code: "dns-timeout",
    stage: Check::Dns,
    title: "The name servers do not answer",
    severity: Severity::Critical,
    explanation: "The configured name servers gave no answer, neither to the system's resolver nor to repeated queries to each \
        of them. They are down or unreachable: the network or VPN is not connected, the address is outdated, or a \
        firewall drops UDP and TCP port 53. If the machine is up and only its port is closed, or only one of the A and \
        AAAA queries is answered, the facts say so.\n\n\
        Whether the host name exists is not known. ssh waits for the resolver without a limit. This examination waits \
        one second longer than ConnectTimeout; a server that answers later, within the resolver's 5 s, looks the same.",
    fixes: &[
        LOOK_AGAIN,
        OTHER_SERVER,
        Fix {
            side: Side::Client,
            summary: "Show the servers that systemd-resolved uses",
            snippet: Some("resolvectl status"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "If systemd-resolved itself hangs, restart it",
            snippet: Some("sudo systemctl restart systemd-resolved"),
            caution: Some("name lookups on this machine fail for a moment"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Until then, connect to its ADDRESS; the host key is still looked up by name",
            snippet: Some("ssh -o HostKeyAlias='{known_as}' -p {port} {user}@ADDRESS"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "lookup <host> on <server>: read udp",
        "getaddrinfo EAI_AGAIN <host>",
        "lookup <host> on <server>: i/o timeout",
        "lookup <host>: i/o timeout",
        "Resolving timed out after <n> milliseconds",
    ],
    hides: &[],
    judge: |evidence| found(evidence, Failure::Silence),
    ..Cause::NEW
};

pub(super) const NO_SERVER: Cause = Cause {
    code: "dns-no-server",
    stage: Check::Dns,
    title: "No name server is configured on this machine",
    severity: Severity::Critical,
    explanation: "The system's DNS configuration lists no name server. The resolver then asks one on this machine \
        (resolv.conf(5)), and none answers there. This happens in containers, early during boot, and where the program \
        that should write the file (DHCP client, systemd-resolved, NetworkManager, a VPN) is not running.",
    fixes: &[
        OTHER_SERVER,
        Fix {
            side: Side::Client,
            summary: "Show the file, and which program should write it",
            snippet: Some("ls -l /etc/resolv.conf; cat /etc/resolv.conf"),
            ..Fix::LOOK
        },
    ],
    hides: &["dns-timeout"],
    judge: |evidence| found(evidence, Failure::NoServer),
    ..Cause::NEW
};

pub(super) const SLOW: Cause = Cause {
    code: "dns-slow",
    stage: Check::Dns,
    title: "Name lookup is slow",
    severity: Severity::Warning,
    explanation: "Every ssh to this host begins with this delay. Usually the first configured name server does not answer, and \
        the resolver tries the next one after its timeout (default 5 s), again for every lookup; the facts name a \
        silent server. Otherwise the name server itself is slow, or drops one of the two queries for IPv4 and IPv6 \
        (resolv.conf(5): single-request).",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Remove the name server that does not answer, or put it last",
            file: Some("/etc/resolv.conf"),
            caution: Some("if systemd-resolved or NetworkManager writes this file, change it there"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Find where it is set",
            snippet: Some("grep -n '^nameserver {silent}' /etc/resolv.conf"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Let the resolver try the next name server sooner",
            file: Some("/etc/resolv.conf"),
            snippet: Some("options timeout:1 attempts:2"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Skip the lookup for the unused address family",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    AddressFamily inet"),
            caution: Some("only if the server is reached over IPv4"),
            ..Fix::CHANGE
        },
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.dns.passed()?;
        let took = facts.system.ms;
        if facts.literal
            || took - evidence.lag_ms(Check::Dns) < SLOW_MS
            || !matches!(facts.system.answer, SystemAnswer::Addresses { .. })
        {
            return None;
        }
        // The resolver asks in this order: only those before the first that answered were waited for.
        let answered = facts.name_servers.iter().position(dns::gave_address).unwrap_or_default();
        let mut before = facts.name_servers.iter().take(answered);
        let silent: Option<&NameServer> = before.find(|server| dns::silent_for(server, SLOW_MS));
        let because = lines::lines(facts);
        let found = match silent {
            Some(server) => Match::new(Certainty::Certain, because).with("silent", server.address.ip().to_string()),
            None => Match::new(Certainty::Likely, because),
        };
        Some(found.headline(format!("the name lookup takes {}", seconds(took / 1000.0))))
    },
    ..Cause::NEW
};
