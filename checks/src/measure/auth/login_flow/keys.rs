//! Public keys: the offers, and the means to sign.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use russh::keys::{Algorithm, HashAlg, PrivateKey};

use super::{LoginFlow, MethodOutcome};
use crate::base::ask::Question;
use crate::facts::auth::{AuthAnswer, KeyFile, KeyProblem, Steps};
use crate::measure::auth::identity::{self, Identity, Private};
use crate::measure::auth::offer::{self, Holder, Offer};
use crate::ssh::connection::Connection;
use crate::ssh::credential::{Credential, Half, Key, Offered, Public, agent};

/// The most keys that are offered; ssh itself reads at most 100 identity files.
const KEYS: usize = 100;
/// The number of prompts for a passphrase (`NumberOfPasswordPrompts`, ssh_config(5)).
const PASSPHRASES: usize = 3;

impl LoginFlow<'_> {
    pub(super) async fn keys(&mut self) -> MethodOutcome {
        if self.offers.is_none() {
            self.offers = Some(self.survey().await);
        }
        while let Some(offer) = self.offers.as_mut().and_then(VecDeque::pop_front) {
            match self.key(&offer).await {
                MethodOutcome::Refused => {}
                verdict => return verdict,
            }
        }
        self.locked_keys().await
    }

    /// Offers the keys that show not even their public half without their passphrase.
    async fn locked_keys(&mut self) -> MethodOutcome {
        let hidden = |identity: &Identity| {
            identity.public.is_none() && matches!(identity.private, Private::Not(KeyProblem::Encrypted))
        };
        while let (true, Some(at)) = (self.ctx.target.credentials.can_ask, self.identities.iter().position(hidden)) {
            let opened = self.unlock(at).await;
            let identity = &mut self.identities[at];
            match opened {
                Ok(key) => {
                    let public = key.public_key().clone();
                    identity.public = Some(public.clone());
                    let file = Some(identity.path.clone());
                    let offer = Offer { public: Public::Key(public), file, holder: Holder::File(at) };
                    match self.key(&offer).await {
                        MethodOutcome::Refused => {}
                        verdict => return verdict,
                    }
                }
                // Once is enough: a person who does not know it now will not know it for the next factor.
                Err(_) => identity.private = Private::Not(KeyProblem::WrongPassphrase),
            }
        }
        MethodOutcome::Refused
    }

    /// Reads the key files and asks the agent.
    async fn survey(&mut self) -> VecDeque<Offer> {
        let credentials = &self.ctx.target.credentials;
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
                Err(obstacle) => self.facts.files.push(KeyFile {
                    path: path.clone(),
                    explicit: true,
                    fingerprint: None,
                    obstacle: Some(obstacle),
                }),
            }
        }
        let binding = self.connection.handle().agent_session_binding().cloned();
        let (agent, held) = agent::list(credentials.agent.as_deref(), binding.as_ref(), &mut self.clock).await;
        self.facts.agent = agent;
        let mut offers = offer::order(&self.identities, &certificates, &held, credentials.identities_only);
        if credentials.unattended() {
            // ssh is asked about these, and only before any key is refused.
            let needs_ssh = |offer: &Offer| matches!(self.half(offer), Half::Not(KeyProblem::HardwareKey));
            offers.sort_by_key(|offer| !needs_ssh(offer));
        }
        offers.into_iter().take(KEYS).collect()
    }

    /// Offers one key; asks for its passphrase only when the server would take it, as ssh does.
    async fn key(&mut self, offer: &Offer) -> MethodOutcome {
        let began = Instant::now();
        let target = &self.ctx.target;
        let uses = (&*target.credentials.accepted, target.required_rsa_bits);
        let hash = match self.clock.bound(hash_of(&offer.public, uses, &mut self.connection)).await {
            Ok(hash) => hash,
            Err(cut) => return self.over(cut, began),
        };
        let fact = offer.fact(hash.as_ref().ok().copied().flatten(), &self.ctx.target.user, jiff::Timestamp::now());
        let hash = match hash {
            Ok(hash) => hash,
            Err(obstacle) => {
                self.record("publickey", Some(fact), AuthAnswer::Withheld, Some(obstacle), began);
                return MethodOutcome::Refused;
            }
        };
        let mut key = Key { public: offer.public.clone(), hash, half: self.half(offer) };
        let mut steps = Steps::default();
        loop {
            let offering = key.offer(&mut self.connection, &self.ctx.target.user, &mut steps);
            match self.clock.bound(offering).await {
                Ok(Offered::Answer(outcome)) => {
                    self.record("publickey", Some(fact), AuthAnswer::of(&outcome), None, began);
                    self.record_steps(steps);
                    return self.verdict(outcome, Credential::Key(Box::new(key)));
                }
                Ok(Offered::Wanted(KeyProblem::Encrypted)) if self.ctx.target.credentials.can_ask => {
                    let Holder::File(at) = offer.holder else { return MethodOutcome::Refused };
                    match self.unlock(at).await {
                        Ok(opened) => key.half = Half::File(opened),
                        Err(obstacle) => {
                            self.record("publickey", Some(fact), AuthAnswer::Unfinished, Some(obstacle), began);
                            return MethodOutcome::Refused;
                        }
                    }
                }
                Ok(Offered::Wanted(obstacle)) => {
                    let is_on_security_key = obstacle == KeyProblem::HardwareKey;
                    self.record("publickey", Some(fact), AuthAnswer::Unfinished, Some(obstacle), began);
                    let is_left = is_on_security_key && self.is_security_key_left_to_ssh().await;
                    return if is_left { MethodOutcome::Over } else { MethodOutcome::Refused };
                }
                Err(cut) => {
                    self.record("publickey", Some(fact), AuthAnswer::Silence, None, began);
                    return self.over(cut, began);
                }
            }
        }
    }

    fn half(&self, offer: &Offer) -> Half {
        match (offer.holder, &self.ctx.target.credentials.agent) {
            (Holder::Agent, Some(socket)) => Half::Agent(socket.clone(), Box::new(offer.public.identity())),
            (Holder::AgentKey, Some(socket)) => Half::Agent(socket.clone(), Box::new(offer.public.key().into())),
            (Holder::File(at), _) => match &self.identities[at].private {
                Private::Ready(key) => Half::File(key.clone()),
                Private::Not(obstacle) => Half::Not(obstacle.clone()),
            },
            (Holder::Agent | Holder::AgentKey, None) | (Holder::Nobody, _) => Half::Not(KeyProblem::NoPrivateHalf),
        }
    }

    /// Asks for the passphrase of an identity, as often as ssh does.
    async fn unlock(&mut self, at: usize) -> Result<Arc<PrivateKey>, KeyProblem> {
        let path = self.identities[at].path.clone();
        let mut obstacle = KeyProblem::Encrypted;
        for _ in 0..PASSPHRASES {
            let ask = self.ctx.ask.clone();
            let question = Question::Ours(format!("Passphrase for {}: ", path.display()));
            let passphrase = self.clock.person(move || ask.secret(&question)).await;
            let Some(passphrase) = passphrase else { return Err(obstacle) };
            let file = path.clone();
            match self.clock.person(move || Some(Identity::unlock(&file, &passphrase))).await {
                Some(Ok(key)) => {
                    // The certificate of the key needs no second answer.
                    self.identities[at].private = Private::Ready(key.clone());
                    return Ok(key);
                }
                Some(Err(KeyProblem::WrongPassphrase)) => obstacle = KeyProblem::WrongPassphrase,
                Some(Err(why)) => return Err(why),
                None => return Err(obstacle),
            }
        }
        Err(obstacle)
    }
}

