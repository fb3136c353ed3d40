//! Authentication methods that the server requires and for which we have no credential.

use super::files::describe;
use super::shared::{offers, refused};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::auth::{AuthAnswer, Facts, KeyProblem};
use crate::facts::certainty::Certainty;
use crate::facts::{Check, Evidence, Step};

pub(super) const PARTIAL_SUCCESS: Cause = Cause {
    code: "auth-partial-success",
    stage: Check::Auth,
    title: "The server accepted one factor and requires another (multi-factor)",
    severity: Severity::Critical,
    explanation: "The server reported a partial success (RFC 4252 section 5.1): the credential is right, and \
        AuthenticationMethods in sshd_config or a second-factor module requires another one. No further credential was \
        available, or it was rejected. Clients that support only one factor fail here although their key or password \
        is accepted. Where nobody is there to answer, the examination cannot go on: whether the login works for you \
        is not decided.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Run the check at a terminal, where you can answer",
            snippet: Some("ssh-doctor check {alias}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Configure a key for each factor, and let ssh ask for the others",
            when: |evidence| unattended(evidence).is_none(),
            file: Some("~/.ssh/config"),
            snippet: Some(
                "Host {alias}\n    IdentityFile ~/.ssh/FIRST_KEY\n    IdentityFile ~/.ssh/SECOND_KEY\n    PreferredAuthentications publickey,keyboard-interactive,password",
            ),
            caution: Some("replace the names by those of your key files"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Exempt unattended accounts from the second factor",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("Match User {user}\n    AuthenticationMethods publickey"),
            caution: Some("the account is then protected by its key alone"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "with partial success",
        "Further authentication required",
        "Authentication partially succeeded, more attempts required",
        "Authentication continues...",
        "Partial <method> for <user> from",
    ],
    hides: &["auth-key-rejected", "auth-no-credentials", "auth-method-unavailable"],
    judge: |evidence| {
        let facts = refused(evidence).or_else(|| unattended(evidence))?;
        // A password or code that was sent and refused is a cause of its own.
        if facts.factors.is_empty()
            || facts.answered(AuthAnswer::Refused).any(crate::causes::auth::passwords::sent_secret)
        {
            return None;
        }
        let (first, next) = (facts.factors.join(", "), facts.wanted.join(", "));
        let questions = facts.attempts.iter().flat_map(|attempt| &attempt.prompts);
        let asked = questions.map(|prompt| format!("the server asked \"{}\"", prompt.text.trim()));
        if unattended(evidence).is_some() {
            let nobody = format!("{first} was accepted, and nobody was there to answer {next}");
            return Some(Match::new(Certainty::Certain, std::iter::once(nobody).chain(asked)).at(Severity::Info));
        }
        let because = [format!("accepted as one factor: {first}"), format!("the server then wanted: {next}")];
        Some(Match::new(Certainty::Certain, because.into_iter().chain(asked)))
    },
    ..Cause::NEW
};

/// A login that only a person can finish.
fn unattended(evidence: &Evidence) -> Option<&Facts> {
    let Step::Void(facts) = &*evidence.auth else { return None };
    Some(facts).filter(|facts| facts.lacks_a_person())
}

/// True where the client's own settings exclude none of the methods that the server offers and a key or a person can answer.
fn tries_all(facts: &Facts) -> bool {
    let offered = |method: &&str| facts.methods.iter().any(|offered| offered == method);
    let mut usual = ["publickey", "keyboard-interactive", "password"].into_iter().filter(offered);
    usual.all(|method| facts.preferred.iter().any(|preferred| preferred == method))
}

pub(super) const METHOD_UNAVAILABLE: Cause = Cause {
    code: "auth-method-unavailable",
    stage: Check::Auth,
    title: "The server offers only authentication methods not available here",
    severity: Severity::Critical,
    explanation: "The server listed the authentication methods that it accepts. None of them is one that this client may use and \
        has a credential for: a password or one-time code with nobody to ask, public keys on a server that accepts \
        none, or Kerberos and host-based logins, which this examination does not attempt.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Run the check at a terminal, where you can answer",
            snippet: Some("ssh-doctor check {alias}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Give the password in a file that only you can read",
            snippet: Some("ssh-doctor check --password-file {password_file} {alias}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            when: |evidence| unattended(evidence).or(evidence.auth.facts()).is_none_or(|facts| !tries_all(facts)),
            summary: "Allow the methods that the server offers",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    PreferredAuthentications publickey,keyboard-interactive,password"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Show the methods that sshd offers to this user",
            snippet: Some("sshd -T -C user={user} | grep -iE 'authentication(methods)? '"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "No supported authentication methods available (server sent: password",
        "No supported authentication methods available (server sent: keyboard-interactive",
        "Bad authentication type; allowed types",
    ],
    hides: &["auth-no-credentials"],
    judge: |evidence| {
        let facts = refused(evidence).or_else(|| unattended(evidence))?;
        if anything_presented(facts) || facts.password_withheld() || !facts.factors.is_empty() {
            return None;
        }
        if facts.answered(AuthAnswer::Unfinished).any(|attempt| attempt.sent) {
            return None;
        }
        let questions: Vec<_> = facts.attempts.iter().flat_map(|attempt| &attempt.prompts).collect();
        // Where public keys are taken too, having none is one half of it, and a question that was put is the nearer one.
        if facts.usable("publickey") && questions.is_empty() {
            return None;
        }
        let mut because = vec![offers(facts), format!("the client is set to try {}", facts.preferred.join(", "))];
        because.extend(facts.usable("publickey").then(|| "no key could be offered".to_owned()));
        because.extend(questions.iter().map(|prompt| format!("the server asked \"{}\"", prompt.text)));
        because.extend(without_answer(facts));
        let found = Match::new(Certainty::Certain, because);
        let takes_one = facts.usable("password") || facts.usable("keyboard-interactive");
        let found = if takes_one && !facts.password_given { found.with("password_file", "FILE") } else { found };
        Some(if unattended(evidence).is_some() { found.at(Severity::Info) } else { found })
    },
    ..Cause::NEW
};

pub(super) const NO_CREDENTIALS: Cause = Cause {
    code: "auth-no-credentials",
    stage: Check::Auth,
    title: "No credentials: no key file, no key in an agent",
    severity: Severity::Critical,
    explanation: "The server accepts public keys, but none could be offered: the configured or default key files do not exist, \
        and no agent lists a key (a locked agent lists none). This is common where ssh runs as another user than the \
        owner of the keys: sudo, cron, a container, a CI job without its secret.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "If the agent is locked, unlock it",
            snippet: Some("SSH_AUTH_SOCK='{locked_agent}' ssh-add -X"),
            caution: Some("it asks for the password that the agent was locked with"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Configure the key file for this server",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    IdentityFile ~/.ssh/KEY"),
            caution: Some("replace the file name by that of your private key"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Show the user that ssh runs as, and the key files it looks for",
            snippet: Some("id -un; ssh -G {alias} | grep -E '^(user|identityfile|identityagent) '; ssh-add -l"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Create a key, and give the public key to the server's administrator",
            snippet: Some("ssh-keygen -t ed25519"),
            caution: Some("if it asks whether to overwrite a file, answer no, or that key is lost"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "No authentication methods available",
        "agent contains no identities",
        "The agent has no identities",
        "ERROR: Not logged in",
        "no such identity: <file>",
        "Identity file <file> not accessible",
    ],
    hides: &[],
    judge: |evidence| {
        let facts = refused(evidence)?;
        let key_withheld = facts.attempts.iter().any(|attempt| attempt.key.is_some());
        if anything_presented(facts) || key_withheld || facts.password_withheld() || !facts.usable("publickey") {
            return None;
        }
        let mut because = vec![offers(facts)];
        because.extend(facts.files.iter().filter(|file| file.obstacle.is_some()).map(describe));
        because.push(match (&facts.agent.socket, facts.agent.keys) {
            (None, _) => "no agent is configured (SSH_AUTH_SOCK, IdentityAgent)".into(),
            (Some(socket), Some(0)) if is_locked(facts) => {
                format!("the agent at {} shows no keys and takes no request, as a locked one does", socket.display())
            }
            (Some(socket), Some(keys)) => format!("the agent at {} holds {keys} keys", socket.display()),
            (Some(socket), None) => format!("the agent at {} could not be asked", socket.display()),
        });
        if facts.identities_only && facts.agent.keys.is_some_and(|keys| keys > 0) {
            because.push("IdentitiesOnly is set: the agent's other keys were not offered".into());
        }
        because.extend(without_answer(facts));
        let found = Match::new(Certainty::Certain, because);
        let socket = facts.agent.socket.as_ref().map(|socket| socket.display().to_string());
        match socket.filter(|socket| is_locked(facts) && !socket.contains('\'')) {
            Some(socket) => Some(found.with("locked_agent", socket)),
            None => Some(found),
        }
    },
    ..Cause::NEW
};

/// True if the agent may be locked: one of OpenSSH's then shows no key and takes no request. Other agents do not know the request.
fn is_locked(facts: &Facts) -> bool {
    facts.agent.keys == Some(0) && facts.agent.bound == Some(false)
}

/// True if the server was given anything to decide on: a key, a password, or an answer to its questions.
fn anything_presented(facts: &Facts) -> bool {
    facts.attempts.iter().any(|attempt| {
        let unanswered = matches!(attempt.obstacle, Some(KeyProblem::NobodyToAnswer | KeyProblem::Declined));
        // sshd without PAM refuses keyboard-interactive before it asks anything.
        let put = attempt.key.is_some() || crate::causes::auth::passwords::sent_secret(attempt);
        attempt.answer != AuthAnswer::Withheld && put && !unanswered
    })
}

/// The reason why no password or answer was given where the server would take one.
fn without_answer(facts: &Facts) -> Option<String> {
    if facts.attempts.iter().any(|attempt| attempt.obstacle == Some(KeyProblem::Declined)) {
        return Some("a password or an answer was asked for here, and none was typed".into());
    }
    if !facts.usable("password") && !facts.usable("keyboard-interactive") {
        return None;
    }
    let nobody = !facts.password_given && !facts.person_present;
    nobody.then(|| "no password was given, and there was nobody to ask".into())
}

#[cfg(test)]
mod tests {
    use crate::causes::auth::samples::{Sample, attempt, key, secret};
    use crate::facts::auth::{AuthAnswer, KeyProblem};

    #[test]
    fn an_accepted_factor_is_not_a_rejected_key() {
        let mut sample = Sample::refused(["publickey"])
            .with(attempt(key("a"), AuthAnswer::Partial))
            .with(attempt(key("b"), AuthAnswer::Refused));
        sample.0.factors = vec!["publickey".into()];
        sample.0.wanted = vec!["keyboard-interactive".into()];
        assert_eq!(sample.fired(), ["auth-partial-success"]);
    }

    #[test]
    fn a_second_factor_that_was_refused_is_not_one_that_was_missing() {
        let mut sample = Sample::refused(["publickey"])
            .with(attempt(key("a"), AuthAnswer::Partial))
            .with(secret("password", AuthAnswer::Refused));
        sample.0.factors = vec!["publickey".into()];
        assert_eq!(sample.fired(), ["auth-password-rejected"]);
        assert!(sample.because("auth-password-rejected").contains("one factor: publickey"));
    }

    #[test]
    fn an_agent_that_takes_no_request_may_be_locked() {
        let mut sample = Sample::refused(["publickey"]).agent("");
        sample.0.agent.error = None;
        sample.0.agent.keys = Some(0);
        assert!(!sample.because("auth-no-credentials").contains("locked"));
        sample.0.agent.bound = Some(false);
        assert!(sample.because("auth-no-credentials").contains("locked"));
    }

    #[test]
    fn a_server_that_wants_passwords_only_is_told_apart_from_missing_keys() {
        assert_eq!(Sample::refused(["password"]).fired(), ["auth-method-unavailable"]);
        assert_eq!(Sample::refused([]).fired(), ["auth-method-unavailable"]);
        assert_eq!(Sample::refused(["publickey", "password"]).fired(), ["auth-no-credentials"]);
    }

    #[test]
    fn a_password_that_an_unknown_host_key_held_back_is_left_to_the_host_key() {
        let held = secret("password", AuthAnswer::Withheld).hindered(KeyProblem::HostKeyNotKnown);
        for methods in [["password", "hostbased"], ["publickey", "password"]] {
            assert!(Sample::refused(methods).with(held.clone()).fired().is_empty());
        }
    }

    #[test]
    fn whoever_declines_to_answer_has_presented_nothing() {
        let declined = secret("password", AuthAnswer::Withheld).hindered(KeyProblem::Declined);
        let unasked = secret("keyboard-interactive", AuthAnswer::Refused);
        for (methods, code) in [
            (["publickey", "password"], "auth-no-credentials"),
            (["keyboard-interactive", "password"], "auth-method-unavailable"),
        ] {
            let sample = Sample::refused(methods).with(unasked.clone()).with(declined.clone());
            assert_eq!(sample.fired(), [code]);
            assert!(sample.because(code).contains("none was typed"));
        }
    }

    #[test]
    fn without_a_key_a_question_that_nobody_answered_is_the_nearer_cause() {
        for obstacle in [KeyProblem::NobodyToAnswer, KeyProblem::Declined] {
            let asked = secret("keyboard-interactive", AuthAnswer::Unfinished).hindered(obstacle).asked("Code:");
            let sample = Sample::refused(["publickey", "keyboard-interactive"]).with(asked.clone());
            assert_eq!(sample.fired(), ["auth-method-unavailable", "auth-no-credentials"]);
            assert!(super::METHOD_UNAVAILABLE.hides.contains(&"auth-no-credentials"));
            assert!(sample.because("auth-method-unavailable").contains("Code:"));
            let refused =
                Sample::refused(["publickey", "keyboard-interactive"]).with(attempt(key("a"), AuthAnswer::Refused));
            assert_eq!(refused.with(asked).fired(), ["auth-key-rejected"]);
        }
    }

    #[test]
    fn a_question_without_an_answer_is_quoted() {
        let asked =
            secret("keyboard-interactive", AuthAnswer::Unfinished).hindered(KeyProblem::NobodyToAnswer).asked("Code:");
        let sample = Sample::refused(["keyboard-interactive"]).with(asked);
        assert_eq!(sample.fired(), ["auth-method-unavailable"]);
        assert!(sample.because("auth-method-unavailable").contains("Code:"));
    }
}
