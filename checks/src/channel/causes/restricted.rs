//! Causes that show in what a connection may not be used for, while commands run.

use super::super::{Capabilities, Outcome};
use crate::cause::{Cause, Certainty, Fix, Match, Severity, Side};
use crate::evidence::{Check, Evidence};
use crate::text;

const EFFECTIVE: Fix = Fix {
    side: Side::Server,
    summary: "See what sshd's configuration and the options of the key allow this account",
    snippet: Some(
        "sshd -T -C user={sshd_user},host=localhost,addr=127.0.0.1 | grep -iE 'forwarding|permit(open|listen|tty)|subsystem'; \
         grep -nE 'restrict|no-|permit' ~{sshd_user}/.ssh/authorized_keys",
    ),
    ..Fix::NEW
};

const DROPBEAR: Fix = Fix {
    side: Side::Server,
    summary: "See the options that dropbear was started with, and those of the key: look for {dropbear_forbids}",
    snippet: Some(
        "ps -C dropbear -o args; grep -n DROPBEAR_EXTRA_ARGS /etc/default/dropbear; grep -nE 'restrict|no-|permit' ~{user}/.ssh/authorized_keys",
    ),
    ..Fix::NEW
};

pub(super) const FORWARDING_PROHIBITED: Cause = Cause {
    code: "channel-forwarding-prohibited",
    stage: Check::Channel,
    title: "Sessions work, and the server forwards no connections to its own side",
    severity: Severity::Info,
    explanation: "A connection through the server to a port of its own loopback was refused as administratively prohibited (RFC 4254 section 5.1, reason 1) and \
        not tried. ssh -L, -D, -W and -J through this server and the remote editors that live on them fail there.\n\nWhat else is refused tells the settings apart: AllowTcpForwarding no and DisableForwarding yes of \
        sshd_config, restrict and no-port-forwarding in front of the key, dropbear's -j. A client sees no difference between AllowTcpForwarding remote and a \
        PermitOpen that lists other ports only.",
    fixes: &[
        EFFECTIVE,
        DROPBEAR,
        Fix {
            side: Side::Server,
            summary: "Allow it, to {sshd_user} and all others, if it is meant to be used",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("AllowTcpForwarding yes\nDisableForwarding no"),
            caution: Some("whoever logs in can then reach what the server can reach"),
            ..Fix::NEW
        },
    ],
    symptoms: &[
        "open failed: administratively prohibited: open failed",
        "stdio forwarding failed",
        "ChannelException(1, 'Administratively prohibited')",
    ],
    hides: &[],
    judge: |evidence| {
        let may = allowed_by_default(evidence)?;
        let Outcome::Refused { code: Some(1), text } = &may.direct_tcpip else { return None };
        let text = text.as_deref().unwrap_or_default();
        let quoted = if text.is_empty() { String::new() } else { format!(", \"{text}\"") };
        let because = [
            format!("a connection to the server's own port 1 was refused with reason 1{quoted}"),
            pattern(may, software(evidence)),
        ];
        let certainty = if may.remote_forward.is_refused() { Certainty::Likely } else { Certainty::Possible };
        Some(software(evidence).fixes(evidence, "-j and no-port-forwarding", Match::new(certainty, because)))
    },
};

pub(super) const REMOTE_FORWARD_FAILED: Cause = Cause {
    code: "channel-remote-forward-failed",
    stage: Check::Channel,
    title: "Sessions work, and the server opens no port that leads back",
    severity: Severity::Info,
    explanation: "The request for a port on the server's loopback, at a number of the server's choice, was answered with SSH_MSG_REQUEST_FAILURE (RFC 4254 section 7.1), while \
        connections in the other direction are allowed. A port that is in use cannot be the reason. AllowTcpForwarding local, a PermitListen that lists other ports \
        only, and dropbear's -k do this; ssh -R fails.",
    fixes: &[
        EFFECTIVE,
        DROPBEAR,
        Fix {
            side: Side::Server,
            summary: "Allow it, to {sshd_user} and all others, if it is meant to be used",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("AllowTcpForwarding yes"),
            ..Fix::NEW
        },
    ],
    symptoms: &["remote port forwarding failed for listen port", "TCP forwarding request denied"],
    hides: &[],
    judge: |evidence| {
        let may = allowed_by_default(evidence)?;
        (may.remote_forward.is_refused() && may.direct_tcpip.is_allowed()).then(|| {
            let because =
                ["a port on the server's loopback was refused", "a connection to the server's loopback was allowed"];
            software(evidence).fixes(evidence, "-k", Match::new(Certainty::Certain, because))
        })
    },
};

