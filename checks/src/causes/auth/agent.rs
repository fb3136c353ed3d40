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
    title: "The agent holds the right key and does not sign with it",
    severity: Severity::Critical,
    explanation: "The server would take the key, and the agent that holds it declined to sign or failed. It is locked, a person had to confirm or touch \
        a security key and did not, the key is bound to other destinations (ssh-add -h), its certificate has no private half in it, or the agent \
        that was forwarded here has lost its way back.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "See whether the agent signs with the key at all",
            snippet: Some("ssh-add -L; ssh-add -T PUBLIC-KEY-FILE"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Unlock the agent",
            snippet: Some("ssh-add -X"),
            caution: Some("asks for the password that the agent was locked with"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Load this one key again",
            snippet: Some("ssh-add KEY-FILE"),
            caution: Some("put in the private key file; the agent's other keys stay as they are"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["agent refused operation", "communication with agent failed", "signing failed for", "Agent failure"],
    hides: &["auth-key-rejected", "auth-no-credentials"],
    judge: |evidence| {
        let facts = refused(evidence)?;
        let because: Vec<String> = facts
            .answered(AuthAnswer::Unfinished)
            .filter_map(|attempt| {
                let (key, obstacle) = (attempt.key.as_ref()?, attempt.obstacle.as_ref()?);
                matches!(obstacle, KeyProblem::AgentRefused | KeyProblem::AgentFailed { .. })
                    .then(|| format!("the server would take {}, but {}", key.words(), obstacle.words()))
            })
            .collect();
        (!because.is_empty()).then(|| Match::new(Certainty::Certain, because))
    },
    ..Cause::NEW
};

pub(super) const AGENT_UNREACHABLE: Cause = Cause {
    code: "auth-agent-unreachable",
    stage: Check::Auth,
    title: "The configured agent cannot be reached, so its keys could not be offered",
    severity: Severity::Critical,
    explanation: "SSH_AUTH_SOCK or IdentityAgent names a socket on which no agent answers: the agent has ended, the socket belongs to a forwarded \
        connection or a terminal multiplexer session that is gone, or another user owns it. The login failed without the keys that such an agent \
        would hold; whether one of them would have been accepted cannot be known.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Start an agent where none answers, and load a key",
            snippet: Some("eval \"$(ssh-agent)\" && ssh-add"),
            caution: Some("holds for this shell and what it starts; end it with ssh-agent -k"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "In tmux or screen, take over the socket of the present connection",
            snippet: Some("eval \"$(tmux show-environment -s SSH_AUTH_SOCK)\""),
            caution: Some("holds for this shell only"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "See whether an agent answers",
            snippet: Some("ssh-add -l; echo \"$SSH_AUTH_SOCK\""),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "Could not open a connection to your authentication agent.",
        "Error connecting to agent: Connection refused",
        "Error connecting to agent: No such file or directory",
        "Unable to connect to ssh-agent",
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
    title: "The agent does not answer, and ssh waits for it without end",
    severity: Severity::Critical,
    explanation: "Something takes connections on the agent's socket and does not answer: an agent that hangs, waits for a person or for a token, or is stopped, or \
        the rest of a forwarding whose connection is dead. The examination goes on without the agent; ssh does not, it has no limit for this wait \
        and hangs after the key exchange. An agent that is only slow looks the same for as long as it is waited for here.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "See whether the agent answers",
            snippet: Some("SSH_AUTH_SOCK='{agent_socket}' timeout 5 ssh-add -l; echo status $?"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Until it does, log in without it",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    IdentityAgent none\n    IdentityFile ~/.ssh/KEY"),
            caution: Some("put in the key file"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["ssh hangs after the key exchange", "communication with agent failed"],
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
