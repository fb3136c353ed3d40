//! Causes that only sessions of real life show.

use super::explain::Explanation;
use super::judges::of;
use crate::causes::shared::TMUX;
use crate::causes::{Cause, Fix, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;

/// The causes that only sessions of real life show.
pub static CAUSES: &[Cause] = &[SUSPENDED, ADDRESS_CHANGED];

const SUSPENDED: Cause = Cause {
    code: "session-client-suspended",
    stage: Check::Idle,
    title: "This machine was suspended, and its sessions did not survive",
    severity: Severity::Warning,
    explanation: "This machine slept, or its processes were stopped, while the session was open. Meanwhile it answered nothing: \
        the server's keepalives went unanswered, or a NAT or firewall dropped the idle connection. No keepalive \
        setting of the client helps while it sleeps.",
    fixes: &[
        TMUX,
        Fix {
            side: Side::Server,
            summary: "Let the server wait for longer than the machine sleeps: interval × count, here 8 hours",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("ClientAliveInterval 60\nClientAliveCountMax 480"),
            caution: Some("sessions of machines that never return are kept as long"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["client_loop: send disconnect: Broken pipe"],
    judge_sessions: |evidence| of(evidence, Explanation::Suspended, Certainty::Likely),
    ..Cause::NEW
};

const ADDRESS_CHANGED: Cause = Cause {
    code: "path-address-changed",
    stage: Check::Idle,
    title: "This machine's address or route changed under its sessions",
    severity: Severity::Critical,
    explanation: "A TCP connection is bound to the address it was opened from. That address went away, or the route to the \
        server moved to another interface: Wi-Fi to cable, a VPN that connected or disconnected, a new DHCP lease. \
        Packets of open sessions then leave with an address that replies cannot reach.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Use a client that survives a change of address, or keep the work on the server",
            snippet: Some("mosh {alias}    # or: ssh -t {alias} tmux new -A -s main"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Find what changed the address at that time",
            snippet: Some(
                "journalctl --since -2h -u NetworkManager -u systemd-networkd -u wpa_supplicant | tail -n 50",
            ),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "send disconnect: Can't assign requested address",
        "send disconnect: Cannot assign requested address",
        "Read from remote host <host>: Can't assign requested address",
        "Read from remote host <host>: Cannot assign requested address",
        "client_loop: send disconnect: Broken pipe",
        "Network is unreachable",
        "No route to host",
    ],
    strikes_anywhere: true,
    judge_sessions: |evidence| of(evidence, Explanation::AddressChanged, Certainty::Likely),
    ..Cause::NEW
};
