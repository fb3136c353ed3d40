//! Helpers shared by the causes of a restricted account.

use crate::causes::software::{Software, is_dropbear, is_openssh};
use crate::causes::{Fix, Side};
use crate::facts::channel::{Capabilities, Capability};

pub(super) const EFFECTIVE: Fix = Fix {
    side: Side::Server,
    when: is_openssh,
    summary: "Find what sshd's configuration and the options of the key allow this account",
    snippet: Some(
        "sshd -T -C user={user},host=localhost,addr=127.0.0.1 | grep -iE 'forwarding|permit(open|listen|tty)|subsystem'; \
         grep -nE 'restrict|no-|permit' ~{user}/.ssh/authorized_keys",
    ),
    ..Fix::LOOK
};

pub(super) const DROPBEAR: Fix = Fix {
    side: Side::Server,
    when: is_dropbear,
    summary: "Show the options that dropbear was started with, and those of the key: look for {dropbear_forbids}",
    snippet: Some(
        "ps -C dropbear -o args; grep -n DROPBEAR_EXTRA_ARGS /etc/default/dropbear; grep -nE 'restrict|no-|permit' ~{user}/.ssh/authorized_keys",
    ),
    ..Fix::LOOK
};

/// Returns the settings that refuse exactly what was refused.
pub(super) fn pattern(may: &Capabilities, software: Software) -> String {
    let refused = |outcome: &Capability| outcome.is_refused();
    let [pty, there, back, agent] =
        [&may.pty, &may.direct_tcpip, &may.remote_forward, &may.agent_forwarding].map(refused);
    let words = match (pty, there, back, agent) {
        (_, true, true, _) if software == Software::Dropbear => {
            "both directions are refused, as by dropbear's -j with -k, or by no-port-forwarding in front of the key"
        }
        (_, true, false, _) if software == Software::Dropbear => {
            "ports that lead back are allowed, as by dropbear's -j alone"
        }
        (true, true, true, true) => {
            "terminal, both directions and agent are refused, as by restrict in front of the key"
        }
        (false, true, true, true) => {
            "both directions and the agent are refused, as by DisableForwarding yes or no-port-forwarding with no-agent-forwarding in front of the key"
        }
        (_, true, true, false) => {
            "both directions are refused and the agent is not, as by AllowTcpForwarding no or no-port-forwarding in front of the key"
        }
        (_, true, false, _) => {
            "ports that lead back are allowed, as by AllowTcpForwarding remote, or by a PermitOpen without this port"
        }
        (true, false, _, _) if software == Software::OpenSsh => {
            "forwarding is allowed, as by PermitTTY no or no-pty in front of the key"
        }
        (true, false, _, _) => "connections to the server's side are allowed, so it is not all that is forbidden",
        (false, false, _, _) => "connections to the server's side are allowed",
    };
    words.to_owned()
}
