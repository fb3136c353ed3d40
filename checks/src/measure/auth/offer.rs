//! The keys offered, in ssh's own order (`pubkey_prepare`, seen with `ssh -v`).

use std::path::PathBuf;

use jiff::Timestamp;
use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate, HashAlg};

use super::certificate;
use super::identity::Identity;
use crate::base::text::sanitize;
use crate::facts::auth;
use crate::ssh::credential::Public;

/// A key or certificate to offer.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) public: Public,
    /// The file that it comes from.
    pub(super) file: Option<PathBuf>,
    pub(super) holder: Holder,
}

/// The party that has the private half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// The agent.
    Agent,
    /// The agent, which knows the key and not the certificate of it.
    AgentKey,
    /// The identity of that number.
    File(usize),
    /// Nobody that we know.
    Nobody,
}

/// Every key that ssh would offer, in its order and once each: certificates that the user named, configured keys that the
/// agent holds, the agent's other keys unless only configured ones may be offered, then the other key files.
pub(super) fn order(
    identities: &[Identity],
    certificates: &[(PathBuf, Certificate)],
    agent: &[AgentIdentity],
    identities_only: bool,
) -> Vec<Offer> {
    let mut files: Vec<Offer> =
        identities.iter().enumerate().flat_map(|(at, identity)| of_file(at, identity)).collect();
    let named = certificates.iter().map(|(path, certificate)| Offer {
        public: Public::Certificate(Box::new(certificate.clone())),
        file: Some(path.clone()),
        holder: Holder::Nobody,
    });
    let mut offers: Vec<Offer> = named.collect();
    let mut others = Vec::new();
    for public in agent.iter().map(Public::of) {
        if let Some(at) = files.iter().position(|offer| offer.public.is(&public)) {
            offers.push(Offer { holder: Holder::Agent, ..files.remove(at) });
        } else if !identities_only {
            others.push(Offer { public, file: None, holder: Holder::Agent });
        }
    }
    offers.append(&mut others);
    offers.append(&mut files);
    let mut once: Vec<Offer> = Vec::new();
    for offer in offers {
        if !once.iter().any(|before| before.public.is(&offer.public)) {
            once.push(offer);
        }
    }
    for at in 0..once.len() {
        if matches!(once[at].public, Public::Certificate(_)) && once[at].holder != Holder::Agent {
            once[at].holder = match once.iter().find(|key| once[at].public.certifies(&key.public)).map(|key| key.holder)
            {
                Some(Holder::Agent) => Holder::AgentKey,
                Some(holder) => holder,
                None => once[at].holder,
            };
        }
    }
    once
}

fn of_file(at: usize, identity: &Identity) -> Vec<Offer> {
    let key = identity.public.clone().map(Public::Key);
    let certificate = identity.certificate.clone().filter(|certificate| certificate.cert_type() == CertType::User);
    key.into_iter()
        .chain(certificate.map(|certificate| Public::Certificate(Box::new(certificate))))
        .map(|public| Offer { public, file: Some(identity.path.clone()), holder: Holder::File(at) })
        .collect()
}

impl Offer {
    /// The key as a fact.
    pub(super) fn fact(&self, hash: Option<HashAlg>, user: &str, now: Timestamp) -> auth::Key {
        let (data, comment) = match &self.public {
            Public::Key(key) => (key.key_data(), key.comment().as_str_lossy()),
            Public::Certificate(certificate) => (certificate.public_key(), certificate.comment()),
        };
        let algorithm = match self.public.algorithm() {
            Algorithm::Rsa { .. } => Algorithm::Rsa { hash },
            algorithm => algorithm,
        };
        auth::Key {
            algorithm: sanitize(algorithm.as_str()),
            fingerprint: data.fingerprint(HashAlg::Sha256).to_string(),
            comment: sanitize(comment),
            file: self.file.clone(),
            in_agent: matches!(self.holder, Holder::Agent | Holder::AgentKey),
            certificate: match &self.public {
                Public::Key(_) => None,
                Public::Certificate(certificate) => Some(certificate::read(certificate, user, now)),
            },
            needs_touch: algorithm.as_str().starts_with("sk-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Holder, order};
    use crate::facts::auth::KeyProblem;
    use crate::measure::auth::identity::{Identity, Private};
    use crate::ssh::credential::Public;
    use russh::keys::PrivateKey;
    use russh::keys::agent::AgentIdentity;
    use russh::keys::ssh_key::certificate::Builder;
    use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
    use russh::keys::{Certificate, PublicKey};
    use std::sync::Arc;

    fn private(seed: u8) -> PrivateKey {
        PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[seed; 32])), "").unwrap()
    }

