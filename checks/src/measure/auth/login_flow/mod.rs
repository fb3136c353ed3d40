//! The way through a login: method after method, key after key, factor after factor, on one connection.

mod keys;
mod secrets;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::identity::Identity;
use super::offer::Offer;
use crate::base::elapsed::ms_since;
use crate::facts::auth::{Attempt, AuthAnswer, Conclusion, Facts, Key, KeyProblem, Steps};
use crate::facts::witness::Witness;
use crate::measure::context::Context;
use crate::measure::witness;
use crate::ssh::connection::Connection;
use crate::ssh::credential::clock::{Clock, Cut};
use crate::ssh::credential::link::Unheard;
use crate::ssh::credential::{Credential, CredentialOutcome};

/// ssh's order (`PreferredAuthentications`, ssh_config(5)).
const PREFERRED: [&str; 5] = ["gssapi-with-mic", "hostbased", "publickey", "keyboard-interactive", "password"];
/// The shortest time left to a server for accepting the request to log in, where connecting or a person took the rest.
const LEAST: Duration = Duration::from_millis(1500);
/// The most factors that we go along with.
const FACTORS: usize = 8;

/// A login on its way.
pub(super) struct LoginFlow<'e> {
    pub(super) ctx: &'e Context,
    pub(super) connection: Connection,
    pub(super) facts: Facts,
    /// The credentials that the server accepted, in order.
    pub(super) accepted: Vec<Credential>,
    clock: Clock,
    identities: Vec<Identity>,
    /// Read when public keys are first wanted.
    offers: Option<VecDeque<Offer>>,
    /// A password or an answer was sent, and not accepted as one factor: a second one could lock the account.
    secret_sent: bool,
    with_passwords: bool,
    /// ssh's own login, where it came before ours.
    pub(super) witness: Option<Witness>,
}

/// The way a method ended.
enum MethodOutcome {
    /// We are in.
    Accepted,
    /// One factor of several; these methods can continue.
    Partial(Vec<String>),
    /// On to the next method.
    Refused,
    /// Nothing more can be said on this connection.
    Over,
}

impl<'e> LoginFlow<'e> {
    pub(super) fn new(ctx: &'e Context, connection: Connection, with_passwords: bool) -> Self {
        let credentials = &ctx.target.credentials;
        let preferred = match credentials.preferred.as_slice() {
            [] => PREFERRED.map(ToOwned::to_owned).to_vec(),
            names => names.to_vec(),
        };
        let facts = Facts {
            preferred,
            identities_only: credentials.identities_only,
            password_given: credentials.password.is_some(),
            person_present: credentials.can_ask,
            batch_mode: credentials.batch_mode,
            passwords_allowed: with_passwords,
            repeatable: true,
            ..Facts::default()
        };
        Self {
            clock: Clock::new(ctx.limits.stage, ctx.stop.clone()),
            ctx,
            connection,
            facts,
            accepted: Vec::new(),
            identities: Vec::new(),
            offers: None,
            secret_sent: false,
            with_passwords,
            witness: None,
        }
    }

    /// Goes on until we are in, refused or cut off; the facts hold what was seen.
    pub(super) async fn go(&mut self) {
        let began = Instant::now();
        let unheard = Unheard::on(&self.connection).by(self.ctx.until().max(began + LEAST));
        let asked = Credential::None.present(&mut self.connection, &self.ctx.target.user);
        let first = tokio::select! {
            biased;
            first = self.clock.bound(asked) => first,
            () = unheard => Err(Cut::Deadline),
        };
        self.facts.first_answer_ms = ms_since(began);
        match first {
            Ok(CredentialOutcome::Refused(methods) | CredentialOutcome::Partial(methods)) => {
                self.facts.methods.clone_from(&methods);
                self.facts.wanted = methods;
            }
            Ok(CredentialOutcome::Success) => {
                self.record("none", None, AuthAnswer::Accepted, None, began);
                self.accepted.push(Credential::None);
                self.facts.conclusion = Conclusion::LoggedIn;
                return;
            }
            Ok(CredentialOutcome::Broken(_)) => return self.ended(),
            Err(cut) => return self.cut(cut, began),
        }
        if self.is_left_to_ssh().await {
            return;
        }
        for _ in 0..FACTORS {
            if !self.factor().await {
                return;
            }
        }
    }

    /// Has ssh log in first where a setting gives it a credential that only ssh can use. True where ours would fail after it: for the
    /// second time, or where ssh used that credential.
    async fn is_left_to_ssh(&mut self) -> bool {
        // The library does not name GSSAPI among the methods of a server.
        let is_offered =
            |method: &str| method.starts_with("gssapi") || self.facts.methods.iter().any(|name| name == method);
        let credentials = &self.ctx.target.credentials;
        let Some(own) = credentials.only_ssh.iter().find(|own| is_offered(own.method)) else { return false };
        self.facts.only_ssh = Some(own.keyword.to_owned());
        let (unattended, by_ticket) = (credentials.unattended(), own.method.starts_with("gssapi"));
        // A ticket comes before every question.
        if !unattended && !by_ticket {
            return false;
        }
        self.witness = witness::before(self.ctx).await;
        let Some(witness) = &self.witness else { return false };
        let is_ours = match &witness.method {
            // With a key that may be here too.
            Some(method) => witness.logged_in() && method == "publickey",
            None => !witness.login_begun || witness.logged_in(),
        };
        if !unattended && !witness.logged_in() {
            // It may have lacked an answer, which can be given here.
            return false;
        }
        self.facts.left_to_ssh = !is_ours;
        self.facts.left_to_ssh
    }