/// The hash to sign an RSA key with, none for SHA-1 and for other keys; an obstacle where ssh would not sign with this key, by the
/// algorithms that it accepts or the length in bits that it requires of RSA keys.
///
/// Without `server-sig-algs` (RFC 8308) ssh signs RSA with SHA-1 or not at all, and since OpenSSH 8.8 not at all.
async fn hash_of(
    public: &Public,
    (accepted, required): (&[String], u32),
    connection: &mut Connection,
) -> Result<Option<HashAlg>, KeyProblem> {
    if let Some(bits) = public.rsa_bits().filter(|bits| *bits < required) {
        return Err(KeyProblem::TooShort { bits, required });
    }
    let accepts = |algorithm: &Algorithm| accepted.iter().any(|name| *name == public.named(algorithm));
    if !matches!(public.algorithm(), Algorithm::Rsa { .. }) {
        let used = accepted.is_empty() || accepts(&public.algorithm());
        return if used { Ok(None) } else { Err(KeyProblem::NotAccepted) };
    }
    let ours = [Some(HashAlg::Sha512), Some(HashAlg::Sha256), None].map(|hash| (hash, Algorithm::Rsa { hash }));
    let usual = |hash: Option<HashAlg>| accepted.is_empty() && hash.is_some();
    let ours = ours.into_iter().filter(|(hash, algorithm)| usual(*hash) || accepts(algorithm)).map(|(hash, _)| hash);
    let ours: Vec<_> = ours.collect();
    if ours.is_empty() {
        return Err(KeyProblem::NotAccepted);
    }
    let (theirs, lacking): (&[_], _) = match connection.handle().best_supported_rsa_hash().await {
        // A server that has SHA-512 has SHA-256 too (RFC 8332 defines them together).
        Ok(Some(Some(HashAlg::Sha512))) => (&[Some(HashAlg::Sha512), Some(HashAlg::Sha256)], KeyProblem::NotAccepted),
        Ok(Some(Some(_))) => (&[Some(HashAlg::Sha256)], KeyProblem::NotAccepted),
        Ok(Some(None)) => (&[None], KeyProblem::OnlySha1),
        Ok(None) | Err(_) => (&[None], KeyProblem::NoSha2),
    };
    ours.into_iter().find(|hash| theirs.contains(hash)).ok_or(lacking)
}
