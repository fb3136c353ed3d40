//! The causes that a client's own words and settings tell: what a user asks for beside a session.

use super::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::witness::Witness;
use crate::facts::{Check, Evidence, config};

/// The causes that a client's own words and settings tell.
pub static CAUSES: &[Cause] =
    &[FORWARD_UNREACHABLE, LOCAL_FORWARD_FAILED, FORWARDING_REQUIRED, X11_REFUSED, HOME_MISSING, UDP_BLOCKED];

const FORWARD_UNREACHABLE: Cause = Cause {
    code: "channel-forward-unreachable",
    stage: Check::Channel,
    title: "The server cannot connect to the destination of a forwarding",
    severity: Severity::Warning,
    explanation: "A program connected to a forwarded port (-L or -D), and the server tried to connect to the destination. \
        Nothing listens there, it does not answer, or the server does not know its name. The session and the forwarding \
        itself work. In -L 8080:localhost:80, localhost is the server, not this machine.",
    fixes: &[
        Fix {
            summary: "From the server, try the destination",
            side: Side::Server,
            snippet: Some("nc -vz -w 5 DESTINATION PORT; ss -ltn"),
            caution: Some("replace DESTINATION and PORT by those in the forwarding"),
            ..Fix::LOOK
        },
        Fix {
            summary: "Forward to the address that the service listens on (IPv4 or IPv6, localhost or not)",
            snippet: Some("ssh -L LOCAL_PORT:127.0.0.1:PORT {alias}"),
            caution: Some("replace LOCAL_PORT and PORT"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "connect_to <host> port <port>: failed",
        "connect_to <host>: unknown host",
        "error: connect to <host> port <port> failed: <why>",
        "error: connect_to <host> port <port>: <why>",
        "Forwarded connection refused by remote: Connect failed",
        "Forwarded connection refused by server: Connect failed",
    ],
    ..Cause::NEW
};

const LOCAL_FORWARD_FAILED: Cause = Cause {
    code: "channel-local-forward-failed",
    stage: Check::Channel,
    title: "A port for a forwarding cannot be opened on this machine",
    severity: Severity::Warning,
    explanation: "ssh cannot listen on the port of a LocalForward, DynamicForward, -L or -D: another program has it, often an \
        older ssh with the same forwarding, or a port below 1024 is not allowed. The session still opens, unless \
        ExitOnForwardFailure is yes.",
    fixes: &[
        Fix {
            summary: "See which program has the port",
            snippet: Some("ss -ltnp; pgrep -af 'ssh .*-[LD]'"),
            ..Fix::LOOK
        },
        Fix {
            summary: "End the older ssh, or use another port",
            snippet: Some("ssh -L OTHER_PORT:DESTINATION:PORT {alias}"),
            caution: Some("replace the words in capitals"),
            ..Fix::CHANGE
        },
        SESSION_WITHOUT,
    ],
    symptoms: &[
        "PortForwardingL: local port <port> cannot be bound",
        "PortForwardingL: local port <address> cannot be bound",
        "bind <address>: Address already in use",
        "bind <address>: Permission denied",
        "bind <address>: Cannot assign requested address",
        "Could not request local forwarding",
        "Privileged ports can only be forwarded by root",
    ],
    judge: |evidence| {
        let forwardings = config(evidence)?.forwardings.as_ref()?;
        let is_shared = config(evidence).is_some_and(config::Facts::shares_a_connection);
        // What the settings name, a control master may have already.
        let is_master_s = is_shared && forwardings.held_by_master != Some(false);
        if is_master_s || !is_logged_in(evidence) {
            return None;
        }
        let broken = forwardings.failing().next().is_some();
        let told = forwardings.listeners.iter().filter(|listener| !broken || !listener.works).flat_map(|listener| {
            listener.errors.iter().map(move |error| format!("{} {}: {error}", listener.keyword, listener.listen))
        });
        let mut because: Vec<_> = told.collect();
        if because.is_empty() {
            return None;
        }
        let ends = broken && forwardings.required;
        because.extend(ends.then(|| "ExitOnForwardFailure is yes, so ssh exits with status 255".to_owned()));
        because.extend((!broken).then(|| "ssh listens at another address of this machine instead".to_owned()));
        let severity = if ends { Severity::Critical } else { Severity::Info };
        Some(Match::new(Certainty::Certain, because).at(severity))
    },
    ..Cause::NEW
};

const FORWARDING_REQUIRED: Cause = Cause {
    code: "channel-forwarding-required",
    stage: Check::Channel,
    title: "ssh exits: the server refuses a forwarding that is required",
    severity: Severity::Critical,
    explanation: "ExitOnForwardFailure is yes, and the settings ask the server for a port (RemoteForward, -R) or a tunnel device. \
        Your own ssh logged in, was refused it, and exited with status 255. Often an older session still holds the port: \
        a dead one does so until the server notices. Otherwise the server's settings forbid it.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "See what holds the port, and what the settings allow",
            snippet: Some(
                "sudo ss -ltnp; sudo sshd -T | grep -iE '^(allowtcpforwarding|permitlisten|permittunnel|disableforwarding) '",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Let the server end dead sessions, which frees their ports",
            file: Some("/etc/ssh/sshd_config.d/keepalive.conf"),
            snippet: Some("ClientAliveInterval 15\nClientAliveCountMax 3"),
            caution: Some("it applies to every session of the server, and to new ones only"),
            ..Fix::CHANGE
        },
        SESSION_WITHOUT,
    ],
    symptoms: &["Tunnel forwarding failed", "Could not request tunnel forwarding", "Failed to open the tunnel device"],
    judge: |evidence| {
        let witness = evidence.witness.as_ref().filter(|witness| {
            witness.until == Check::Channel && witness.logged_in() && !witness.came_through() && !witness.cut
        })?;
        let fails_here = config(evidence).and_then(|facts| facts.forwardings.as_ref()?.failing().next()).is_some();
        if fails_here {
            return None;
        }
        let words = witness.words.iter().filter(|line| FORWARDING_WORDS.iter().any(|start| line.starts_with(start)));
        let mut because: Vec<_> = words.map(|line| format!("ssh printed \"{line}\"")).collect();
        if because.is_empty() {
            return None;
        }
        because.push("it had logged in before, and exited".to_owned());
        Some(Match::new(Certainty::Certain, because))
    },
    ..Cause::NEW
};

/// The beginnings of what ssh prints where it exits for a forwarding.
const FORWARDING_WORDS: [&str; 4] = [
    "Error: remote port forwarding failed",
    "Could not request ",
    "Tunnel forwarding failed",
    "Tunnel device open failed",
];

const SESSION_WITHOUT: Fix = Fix {
    summary: "Let the session go on without the forwarding",
    when: |evidence| is_required(evidence),
    file: Some("~/.ssh/config"),
    snippet: Some("Host {alias}\n    ExitOnForwardFailure no"),
    caution: Some("not for a tunnel that something watches: ssh then runs without it"),
    ..Fix::CHANGE
};

fn config(evidence: &Evidence) -> Option<&config::Facts> {
    evidence.config.facts()
}

fn is_required(evidence: &Evidence) -> bool {
    config(evidence).and_then(|facts| facts.forwardings.as_ref()).is_some_and(|forwardings| forwardings.required)
}

/// True if the login worked, by this examination or by the user's own ssh.
fn is_logged_in(evidence: &Evidence) -> bool {
    evidence.auth.passed().is_some() || evidence.witness.as_deref().is_some_and(Witness::logged_in)
}

const X11_REFUSED: Cause = Cause {
    code: "channel-x11-refused",
    stage: Check::Channel,
    title: "The server refuses X11 forwarding",
    severity: Severity::Warning,
    explanation: "ssh asked for X11 forwarding (-X, -Y, ForwardX11), and the server refused it. sshd needs X11Forwarding yes and \
        the program xauth, and with X11UseLocalhost an IPv4 or IPv6 loopback to listen on. The session itself works.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Check the setting and the program",
            snippet: Some("sudo sshd -T | grep -iE '^(x11|xauthlocation|addressfamily)'; ls -l /usr/bin/xauth"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Allow X11 forwarding, and install xauth",
            file: Some("/etc/ssh/sshd_config.d/x11.conf"),
            snippet: Some("X11Forwarding yes"),
            caution: Some("root on the server can then reach the displays of its users"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "If no graphics are needed, do not request it",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    ForwardX11 no"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "X11 forwarding request failed on channel <n>",
        "X11 forwarding refused by remote",
        "Server refused X11 forwarding",
    ],
    ..Cause::NEW
};

const HOME_MISSING: Cause = Cause {
    code: "session-home-missing",
    stage: Check::Channel,
    title: "The account's home directory is missing or closed to it",
    severity: Severity::Warning,
    explanation: "The login worked, and the session starts in / because the server cannot enter the home directory: it was never \
        created, its file server is not mounted, or its owner or mode is wrong. Start-up files and keys in it are not read.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Look at the directory and its mount",
            snippet: Some("getent passwd {user}; ls -ld ~{user}; findmnt -T ~{user}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Create it, if it never existed",
            snippet: Some("sudo mkhomedir_helper {user}"),
            caution: Some("not where the home belongs on a file server: mount that instead"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "Could not chdir to home directory <dir>: <why>",
        "No directory, logging in with HOME=/",
        "pam_mkhomedir(sshd:session): unable to create directory",
    ],
    ..Cause::NEW
};

const UDP_BLOCKED: Cause = Cause {
    code: "path-udp-blocked",
    stage: Check::Tcp,
    title: "mosh gets no UDP reply (ports 60000 to 61000)",
    severity: Severity::Critical,
    explanation: "mosh logs in by SSH and then speaks UDP with mosh-server, on the first free port from 60000. The login worked, and \
        no UDP packet came back: a firewall or security group blocks those ports, or the server is behind a NAT that \
        forwards TCP port 22 only.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Let the ports through",
            snippet: Some("sudo ufw allow 60000:61000/udp"),
            caution: Some("a cloud's security group has a rule of its own; one port for each session is enough"),
            ..Fix::CHANGE
        },
        Fix { summary: "Use a single port that is open", snippet: Some("mosh -p 60001 {alias}"), ..Fix::CHANGE },
    ],
    strikes_anywhere: true,
    symptoms: &["Nothing received from server on UDP port <port>", "mosh did not make a successful connection"],
    ..Cause::NEW
};
