//! The way through a login: method after method, key after key, factor after factor, on one connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use russh::keys::PrivateKey;
use secrecy::SecretString;

use super::credential::{Credential, Half, Key, Offered, Outcome};
use super::facts::{Answer, Attempt, Conclusion, Facts, Obstacle};
use super::identity::{self, Identity, Private};
use super::keyboard::{self, Answerer};
use super::offer::{self, Holder, Offer, Public};
use super::patience::{Cut, Patience};
use super::{agent, hash_of};
use crate::connection::Connection;
use crate::examination::Examination;

/// ssh's order (`PreferredAuthentications`, ssh_config(5)).
const PREFERRED: [&str; 5] = ["gssapi-with-mic", "hostbased", "publickey", "keyboard-interactive", "password"];
/// The most factors that we go along with.
const FACTORS: usize = 8;
/// The most keys that are offered; ssh itself reads at most 100 identity files.
const KEYS: usize = 100;
/// How often a passphrase is asked for (`NumberOfPasswordPrompts`, ssh_config(5)).
const PASSPHRASES: usize = 3;

/// A login on its way.
pub(super) struct Walk<'e> {
    pub(super) exam: &'e Examination,
    pub(super) connection: Connection,
    pub(super) facts: Facts,
    /// What the server accepted, in order.
    pub(super) accepted: Vec<Credential>,
    patience: Patience,
    identities: Vec<Identity>,
    /// Read when public keys are first wanted.
    offers: Option<VecDeque<Offer>>,
    /// A password or an answer was sent: a second one could lock the account.
    secret_sent: bool,
    with_passwords: bool,
}

/// How a method ended.
enum Verdict {
    /// We are in.
    Accepted,
    /// One factor of several; these methods can continue.
    Partial(Vec<String>),
    /// On to the next method.
    Refused,
    /// Nothing more can be said on this connection.
    Over,
}

impl<'e> Walk<'e> {
    pub(super) fn new(exam: &'e Examination, connection: Connection, with_passwords: bool) -> Self {
        let credentials = &exam.target.credentials;
        let preferred = match credentials.preferred.as_slice() {
            [] => PREFERRED.map(ToOwned::to_owned).to_vec(),
            names => names.to_vec(),
        };
        let facts = Facts {
            preferred,
            identities_only: credentials.identities_only,
            password_given: credentials.password.is_some(),
            person_present: credentials.can_ask,
            passwords_allowed: with_passwords,
            repeatable: true,
            ..Facts::default()
        };
        Self {
            patience: Patience::new(exam.limits.stage, exam.stop.clone()),
            exam,
            connection,
            facts,
            accepted: Vec::new(),
            identities: Vec::new(),
            offers: None,
            secret_sent: false,
            with_passwords,
        }
    }

    /// Goes on until we are in, refused or cut off; the facts hold what was seen.
    pub(super) async fn go(&mut self) {
        let began = Instant::now();
        let asked = Credential::None.present(&mut self.connection, &self.exam.target.user);
        let first = self.patience.bound(asked).await;
        self.facts.first_answer_ms = ms(began);
        match first {
            Ok(Outcome::Refused(methods) | Outcome::Partial(methods)) => {
                self.facts.methods.clone_from(&methods);
                self.facts.wanted = methods;
            }
            Ok(Outcome::Success) => {
                self.record("none", None, Answer::Accepted, None, began);
                self.accepted.push(Credential::None);
                self.facts.conclusion = Conclusion::LoggedIn;
                return;
            }
            Ok(Outcome::Broken(_)) => return self.ended(),
            Err(cut) => return self.cut(cut, began),
        }
        for _ in 0..FACTORS {
            if !self.factor().await {
                return;
            }
        }
    }

