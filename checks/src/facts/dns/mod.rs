//! The observations of the name lookup.

pub mod flaw;
pub mod lines;

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::base::target::AddressFamily;
use crate::base::text::{self};
use crate::facts;

/// Addresses that a sentence names.
const LISTED: usize = 6;

/// The addresses without their ports.
pub(crate) fn ips(addresses: &[SocketAddr]) -> Vec<IpAddr> {
    addresses.iter().map(SocketAddr::ip).collect()
}

/// The items with commas; of a long list the beginning.
pub(super) fn list<T: Display>(items: &[T]) -> String {
    let (shown, rest) = items.split_at(items.len().min(LISTED));
    let shown = shown.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if rest.is_empty() { shown } else { format!("{shown} and {} more", rest.len()) }
}

/// The observations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The name or literal address that ssh would look up.
    pub name: String,
    /// The address families that ssh may use.
    pub family: AddressFamily,
    /// True if the name is an address already.
    pub literal: bool,
    /// The result of getaddrinfo(3).
    pub system: System,
    /// The addresses in the hosts file, both families.
    pub hosts_file: Vec<IpAddr>,
    /// The sources in which the system looks host names up (nsswitch.conf(5)), where it has such a file.
    pub sources: Option<Vec<String>>,
    /// The search list of the system's DNS configuration.
    pub search: Vec<String>,
    /// The number of dots from which a name is tried first without a search domain (resolv.conf(5)).
    pub ndots: usize,
    /// The reason why the system's DNS configuration could not be used.
    pub configuration_error: Option<String>,
    /// Each name server, asked by itself; empty where DNS has no say.
    pub name_servers: Vec<NameServer>,
    /// The host's keys in DNS; looked up where ssh does so (`VerifyHostKeyDNS`), and by `--deep`.
    #[serde(default)]
    pub host_keys: Option<Published>,
}

/// The system's own resolver, asked as ssh asks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct System {
    /// Milliseconds until its answer, or until we stopped waiting.
    pub ms: f64,
    /// The text that it said.
    #[serde(flatten)]
    pub answer: SystemAnswer,
    /// Addresses of the family that ssh may not use, asked for only when there were none that it may.
    pub other_family: Vec<IpAddr>,
}

/// The result of getaddrinfo(3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum SystemAnswer {
    /// Addresses, in the order in which ssh tries them.
    Addresses {
        /// With the port; link-local ones with their zone.
        addresses: Vec<SocketAddr>,
    },
    /// An error.
    Error {
        /// Its name, such as `EAI_NONAME`.
        code: String,
        /// Its text.
        text: String,
    },
    /// None before our deadline.
    TimedOut,
    /// None before the user ended the run.
    NotWaitedFor,
}

/// One name server and what it said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NameServer {
    /// Its address.
    pub address: SocketAddr,
    /// False for the name server on this machine that resolv.conf(5) falls back to when none is configured.
    pub configured: bool,
    /// The questions in order: for each name of the search an A and an AAAA, until one has an answer.
    pub questions: Vec<Question>,
}

/// One question to one name server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The full name asked for.
    pub name: String,
    /// `A` or `AAAA`.
    pub record_type: String,
    /// Milliseconds until the answer, or until we stopped waiting.
    pub ms: f64,
    /// The answer.
    #[serde(flatten)]
    pub answer: DnsAnswer,
}

/// The answer of a name server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum DnsAnswer {
    /// Records.
    Records {
        /// The addresses; the first 32.
        addresses: Vec<IpAddr>,
        /// The targets of the CNAME records on the way, in order; the first 32.
        aliases: Vec<String>,
        /// The shortest time to live, seconds.
        ttl_s: Option<u32>,
    },
    /// A response without records.
    Empty {
        /// The response code (RFC 1035 section 4.1.1): `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED`, or another's text.
        code: String,
    },
    /// Nothing before our deadline.
    TimedOut,
    /// The system's resolver had answered, or the user ended the run.
    NotWaitedFor,
    /// The question could not be delivered: the system's error, such as `ECONNREFUSED` for a closed port.
    Undelivered {
        /// Its name.
        errno: String,
    },
    /// Something else, in our library's words.
    Failed {
        /// The words.
        error: String,
    },
}

impl facts::Facts for Facts {
    fn summary(&self) -> String {
        let name = text::sanitize(&self.name);
        let took = text::seconds(self.system.ms / 1000.0);
        match &self.system.answer {
            SystemAnswer::Addresses { .. } if self.literal => format!("{name} is an address"),
            SystemAnswer::Addresses { addresses } => format!("{} in {took}", list(&ips(addresses))),
            _ if self.literal => format!("{name} is an address of the other family"),
            SystemAnswer::Error { code, text } => format!("{name}: {text} ({code}) after {took}"),
            SystemAnswer::TimedOut => format!("{name}: no answer in {took}"),
            SystemAnswer::NotWaitedFor => format!("{name}: not waited for"),
        }
    }
}

pub(crate) fn addresses(question: &Question) -> &[IpAddr] {
    match &question.answer {
        DnsAnswer::Records { addresses, .. } => addresses,
        _ => &[],
    }
}

/// True if a source for host names is another than files and DNS (nsswitch.conf(5)).
pub(crate) fn is_beside_dns(source: &str) -> bool {
    !["files", "dns", "myhostname"].contains(&source)
}

/// True if nothing came from a name server, for at least `ms` milliseconds where we waited.
pub(crate) fn silent_for(server: &NameServer, ms: f64) -> bool {
    let unanswered = |question: &Question| match question.answer {
        DnsAnswer::TimedOut | DnsAnswer::NotWaitedFor => question.ms >= ms,
        DnsAnswer::Undelivered { .. } => true,
        DnsAnswer::Records { .. } | DnsAnswer::Empty { .. } | DnsAnswer::Failed { .. } => false,
    };
    !server.questions.is_empty() && server.questions.iter().all(unanswered)
}

/// True if a name server gave an address.
pub(crate) fn gave_address(server: &NameServer) -> bool {
    server.questions.iter().any(|question| !addresses(question).is_empty())
}

/// The host's keys in DNS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The name that was asked for.
    pub name: String,
    /// The records; `null` where the question got no answer.
    pub records: Option<Vec<Fingerprint>>,
    /// True if the name server says that it has validated the answer (the AD bit, RFC 4035 section 3.2.3).
    pub authentic: bool,
}

/// One SSHFP record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The key's algorithm: 1 RSA, 2 DSA, 3 ECDSA, 4 Ed25519, 6 Ed448.
    pub algorithm: u8,
    /// The hash: 1 SHA-1, 2 SHA-256.
    pub hash: u8,
    /// The fingerprint, hexadecimal.
    pub hex: String,
}

/// The facts of a name that is an address; getaddrinfo(3) refuses one of the other family.
pub(crate) fn literal(name: &str, family: AddressFamily, addresses: Vec<SocketAddr>) -> Facts {
    let (wanted, other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| family.includes(address.ip()));
    let answer = if wanted.is_empty() {
        SystemAnswer::Error {
            code: "EAI_ADDRFAMILY".to_owned(),
            text: "Address family for hostname not supported".to_owned(),
        }
    } else {
        SystemAnswer::Addresses { addresses: wanted }
    };
    let other_family = other.iter().map(SocketAddr::ip).collect();
    Facts {
        name: name.to_owned(),
        family,
        literal: true,
        system: System { ms: 0.0, answer, other_family },
        hosts_file: Vec::new(),
        sources: None,
        search: Vec::new(),
        ndots: 1,
        configuration_error: None,
        name_servers: Vec::new(),
        host_keys: None,
    }
}
