//! The known facts of a connection from inside its encryption.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use russh::keys::ssh_key;
use sha1::{Digest as _, Sha1};
use tokio::sync::Notify;

use super::wait;
use crate::base::text::hex;
use crate::facts::handshake::Negotiated;
use crate::ssh::tap::wire::Disconnect;

/// The notes of one connection, readable while it lives.
#[derive(Debug, Clone, Default)]
pub struct Observations {
    observed: Arc<Mutex<Observed>>,
    pub(super) key_exchange: Arc<Notify>,
}

/// The observations so far.
#[derive(Debug, Default)]
pub struct Observed {
    /// The key or certificate that the server proved to have.
    pub server_key: Option<ServerKey>,
    /// The algorithms agreed on in the first key exchange.
    pub negotiated: Option<Negotiated>,
    /// The time at which each key exchange ended.
    pub key_exchanges: Vec<Instant>,
    /// The text of SSH_MSG_USERAUTH_BANNER, all of them together.
    pub banner: String,
    /// A DISCONNECT inside the encryption, and when it came.
    pub disconnect: Option<(Disconnect, Instant)>,
    /// The library's own reason for ending the connection, and when.
    pub failure: Option<(String, Instant)>,
    /// The refused channels, in the order of the answers; the last ones.
    pub open_failures: VecDeque<OpenFailure>,
}

/// SSH_MSG_CHANNEL_OPEN_FAILURE, RFC 4254 section 5.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFailure {
    /// Our number of the channel: they are given in the order in which channels are asked for.
    pub channel: u32,
    /// Reason code.
    pub code: u32,
    /// The server's text, as it came.
    pub text: String,
}

/// The server's identity as proven in the key exchange.
#[derive(Debug, Clone)]
pub enum ServerKey {
    /// A plain key.
    Key(ssh_key::PublicKey),
    /// A host certificate.
    Certificate(Box<ssh_key::Certificate>),
}

impl ServerKey {
    /// The key itself; that of a certificate is the certified key.
    #[must_use]
    pub fn key_data(&self) -> &ssh_key::public::KeyData {
        match self {
            Self::Key(key) => key.key_data(),
            Self::Certificate(certificate) => certificate.public_key(),
        }
    }

    /// The key's `SHA256:` fingerprint, as ssh prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.key_data().fingerprint(ssh_key::HashAlg::Sha256).to_string()
    }

    /// The key's SHA-1 in hexadecimal digits; none of a key that cannot be written down.
    #[must_use]
    pub fn sha1(&self) -> Option<String> {
        let blob = ssh_key::PublicKey::from(self.key_data().clone()).to_bytes().ok()?;
        Some(hex(&Sha1::digest(blob)))
    }
}

impl Observations {
    /// Returns the observations so far.
    pub fn read(&self) -> MutexGuard<'_, Observed> {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when more than `before` key exchanges have ended.
    pub(super) async fn key_exchange_after(&self, before: usize) {
        wait::until(&self.key_exchange, || (self.read().key_exchanges.len() > before).then_some(())).await;
    }
}