    fn public(seed: u8) -> PublicKey {
        private(seed).public_key().clone()
    }

    fn certificate(seed: u8) -> Certificate {
        let mut builder = Builder::new([seed; 16], public(seed), 0, u64::MAX >> 1).unwrap();
        builder.valid_principal("me").unwrap();
        builder.sign(&private(99)).unwrap()
    }

    fn identity(seed: u8, certificate: Option<Certificate>) -> Identity {
        Identity {
            path: format!("id{seed}").into(),
            explicit: true,
            public: Some(public(seed)),
            private: Private::Ready(Arc::new(private(seed))),
            certificate,
        }
    }

    fn held(seed: u8) -> AgentIdentity {
        public(seed).into()
    }

    /// The offers as `k1`, `c1` for the key or certificate of seed 1, with the holder.
    fn told(offers: &[super::Offer]) -> Vec<(String, Holder)> {
        let seed = |key: &PublicKey| (0..=255).find(|seed| public(*seed).key_data() == key.key_data()).unwrap();
        offers
            .iter()
            .map(|offer| match &offer.public {
                Public::Key(key) => (format!("k{}", seed(key)), offer.holder),
                Public::Certificate(_) => (format!("c{}", seed(&offer.public.key())), offer.holder),
            })
            .collect()
    }

    #[test]
    fn configured_keys_in_the_agent_come_first_then_the_agents_others_then_files() {
        let files = [identity(1, Some(certificate(1))), identity(2, None)];
        let agent = [held(3), held(2)];
        let expected = [
            ("k2".to_owned(), Holder::Agent),
            ("k3".to_owned(), Holder::Agent),
            ("k1".to_owned(), Holder::File(0)),
            ("c1".to_owned(), Holder::File(0)),
        ];
        assert_eq!(told(&order(&files, &[], &agent, false)), expected);
        let only: Vec<_> = expected.iter().filter(|(name, _)| name != "k3").cloned().collect();
        assert_eq!(told(&order(&files, &[], &agent, true)), only);
    }

    #[test]
    fn named_certificates_come_first_and_find_who_can_sign() {
        let named = [("a-cert.pub".into(), certificate(1)), ("b-cert.pub".into(), certificate(2))];
        let offers = order(&[identity(1, None), identity(2, None)], &named, &[held(1)], false);
        let expected = [
            ("c1".to_owned(), Holder::AgentKey),
            ("c2".to_owned(), Holder::File(1)),
            ("k1".to_owned(), Holder::Agent),
            ("k2".to_owned(), Holder::File(1)),
        ];
        assert_eq!(told(&offers), expected);
    }

    #[test]
    fn each_key_is_offered_once() {
        let twice = [identity(1, None), identity(1, None)];
        assert_eq!(told(&order(&twice, &[], &[held(2), held(2)], false)).len(), 2);
    }

    #[test]
    fn an_identity_that_hides_its_public_half_is_not_offered_yet() {
        let hidden = Identity { public: None, private: Private::Not(KeyProblem::Encrypted), ..identity(1, None) };
        assert!(order(&[hidden], &[], &[], false).is_empty());
    }
}
