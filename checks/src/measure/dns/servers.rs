//! Each name server of the system's configuration, asked by itself and all at the same time.

use std::io;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use super::files::Files;
use super::patience::{Over, Patience, Waiting};
use crate::base::elapsed::ms_since;
use crate::facts::dns::flaw::Flaw;
use crate::facts::dns::{DnsAnswer, NameServer, Question};
use crate::os::icmp::linux::ErrorQueue;
use crate::os::socket::errno_name;

/// Records of one answer that are kept.
const RECORDS: usize = 32;
/// The time without an answer after which it is tested whether the question can be delivered at all.
const PROBE_AFTER: Duration = Duration::from_millis(500);
/// A query for the root's name servers (RFC 1035 section 4.1): what a closed port refuses like any other.
const ROOT_QUERY: &[u8] = b"\x5d\x0c\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01";

/// Asks every configured name server, or the one that resolv.conf(5) falls back to, for both families.
pub(super) async fn ask_all(host: &str, files: &Files, patience: &Patience) -> Vec<NameServer> {
    let names = names(host, &files.search, files.ndots);
    let fallback = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
    let configured = !files.servers.is_empty();
    let servers = if configured { files.servers.as_slice() } else { std::slice::from_ref(&fallback) };
    let mut asking = JoinSet::new();
    if !names.is_empty() {
        for (index, server) in servers.iter().enumerate() {
            let asked = ask(server.clone(), configured, names.clone(), files.options.clone(), patience.waiting());
            asking.spawn(async move { (index, asked.await) });
        }
    }
    let mut answered = asking.join_all().await;
    answered.sort_by_key(|(index, _)| *index);
    answered.into_iter().map(|(_, server)| server).collect()
}

/// The full names to try, in the order of resolv.conf(5); none for what DNS must not be asked (RFC 6761 section 6.3)
/// or what the system's resolver asks nobody for.
fn names(host: &str, search: &[Name], ndots: usize) -> Vec<Name> {
    if Flaw::of(host).is_some() {
        return Vec::new();
    }
    let Ok(name) = Name::from_ascii(host) else { return Vec::new() };
    if name.is_localhost() || name.num_labels() == 0 {
        return Vec::new();
    }
    if name.is_fqdn() {
        return vec![name];
    }
    let mut names: Vec<_> = search.iter().filter_map(|domain| name.clone().append_domain(domain).ok()).collect();
    let dots = host.matches('.').count();
    let mut plain = name;
    plain.set_fqdn(true);
    names.insert(if dots >= ndots { 0 } else { names.len() }, plain);
    names
}

async fn ask(
    server: NameServerConfig,
    configured: bool,
    names: Vec<Name>,
    options: ResolverOpts,
    waiting: Waiting,
) -> NameServer {
    let port = server.connections.first().map_or(53, |connection| connection.port);
    let address = SocketAddr::new(server.ip, port);
    let mut asked = NameServer { address, configured, questions: Vec::new() };
    let resolver = match resolver(server, options, &waiting) {
        Ok(resolver) => resolver,
        Err(error) => {
            let answer = DnsAnswer::Failed { error: error.to_string() };
            asked.questions =
                names.first().map(|name| question(name, RecordType::A, Instant::now(), answer)).into_iter().collect();
            return asked;
        }
    };
    let undelivered = undelivered(address);
    tokio::pin!(undelivered);
    for name in names {
        let began = Instant::now();
        let both = async {
            tokio::join!(
                put(&resolver, &name, RecordType::A, waiting.clone()),
                put(&resolver, &name, RecordType::AAAA, waiting.clone())
            )
        };
        let (a, aaaa) = tokio::select! {
            biased;
            errno = &mut undelivered => {
                let failed = |record_type| question(&name, record_type, began, DnsAnswer::Undelivered { errno: errno.clone() });
                (failed(RecordType::A), failed(RecordType::AAAA))
            }
            both = both => both,
        };
        let ended = ends_search(&a.answer) || ends_search(&aaaa.answer);
        asked.questions.extend([a, aaaa]);
        if ended {
            break;
        }
    }
    asked
}

pub(super) fn resolver(
    server: NameServerConfig,
    system: ResolverOpts,
    waiting: &Waiting,
) -> Result<TokioResolver, NetError> {
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).with_options(system);
    let options = builder.options_mut();
    options.timeout = waiting.left();
    // No second round, which would turn a deaf ear to a late answer to the first: within one, a question is repeated
    // every 333 ms or so over UDP, so a lost packet does not make a dead name server.
    options.attempts = 0;
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    builder.build()
}

