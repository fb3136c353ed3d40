//! The DNS answers as the judges read them.

use std::net::IpAddr;

use crate::facts::Evidence;
use crate::facts::certainty::Certainty;
use crate::facts::dns::{DnsAnswer, Facts, NameServer, Question, SystemAnswer, addresses};

/// The time that the system's resolver waits for a name server by default, milliseconds (resolv.conf(5)).
const RESOLVER_MS: f64 = 5000.0;

/// The reason why a name could not be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// DNS says that there is no such name.
    NoName,
    /// The name exists and has no address of a family that ssh may use.
    NoAddress,
    /// A name server fails to find out.
    ServerFailed,
    /// A name server does not serve this client.
    ServerRefused,
    /// No name server answers.
    Silence,
    /// No name server is configured, and none runs on this machine.
    NoServer,
    /// DNS knows the name, and the system's resolver does not ask DNS.
    DnsNotAsked,
}

/// The result of one name server for the name, all its answers taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Addresses,
    OnlyOtherFamily,
    NoData,
    NoName,
    Failed,
    Refused,
    OtherCode,
    /// One family's question was answered, the other's was not.
    Half,
    Nothing,
}

/// Returns the reason for which the check failed, and how sure that is; `None` if it did not fail or the answers do not
/// show it.
pub(super) fn failure(evidence: &Evidence) -> Option<(&Facts, Failure, Certainty)> {
    let facts = evidence.dns.failed()?;
    let (failure, certainty) = judge(facts)?;
    Some((facts, failure, certainty))
}

fn judge(facts: &Facts) -> Option<(Failure, Certainty)> {
    let unwanted =
        |addresses: &[IpAddr]| !addresses.is_empty() && !addresses.iter().any(|&ip| facts.family.includes(ip));
    if unwanted(&facts.system.other_family) || unwanted(&facts.hosts_file) {
        return Some((Failure::NoAddress, Certainty::Certain));
    }
    let denied = matches!(&facts.system.answer, SystemAnswer::Error { code, .. } if DENIALS.contains(&code.as_str()));
    let said: Vec<_> = facts.name_servers.iter().map(|server| said(facts, server)).collect();
    // As the system's resolver does: a name server that fails or is silent is passed over, the first other answer counts.
    let counts = said.iter().find(|said| !matches!(said, Said::Failed | Said::Refused | Said::Half | Said::Nothing));
    let agreed = said.iter().all(|said| Some(said) == counts);
    let sure = |certain| if certain { Certainty::Certain } else { Certainty::Likely };
    Some(match counts {
        Some(Said::NoName) => (Failure::NoName, sure(denied && agreed)),
        Some(Said::NoData | Said::OnlyOtherFamily) => (Failure::NoAddress, sure(denied && agreed)),
        Some(Said::Addresses) if denied => {
            return (!asks_dns(facts)).then_some((Failure::DnsNotAsked, Certainty::Certain));
        }
        Some(Said::Addresses) => (failing(facts, &said)?, Certainty::Likely),
        Some(_) => return None,
        None if said.is_empty() || (denied && !asks_dns(facts)) => return None,
        None => {
            let alike = said.iter().all(|one| Some(one) == said.first() && *one != Said::Half);
            let failure = failing(facts, &said)?;
            // Until its own time-out the system's resolver may still be answered, and ssh would wait for that.
            let early = matches!(facts.system.answer, SystemAnswer::TimedOut) && facts.system.ms < RESOLVER_MS;
            (failure, sure(alike && !(early && failure == Failure::Silence)))
        }
    })
}

/// The errors by which getaddrinfo(3) says that a name does not exist or has no address, and not that it could not find out.
const DENIALS: [&str; 3] = ["EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY"];

/// The way the name servers fail that fail, the one that says most first.
fn failing(facts: &Facts, said: &[Said]) -> Option<Failure> {
    let some_question_failed =
        facts.name_servers.iter().flat_map(|server| &server.questions).any(|q| code(q) == Some("SERVFAIL"));
    if some_question_failed {
        Some(Failure::ServerFailed)
    } else if said.contains(&Said::Refused) {
        Some(Failure::ServerRefused)
    } else if said.iter().any(|said| matches!(said, Said::Half | Said::Nothing)) {
        let configured = facts.name_servers.iter().any(|server| server.configured);
        Some(if configured { Failure::Silence } else { Failure::NoServer })
    } else {
        None
    }
}

fn said(facts: &Facts, server: &NameServer) -> Said {
    let addresses: Vec<_> = server.questions.iter().flat_map(addresses).collect();
    let codes: Vec<_> = server.questions.iter().filter_map(code).collect();
    let answered = |question: &Question| matches!(question.answer, DnsAnswer::Records { .. } | DnsAnswer::Empty { .. });
    let answers = server.questions.iter().filter(|question| answered(question)).count();
    if addresses.iter().any(|&&ip| facts.family.includes(ip)) {
        Said::Addresses
    } else if codes.contains(&"SERVFAIL") {
        Said::Failed
    } else if codes.contains(&"REFUSED") {
        Said::Refused
    } else if answers == 0 {
        Said::Nothing
    } else if answers < server.questions.len() {
        Said::Half
    } else if !addresses.is_empty() {
        Said::OnlyOtherFamily
    } else if codes.contains(&"NOERROR") || codes.is_empty() {
        Said::NoData
    } else if codes.contains(&"NXDOMAIN") {
        Said::NoName
    } else {
        Said::OtherCode
    }
}

fn code(question: &Question) -> Option<&str> {
    match &question.answer {
        DnsAnswer::Empty { code } => Some(code),
        _ => None,
    }
}

/// True if the system's resolver asks DNS for host names; without an nsswitch.conf(5) it does.
fn asks_dns(facts: &Facts) -> bool {
    facts
        .sources
        .as_ref()
        .is_none_or(|sources| sources.iter().any(|source| matches!(source.as_str(), "dns" | "resolve")))
}

/// The addresses that ssh may use of those that a name server gave.
pub(super) fn given(facts: &Facts, server: &NameServer) -> Vec<IpAddr> {
    let given = server.questions.iter().flat_map(addresses).copied();
    given.filter(|&ip| facts.family.includes(ip)).collect()
}

/// True if a name server says that the name does not exist, or that it has no address.
pub(super) fn denies(facts: &Facts, server: &NameServer) -> bool {
    matches!(said(facts, server), Said::NoName | Said::NoData)
}
