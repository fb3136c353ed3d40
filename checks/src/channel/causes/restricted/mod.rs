//! Causes that show in what a connection may not be used for, while commands run.

mod forwarding;
mod requests;

use super::super::{Capabilities, Outcome};
use crate::cause::{Fix, Side};
use crate::evidence::Evidence;
use crate::software::{Software, software};

pub(super) use forwarding::{FORWARDING_PROHIBITED, REMOTE_FORWARD_FAILED};
pub(super) use requests::{PTY_REFUSED, SUBSYSTEM_MISSING};

const EFFECTIVE: Fix = Fix {
    side: Side::Server,
    when: is_openssh,
    summary: "See what sshd's configuration and the options of the key allow this account",
    snippet: Some(
        "sshd -T -C user={user},host=localhost,addr=127.0.0.1 | grep -iE 'forwarding|permit(open|listen|tty)|subsystem'; \
         grep -nE 'restrict|no-|permit' ~{user}/.ssh/authorized_keys",
    ),
    ..Fix::LOOK
};

const DROPBEAR: Fix = Fix {
    side: Side::Server,
    when: is_dropbear,
    summary: "See the options that dropbear was started with, and those of the key: look for {dropbear_forbids}",
    snippet: Some(
        "ps -C dropbear -o args; grep -n DROPBEAR_EXTRA_ARGS /etc/default/dropbear; grep -nE 'restrict|no-|permit' ~{user}/.ssh/authorized_keys",
    ),
    ..Fix::LOOK
};

fn is_openssh(evidence: &Evidence) -> bool {
    software(evidence) == Software::OpenSsh
}

fn is_dropbear(evidence: &Evidence) -> bool {
    software(evidence) == Software::Dropbear
}

/// Which settings refuse just what was refused.
fn pattern(may: &Capabilities, software: Software) -> String {
    let refused = |outcome: &Outcome| outcome.is_refused();
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

#[cfg(test)]
mod tests {
    use super::super::super::{Facts, Sftp};
    use super::super::CAUSES;
    use super::*;
    use crate::cause::Severity;
    use crate::evidence::{Step, Timed};
    use crate::handshake;

    fn on(version: &str, capabilities: Capabilities) -> Vec<(&'static str, Severity)> {
        fn timed<F>(facts: F) -> Timed<F> {
            Timed { step: Step::Passed(facts), duration_ms: 1.0 }
        }
        let evidence = Evidence {
            handshake: timed(handshake::Facts { version: Some(version.into()), ..Default::default() }),
            channel: timed(Facts { capabilities, mark_seen: true, ..Facts::default() }),
            ..Evidence::unexamined()
        };
        let matched = CAUSES.iter().filter_map(|cause| Some((cause, (cause.judge)(&evidence)?)));
        matched.map(|(cause, found)| (cause.code, found.severity.unwrap_or(cause.severity))).collect()
    }

    fn no() -> Outcome {
        Outcome::of(Some(false))
    }

    #[test]
    fn refusals_are_findings_only_where_the_software_allows_by_default() {
        let restricted = Capabilities {
            direct_tcpip: Outcome::refused(1, "open failed"),
            remote_forward: no(),
            ..Capabilities::default()
        };
        assert_eq!(
            on("SSH-2.0-OpenSSH_9.2p1", restricted.clone()),
            [("channel-forwarding-prohibited", Severity::Info)]
        );
        assert_eq!(on("SSH-2.0-AsyncSSH_2.24.1", restricted), []);
        let one_way = Capabilities { direct_tcpip: Outcome::Allowed, remote_forward: no(), ..Capabilities::default() };
        assert_eq!(on("SSH-2.0-dropbear_2022.83", one_way), [("channel-remote-forward-failed", Severity::Info)]);
        let failed = Capabilities { direct_tcpip: Outcome::refused(3, "unknown"), ..Capabilities::default() };
        assert_eq!(on("SSH-2.0-OpenSSH_9.2p1", failed), []);
    }

    #[test]
    fn a_missing_terminal_weighs_less_on_a_key_that_may_do_nothing_else() {
        let pty = Capabilities { pty: no(), direct_tcpip: Outcome::Allowed, ..Capabilities::default() };
        assert_eq!(on("SSH-2.0-x", pty), [("session-pty-refused", Severity::Warning)]);
        let all = Capabilities {
            pty: no(),
            direct_tcpip: Outcome::refused(1, ""),
            remote_forward: no(),
            agent_forwarding: no(),
            x11: no(),
            ..Capabilities::default()
        };
        assert_eq!(on("SSH-2.0-x", all), [("session-pty-refused", Severity::Info)]);
    }

    #[test]
    fn an_sftp_server_that_dies_at_once_is_missing_too() {
        let dead = Sftp { status: Some(127), stderr: Some("sh: 1: /no: not found".into()), ..Sftp::default() };
        let sftp = |sftp, sftp_said| Capabilities { sftp, sftp_said, ..Capabilities::default() };
        let missing = [("session-subsystem-missing", Severity::Warning)];
        assert_eq!(on("SSH-2.0-OpenSSH_9.2p1", sftp(Outcome::Allowed, Some(dead.clone()))), missing);
        assert_eq!(on("SSH-2.0-OpenSSH_9.2p1", sftp(no(), None)), missing);
        assert_eq!(on("SSH-2.0-dropbear_2022.83", sftp(Outcome::Allowed, Some(dead))), []);
        let well = Sftp { version: Some(3), ..Sftp::default() };
        assert_eq!(on("SSH-2.0-OpenSSH_9.2p1", sftp(Outcome::Allowed, Some(well))), []);
    }
}