    /// Tries the wanted methods in order; true when one more factor was accepted and others are wanted.
    async fn factor(&mut self) -> bool {
        for method in self.order() {
            let verdict = match method.as_str() {
                "publickey" => self.keys().await,
                "keyboard-interactive" => self.keyboard().await,
                "password" => self.password().await,
                _ => Verdict::Refused,
            };
            match verdict {
                Verdict::Refused => {}
                Verdict::Accepted => {
                    self.facts.conclusion = Conclusion::LoggedIn;
                    return false;
                }
                Verdict::Partial(methods) => {
                    self.facts.factors.push(method);
                    self.facts.wanted = methods;
                    return true;
                }
                Verdict::Over => return false,
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

    async fn keys(&mut self) -> Verdict {
        if self.offers.is_none() {
            self.offers = Some(self.survey().await);
        }
        while let Some(offer) = self.offers.as_mut().and_then(VecDeque::pop_front) {
            match self.key(&offer).await {
                Verdict::Refused => {}
                verdict => return verdict,
            }
        }
        self.locked_keys().await
    }

    /// Offers the keys that show not even their public half without their passphrase.
    async fn locked_keys(&mut self) -> Verdict {
        let hidden = |identity: &Identity| {
            identity.public.is_none() && matches!(identity.private, Private::Not(Obstacle::Encrypted))
        };
        while let (true, Some(at)) = (self.exam.target.credentials.can_ask, self.identities.iter().position(hidden)) {
            let opened = self.unlock(at).await;
            let identity = &mut self.identities[at];
            match opened {
                Ok(key) => {
                    let public = key.public_key().clone();
                    identity.public = Some(public.clone());
                    let file = Some(identity.path.clone());
                    let offer = Offer { public: Public::Key(public), file, holder: Holder::File(at) };
                    match self.key(&offer).await {
                        Verdict::Refused => {}
                        verdict => return verdict,
                    }
                }
                // Once is enough: a person who does not know it now will not know it for the next factor.
                Err(_) => identity.private = Private::Not(Obstacle::WrongPassphrase),
            }
        }
        Verdict::Refused
    }

    /// Reads the key files and asks the agent.
    async fn survey(&mut self) -> VecDeque<Offer> {
        let credentials = &self.exam.target.credentials;
        let beside = credentials.certificates.is_empty();
        let all = credentials.identities.iter().take(KEYS).map(|named| Identity::read(named, beside));
        let (there, missing): (Vec<_>, Vec<_>) = all.partition(Identity::exists);
        let named_and_missing = missing.iter().filter(|identity| identity.explicit);
        self.facts.files = there.iter().chain(named_and_missing).map(Identity::fact).collect();
        self.identities = there;
        let mut certificates = Vec::new();
        for path in credentials.certificates.iter().take(KEYS) {
            match identity::certificate(path) {
                Ok(certificate) => certificates.push((path.clone(), certificate)),
                Err(obstacle) => self.facts.files.push(super::facts::KeyFile {
                    path: path.clone(),
                    explicit: true,
                    fingerprint: None,
                    obstacle: Some(obstacle),
                }),
            }
        }
        let binding = self.connection.handle().agent_session_binding().cloned();
        let (agent, held) = agent::list(credentials.agent.as_deref(), binding.as_ref(), &mut self.patience).await;
        self.facts.agent = agent;
        offer::order(&self.identities, &certificates, &held, credentials.identities_only)
            .into_iter()
            .take(KEYS)
            .collect()
    }

    /// Offers one key; asks for its passphrase only when the server would take it, as ssh does.
    async fn key(&mut self, offer: &Offer) -> Verdict {
        let began = Instant::now();
        let hash = match self.patience.bound(hash_of(&offer.public, &mut self.connection)).await {
            Ok(hash) => hash,
            Err(cut) => return self.over(cut, began),
        };
        let fact = offer.fact(hash.as_ref().ok().copied().flatten(), &self.exam.target.user, jiff::Timestamp::now());
        let Ok(hash) = hash else {
            self.record("publickey", Some(fact), Answer::Withheld, Some(Obstacle::NoSha2), began);
            return Verdict::Refused;
        };
        let mut key = Key { public: offer.public.clone(), hash, half: self.half(offer) };
        loop {
            let offering = key.offer(&mut self.connection, &self.exam.target.user);
            match self.patience.bound(offering).await {
                Ok(Offered::Answer(outcome)) => {
                    self.record("publickey", Some(fact), Answer::of(&outcome), None, began);
                    return self.verdict(outcome, Some(Credential::Key(Box::new(key))));
                }
                Ok(Offered::Wanted(Obstacle::Encrypted)) if self.exam.target.credentials.can_ask => {
                    let Holder::File(at) = offer.holder else { return Verdict::Refused };
                    match self.unlock(at).await {
                        Ok(opened) => key.half = Half::File(opened),
                        Err(obstacle) => {
                            self.record("publickey", Some(fact), Answer::Unfinished, Some(obstacle), began);
                            return Verdict::Refused;
                        }
                    }
                }
                Ok(Offered::Wanted(obstacle)) => {
                    self.record("publickey", Some(fact), Answer::Unfinished, Some(obstacle), began);
                    return Verdict::Refused;
                }
                Err(cut) => {
                    self.record("publickey", Some(fact), Answer::Silence, None, began);
                    return self.over(cut, began);
                }
            }
        }
    }

    fn half(&self, offer: &Offer) -> Half {
        match (offer.holder, &self.exam.target.credentials.agent) {
            (Holder::Agent, Some(socket)) => Half::Agent(socket.clone(), Box::new(offer.public.identity())),
            (Holder::AgentKey, Some(socket)) => Half::Agent(socket.clone(), Box::new(offer.public.key().into())),
            (Holder::File(at), _) => match &self.identities[at].private {
                Private::Ready(key) => Half::File(key.clone()),
                Private::Not(obstacle) => Half::Not(obstacle.clone()),
            },
            (Holder::Agent | Holder::AgentKey, None) | (Holder::Nobody, _) => Half::Not(Obstacle::NoPrivateHalf),
        }
    }

    /// Asks for the passphrase of an identity, as often as ssh does.
    async fn unlock(&mut self, at: usize) -> Result<Arc<PrivateKey>, Obstacle> {
        let path = self.identities[at].path.clone();
        let mut obstacle = Obstacle::Encrypted;
        for _ in 0..PASSPHRASES {
            let ask = self.exam.ask.clone();
            let words = format!("Passphrase for {}: ", path.display());
            let passphrase = self.patience.person(move || ask.secret(&words)).await;
            let Some(passphrase) = passphrase else { return Err(obstacle) };
            let file = path.clone();
            match self.patience.person(move || Some(Identity::unlock(&file, &passphrase))).await {
                Some(Ok(key)) => {
                    // The certificate of the key needs no second answer.
                    self.identities[at].private = Private::Ready(key.clone());
                    return Ok(key);
                }
                Some(Err(why)) => obstacle = why,
                None => return Err(obstacle),
            }
        }
        Err(obstacle)
    }

    /// Whether a secret may be sent now; what speaks against it is recorded.
    fn may_send_secret(&mut self, method: &str) -> bool {
        let has_way = self.facts.password_given || self.facts.person_present;
        if has_way && !self.with_passwords {
            self.record(method, None, Answer::Withheld, Some(Obstacle::HostKeyNotKnown), Instant::now());
        }
        has_way && self.with_passwords && !self.secret_sent
    }

    async fn password(&mut self) -> Verdict {
        if !self.may_send_secret("password") {
            return Verdict::Refused;
        }
        let target = &self.exam.target;
        let Some(password) = self.secret(&format!("{}@{}'s password: ", target.user, target.host)).await else {
            return Verdict::Refused;
        };
        self.secret_sent = true;
        let began = Instant::now();
        let credential = Credential::Password(password);
        let presenting = credential.present(&mut self.connection, &target.user);
        match self.patience.bound(presenting).await {
            Ok(outcome) => {
                self.record("password", None, Answer::of(&outcome), None, began);
                self.verdict(outcome, Some(credential))
            }
            Err(cut) => {
                // The library waits for ever after SSH_MSG_USERAUTH_PASSWD_CHANGEREQ (RFC 4252 section 8).
                let unread = self.connection.watch().seen().last_received.is_some_and(|at| at > began);
                self.record("password", None, Answer::Silence, unread.then_some(Obstacle::UnreadAnswer), began);
                self.over(cut, began)
            }
        }
    }

    async fn secret(&self, prompt: &str) -> Option<SecretString> {
        let credentials = &self.exam.target.credentials;
        if credentials.password.is_some() || !credentials.can_ask {
            return credentials.password.clone();
        }
        let (ask, prompt) = (self.exam.ask.clone(), prompt.to_owned());
        self.patience.person(move || ask.secret(&prompt)).await
    }

    async fn keyboard(&mut self) -> Verdict {
        if !self.may_send_secret("keyboard-interactive") {
            return Verdict::Refused;
        }
        let credentials = &self.exam.target.credentials;
        let person = credentials.can_ask.then(|| self.exam.ask.clone());
        let answerer = Answerer { secret: credentials.password.clone(), person };
        let began = Instant::now();
        let talk = keyboard::converse(&mut self.connection, &self.exam.target.user, answerer, &mut self.patience).await;
        self.secret_sent |= talk.answered;
        let (answer, obstacle) = match (talk.cut, talk.stuck) {
            (Some(_), _) => (Answer::Silence, None),
            (None, true) => (Answer::Unfinished, Some(Obstacle::NobodyToAnswer)),
            (None, false) => (Answer::of(&talk.outcome), None),
        };
        self.record("keyboard-interactive", None, answer, obstacle, began);
        if let Some(attempt) = self.facts.attempts.last_mut() {
            attempt.prompts = talk.prompts;
        }
        match (talk.cut, talk.stuck) {
            (Some(cut), _) => self.over(cut, began),
            (None, true) => Verdict::Over,
            (None, false) => self.verdict(talk.outcome, talk.again.map(Credential::KeyboardInteractive)),
        }
    }

    /// Takes note of an outcome; a credential that is accepted and cannot be given again leaves a gap.
    fn verdict(&mut self, outcome: Outcome, credential: Option<Credential>) -> Verdict {
        if outcome.accepted() {
            self.facts.repeatable &= credential.is_some();
            self.accepted.extend(credential);
        }
        match outcome {
            Outcome::Success => Verdict::Accepted,
            Outcome::Partial(methods) => Verdict::Partial(methods),
            Outcome::Refused(methods) => {
                self.facts.wanted = methods;
                Verdict::Refused
            }
            Outcome::Broken(_) => {
                self.ended();
                Verdict::Over
            }
        }
    }

    fn over(&mut self, cut: Cut, began: Instant) -> Verdict {
        self.cut(cut, began);
        Verdict::Over
    }

    fn cut(&mut self, cut: Cut, began: Instant) {
        match cut {
            // A connection that died while we waited for something else is dead, not silent.
            Cut::Deadline if self.connection.is_closed() => self.ended(),
            Cut::Deadline => {
                self.facts.conclusion = Conclusion::Silent;
                self.facts.gave_up_ms = Some(ms(began));
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
        key: Option<super::facts::Key>,
        answer: Answer,
        obstacle: Option<Obstacle>,
        began: Instant,
    ) {
        let method = method.to_owned();
        self.facts.attempts.push(Attempt { method, key, answer, obstacle, prompts: Vec::new(), ms: ms(began) });
    }
}

impl Answer {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Accepted,
            Outcome::Partial(_) => Self::Partial,
            Outcome::Refused(_) => Self::Refused,
            Outcome::Broken(_) => Self::Ended,
        }
    }
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
