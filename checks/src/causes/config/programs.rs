//! Programs, libraries and sockets that the settings name and that are not there.

use super::shared::facts;
use crate::base::text::sanitize;
use crate::causes::{Cause, Fix, Match, Severity};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::proxy::ProxyExit;

/// The exit status of a shell for a program that it may not run, and for one that it does not find.
const NOT_STARTED: [i32; 2] = [126, 127];

pub(super) const PROXY_COMMAND: Cause = Cause {
    code: "config-proxy-command",
    stage: Check::Config,
    title: "The ProxyCommand cannot start: program not found or not executable",
    severity: Severity::Critical,
    explanation: "The configuration reaches this server through a ProxyCommand, and the shell that should run it exited with \
        status 127 or 126: the program is not on PATH or not executable. Nothing was sent to the network. ssh shows \
        only \"Connection closed by UNKNOWN port 65535\".\n\n\
        A command may start and not find a program that it calls; then its output says so.",
    fixes: &[
        Fix { summary: "Install {program}, or use its full path in ProxyCommand", ..Fix::CHANGE },
        Fix {
            summary: "Let ssh itself connect through the gateway",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    ProxyJump GATEWAY"),
            caution: Some("only if the ProxyCommand goes through an SSH server; replace the name by that server's"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Show the command, and which program it needs",
            snippet: Some("ssh -G {alias} | grep -i '^proxycommand '; echo \"$PATH\""),
            ..Fix::LOOK
        },
    ],
    symptoms: &["exec: <what>: not found", "posix_spawnp: No such file or directory", "CreateProcessW failed error:2"],
    hides: &["jump-proxy-command-failed"],
    judge: |evidence| {
        let handshake =
            evidence.handshake.failed().filter(|handshake| handshake.proxied && handshake.received_bytes == 0)?;
        let ProxyExit::Status { status } = handshake.proxy_end? else { return None };
        let program = facts(evidence).and_then(|facts| facts.proxy_program.as_ref());
        let is_missing = program.is_some_and(|program| !program.found);
        if !NOT_STARTED.contains(&status) {
            return None;
        }
        let mut because = vec![format!("the shell that runs the ProxyCommand ended with status {status}")];
        because.extend(
            program
                .filter(|program| !program.found)
                .map(|program| format!("PATH has no program {}", sanitize(&program.name))),
        );
        because.extend(handshake.proxy_stderr.iter().flat_map(|output| output.words()));
        let certainty = if is_missing { Certainty::Certain } else { Certainty::Likely };
        let found = Match::new(certainty, because);
        Some(match program {
            Some(program) if is_missing => found.with("program", sanitize(&program.name)),
            _ => found,
        })
    },
    ..Cause::NEW
};

pub(super) const PKCS11_MISSING: Cause = Cause {
    code: "config-pkcs11-missing",
    stage: Check::Config,
    title: "PKCS11Provider names a library that does not exist",
    severity: Severity::Info,
    explanation: "ssh is configured to load this library for keys on a smart card or token. It prints an error at every start, \
        continues without those keys, and offers only the others. After an upgrade or on another system the library is \
        often in another place. If the login fails, these may be the missing keys.",
    fixes: &[
        Fix {
            summary: "Set the path of the library",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    PKCS11Provider LIBRARY"),
            caution: Some("replace the path by that of the library"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Find the library",
            snippet: Some("find /usr/lib /usr/lib64 /usr/local/lib -name 'opensc-pkcs11.so' -o -name 'libykcs11.so*'"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["is not a PKCS11 library", "lib_contains_symbol: open", "dlopen failed"],
    judge: |evidence| {
        let library = facts(evidence)?.pkcs11.as_ref().filter(|library| !library.found)?;
        let found = Match::new(Certainty::Certain, [format!("there is no file {}", sanitize(&library.path))]);
        Some(if evidence.auth.failed().is_some() { found.at(Severity::Warning) } else { found })
    },
    ..Cause::NEW
};

pub(super) const AGENT_STALE: Cause = Cause {
    code: "config-agent-stale",
    stage: Check::Config,
    title: "SSH_AUTH_SOCK names a socket at which no agent listens",
    severity: Severity::Info,
    explanation: "SSH_AUTH_SOCK or IdentityAgent names the socket of an agent that is gone: the agent has exited, or the socket \
        belonged to a closed connection or multiplexer session. ssh continues without it and offers key files only. \
        The agent's keys are missing, and passphrases are asked for.",
    fixes: &[
        Fix {
            summary: "In tmux or screen, use the agent socket of the current connection",
            snippet: Some("eval \"$(tmux show-environment -s SSH_AUTH_SOCK)\""),
            caution: Some("applies to this shell only"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Test whether an agent answers",
            snippet: Some("ssh-add -l; echo \"$SSH_AUTH_SOCK\""),
            ..Fix::LOOK
        },
    ],
    symptoms: &["Error connecting to agent: Connection refused"],
    judge: |evidence| {
        let agent = facts(evidence)?.agent.as_ref()?;
        let error = agent.error.as_ref()?;
        Some(Match::new(Certainty::Certain, [format!("{} cannot be connected to: {error}", sanitize(&agent.path))]))
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use super::super::samples::{codes, evidence, fired};
    use super::PROXY_COMMAND;
    use crate::causes::Severity;
    use crate::facts::certainty::Certainty;
    use crate::facts::config::{AgentSocket, Facts, Pkcs11, ProxyProgram};
    use crate::facts::proxy::{ProxyExit, ProxyOutput};
    use crate::facts::{Evidence, Step, Timed, handshake};

    fn judged(status: i32, found: bool) -> Option<Certainty> {
        let handshake = handshake::Facts {
            proxied: true,
            proxy_end: Some(ProxyExit::Status { status }),
            proxy_stderr: Some(Box::new(ProxyOutput::of("sh: 1: exec: nc: not found\\n", false))),
            ..handshake::Facts::default()
        };
        let config = Facts { proxy_program: Some(ProxyProgram { name: "nc".into(), found }), ..Facts::default() };
        let handshake = Timed { step: Step::Failed(handshake), duration_ms: 1.0 };
        let evidence = Evidence { handshake, ..evidence(config) };
        (PROXY_COMMAND.judge)(&evidence).map(|found| found.certainty)
    }

    #[test]
    fn only_a_shell_that_could_not_start_the_program_is_meant() {
        assert_eq!(judged(127, false), Some(Certainty::Certain));
        assert_eq!(judged(127, true), Some(Certainty::Likely));
        assert_eq!((judged(1, false), judged(0, true)), (None, None));
    }

    #[test]
    fn a_library_and_an_agent_that_are_there_are_not_worth_a_word() {
        let library = |found| Facts { pkcs11: Some(Pkcs11 { path: "/x.so".into(), found }), ..Facts::default() };
        assert!(codes(library(true)).is_empty());
        assert_eq!(fired(library(false))[0].1.severity.unwrap_or(Severity::Info), Severity::Info);
        let agent = |error: Option<&str>| Facts {
            agent: Some(AgentSocket { path: "/s".into(), error: error.map(Into::into) }),
            ..Facts::default()
        };
        assert!(codes(agent(None)).is_empty());
        assert_eq!(codes(agent(Some("Connection refused"))), ["config-agent-stale"]);
    }
}
