//! The agent does not help.

use super::shared::refused;
use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::auth::{AuthAnswer, KeyProblem};
use crate::facts::certainty::Certainty;

pub(super) const AGENT_REFUSED: Cause = Cause {
    code: "auth-agent-refused",
    stage: Check::Auth,
    title: "The agent holds the right key but refuses to sign",
    severity: Severity::Critical,
    explanation: "The server accepts the key, but the agent that holds it refused to sign or failed. Possible reasons:\n\
        - the agent is locked\n\
        - a confirmation or a touch of the security key was requested and not given\n\
        - the key is restricted to other destinations (ssh-add -h)\n\
        - the certificate is in the agent without its private key\n\
        - the forwarded agent's connection is gone",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Test whether the agent signs with the key in PUBLIC-KEY-FILE",
            snippet: Some("ssh-add -L; ssh-add -T PUBLIC-KEY-FILE"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Unlock the agent",
            snippet: Some("ssh-add -X"),
            caution: Some("it asks for the password that the agent was locked with"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Load the key again",
            snippet: Some("ssh-add KEY-FILE"),
            caution: Some("replace the file name by that of the private key; the agent's other keys stay"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "Agent admitted failure to sign using the key",
        "agent refused operation",
        "Pageant refused signing request",
        "Pageant failed to provide a signature",
        "Pageant failed to respond to signing request",
        "Agent failed signing key",
        "signing failed for <kind> \"<key>\" from agent",
        "agent could not sign data",
        "Failed to sign data with agent",
        "agent: failed to sign challenge",
        "Agent responded with failure",
        "returned incorrect signature type",
    ],
    hides: &["auth-key-rejected", "auth-no-credentials"],
    judge: |evidence| {
        let facts = refused(evidence)?;
        let because: Vec<String> = facts
            .answered(AuthAnswer::Unfinished)
            .filter_map(|attempt| {
                let (key, obstacle) = (attempt.key.as_ref()?, attempt.obstacle.as_ref()?);
                matches!(obstacle, KeyProblem::AgentRefused | KeyProblem::AgentFailed { .. })
                    .then(|| format!("the server accepts {}, but {}", key.words(), obstacle.words()))
            })
            .collect();
        (!because.is_empty()).then(|| Match::new(Certainty::Certain, because))
    },
    ..Cause::NEW
};

pub(super) const AGENT_UNREACHABLE: Cause = Cause {
    code: "auth-agent-unreachable",
    stage: Check::Auth,
    title: "The ssh-agent cannot be reached, so its keys were not offered",
    severity: Severity::Critical,
    explanation: "SSH_AUTH_SOCK or IdentityAgent names a socket on which no agent answers. The agent has exited, the socket \
        belongs to a closed forwarded connection or multiplexer session, or another user owns it. The login failed \
        without the keys of that agent; whether one of them would have been accepted is not known.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Start an agent and load a key",
            snippet: Some("eval \"$(ssh-agent)\" && ssh-add"),
            caution: Some("applies to this shell and what it starts; ssh-agent -k ends the agent"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "In tmux or screen, use the agent socket of the current connection",
            snippet: Some("eval \"$(tmux show-environment -s SSH_AUTH_SOCK)\""),
            caution: Some("applies to this shell only"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Test whether an agent answers",
            snippet: Some("ssh-add -l; echo \"$SSH_AUTH_SOCK\""),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "Error connecting to agent",
        "Could not open a connection to your authentication agent",
        "Unable to connect to ssh-agent",
        "could not connect to ssh-agent",
        "communication with agent failed",
        "ssh_get_authentication_socket: <why>",
        "Failed to connect to agent",
        "Failure connecting to agent",
        "dial unix: missing address",
        "agent not present",
        "Agent not configured",
    ],
    hides: &["auth-no-credentials"],
    judge: |evidence| {
        let facts = refused(evidence)?;
        let error = facts.agent.error.as_ref().filter(|_| facts.agent.gave_up_ms.is_none())?;
        let wanted = facts.answered(AuthAnswer::Unfinished).any(|attempt| attempt.key.is_some());
        if wanted || !facts.usable("publickey") {
            return None;
        }
        let socket = facts.agent.socket.as_ref()?.display();
        let error = error.split(" (os error").next().unwrap_or_default();
        // Keys from files that were refused are a second explanation.
        let alone = facts.refused_keys().next().is_none();
        let certainty = if alone { Certainty::Likely } else { Certainty::Possible };
        Some(Match::new(
            certainty,
            [format!("the agent at {socket} did not help: {error}"), crate::causes::auth::shared::offers(facts)],
        ))
    },
    ..Cause::NEW
};

pub(super) const AGENT_SILENT: Cause = Cause {
    code: "auth-agent-silent",
    stage: Check::Auth,
    title: "The ssh-agent does not answer, and ssh waits for it without a limit",
    severity: Severity::Critical,
    explanation: "The agent's socket accepts connections, but nothing answers. The agent hangs, waits for a person or a token, \
        or is stopped, or the socket is the remains of a dead forwarded connection. This examination continues without \
        the agent. ssh does not: it has no timeout here and hangs after the key exchange. An agent that is only slow \
        cannot be distinguished from one that hangs.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Test whether the agent answers",
            snippet: Some("SSH_AUTH_SOCK='{agent_socket}' timeout 5 ssh-add -l; echo status $?"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Log in without the agent",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    IdentityAgent none\n    IdentityFile ~/.ssh/KEY"),
            caution: Some("replace the file name by that of your private key"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["ssh hangs after the key exchange"],
    hides: &["auth-no-credentials"],
    judge: |evidence| {
        let facts = evidence.auth.facts()?;
        let waited = facts.agent.gave_up_ms?;
        let socket = facts.agent.socket.as_ref()?.display().to_string();
        let because =
            format!("the agent at {socket} took a connection and did not answer within {}", seconds(waited / 1000.0));
        let found = Match::new(Certainty::Likely, [because]);
        Some(if socket.contains('\'') { found } else { found.with("agent_socket", socket) })
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use crate::causes::auth::samples::{Sample, attempt, key};
    use crate::facts::auth::{AuthAnswer, KeyProblem};
    use crate::facts::certainty::Certainty;

    #[test]
    fn an_agent_that_declines_is_named() {
        let declined = attempt(key("a"), AuthAnswer::Unfinished).hindered(KeyProblem::AgentRefused);
        assert_eq!(Sample::refused(["publickey"]).with(declined).fired(), ["auth-agent-refused"]);
    }

    #[test]
    fn an_agent_that_hangs_hangs_ssh_whatever_else_would_log_in() {
        for (sample, others) in
            [(Sample::logged_in(), vec![]), (Sample::refused(["publickey"]), vec!["auth-no-credentials"])]
        {
            let mut sample = sample.agent("it did not answer in time");
            sample.0.agent.gave_up_ms = Some(5000.0);
            assert_eq!(sample.fired(), [others, vec!["auth-agent-silent"]].concat());
        }
    }

    #[test]
    fn a_dead_agent_matters_only_to_a_login_that_failed() {
        let dead = Sample::refused(["publickey"]).agent("Connection refused");
        assert_eq!(dead.fired(), ["auth-no-credentials", "auth-agent-unreachable"]);
        assert!(Sample::logged_in().agent("Connection refused").fired().is_empty());
        let with_keys = dead.with(attempt(key("a"), AuthAnswer::Refused));
        assert_eq!(with_keys.certainty("auth-agent-unreachable"), Certainty::Possible);
    }
}
