//! A share of connections that never gets through.

use super::shared::{Place, counted};
use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::timeline::DeadFlows;
use crate::facts::{Check, Evidence};

/// Connects from one source port after the other.
const EACH_PORT: &str = "for port in $(seq 40000 40015); do nc -z -w 3 -p $port {host} {port} && echo $port open || echo $port \
    dead; done";

pub(super) const SOME_FLOWS_DEAD: Cause = Cause {
    code: "tcp-some-flows-dead",
    stage: Check::Tcp,
    title: "Some connections get no answer, others at the same time do",
    severity: Severity::Critical,
    explanation: "Connections to the same address and port were opened at the same time: some were answered at once, \
        and the first packet (SYN) of others got no answer, although it was sent four times. So the server and most of \
        the path work. Routers spread connections over several links or machines by a hash of addresses and ports \
        (ECMP, LACP, a load balancer), and one member of such a bundle drops its packets.\n\n\
        ssh sometimes does not connect then, and works when it is tried again: the next attempt has another source \
        port. A device that limits new connections from one address drops some of them too; it drops the later ones of \
        a burst, whatever their port.",
    fixes: &[
        Fix {
            side: Side::Network,
            summary: "Show which member of the bundle drops packets: each source port takes one route",
            when: is_seen_from_here,
            snippet: Some(EACH_PORT),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "Follow a dead and a live source port with traceroute: the last common hop has the dead member behind it",
            when: is_seen_from_here,
            snippet: Some("for port in {dead} {live}; do traceroute -n -T -p {port} --sport=$port {host}; done"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "On {hop}: show which member of the bundle drops packets, as each source port takes one route",
            snippet: Some(EACH_PORT),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "On a Linux router, see the members of a bond or of a multipath route",
            snippet: Some("cat /proc/net/bonding/*; ip route show; ip nexthop show"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Until it is repaired, let ssh give up quickly and try again",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    ConnectTimeout 4\n    ConnectionAttempts 5"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["nf_conntrack: table full, dropping packet", "works when tried again"],
    hides: &["tcp-lossy", "tcp-source-banned", "network-outage", "path-unstable", "tcp-some-addresses-dead"],
    judge: |evidence| {
        let flows = evidence.undisturbed_timeline().dead_flows()?;
        let certainty = match (flows.unanswered, flows.answered) {
            (dead, alive) if dead > 2 && alive > 2 || flows.pattern.is_some() && dead > 1 => Certainty::Certain,
            (dead, _) if dead > 1 => Certainty::Likely,
            _ => Certainty::Possible,
        };
        let found = Match::new(certainty, because(evidence, &flows));
        let found = match (Place::of(evidence, flows.leg), flows.to) {
            (Place::Behind(_), _) => {
                evidence.hops.last().into_iter().fold(found, |found, hop| found.with("hop", &hop.name))
            }
            (Place::At(_), Some(to)) => found.with("host", to.ip().to_string()).with("port", to.port().to_string()),
            (Place::At(_) | Place::Direct, _) => found,
        };
        let ports = [("dead", flows.dead.first()), ("live", flows.alive.first())];
        Some(ports.into_iter().fold(found, |found, (name, port)| match port {
            Some(port) => found.with(name, port.to_string()),
            None => found,
        }))
    },
    ..Cause::NEW
};

/// True if the connections in question were opened by this machine.
fn is_seen_from_here(evidence: &Evidence) -> bool {
    evidence.undisturbed_timeline().dead_flows().is_none_or(|flows| flows.leg == 0)
}

fn because(evidence: &Evidence, flows: &DeadFlows) -> Vec<String> {
    let listed = |ports: &[u16]| {
        const SHOWN: usize = 8;
        let shown: Vec<_> = ports.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = ports.len().saturating_sub(SHOWN);
        if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
    };
    let place = Place::of(evidence, flows.leg);
    let ports =
        |ports: &[u16]| if ports.is_empty() { String::new() } else { format!(": source ports {}", listed(ports)) };
    let sent = match &place {
        Place::Behind(_) => "",
        Place::At(_) | Place::Direct => ", although the first packet was sent four times",
    };
    let mut because = vec![
        format!(
            "{} of {}{} got no answer for up to {}{sent}{}",
            flows.unanswered,
            counted(flows.unanswered + flows.answered, "connection", "connections"),
            place.words(),
            seconds(flows.waited_s),
            ports(&flows.dead)
        ),
        format!("the others were answered at once, within seconds of those{}", ports(&flows.alive)),
    ];
    because.extend(match place {
        Place::Behind(hop) => {
            Some(format!("{hop} answered meanwhile; the source ports that it used are not known here"))
        }
        Place::At(_) | Place::Direct => None,
    });
    because.extend(
        flows.pattern.map(|pattern| format!("those without an answer have {pattern}, and the others have not")),
    );
    because
}
