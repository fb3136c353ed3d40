//! The connection ends during the login.

use super::log::{DROPBEAR_LOG, OTHER_LOG, SSHD_LOG};
use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::auth::{Conclusion, Facts};
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::{Check, Evidence};

/// The words of sshd when MaxAuthTries is reached (auth.c).
const TOO_MANY: &str = "Too many authentication failures";

/// False where it is known that no agent holds a key.
fn uses_agent(evidence: &Evidence) -> bool {
    evidence.auth.facts().is_none_or(|facts| facts.agent.keys.is_some_and(|keys| keys > 0))
}

pub(super) const TOO_MANY_FAILURES: Cause = Cause {
    code: "auth-too-many-failures",
    stage: Check::Auth,
    title: "The server disconnected: too many keys were offered (MaxAuthTries)",
    severity: Severity::Critical,
    explanation: "The client offers its keys one after the other, and sshd counts each rejected key as a failed attempt. At \
        MaxAuthTries (6 by default) it disconnects, possibly before the right key is offered. This happens with agents \
        that hold many keys: they are offered before key files that are not in the agent.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Offer only the key that this server knows",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    IdentityFile ~/.ssh/KEY\n    IdentitiesOnly yes"),
            caution: Some("replace KEY by the name of the key that the server knows"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            when: uses_agent,
            summary: "Remove keys that are not needed from the agent",
            snippet: Some("ssh-add -d KEY-FILE"),
            caution: Some("replace the file name by that of the key to remove; the file itself stays"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            when: uses_agent,
            summary: "List the keys in the agent",
            snippet: Some("ssh-add -l"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            when: |evidence| !uses_agent(evidence),
            summary: "List the key files that ssh offers, in order",
            snippet: Some("ssh -G {alias} | grep '^identityfile '"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Allow more attempts on one connection",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("MaxAuthTries 10"),
            caution: Some("it also gives password guessers more attempts"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "Too many authentication failures",
        "maximum authentication attempts exceeded",
        "Max auth tries reached",
    ],
    hides: &["auth-key-rejected", "auth-disconnected", "auth-password-rejected"],
    judge: |evidence| {
        let facts = evidence.auth.failed().filter(|facts| facts.conclusion == Conclusion::Ended)?;
        let Some(Manner::Disconnect { code, text }) = &facts.end else { return None };
        if !text.contains(TOO_MANY) {
            return None;
        }
        let mut because = vec![format!("the server said SSH_MSG_DISCONNECT {code} \"{text}\""), tried(facts)];
        because.extend(
            facts
                .attempts
                .iter()
                .filter_map(|attempt| attempt.key.as_ref())
                .map(|key| format!("offered: {}", key.words())),
        );
        Some(Match::new(Certainty::Certain, because))
    },
    ..Cause::NEW
};

pub(super) const DISCONNECTED: Cause = Cause {
    code: "auth-disconnected",
    stage: Check::Auth,
    title: "The connection was lost during authentication",
    severity: Severity::Critical,
    explanation: "The key exchange succeeded, and then the connection was lost before authentication finished. Possible reasons:\n\
        - LoginGraceTime expired, often because a PAM module waits for a directory server\n\
        - an attempt limit of the server was reached\n\
        - the process that serves the login crashed\n\
        - the path loses larger packets, or a firewall acts on logins",
    fixes: &[
        SSHD_LOG,
        DROPBEAR_LOG,
        OTHER_LOG,
        Fix {
            side: Side::Client,
            summary: "Find the step at which it fails, and whether it is always the same",
            snippet: Some("ssh -vvv {alias} true"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "Timeout before authentication",
        "Timeout before auth",
        "Authentication Timeout reached",
        "transport shut down or saw EOF",
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.auth.failed()?;
        let what = match facts.conclusion {
            Conclusion::Ended => match &facts.end {
                Some(Manner::Disconnect { text, .. }) if text.contains(TOO_MANY) => return None,
                Some(manner) => format!("it ended with {}", manner.words()),
                None => "it ended".to_owned(),
            },
            Conclusion::Silent => {
                format!("no answer came for {}", seconds(facts.gave_up_ms.unwrap_or_default() / 1000.0))
            }
            Conclusion::LoggedIn | Conclusion::Refused | Conclusion::Interrupted => return None,
        };
        Some(Match::new(Certainty::Possible, [what, tried(facts)]))
    },
    ..Cause::NEW
};

fn tried(facts: &Facts) -> String {
    match facts.attempts.last() {
        None => "nothing had been presented yet".into(),
        Some(last) => {
            let count = facts.attempts.len();
            let attempts = if count == 1 { "attempt" } else { "attempts" };
            format!("{count} {attempts} had been made, the last by {}", last.method)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::causes::auth::samples::{Sample, attempt, key};
    use crate::facts::auth::{AuthAnswer, Conclusion};
    use crate::facts::connection::Manner;

    fn ended(manner: Manner) -> Sample {
        let mut sample = Sample::refused(["publickey"])
            .with(attempt(key("a"), AuthAnswer::Refused))
            .with(attempt(key("b"), AuthAnswer::Ended));
        sample.0.conclusion = Conclusion::Ended;
        sample.0.end = Some(manner);
        sample
    }

    #[test]
    fn too_many_keys_are_named_by_the_servers_own_words() {
        let said = Manner::Disconnect { code: 2, text: "Too many authentication failures".into() };
        assert_eq!(ended(said).fired(), ["auth-too-many-failures"]);
    }

    #[test]
    fn any_other_end_has_no_certain_cause() {
        for manner in [Manner::Fin, Manner::Reset, Manner::Disconnect { code: 2, text: "go away".into() }] {
            assert_eq!(ended(manner).fired(), ["auth-disconnected"]);
        }
    }
}
