//! What is wrong with the name servers.

use super::reading::Failure;
use super::shared::{LOOK_AGAIN, found};
use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::dns::{self, NameServer, SystemAnswer, lines};

/// A look-up that takes longer is felt, and longer than a cold cache explains: resolvers repeat a question after 1 to 5 s.
const SLOW_MS: f64 = 2000.0;

const SYMPTOM_TEMPORARY: &[&str] =
    &["Temporary failure in name resolution", "[Errno -3] Temporary failure in name resolution"];

const OTHER_SERVER: Fix = Fix {
    side: Side::Client,
    summary: "Have this machine ask a name server that works; connect the VPN first where the name is an internal one",
    file: Some("/etc/resolv.conf"),
    snippet: Some("nameserver ADDRESS"),
    caution: Some(
        "where systemd-resolved or NetworkManager writes this file, set it there: resolvectl dns INTERFACE ADDRESS, or nmcli connection modify NAME ipv4.dns ADDRESS",
    ),
    ..Fix::CHANGE
};

pub(super) const SERVFAIL: Cause = Cause {
    code: "dns-servfail",
    stage: Check::Dns,
    title: "The name server fails to find out about the host name",
    severity: Severity::Critical,
    explanation: "The name server answers SERVFAIL: it was reached and could not get an answer itself. Usual reasons are that \
        the name servers responsible for the zone do not answer it, that the zone's DNSSEC signatures do not hold, or that a \
        forwarder behind it is down. The name may well exist; nothing here says that it does not.\n\n\
        A client cannot see why. Asking with +cd (checking disabled) tells DNSSEC apart: where that gets an answer and the \
        plain question does not, the signatures are at fault.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "See whether DNSSEC is the reason: the second question leaves validation out",
            snippet: Some("dig @{server} {host}; dig @{server} +cd {host}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "See from the name server's own machine which of the zone's servers does not answer",
            snippet: Some("dig +trace {host}"),
            ..Fix::LOOK
        },
        OTHER_SERVER,
    ],
    symptoms: SYMPTOM_TEMPORARY,
    hides: &[],
    judge: |evidence| found(evidence, Failure::ServerFailed),
    ..Cause::NEW
};

pub(super) const REFUSED: Cause = Cause {
    code: "dns-refused",
    stage: Check::Dns,
    title: "The name server refuses to answer this client",
    severity: Severity::Critical,
    explanation: "The name server answers REFUSED: it does not serve this client's address, or not for names outside its own \
        zones (no recursion). That is how a name server answers that is meant for another network, often one left in the \
        configuration after a VPN or a location was changed.",
    fixes: &[
        LOOK_AGAIN,
        OTHER_SERVER,
        Fix {
            side: Side::Network,
            summary: "Where this name server should serve this client, allow it (BIND: named.conf; unbound: access-control)",
            file: Some("named.conf"),
            snippet: Some("options { allow-query { CLIENT-NETWORK; }; allow-recursion { CLIENT-NETWORK; }; };"),
            caution: Some("never open recursion to the whole internet"),
            ..Fix::CHANGE
        },
    ],
    symptoms: SYMPTOM_TEMPORARY,
    hides: &[],
    judge: |evidence| found(evidence, Failure::ServerRefused),
    ..Cause::NEW
};

pub(super) const TIMEOUT: Cause = Cause {
    code: "dns-timeout",
    stage: Check::Dns,
    title: "The name servers do not answer",
    severity: Severity::Critical,
    explanation: "The system's resolver could not find out, and the name servers that it is configured with gave no answer when \
        the doctor asked each by itself, more than once. They are down or cannot be reached: the network or the VPN is not \
        connected, the address is out of date, or a firewall drops UDP and TCP port 53. Where the machine is there and only \
        its port is closed, or only one of the two questions (A for IPv4, AAAA for IPv6) gets an answer, what was seen says so.\n\n\
        Whether the host name exists is not known. ssh waits for the resolver however long that takes, and the doctor, where \
        no name server answers it, a second longer than ConnectTimeout: one that answers later, within the 5 s that the resolver gives it by default, looks the same.",
    fixes: &[
        LOOK_AGAIN,
        OTHER_SERVER,
        Fix {
            side: Side::Client,
            summary: "Where systemd-resolved is used, see which servers it has",
            snippet: Some("resolvectl status"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Where systemd-resolved itself hangs, restart it",
            snippet: Some("sudo systemctl restart systemd-resolved"),
            caution: Some("names of this machine do not resolve for a moment"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Until then, connect by address; the host key is still looked for under the name",
            snippet: Some("ssh -o HostKeyAlias='{known_as}' -p {port} {user}@ADDRESS"),
            ..Fix::CHANGE
        },
    ],
    symptoms: SYMPTOM_TEMPORARY,
    hides: &[],
    judge: |evidence| found(evidence, Failure::Silence),
    ..Cause::NEW
};

pub(super) const NO_SERVER: Cause = Cause {
    code: "dns-no-server",
    stage: Check::Dns,
    title: "No name server is configured on this machine",
    severity: Severity::Critical,
    explanation: "The system's DNS configuration names no name server. The resolver then asks one on this machine itself \
        (resolv.conf(5)), and none answers there. It happens in containers and early in a machine's start, and where the \
        program that should write the file (DHCP client, systemd-resolved, NetworkManager, a VPN) is not running.",
    fixes: &[
        OTHER_SERVER,
        Fix {
            side: Side::Client,
            summary: "See what the file is and who should write it",
            snippet: Some("ls -l /etc/resolv.conf; cat /etc/resolv.conf"),
            ..Fix::LOOK
        },
    ],
    symptoms: SYMPTOM_TEMPORARY,
    hides: &["dns-timeout"],
    judge: |evidence| found(evidence, Failure::NoServer),
    ..Cause::NEW
};

pub(super) const SLOW: Cause = Cause {
    code: "dns-slow",
    stage: Check::Dns,
    title: "Looking the host name up takes seconds",
    severity: Severity::Warning,
    explanation: "Every ssh to this host begins with this wait. Mostly the first name server of the configuration does not \
        answer, and the resolver turns to the next one after its timeout (5 s unless resolv.conf says otherwise), again for \
        every look-up; where one was silent in this run, what was seen names it. Otherwise the name server itself is slow, \
        or loses questions for one of the two families (resolv.conf(5): single-request).",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Take out the name server that does not answer, or put it last",
            file: Some("/etc/resolv.conf"),
            caution: Some("where systemd-resolved or NetworkManager writes this file, change it there"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "See where it is set",
            snippet: Some("grep -n '^nameserver {silent}' /etc/resolv.conf"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Have the resolver turn to the next name server sooner",
            file: Some("/etc/resolv.conf"),
            snippet: Some("options timeout:1 attempts:2"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Save ssh the look-up of the family that is not used",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    AddressFamily inet"),
            caution: Some("only where the server is reached by IPv4"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[],
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
