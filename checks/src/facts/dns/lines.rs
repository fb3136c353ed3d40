//! The observations as sentences, for people.

use super::{DnsAnswer, Facts, NameServer, Question, SystemAnswer, ips, list};
use crate::base::text;

/// Each observed fact as a sentence: the system's word first, then each name server's.
pub(crate) fn lines(facts: &Facts) -> Vec<String> {
    let mut lines = vec![system_line(facts)];
    if !facts.literal && !facts.system.other_family.is_empty() {
        lines.push(format!("of the other family it has {}", list(&facts.system.other_family)));
    }
    if !facts.hosts_file.is_empty() {
        lines.push(format!("the hosts file has {}", list(&facts.hosts_file)));
    }
    lines.extend(
        facts.configuration_error.as_ref().map(|error| format!("DNS configuration: {}", text::sanitize(error))),
    );
    lines.extend(facts.name_servers.iter().map(server_line));
    lines
}

fn system_line(facts: &Facts) -> String {
    let (name, took) = (text::sanitize(&facts.name), text::seconds(facts.system.ms / 1000.0));
    match &facts.system.answer {
        SystemAnswer::Addresses { addresses } => {
            format!("the system's resolver finds {} for {name} in {took}", list(&ips(addresses)))
        }
        SystemAnswer::Error { .. } if facts.literal => {
            format!("{name} is an address, of the family that ssh may not use")
        }
        SystemAnswer::Error { code, text } => {
            format!("the system's resolver says of {name} after {took}: {} ({code})", text::sanitize(text))
        }
        SystemAnswer::TimedOut | SystemAnswer::NotWaitedFor => {
            format!("the system's resolver gave no answer for {name} in {took}")
        }
    }
}

/// Describes the answers of a name server, the questions with the same answer taken together.
fn server_line(server: &NameServer) -> String {
    let mut told: Vec<(String, Vec<&Question>)> = Vec::new();
    for question in &server.questions {
        let answer = answer(question);
        match told.iter_mut().find(|(known, _)| *known == answer) {
            Some((_, questions)) => questions.push(question),
            None => told.push((answer, vec![question])),
        }
    }
    let told: Vec<_> = told.iter().map(|(answer, questions)| format!("{answer} for {}", asked(questions))).collect();
    let default = if server.configured { "" } else { " (none is configured, this is the default)" };
    format!("name server {}{default}: {}", server.address.ip(), told.join("; "))
}

/// The names of these questions; with the type where only one of the two was answered so.
fn asked(questions: &[&Question]) -> String {
    let mut names: Vec<(&str, Vec<&str>)> = Vec::new();
    for question in questions {
        match names.iter_mut().find(|(name, _)| *name == question.name) {
            Some((_, types)) => types.push(&question.record_type),
            None => names.push((&question.name, vec![&question.record_type])),
        }
    }
    let names = names.iter().map(|(name, types)| match types.as_slice() {
        [only] => format!("{} {only}", text::sanitize(name)),
        _ => text::sanitize(name),
    });
    names.collect::<Vec<_>>().join(", ")
}

fn answer(question: &Question) -> String {
    match &question.answer {
        DnsAnswer::Records { addresses, aliases, .. } if addresses.is_empty() => {
            format!("only an alias, {},", text::sanitize(&aliases.join(", ")))
        }
        DnsAnswer::Records { addresses, .. } => list(addresses),
        DnsAnswer::Empty { code } if code == "NOERROR" => "no record (NOERROR)".to_owned(),
        DnsAnswer::Empty { code } => text::sanitize(code),
        DnsAnswer::TimedOut => format!("no answer in {}", text::seconds((question.ms / 1000.0).round())),
        DnsAnswer::NotWaitedFor => "no answer yet".to_owned(),
        DnsAnswer::Undelivered { errno } if errno == "ECONNREFUSED" => "port closed (ICMP port unreachable)".to_owned(),
        DnsAnswer::Undelivered { errno } => format!("cannot be reached ({errno})"),
        DnsAnswer::Failed { error } => format!("no usable answer ({})", text::sanitize(error)),
    }
}
