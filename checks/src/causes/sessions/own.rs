//! Causes that only sessions of real life show.

use super::explain::Explanation;
use super::judges::{of, restarted};
use crate::causes::shared::TMUX;
use crate::causes::{Cause, Fix, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;

/// The causes that only sessions of real life show.
pub static CAUSES: &[Cause] = &[SUSPENDED, ADDRESS_CHANGED, STATE_LOST, STALLED, RESTARTED];

const SUSPENDED: Cause = Cause {
    code: "session-client-suspended",
    stage: Check::Idle,
    title: "This machine was suspended, and its sessions did not survive it",
    severity: Severity::Warning,
    explanation: "This machine slept, or its processes were stopped, while the session was open. Meanwhile it answered nothing: the server's keepalives went \
        unanswered, or a NAT or firewall dropped the idle connection. No keepalive setting of the client helps while it sleeps.",
    fixes: &[
        TMUX,
        Fix {
            side: Side::Server,
            summary: "Let the server wait for longer than the machine sleeps: interval × count, here 8 hours",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("ClientAliveInterval 60\nClientAliveCountMax 480"),
            caution: Some("sessions of machines that never come back are held for as long"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["client_loop: send disconnect: Broken pipe", "Connection to closed by remote host."],
    judge_sessions: |evidence| of(evidence, Explanation::Suspended, Certainty::Likely),
    ..Cause::NEW
};

const ADDRESS_CHANGED: Cause = Cause {
    code: "path-address-changed",
    stage: Check::Idle,
    title: "This machine's address or route changed under its sessions",
    severity: Severity::Critical,
    explanation: "A TCP connection is bound to the address it was opened from. That address went away, or the route to the server moved to another interface: \
        Wi-Fi to cable, a VPN that came or went, a new lease. Packets of open sessions then leave with an address that no longer leads back.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Use a client that survives a change of address, or keep the work on the server",
            snippet: Some("mosh {alias}    # or: ssh -t {alias} tmux new -A -s main"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "See what changed the address at that time",
            snippet: Some(
                "journalctl --since -2h -u NetworkManager -u systemd-networkd -u wpa_supplicant | tail -n 50",
            ),
            ..Fix::LOOK
        },
    ],
    symptoms: &["client_loop: send disconnect: Broken pipe", "Network is unreachable", "No route to host"],
    strikes_anywhere: true,
    judge_sessions: |evidence| of(evidence, Explanation::AddressChanged, Certainty::Likely),
    ..Cause::NEW
};

const STATE_LOST: Cause = Cause {
    code: "path-state-lost",
    stage: Check::Idle,
    title: "Open connections were lost at one moment while new ones work",
    severity: Severity::Critical,
    explanation: "Sessions stopped at one moment, in use or idle, and a new connection to the same server worked right away. A device in the path lost its table \
        of connections: a failover, a reboot, a reloaded rule set, a VPN that reconnected. It is neither an idle timeout nor an outage.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Notice it within a minute instead of a quarter of an hour",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    ServerAliveInterval 15\n    ServerAliveCountMax 3"),
            ..Fix::CHANGE
        },
        TMUX,
        Fix {
            side: Side::Network,
            summary: "See what the firewall, NAT or VPN logged at that time; on a Linux router",
            snippet: Some("journalctl --since -2h -p notice"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["client_loop: send disconnect: Broken pipe", "Timeout, server not responding."],
    strikes_anywhere: true,
    judge_sessions: |evidence| of(evidence, Explanation::StateLost, Certainty::Likely),
    ..Cause::NEW
};

const STALLED: Cause = Cause {
    code: "server-stalled",
    stage: Check::Idle,
    title: "The server's kernel acknowledges packets, but sshd does not answer",
    severity: Severity::Critical,
    explanation: "TCP acknowledged what the client sent, so the path works. No answer of SSH came. The server is overloaded, out of memory, waiting for a disk, or \
        paused; a proxy in front of it that lost its server looks the same.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "See load, memory pressure and stuck processes",
            snippet: Some("uptime; cat /proc/pressure/*; ps -eo state,pid,wchan:32,args | grep '^D'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Wait for longer before ssh gives the server up: interval × (count + 1), here 5.5 min",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    ServerAliveInterval 30\n    ServerAliveCountMax 10"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["Timeout, server not responding."],
    strikes_anywhere: true,
    judge_sessions: |evidence| of(evidence, Explanation::Stalled, Certainty::Likely),
    ..Cause::NEW
};

const RESTARTED: Cause = Cause {
    code: "server-restarted",
    stage: Check::Idle,
    title: "The server ended all sessions at one moment and took no new ones",
    severity: Severity::Critical,
    explanation: "Sessions of different age and use were ended by the server's side at one moment, by FIN, RST or a disconnect message, and a login at that moment \
        failed. The server was shut down or restarted, or a proxy or load balancer in front of it was. A restart of sshd alone leaves its sessions open.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "See when the machine and sshd started, and who stopped them",
            snippet: Some("uptime -s; last -x -n 10 shutdown reboot; journalctl -n 50 -u ssh -u sshd"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Let forwardings and long-lived sessions come back by themselves",
            snippet: Some("autossh -M 0 -o ServerAliveInterval=15 -o ServerAliveCountMax=3 {alias}"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["Connection to closed by remote host.", "client_loop: send disconnect: Broken pipe"],
    strikes_anywhere: true,
    judge_sessions: restarted,
    ..Cause::NEW
};
