//! The public half of a key, as it is shown to the server.

use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_key::public::RsaPublicKey;
use russh::keys::{Algorithm, Certificate, PublicKey};

/// The public key or certificate presented to the server.
#[derive(Debug, Clone)]
pub enum Public {
    /// A bare key.
    Key(PublicKey),
    /// A certificate.
    Certificate(Box<Certificate>),
}

impl Public {
    /// The algorithm of the key itself.
    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Key(key) => key.algorithm(),
            Self::Certificate(certificate) => certificate.algorithm(),
        }
    }

    /// The length of an RSA key, bits.
    pub(crate) fn rsa_bits(&self) -> Option<u32> {
        match self {
            Self::Key(key) => key.key_data().rsa(),
            Self::Certificate(certificate) => certificate.public_key().rsa(),
        }
        .map(RsaPublicKey::key_size)
    }

    /// Returns the name of the key's algorithm in ssh's settings: that of a certificate has a name of its own.
    pub(crate) fn named(&self, algorithm: &Algorithm) -> String {
        match self {
            Self::Key(_) => algorithm.as_str().to_owned(),
            Self::Certificate(_) => algorithm.to_certificate_type(),
        }
    }

    /// The bare key.
    pub(crate) fn key(&self) -> PublicKey {
        match self {
            Self::Key(key) => key.clone(),
            Self::Certificate(certificate) => PublicKey::new(certificate.public_key().clone(), ""),
        }
    }

    /// Returns its identity in an agent that holds it.
    pub(crate) fn identity(&self) -> AgentIdentity {
        match self {
            Self::Key(key) => key.clone().into(),
            Self::Certificate(certificate) => certificate.as_ref().clone().into(),
        }
    }

    pub(crate) fn of(identity: &AgentIdentity) -> Self {
        match identity {
            AgentIdentity::PublicKey { key, comment } => {
                let mut key = key.clone();
                key.set_comment(comment.as_str());
                Self::Key(key)
            }
            AgentIdentity::Certificate { certificate, comment } => {
                let mut certificate = certificate.clone();
                certificate.set_comment(comment.as_str());
                Self::Certificate(Box::new(certificate))
            }
        }
    }

    /// True if both are the same key or the same certificate, comments aside.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Key(one), Self::Key(two)) => one.key_data() == two.key_data(),
            (Self::Certificate(one), Self::Certificate(two)) => {
                one.signature() == two.signature() && one.public_key() == two.public_key()
            }
            _ => false,
        }
    }

    /// True if `key` is the certified key.
    pub(crate) fn certifies(&self, key: &Self) -> bool {
        match (self, key) {
            (Self::Certificate(certificate), Self::Key(key)) => certificate.public_key() == key.key_data(),
            _ => false,
        }
    }
}
