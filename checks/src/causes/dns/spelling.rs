//! A name whose spelling keeps the resolver from sending a query.

use super::name::HOST_NAME;
use crate::base::text;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::dns::flaw::Flaw;
use crate::facts::dns::{SystemAnswer, lines};
use crate::facts::{Check, Evidence};

pub(super) const INVALID_NAME: Cause = Cause {
    code: "dns-invalid-name",
    stage: Check::Dns,
    title: "The host name is not valid in DNS",
    severity: Severity::Critical,
    explanation: "A host name consists of labels separated by dots, each of 1 to 63 letters, digits, hyphens or underscores, 253 \
        octets in all (RFC 1035 section 2.3.4). The system's resolver rejects any other name at once without a query; \
        ssh then prints the same message as for a name that does not exist. Names beyond ASCII have an ASCII form in \
        DNS (IDNA), which browsers convert to and ssh does not.\n\n\
        Usually it is a slip: an extra dot, a path or wildcard in place of the name, or an empty variable in a script. \
        The name may also come from a HostName line of ssh_config.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Use the ASCII form of the name",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    HostName {ascii}"),
            ..Fix::CHANGE
        },
        Fix { when: |evidence| ascii_form(evidence).is_none(), ..HOST_NAME },
        Fix {
            side: Side::Client,
            summary: "Show the name that ssh looks up, and compare it with what you typed",
            snippet: Some("ssh -G {alias} | grep -i '^hostname '"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["hostname contains invalid characters"],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.dns.failed()?;
        let refused = matches!(facts.system.answer, SystemAnswer::Error { .. }) && facts.name_servers.is_empty();
        if facts.literal || !refused {
            return None;
        }
        let flaw = Flaw::of(&facts.name)?;
        let because = std::iter::once(describe(&flaw)).chain(lines::lines(facts));
        // Another system may ask for an odd character, and this one for none of the others.
        let odd = matches!(flaw, Flaw::Character(_));
        let found = Match::new(if odd { Certainty::Likely } else { Certainty::Certain }, because);
        Some(ascii_form(evidence).into_iter().fold(found, |found, ascii| found.with("ascii", ascii)))
    },
    ..Cause::NEW
};

/// The name in the form that DNS has for it, where it is beyond ASCII and has one.
fn ascii_form(evidence: &Evidence) -> Option<String> {
    match Flaw::of(&evidence.dns.facts()?.name)? {
        Flaw::NotAscii(ascii) => ascii,
        _ => None,
    }
}

fn describe(flaw: &Flaw) -> String {
    match flaw {
        Flaw::EmptyLabel => "the name has a dot with nothing before it".to_owned(),
        Flaw::LongLabel(octets) => {
            format!("the part between two of its dots has {octets} octets, and at most 63 are allowed")
        }
        Flaw::LongName(octets) => format!("the name has {octets} octets, and at most 253 are allowed"),
        Flaw::LeadingDash => "the name begins with a dash".to_owned(),
        Flaw::Character(odd) => format!("the name holds \"{}\"", text::sanitize(&odd.to_string())),
        Flaw::Zone(zone) => {
            format!(
                "the name is an address in the zone \"{}\", and no interface of this machine is called so",
                text::sanitize(zone)
            )
        }
        Flaw::NotAscii(Some(ascii)) => format!("the name holds characters beyond ASCII; in DNS it is {ascii}"),
        Flaw::NotAscii(None) => "the name holds characters beyond ASCII, and has no form in DNS".to_owned(),
    }
}
