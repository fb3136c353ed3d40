//! The password.

use super::log::{DROPBEAR_LOG, OTHER_LOG, SSHD_LOG};
use super::shared::{offers, refused};
use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::auth::question::{PromptContext, asks_for_password};
use crate::facts::auth::{Attempt, AuthAnswer, Conclusion, KeyProblem};
use crate::facts::certainty::Certainty;
use crate::facts::{Check, channel};

pub(super) const PASSWORD_REJECTED: Cause = Cause {
    code: "auth-password-rejected",
    stage: Check::Auth,
    title: "The server rejected the password or an answer to its prompt",
    severity: Severity::Critical,
    explanation: "A password or one-time code was sent, by itself or as the answer to a prompt, and was rejected. The server \
        does not say why. Possible reasons:\n\
        - it is wrong, or the code was used before or depends on a clock that differs from the server's\n\
        - the account does not exist, is locked or has expired\n\
        - the account may not log in this way (PermitRootLogin prohibit-password, AllowUsers, PAM)\n\n\
        It was sent once and is never repeated, so that this examination locks no account.",
    fixes: &[
        SSHD_LOG,
        DROPBEAR_LOG,
        OTHER_LOG,
        Fix {
            side: Side::Server,
            summary: "Check whether the account is locked or has expired",
            snippet: Some("passwd -S {user}; chage -l {user}; faillock --user {user}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Check the login name and the {secret}, including a trailing newline or the keyboard layout",
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "If \"{question}\" asks for a one-time code, use the next one: each is valid once, for this server and \
                account",
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "If the code for \"{question}\" is time-based, check the server's clock",
            snippet: Some("timedatectl status"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "Permission denied, please try again",
        "Configured password was not accepted",
        "Failed password for <user> from",
        "Bad password attempt for",
        "PAM: Authentication failure for <user> from",
        "Invalid/incorrect password",
        "attempted methods [none password]",
        "(tried none, password)",
        "Password authentication failed",
        "Access denied for 'password'",
        "Failed keyboard-interactive/pam for <user> from",
        "Keyboard-interactive authentication failed",
        "pam_unix(sshd:auth): authentication failure",
        "pam_unix(sshd:auth): auth could not identify password",
        "pam_sss(sshd:auth): received for user <user>: 7 (Authentication failure)",
        "Client: password auth failed",
        "Disconnecting: Too many password failures",
    ],
    hides: &["auth-key-rejected", "auth-agent-unreachable"],
    judge: |evidence| {
        let facts = refused(evidence)?;
        let attempt = facts.answered(AuthAnswer::Refused).find(|attempt| sent_secret(attempt))?;
        let mut because = vec![format!("{} was refused after {}", attempt.method, seconds(attempt.ms / 1000.0))];
        if facts.factors.is_empty() {
            because.push(offers(facts));
        } else {
            because.push(format!("accepted before, as one factor: {}", facts.factors.join(", ")));
        }
        because.extend(attempt.prompts.iter().map(|prompt| format!("the server asked \"{}\"", prompt.text)));
        because.extend(facts.said().map(|text| format!("the server said \"{text}\"")));
        let found = Match::new(Certainty::Certain, because);
        Some(match other_question(attempt) {
            None => found.with("secret", "password"),
            Some(question) => found.with("secret", "answers").with("question", question),
        })
    },
    ..Cause::NEW
};

/// The first question of an attempt that is not one for a password.
fn other_question(attempt: &Attempt) -> Option<&str> {
    let context = PromptContext { name: String::new(), instructions: attempt.notices.join("\n") };
    let mut texts = attempt.prompts.iter().map(|prompt| prompt.text.trim());
    texts.find(|text| !asks_for_password(text, &context))
}

pub(super) const PASSWORD_EXPIRED: Cause = Cause {
    code: "auth-password-expired",
    stage: Check::Auth,
    title: "The password has expired and must be changed",
    severity: Severity::Critical,
    explanation: "The account's password must be changed before anything else is allowed. sshd asks for a new one by \
        keyboard-interactive, or accepts the login (also by key) and runs only passwd, which needs a terminal: every \
        command fails. Jobs fail while a person is merely asked.\n\n\
        Other servers answer the password with a change request (SSH_MSG_USERAUTH_PASSWD_CHANGEREQ, RFC 4252 section \
        8). The server's question or words are quoted. The request itself cannot be read here; it is inferred from an \
        answer that is neither success nor failure, and there is only one such. The examination changes no password.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Log in at a terminal and set a new password when asked",
            snippet: Some("ssh -t {alias}"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Show when the password expires",
            snippet: Some("chage -l {user}"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "password has expired",
        "Password change required but no TTY available",
        "You are required to change your password",
        "Authentication token is no longer valid; new one required",
        "expired password for user",
        "Password expired",
    ],
    hides: &[
        "auth-disconnected",
        "auth-method-unavailable",
        "auth-partial-success",
        "session-shell-exits",
        "session-forced-command",
    ],
    judge: |evidence| {
        if let Some(said) = evidence.channel.failed().and_then(says_expired) {
            return Some(Match::new(Certainty::Certain, [format!("instead of our command's output came \"{said}\"")]));
        }
        let facts = evidence.auth.failed()?;
        let asked =
            facts.answered(AuthAnswer::Unfinished).find(|attempt| attempt.obstacle == Some(KeyProblem::NewPassword));
        if let Some(attempt) = asked {
            let questions = attempt.prompts.iter().map(|prompt| format!("the server asked \"{}\"", prompt.text));
            return Some(Match::new(Certainty::Certain, questions));
        }
        let facts = Some(facts).filter(|facts| facts.conclusion == Conclusion::Silent)?;
        let attempt = facts.attempts.last()?;
        (attempt.obstacle == Some(KeyProblem::UnreadAnswer)).then(|| {
            Match::new(
                Certainty::Likely,
                [
                    "something came back after the password that is neither success nor failure".to_owned(),
                    format!("nothing else came for {}", seconds(attempt.ms / 1000.0)),
                ],
            )
        })
    },
    ..Cause::NEW
};

/// The words of sshd's session.c and of passwd(1) in place of a command's output.
fn says_expired(facts: &channel::Facts) -> Option<&String> {
    const WORDS: [&str; 3] = ["password has expired", "Password change required", "required to change your password"];
    let outputs = [&facts.stderr, &facts.other_output].into_iter().flatten();
    let mut said = outputs.filter(|text| WORDS.iter().any(|words| text.contains(words)));
    said.next().filter(|_| !facts.mark_seen)
}

/// True if a secret went out in this attempt; sshd without PAM refuses keyboard-interactive before it asks anything.
pub(super) fn sent_secret(attempt: &Attempt) -> bool {
    attempt.method == "password" || !attempt.prompts.is_empty()
}

#[cfg(test)]
mod tests {
    use crate::causes::auth::samples::{Sample, attempt, key, secret};
    use crate::facts::auth::{AuthAnswer, Conclusion, KeyProblem};

    #[test]
    fn a_refused_password_outranks_refused_default_keys() {
        let sample = Sample::refused(["publickey", "password"])
            .with(attempt(key("a"), AuthAnswer::Refused))
            .with(secret("password", AuthAnswer::Refused));
        assert_eq!(sample.fired(), ["auth-key-rejected", "auth-password-rejected"]);
        assert!(super::PASSWORD_REJECTED.hides.contains(&"auth-key-rejected"));
    }

    #[test]
    fn keyboard_interactive_without_a_question_says_nothing_of_a_password() {
        let none_asked = secret("keyboard-interactive", AuthAnswer::Refused);
        let sample = Sample::refused(["publickey", "keyboard-interactive"])
            .with(attempt(key("a"), AuthAnswer::Refused))
            .with(none_asked.clone());
        assert_eq!(sample.fired(), ["auth-key-rejected"]);
        let asked = Sample::refused(["keyboard-interactive"]).with(none_asked.asked("Password:"));
        assert_eq!(asked.fired(), ["auth-password-rejected"]);
    }

    #[test]
    fn a_question_for_a_new_password_is_quoted() {
        let asked = secret("keyboard-interactive", AuthAnswer::Unfinished).hindered(KeyProblem::NewPassword);
        let sample = Sample::refused(["keyboard-interactive"]).with(asked.asked("Current password: "));
        assert_eq!(sample.fired(), ["auth-password-expired"]);
        assert!(sample.because("auth-password-expired").contains("Current password"));
    }

    #[test]
    fn an_answer_that_is_no_answer_is_an_expired_password() {
        let unread = secret("password", AuthAnswer::Silence).hindered(KeyProblem::UnreadAnswer);
        let mut sample = Sample::refused(["password"]).with(unread);
        sample.0.conclusion = Conclusion::Silent;
        assert_eq!(sample.fired(), ["auth-disconnected", "auth-password-expired"]);
    }
}
