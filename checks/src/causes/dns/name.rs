//! Faults of the name, or of the places where it is looked up.

use super::reading::Failure;
use super::shared::{LOOK_AGAIN, found};
use crate::base::target::AddressFamily;
use crate::base::text;
use crate::causes::{Cause, Fix, Severity, Side};
use crate::facts::Check;

pub(super) const HOST_NAME: Fix = Fix {
    side: Side::Client,
    summary: "Give ssh the full name or the address",
    file: Some("~/.ssh/config"),
    snippet: Some("Host {alias}\n    HostName FULL.NAME.OR.ADDRESS"),
    caution: Some("replace FULL.NAME.OR.ADDRESS by the server's full name or address"),
    ..Fix::CHANGE
};

pub(super) const NXDOMAIN: Cause = Cause {
    code: "dns-nxdomain",
    stage: Check::Dns,
    title: "The host name does not exist (NXDOMAIN)",
    severity: Severity::Critical,
    explanation: "The name server answers NXDOMAIN: the zone exists, but it has no such name. The name was tried as given and \
        with each domain of the search list. ssh gives up with \"Could not resolve hostname\".\n\n\
        The name may be mistyped, a short name that needs another search domain, or an alias of an ssh_config that was \
        not read. It may be known only to another name server, as inside a company or VPN. If name servers disagree, \
        the first answer counts.",
    fixes: &[
        HOST_NAME,
        LOOK_AGAIN,
        Fix {
            side: Side::Client,
            summary: "For a short name, add its domain to the search list",
            file: Some("/etc/resolv.conf"),
            snippet: Some("search DOMAIN"),
            caution: Some("if systemd-resolved writes this file, use resolvectl domain INTERFACE DOMAIN"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Network,
            summary: "If the name should exist, add its address record to the zone",
            file: Some("zone file"),
            snippet: Some("{host}.  IN  A  ADDRESS"),
            caution: Some("replace ADDRESS; caches may keep the negative answer for the time in the zone's SOA record"),
            ..Fix::CHANGE
        },
    ],
    hides: &[],
    judge: |evidence| found(evidence, Failure::NoName),
    ..Cause::NEW
};

pub(super) const NO_ADDRESS: Cause = Cause {
    code: "dns-no-address",
    stage: Check::Dns,
    title: "The host name has no address that ssh may use",
    severity: Severity::Critical,
    explanation: "The name exists, but has no address of a family that ssh may use. Either ssh is limited to one family (-4, -6, \
        or AddressFamily) and the name has addresses of the other only, or it has no address record at all: a mail \
        domain, a dangling alias, or a host whose record was removed.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Let ssh use the address family that the name has",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    AddressFamily {family}"),
            caution: Some("-4 or -6 on the command line or in a script overrides it: remove that"),
            ..Fix::CHANGE
        },
        HOST_NAME,
        Fix {
            side: Side::Network,
            summary: "Add an address record to the name",
            file: Some("zone file"),
            snippet: Some("{host}.  IN  {record}  ADDRESS"),
            caution: Some("replace ADDRESS, and raise the serial of the zone's SOA record"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "No address associated with hostname",
        "Address family for hostname not supported",
        "getaddrinfo: no addrs",
    ],
    hides: &[],
    judge: |evidence| {
        let matched = found(evidence, Failure::NoAddress)?;
        let facts = evidence.dns.failed()?;
        let matched = match facts.family {
            AddressFamily::Any => matched,
            AddressFamily::Inet | AddressFamily::Inet6 => matched.with("family", "any"),
        };
        let record = if facts.family == AddressFamily::Inet6 { "AAAA" } else { "A" };
        Some(if facts.literal { matched } else { matched.with("record", record) })
    },
    ..Cause::NEW
};

pub(super) const NOT_ASKED: Cause = Cause {
    code: "dns-not-asked",
    stage: Check::Dns,
    title: "DNS knows the host name, but this machine does not ask DNS",
    severity: Severity::Critical,
    explanation: "The configured name server has an address for the name, but the system's resolver, which ssh uses, finds none: \
        the sources for host names (the hosts line of nsswitch.conf) do not include DNS. Tools that query DNS \
        directly, such as dig, find the name.",
    fixes: &[Fix {
        side: Side::Client,
        summary: "Add dns to the sources for host names",
        file: Some("/etc/nsswitch.conf"),
        snippet: Some("hosts: files dns"),
        caution: Some("keep the sources that are there already"),
        ..Fix::CHANGE
    }],
    hides: &[],
    judge: |evidence| {
        let sources = evidence.dns.failed()?.sources.as_ref()?.join(" ");
        let mut matched = found(evidence, Failure::DnsNotAsked)?;
        matched.because.push(format!("the sources for host names are: {}", text::sanitize(&sources)));
        Some(matched)
    },
    ..Cause::NEW
};
