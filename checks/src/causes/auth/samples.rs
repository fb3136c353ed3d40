//! Evidence of logins for the tests of all the judges here.

use super::CAUSES;
use crate::causes::Match;
use crate::facts::auth::{
    Agent, Attempt, AuthAnswer, Certificate, Conclusion, Facts, Key, KeyFile, KeyProblem, Objection, Prompt, Steps,
};
use crate::facts::certainty::Certainty;
use crate::facts::{Evidence, Step, Timed};

/// The facts of a login.
#[derive(Clone)]
pub(super) struct Sample(pub(super) Facts);

impl Sample {
    /// A login that failed on a server with these methods, before anything was presented.
    pub(super) fn refused<const N: usize>(methods: [&str; N]) -> Self {
        let methods: Vec<String> = methods.map(Into::into).to_vec();
        Self(Facts {
            wanted: methods.clone(),
            methods,
            preferred: ["publickey", "keyboard-interactive", "password"].map(Into::into).to_vec(),
            ..Facts::default()
        })
    }

    /// A login that succeeded after a key was refused.
    pub(super) fn logged_in() -> Self {
        let mut sample = Self::refused(["publickey", "password"])
            .with(attempt(key("a"), AuthAnswer::Refused))
            .with(attempt(key("b"), AuthAnswer::Accepted))
            .file(file("c", None, KeyProblem::Encrypted));
        sample.0.conclusion = Conclusion::LoggedIn;
        sample
    }

    pub(super) fn with(mut self, attempt: Attempt) -> Self {
        self.0.attempts.push(attempt);
        self
    }

    pub(super) fn file(mut self, file: KeyFile) -> Self {
        self.0.files.push(file);
        self
    }

    pub(super) fn agent(mut self, error: &str) -> Self {
        self.0.agent = Agent { socket: Some("/run/agent".into()), error: Some(error.into()), ..Agent::default() };
        self
    }

    fn evidence(&self) -> Evidence {
        let facts = self.0.clone();
        let passed = facts.conclusion == Conclusion::LoggedIn;
        let void = facts.is_open_for_ssh();
        let step = match passed {
            true => Step::Passed(facts),
            false if void => Step::Void(facts),
            false => Step::Failed(facts),
        };
        Evidence { auth: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() }
    }

    /// The codes that fire.
    pub(super) fn fired(&self) -> Vec<&'static str> {
        let evidence = self.evidence();
        CAUSES.iter().filter(|cause| (cause.judge)(&evidence).is_some()).map(|cause| cause.code).collect()
    }

    fn found(&self, code: &str) -> Match {
        let cause = CAUSES.iter().find(|cause| cause.code == code).unwrap();
        (cause.judge)(&self.evidence()).unwrap()
    }

    pub(super) fn because(&self, code: &str) -> String {
        self.found(code).because.join("\n")
    }

    pub(super) fn certainty(&self, code: &str) -> Certainty {
        self.found(code).certainty
    }
}

impl Attempt {
    pub(super) fn hindered(self, obstacle: KeyProblem) -> Self {
        Self { obstacle: Some(obstacle), ..self }
    }

    pub(super) fn asked(self, text: &str) -> Self {
        Self { prompts: vec![Prompt { text: text.into(), echo: false }], ..self }
    }
}

pub(super) fn attempt(key: Key, answer: AuthAnswer) -> Attempt {
    Attempt { key: Some(key), ..secret("publickey", answer) }
}

pub(super) fn secret(method: &str, answer: AuthAnswer) -> Attempt {
    Attempt {
        method: method.into(),
        sent: false,
        key: None,
        answer,
        obstacle: None,
        prompts: Vec::new(),
        notices: Vec::new(),
        ms: 12.0,
        steps: Steps::default(),
    }
}

pub(super) fn key(name: &str) -> Key {
    Key {
        algorithm: "ssh-ed25519".into(),
        fingerprint: format!("SHA256:{name}"),
        comment: String::new(),
        file: Some(name.into()),
        in_agent: false,
        certificate: None,
        needs_touch: false,
    }
}

pub(super) fn certified(name: &str, objection: Option<Objection>) -> Key {
    let certificate = Certificate {
        key_id: "id".into(),
        principals: vec!["me".into()],
        valid_until: None,
        authority: "SHA256:ca".into(),
        sources: None,
        objection,
    };
    Key { certificate: Some(certificate), ..key(name) }
}

pub(super) fn file(name: &str, fingerprint: Option<&str>, obstacle: KeyProblem) -> KeyFile {
    let fingerprint = fingerprint.map(Into::into);
    KeyFile { path: name.into(), explicit: true, fingerprint, obstacle: Some(obstacle) }
}

#[test]
fn a_login_that_succeeds_is_healthy() {
    assert!(Sample::logged_in().fired().is_empty());
}
