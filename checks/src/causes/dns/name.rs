//! What is wrong with the name, or with where it is looked for.

use super::reading::Failure;
use super::shared::{LOOK_AGAIN, found};
use crate::base::target::AddressFamily;
use crate::base::text;
use crate::causes::{Cause, Fix, Severity, Side};
use crate::facts::Check;

pub(super) const HOST_NAME: Fix = Fix {
    side: Side::Client,
    summary: "Tell ssh the full name or the address behind this name",
    file: Some("~/.ssh/config"),
    snippet: Some("Host {alias}\n    HostName FULL.NAME.OR.ADDRESS"),
    caution: Some("put in the server's full name, as its administrator knows it, or its address"),
    ..Fix::CHANGE
};

pub(super) const NXDOMAIN: Cause = Cause {
    code: "dns-nxdomain",
    stage: Check::Dns,
    title: "DNS says that the host name does not exist",
    severity: Severity::Critical,
    explanation: "The name server answers NXDOMAIN: it knows the zone, and there is no such name in it. It was asked for the \
        name and for the name with each domain of the search list. ssh gives up with \"Could not \
        resolve hostname\".\n\n\
        The name may be mistyped; it may be an abbreviation that only means something where the search list has the right \
        domain, or an alias of an ssh_config that was not read; or it is known only to another name server, as inside a \
        company or a VPN. Where name servers disagree, the answer of the first one counts for the system's resolver.",
    fixes: &[
        HOST_NAME,
        LOOK_AGAIN,
        Fix {
            side: Side::Client,
            summary: "Where the name is short for one in a domain of your own, put that domain on the search list",
            file: Some("/etc/resolv.conf"),
            snippet: Some("search DOMAIN"),
            caution: Some("where systemd-resolved writes this file, use resolvectl domain INTERFACE DOMAIN"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Network,
            summary: "Where the name should exist, add its address record to the zone",
            file: Some("zone file"),
            snippet: Some("{host}.  IN  A  ADDRESS"),
            caution: Some(
                "the answer that it does not exist may stay in caches for as long as the zone's SOA record says",
            ),
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
    title: "The host name exists, but has no address that ssh may use",
    severity: Severity::Critical,
    explanation: "The name is known and has no address of a family that ssh may use here. Either ssh is held to one family \
        (-4, -6, or AddressFamily) and the name only has addresses of the other, or the name has no address record at all: \
        it may be a domain that only receives mail, an alias that leads nowhere, or a host whose record was taken out.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Let ssh use the family that the name has addresses of",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    AddressFamily {family}"),
            caution: Some("a -4 or -6 on the command line or in a script overrides it: leave that out"),
            ..Fix::CHANGE
        },
        HOST_NAME,
        Fix {
            side: Side::Network,
            summary: "Add an address record to the name",
            file: Some("zone file"),
            snippet: Some("{host}.  IN  {record}  ADDRESS"),
            caution: Some("raise the serial of the zone's SOA record with it"),
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
    title: "DNS knows the host name, but this machine's resolver does not ask DNS",
    severity: Severity::Critical,
    explanation: "The name server that is configured has an address for the name. The system's resolver, which ssh uses, says \
        that there is none: the sources for host names (the hosts line of nsswitch.conf) do not include DNS. Tools that ask \
        DNS by themselves, such as dig, find the name all the same.",
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