    /// Settles what a refusal of ssh, which went first, says of ours: it is the whole reason where nothing was presented here after it.
    pub(super) fn settle_after_ssh(&mut self) {
        let is_refused = self.witness.as_ref().is_some_and(|witness| witness.login_begun && !witness.logged_in());
        if is_refused && self.facts.only_ssh.is_some() && !self.facts.left_to_ssh {
            self.facts.left_to_ssh = self.facts.attempts.is_empty();
            self.facts.only_ssh = self.facts.only_ssh.take().filter(|_| self.facts.left_to_ssh);
        }
    }

    /// Lets ssh log in where the server accepts a security key's file, before anything is refused here. True where it is refused.
    async fn is_security_key_left_to_ssh(&mut self) -> bool {
        let is_first = self.witness.is_none() && self.facts.answered(AuthAnswer::Refused).next().is_none();
        if !is_first || !self.ctx.target.credentials.unattended() {
            return false;
        }
        self.witness = witness::before(self.ctx).await;
        self.facts.left_to_ssh =
            self.witness.as_ref().is_some_and(|witness| witness.login_begun && !witness.logged_in());
        self.facts.left_to_ssh
    }

    /// Tries the wanted methods in order; true when one more factor was accepted and others are wanted.
    async fn factor(&mut self) -> bool {
        for method in self.order() {
            let verdict = match method.as_str() {
                "publickey" => self.keys().await,
                "keyboard-interactive" => self.keyboard().await,
                "password" => self.password().await,
                _ => MethodOutcome::Refused,
            };
            match verdict {
                MethodOutcome::Refused => {}
                MethodOutcome::Accepted => {
                    self.facts.conclusion = Conclusion::LoggedIn;
                    return false;
                }
                MethodOutcome::Partial(methods) => {
                    // A secret that was accepted was no failure; one that was refused before a key was accepted stays one.
                    self.secret_sent &= method == "publickey";
                    self.facts.factors.push(method);
                    self.facts.wanted = methods;
                    return true;
                }
                MethodOutcome::Over => return false,
            }
        }
        false
    }

    /// The wanted methods in the user's order. A given password goes by the method that says what it wants: what
    /// keyboard-interactive asks is known only when it cannot be taken back.
    fn order(&self) -> Vec<String> {
        let mut order: Vec<String> =
            self.facts.preferred.iter().filter(|name| self.facts.wanted.contains(name)).cloned().collect();
        let place = |name: &str| order.iter().position(|method| method == name);
        if let (true, Some(keyboard), Some(password)) =
            (self.facts.password_given, place("keyboard-interactive"), place("password"))
            && keyboard < password
        {
            order.swap(keyboard, password);
        }
        order
    }

    /// Notes an outcome.
    fn verdict(&mut self, outcome: CredentialOutcome, credential: Credential) -> MethodOutcome {
        if outcome.accepted() {
            self.facts.repeatable &= credential.repeatable();
            self.accepted.push(credential);
        }
        match outcome {
            CredentialOutcome::Success => MethodOutcome::Accepted,
            CredentialOutcome::Partial(methods) => MethodOutcome::Partial(methods),
            CredentialOutcome::Refused(methods) => {
                self.facts.wanted = methods;
                MethodOutcome::Refused
            }
            CredentialOutcome::Broken(_) => {
                self.ended();
                MethodOutcome::Over
            }
        }
    }

    fn over(&mut self, cut: Cut, began: Instant) -> MethodOutcome {
        self.cut(cut, began);
        MethodOutcome::Over
    }

    fn cut(&mut self, cut: Cut, began: Instant) {
        match cut {
            // A connection that died while we waited for something else is dead, not silent.
            Cut::Deadline if self.connection.is_closed() => self.ended(),
            Cut::Deadline => {
                self.facts.conclusion = Conclusion::Silent;
                self.facts.gave_up_ms = Some(ms_since(began));
            }
            Cut::Stopped => self.facts.conclusion = Conclusion::Interrupted,
        }
    }

    fn ended(&mut self) {
        self.facts.conclusion = Conclusion::Ended;
    }

    fn record(
        &mut self,
        method: &str,
        key: Option<Key>,
        answer: AuthAnswer,
        obstacle: Option<KeyProblem>,
        began: Instant,
    ) {
        let (method, ms, steps) = (method.to_owned(), ms_since(began), Steps::default());
        let (prompts, notices) = (Vec::new(), Vec::new());
        self.facts.attempts.push(Attempt { method, key, answer, obstacle, prompts, notices, sent: false, ms, steps });
    }

    /// Adds the times of its steps to the last attempt.
    fn record_steps(&mut self, steps: Steps) {
        if let Some(attempt) = self.facts.attempts.last_mut() {
            attempt.steps = steps;
        }
    }
}

impl AuthAnswer {
    fn of(outcome: &CredentialOutcome) -> Self {
        match outcome {
            CredentialOutcome::Success => Self::Accepted,
            CredentialOutcome::Partial(_) => Self::Partial,
            CredentialOutcome::Refused(_) => Self::Refused,
            CredentialOutcome::Broken(_) => Self::Ended,
        }
    }
}