async fn put(resolver: &TokioResolver, name: &Name, record_type: RecordType, mut waiting: Waiting) -> Question {
    let began = Instant::now();
    let answer = tokio::select! {
        result = resolver.lookup(name.clone(), record_type) => result.map_or_else(|error| failed(&error), |found| records(&found)),
        over = waiting.over() => match over {
            Over::Deadline => DnsAnswer::TimedOut,
            Over::Shortened => DnsAnswer::NotWaitedFor,
        },
    };
    question(name, record_type, began, answer)
}

fn question(name: &Name, record_type: RecordType, began: Instant, answer: DnsAnswer) -> Question {
    Question { name: name.to_ascii(), record_type: record_type.to_string(), ms: ms_since(began), answer }
}

fn records(found: &Lookup) -> DnsAnswer {
    let answers = found.answers();
    let aliases = answers.iter().filter_map(|record| match &record.data {
        RData::CNAME(target) => Some(target.0.to_ascii()),
        _ => None,
    });
    let addresses = answers.iter().filter_map(|record| record.data.ip_addr());
    DnsAnswer::Records {
        addresses: addresses.take(RECORDS).collect(),
        aliases: aliases.take(RECORDS).collect(),
        ttl_s: answers.iter().map(|record| record.ttl).min(),
    }
}

fn failed(error: &NetError) -> DnsAnswer {
    let code = match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => none.response_code,
        NetError::Dns(DnsError::ResponseCode(code)) => *code,
        NetError::Timeout => return DnsAnswer::TimedOut,
        NetError::Io(error) if error.kind() == ErrorKind::TimedOut => return DnsAnswer::TimedOut,
        NetError::Io(error) => {
            return match errno_name(error) {
                Some(errno) => DnsAnswer::Undelivered { errno },
                None => DnsAnswer::Failed { error: error.to_string() },
            };
        }
        other => return DnsAnswer::Failed { error: other.to_string() },
    };
    let code = match code {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        other => other.to_str().to_owned(),
    };
    DnsAnswer::Empty { code }
}

/// True if the system's resolver would not go on to the next name of its search.
fn ends_search(answer: &DnsAnswer) -> bool {
    match answer {
        DnsAnswer::Records { addresses, .. } => !addresses.is_empty(),
        DnsAnswer::Empty { code } => !matches!(code.as_str(), "NOERROR" | "NXDOMAIN" | "SERVFAIL"),
        DnsAnswer::TimedOut | DnsAnswer::NotWaitedFor | DnsAnswer::Undelivered { .. } | DnsAnswer::Failed { .. } => {
            true
        }
    }
}

/// Returns only if a question cannot be delivered to `server`, with the error: our library takes that for silence.
async fn undelivered(server: SocketAddr) -> String {
    let error = match probe(server).await {
        Ok(error) => error,
        Err(error) => Some(error),
    };
    match error.as_ref().and_then(errno_name) {
        Some(errno) => errno,
        None => std::future::pending().await,
    }
}

/// The ICMP error that a question to `server` meets, if it meets one; a missing route of our own is an error at once.
async fn probe(server: SocketAddr) -> io::Result<Option<io::Error>> {
    let any: IpAddr = if server.is_ipv4() { [0; 4].into() } else { [0u16; 8].into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    // Without it a router's word that it cannot deliver is kept from us, and only a closed port shows.
    let _errors = ErrorQueue::of(&socket, server.is_ipv6());
    socket.connect(server).await?;
    tokio::time::sleep(PROBE_AFTER).await;
    socket.send(ROOT_QUERY).await?;
    socket.ready(Interest::READABLE | Interest::ERROR).await?;
    socket.take_error()
}

#[cfg(test)]
mod tests {
    use super::names;
    use hickory_resolver::proto::rr::Name;

    fn tried(host: &str, ndots: usize) -> Vec<String> {
        let search = [Name::from_ascii("corp.example.").unwrap(), Name::from_ascii("lab.example").unwrap()];
        names(host, &search, ndots).iter().map(Name::to_ascii).collect()
    }

    #[test]
    fn the_search_list_is_walked_as_resolv_conf_has_it() {
        assert_eq!(tried("db", 1), ["db.corp.example.", "db.lab.example.", "db."]);
        assert_eq!(tried("db.eu", 1), ["db.eu.", "db.eu.corp.example.", "db.eu.lab.example."]);
        assert_eq!(tried("db.eu", 2), ["db.eu.corp.example.", "db.eu.lab.example.", "db.eu."]);
        assert_eq!(tried("db.eu.", 1), ["db.eu."]);
    }

    #[test]
    fn dns_is_never_asked_for_localhost_or_for_what_is_no_name() {
        assert!(tried("localhost", 1).is_empty());
        assert!(tried("db.localhost", 1).is_empty());
        assert!(tried("", 1).is_empty());
        assert!(tried("a..b", 1).is_empty());
        assert!(tried("*.example", 1).is_empty());
    }
}
