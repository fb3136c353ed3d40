//! Passwords and answers: one at most, and never to a host key that is not known.

use std::time::Instant;

use secrecy::SecretString;

use super::{LoginFlow, MethodOutcome};
use crate::base::ask::Question;
use crate::base::elapsed::ms_since;
use crate::facts::auth::{AuthAnswer, KeyProblem, Steps};
use crate::ssh::credential::Credential;
use crate::ssh::credential::clock::Cut;
use crate::ssh::credential::keyboard::{self, Answerer};

impl LoginFlow<'_> {
    /// True if a secret may be sent now; the objection is recorded.
    fn may_send_secret(&mut self, method: &str) -> bool {
        let has_way = self.facts.password_given || self.facts.person_present;
        if has_way && !self.with_passwords {
            self.record(method, None, AuthAnswer::Withheld, Some(KeyProblem::HostKeyNotKnown), Instant::now());
        }
        has_way && self.with_passwords && !self.secret_sent
    }

    /// True if the server wants nothing but answers to its questions after a key was accepted: there may be none, where a module lets the
    /// account pass or asks by another way (a push to a telephone). ssh finds out, unless it may ask nobody.
    fn may_be_asked_nothing(&self) -> bool {
        let facts = &self.facts;
        let has_way = facts.password_given || facts.person_present;
        !has_way
            && self.with_passwords
            && !self.ctx.target.credentials.batch_mode
            && !facts.factors.is_empty()
            && facts.wanted.iter().all(|method| method == "keyboard-interactive")
    }

    pub(super) async fn password(&mut self) -> MethodOutcome {
        if !self.may_send_secret("password") {
            return MethodOutcome::Refused;
        }
        let target = &self.ctx.target;
        let began = Instant::now();
        let question = Question::Ours(format!("{}@{}'s password: ", target.user, target.host));
        let Some(password) = self.secret(question).await else {
            self.record("password", None, AuthAnswer::Withheld, Some(KeyProblem::Declined), began);
            return MethodOutcome::Refused;
        };
        self.secret_sent = true;
        let began = Instant::now();
        let credential = Credential::Password(password);
        let presenting = credential.present(&mut self.connection, &target.user);
        match self.clock.bound(presenting).await {
            Ok(outcome) => {
                let decision_ms = Some(ms_since(began));
                self.record("password", None, AuthAnswer::of(&outcome), None, began);
                self.record_steps(Steps { decision_ms, ..Steps::default() });
                self.verdict(outcome, credential)
            }
            Err(cut) => {
                // The library waits for ever after SSH_MSG_USERAUTH_PASSWD_CHANGEREQ (RFC 4252 section 8).
                let unread = self.connection.watch().seen().last_received.is_some_and(|at| at > began);
                self.record("password", None, AuthAnswer::Silence, unread.then_some(KeyProblem::UnreadAnswer), began);
                self.over(cut, began)
            }
        }
    }

    async fn secret(&self, question: Question) -> Option<SecretString> {
        let credentials = &self.ctx.target.credentials;
        if credentials.password.is_some() || !credentials.can_ask {
            return credentials.password.clone();
        }
        let ask = self.ctx.ask.clone();
        self.clock.person(move || ask.secret(&question)).await
    }

    pub(super) async fn keyboard(&mut self) -> MethodOutcome {
        let is_unattended = self.may_be_asked_nothing();
        if !is_unattended && !self.may_send_secret("keyboard-interactive") {
            return MethodOutcome::Refused;
        }
        let credentials = &self.ctx.target.credentials;
        let person = credentials.can_ask.then(|| self.ctx.ask.clone());
        let answerer = Answerer { secret: credentials.password.clone(), person };
        let began = Instant::now();
        let (user, host) = (&self.ctx.target.user, &self.ctx.target.host);
        let talk = keyboard::converse(&mut self.connection, user, host, answerer, &mut self.clock).await;
        self.secret_sent |= talk.answered;
        // A module that waits for a person to confirm the login elsewhere.
        let waits = is_unattended && matches!(talk.cut, Some(Cut::Deadline)) && !self.connection.is_closed();
        let (cut, unanswered) = if waits { (None, Some(KeyProblem::NobodyToAnswer)) } else { (talk.cut, talk.stuck) };
        let stuck = unanswered.is_some();
        let (answer, obstacle) = match (cut, unanswered) {
            (Some(_), _) => (AuthAnswer::Silence, None),
            (None, Some(obstacle)) => (AuthAnswer::Unfinished, Some(obstacle)),
            (None, None) => (AuthAnswer::of(&talk.outcome), None),
        };
        self.record("keyboard-interactive", None, answer, obstacle, began);
        if let Some(attempt) = self.facts.attempts.last_mut() {
            (attempt.prompts, attempt.notices, attempt.steps) = (talk.prompts, talk.notices, talk.steps);
            attempt.sent = talk.answered;
        }
        match (cut, stuck) {
            (Some(cut), _) => self.over(cut, began),
            (None, true) => MethodOutcome::Over,
            (None, false) => {
                self.verdict(talk.outcome, talk.again.map_or(Credential::Once, Credential::KeyboardInteractive))
            }
        }
    }
}
