//! One way to prove who we are, ready to be presented again.

pub(crate) mod agent;
pub(crate) mod clock;
pub(crate) mod keyboard;
pub(crate) mod link;
mod outcome;
mod public;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use russh::SendError;
use russh::keys::agent::{AgentIdentity, AgentSessionBinding};
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{HashAlg, PrivateKey};
use secrecy::{ExposeSecret, SecretString};

pub use outcome::CredentialOutcome;
pub use public::Public;

use super::connection::Connection;
use crate::base::elapsed::ms_since;
use crate::facts::auth::{KeyProblem, Steps};
use clock::Clock;
use keyboard::Answerer;

/// One accepted credential; a login with several factors has several.
#[derive(Debug, Clone)]
pub enum Credential {
    /// The server requires no credential.
    None,
    /// A key, or a certificate of it.
    Key(Box<Key>),
    /// A password.
    Password(SecretString),
    /// A password as the answer to the one question of keyboard-interactive.
    KeyboardInteractive(SecretString),
    /// Answers of a person that are good only once.
    Once,
}

/// A key and its signer.
#[derive(Clone)]
pub struct Key {
    pub(crate) public: Public,
    /// The hash of an RSA signature.
    pub(crate) hash: Option<HashAlg>,
    pub(crate) half: Half,
}

/// The private half of a key.
#[derive(Clone)]
pub(crate) enum Half {
    /// In memory.
    File(Arc<PrivateKey>),
    /// In the agent behind that socket, which knows it as that.
    Agent(PathBuf, Box<AgentIdentity>),
    /// Not available, for this reason: the server can still be asked whether it would take the key.
    Not(KeyProblem),
}

/// The result of offering a key.
#[derive(Debug)]
pub(crate) enum Offered {
    /// The server's answer.
    Answer(CredentialOutcome),
    /// The server would take the key, and this kept us from signing.
    Wanted(KeyProblem),
}

impl Credential {
    /// Presents this credential for `user` on `connection`; the caller has the deadline.
    pub async fn present(&self, connection: &mut Connection, user: &str) -> CredentialOutcome {
        let asking = connection.watch().asking();
        match self {
            Self::Once => CredentialOutcome::Broken("the answers were good only once".into()),
            Self::None => match connection.handle().authenticate_none(user).await {
                Ok(result) => CredentialOutcome::of(result, &asking, connection).await,
                Err(error) => CredentialOutcome::Broken(error.to_string()),
            },
            Self::Key(key) => match key.offer(connection, user, &mut Steps::default()).await {
                Offered::Answer(outcome) => outcome,
                Offered::Wanted(obstacle) => CredentialOutcome::Broken(obstacle.words()),
            },
            Self::Password(password) => {
                match connection.handle().authenticate_password(user, password.expose_secret()).await {
                    Ok(result) => CredentialOutcome::of(result, &asking, connection).await,
                    Err(error) => CredentialOutcome::Broken(error.to_string()),
                }
            }
            Self::KeyboardInteractive(password) => {
                let answerer = Answerer { secret: Some(password.clone()), person: None };
                keyboard::converse(connection, user, "", answerer, &mut Clock::of_the_caller()).await.outcome
            }
        }
    }

    /// True if it can be presented again without asking a person.
    #[must_use]
    pub fn repeatable(&self) -> bool {
        !matches!(self, Self::Once)
    }

    /// True if each presentation needs a person to touch a security key.
    #[must_use]
    pub fn needs_touch(&self) -> bool {
        matches!(self, Self::Key(key) if key.public.algorithm().as_str().starts_with("sk-"))
    }
}

impl Key {
    /// Asks whether the server would take the key, and signs only then; notes how long each step took.
    pub(crate) async fn offer(&self, connection: &mut Connection, user: &str, steps: &mut Steps) -> Offered {
        let binding = connection.handle().agent_session_binding().cloned();
        *steps = Steps::default();
        let mut signer = Signer { half: &self.half, binding, step_began: Instant::now(), steps };
        let asking = connection.watch().asking();
        let handle = connection.handle();
        let result = match &self.public {
            Public::Key(key) => handle.authenticate_publickey_with(user, key.clone(), self.hash, &mut signer).await,
            Public::Certificate(certificate) => {
                handle.authenticate_certificate_with(user, certificate.as_ref().clone(), self.hash, &mut signer).await
            }
        };
        signer.decided();
        match result {
            Ok(result) => Offered::Answer(CredentialOutcome::of(result, &asking, connection).await),
            Err(Unsigned::Obstacle(obstacle)) => Offered::Wanted(obstacle),
            Err(Unsigned::Send(error)) => Offered::Answer(CredentialOutcome::Broken(error.to_string())),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Key").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Signs when the server has said that it would take the key.
struct Signer<'k> {
    half: &'k Half,
    binding: Option<AgentSessionBinding>,
    step_began: Instant,
    steps: &'k mut Steps,
}

impl Signer<'_> {
    /// The time of the step that ends now, milliseconds.
    fn step(&mut self) -> f64 {
        let began = std::mem::replace(&mut self.step_began, Instant::now());
        ms_since(began)
    }

    /// Notes the server's last answer: to the signature, or to the query where none was wanted.
    fn decided(&mut self) {
        let took = Some(self.step());
        let last = if self.steps.query_ms.is_none() { &mut self.steps.query_ms } else { &mut self.steps.decision_ms };
        *last = took;
    }
}

/// The reason why there is no signature.
enum Unsigned {
    Send(SendError),
    Obstacle(KeyProblem),
}

impl From<SendError> for Unsigned {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl russh::Signer for Signer<'_> {
    type Error = Unsigned;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, Self::Error> {
        self.steps.query_ms = Some(self.step());
        let signature = match self.half {
            Half::File(private) => signed(private, hash, data),
            Half::Agent(socket, key) => agent::sign(socket, self.binding.as_ref(), key, hash, data).await,
            Half::Not(obstacle) => Err(obstacle.clone()),
        };
        self.steps.signing_ms = Some(self.step());
        signature.map_err(Unsigned::Obstacle)
    }
}

/// `data` with its signature behind it, as SSH_MSG_USERAUTH_REQUEST wants it (RFC 4252 section 7).
fn signed(private: &PrivateKey, hash: Option<HashAlg>, mut data: Vec<u8>) -> Result<Vec<u8>, KeyProblem> {
    let signature = match private.key_data() {
        KeypairData::Rsa(key) => (key, hash).try_sign(&data),
        key => key.try_sign(&data),
    };
    signature
        .ok()
        .and_then(|signature| {
            let mut blob = Vec::new();
            signature.encode(&mut blob).ok()?;
            blob.encode(&mut data).ok()?;
            Some(data)
        })
        .ok_or_else(|| KeyProblem::Unreadable { error: "it does not sign".into() })
}
