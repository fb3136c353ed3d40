//! Name look-up: what the system's resolver says, which ssh uses, and beside it what each name server says by itself.

mod beside;
mod causes;
mod files;
mod flaw;
mod lines;
mod patience;
mod reading;
mod servers;
mod sshfp;
mod system;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::time::sleep_until;

use crate::evidence::{self, Step};
use crate::examination::Examination;
use crate::target::AddressFamily;
use crate::text;
use patience::Patience;

pub use beside::Beside;
pub(crate) use beside::complete;
pub use causes::CAUSES;
pub use sshfp::{Fingerprint, Published};

/// How much longer than twice the system's resolver a name server may take that only we asked.
const GRACE: Duration = Duration::from_millis(150);

/// How much longer than ssh may take to connect the system's resolver is waited for when no name server gives an address.
const LAST_HOPE: Duration = Duration::from_secs(1);

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The name or literal address that ssh would look up.
    pub name: String,
    /// The address families that ssh may use.
    pub family: AddressFamily,
    /// Whether the name is an address already.
    pub literal: bool,
    /// What getaddrinfo(3) said.
    pub system: System,
    /// What the hosts file says, both families.
    pub hosts_file: Vec<IpAddr>,
    /// The sources that the system asks for host names (nsswitch.conf(5)), where it has such a file.
    pub sources: Option<Vec<String>>,
    /// The search list of the system's DNS configuration.
    pub search: Vec<String>,
    /// How many dots a name needs to be tried as it is first (resolv.conf(5)).
    pub ndots: usize,
    /// Why the system's DNS configuration could not be used.
    pub configuration_error: Option<String>,
    /// Each name server, asked by itself; empty where DNS has no say.
    pub name_servers: Vec<NameServer>,
    /// What DNS publishes of the host's keys; asked for where ssh does so (`VerifyHostKeyDNS`), and by `--deep`.
    #[serde(default)]
    pub host_keys: Option<Published>,
}

/// The system's own resolver, asked as ssh asks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct System {
    /// Milliseconds until its answer, or until we stopped waiting.
    pub ms: f64,
    /// What it said.
    #[serde(flatten)]
    pub answer: SystemAnswer,
    /// Addresses of the family that ssh may not use, asked for only when there were none that it may.
    pub other_family: Vec<IpAddr>,
}

/// What getaddrinfo(3) said.
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
    /// What came back.
    #[serde(flatten)]
    pub answer: Answer,
}

/// What a name server answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
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

impl evidence::Facts for Facts {
    fn summary(&self) -> String {
        let name = text::shown(&self.name);
        let took = text::seconds(self.system.ms / 1000.0);
        match &self.system.answer {
            SystemAnswer::Addresses { .. } if self.literal => format!("{name} is an address"),
            SystemAnswer::Addresses { addresses } => format!("{} in {took}", lines::list(&lines::ips(addresses))),
            _ if self.literal => format!("{name} is an address of the other family"),
            SystemAnswer::Error { code, text } => format!("{name}: {text} ({code}) after {took}"),
            SystemAnswer::TimedOut => format!("{name}: no answer in {took}"),
            SystemAnswer::NotWaitedFor => format!("{name}: not waited for"),
        }
    }
}

/// Looks the target's name up and leaves its addresses, in the order in which ssh would try them.
///
/// It takes as long as the system's resolver, which ssh waits for too and ConnectTimeout does not bound, and `Limits::stage` at
/// most; `Limits::connect` and a second where no name server gives an address. Where the look-up succeeds, [`complete`] adds what
/// the name servers say.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    let target = exam.target.clone();
    if let Some(proxy) = &target.proxy {
        let by = if proxy.hops.is_empty() { "the proxy command" } else { "the jump host" };
        return Step::Skipped(format!("the name is looked up by {by}"));
    }
    if let Some(addresses) = system::literal(&target.host, target.port) {
        return leave(exam, literal(&target.host, target.family, addresses));
    }
    let began = Instant::now();
    let files = Arc::new(files::read(&target.host).await);
    let patience = Arc::new(Patience::until(began + exam.limits.connect));
    let mut beside = Beside::ask(&target.host, &files, &patience, target.host_keys.verify_dns || exam.limits.deep);
    let mut facts = Facts {
        name: target.host.clone(),
        family: target.family,
        literal: false,
        system: System { ms: 0.0, answer: SystemAnswer::NotWaitedFor, other_family: Vec::new() },
        hosts_file: files.hosts.clone(),
        sources: files.sources.clone(),
        search: files.search.iter().map(ToString::to_string).collect(),
        ndots: files.ndots,
        configuration_error: files.error.clone(),
        name_servers: Vec::new(),
        host_keys: None,
    };
    // The system's resolver is waited for longer than ssh's connections, since ssh waits for it; not where nobody knows.
    let hopeless = async {
        beside.none_knows(files.sources.as_deref()).await;
        sleep_until((began + exam.limits.connect + LAST_HOPE).into()).await;
    };
    let unanswered = |answer| System { ms: ms(began), answer, other_family: Vec::new() };
    facts.system = tokio::select! {
        system = system::look_up(&target.host, target.port, target.family, exam.limits.stage) => system,
        () = hopeless => unanswered(SystemAnswer::TimedOut),
        () = exam.stop.wait() => unanswered(SystemAnswer::NotWaitedFor),
    };
    match facts.system.answer {
        SystemAnswer::Addresses { .. } => {
            patience.shorten(began + 2 * began.elapsed() + GRACE);
            exam.name_servers = Some(beside);
        }
        SystemAnswer::NotWaitedFor => {}
        SystemAnswer::Error { .. } | SystemAnswer::TimedOut => {
            exam.stop.race(beside.tell(&mut facts)).await;
        }
    }
    leave(exam, facts)
}

fn leave(exam: &mut Examination, facts: Facts) -> Step<Facts> {
    match &facts.system.answer {
        SystemAnswer::Addresses { addresses } => {
            exam.addresses.clone_from(addresses);
            Step::Passed(facts)
        }
        SystemAnswer::NotWaitedFor => Step::Skipped("interrupted".into()),
        SystemAnswer::Error { .. } | SystemAnswer::TimedOut => Step::Failed(facts),
    }
}

/// The facts of a name that is an address; getaddrinfo(3) refuses one of the other family.
fn literal(name: &str, family: AddressFamily, addresses: Vec<SocketAddr>) -> Facts {
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

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