pub(super) const PTY_REFUSED: Cause = Cause {
    code: "session-pty-refused",
    stage: Check::Channel,
    title: "Commands run, and no terminal can be had",
    severity: Severity::Warning,
    explanation: "The request for a pseudo-terminal was answered with SSH_MSG_CHANNEL_FAILURE (RFC 4254 section 6.2). Commands and transfers work; an interactive session \
        has no prompt, no line editing and no Ctrl-C. PermitTTY no and restrict or no-pty in front of the key do this on purpose; a server without free \
        pseudo-terminals (kernel.pty.max, a container without devpts) does it to everybody.",
    fixes: &[
        EFFECTIVE,
        DROPBEAR,
        Fix {
            side: Side::Server,
            summary: "See whether terminals are used up or missing",
            snippet: Some("sysctl kernel.pty.max kernel.pty.nr; ls -ld /dev/ptmx /dev/pts; mount -t devpts"),
            ..Fix::NEW
        },
    ],
    symptoms: &["PTY allocation request failed on channel 0"],
    hides: &[],
    judge: |evidence| {
        let may = &evidence.channel.passed()?.capabilities;
        may.pty.is_refused().then(|| {
            let software = software(evidence);
            let because = ["the request for a terminal was refused".to_owned(), pattern(may, software)];
            let found = software.fixes(evidence, "restrict and no-pty", Match::new(Certainty::Certain, because));
            // A key that may do nothing but run its command was made for that.
            if is_all_refused(may) { found.at(Severity::Info) } else { found }
        })
    },
};

pub(super) const SUBSYSTEM_MISSING: Cause = Cause {
    code: "session-subsystem-missing",
    stage: Check::Channel,
    title: "Commands run, and sftp cannot be used",
    severity: Severity::Warning,
    explanation: "The subsystem sftp was refused, or it was accepted and the program behind it ended without a word of the protocol. sftp, sshfs and the scp of \
        OpenSSH 9.0 and later need it. sshd refuses a subsystem that its configuration does not name; where the configured program does not exist, the \
        session starts and ends with status 127.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Let sshd serve sftp itself",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("Subsystem sftp internal-sftp"),
            caution: Some("sshd accepts one line for each subsystem: replace the one that is there"),
            ..Fix::NEW
        },
        Fix {
            side: Side::Client,
            summary: "Until then, copy by the old protocol",
            snippet: Some("scp -O <file> {alias}:"),
            ..Fix::NEW
        },
        EFFECTIVE,
    ],
    symptoms: &["subsystem request failed on channel 0", "scp: Connection closed", "sftp-server: not found"],
    hides: &[],
    judge: |evidence| {
        // Others come without an sftp server more often than with one.
        let software = software(evidence);
        let may = Some(&evidence.channel.passed()?.capabilities).filter(|_| software == Software::OpenSsh)?;
        let found = |because: Vec<String>| software.fixes(evidence, "", Match::new(Certainty::Certain, because));
        if may.sftp.is_refused() {
            return Some(found(vec!["the subsystem sftp was refused".to_owned()]));
        }
        let said = may.sftp_said.as_ref()?;
        let status = said.status.filter(|_| said.version.is_none() && !said.is_preceded())?;
        let mut because = vec![format!(
            "the subsystem sftp was accepted, and without a word of the protocol it ended with {}",
            text::status(status)
        )];
        because.extend(said.stderr.as_ref().map(|text| format!("standard error said \"{text}\"")));
        Some(found(because))
    },
};

/// What the connection may be used for, where the server's software allows forwarding unless told otherwise.
fn allowed_by_default(evidence: &Evidence) -> Option<&Capabilities> {
    let facts = evidence.channel.passed()?;
    (software(evidence) != Software::Other).then_some(&facts.capabilities)
}

/// Whose settings it is that may forbid something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Software {
    OpenSsh,
    Dropbear,
    Other,
}

fn software(evidence: &Evidence) -> Software {
    let version = evidence.handshake.facts().and_then(|facts| facts.version.as_deref()).unwrap_or_default();
    let known = [("OpenSSH", Software::OpenSsh), ("dropbear", Software::Dropbear)];
    known.into_iter().find(|(name, _)| version.contains(name)).map_or(Software::Other, |(_, software)| software)
}

impl Software {
    /// The match with what its own fixes need, and no other software's.
    fn fixes(self, evidence: &Evidence, dropbear_forbids: &str, found: Match) -> Match {
        match self {
            Self::OpenSsh => found.with("sshd_user", evidence.target.user.clone()),
            Self::Dropbear => found.with("dropbear_forbids", dropbear_forbids),
            Self::Other => found,
        }
    }
}

fn is_all_refused(may: &Capabilities) -> bool {
    [&may.pty, &may.direct_tcpip, &may.remote_forward, &may.agent_forwarding, &may.x11]
        .into_iter()
        .all(Outcome::is_refused)
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
