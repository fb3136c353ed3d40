//! What the server says inside the encryption, written down as it comes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::{PublicKeyOrCertificate, ssh_key};
use russh::{Channel, ChannelId, ChannelOpenFailure, Names};
use sha1::{Digest as _, Sha1};
use tokio::sync::Notify;

use crate::tap::Disconnect;
use crate::text::hex;

/// The longest text of the server that is kept, bytes.
const TEXT_BYTES: usize = 4096;
/// Refused channels that are kept.
const OPEN_FAILURES: usize = 64;

/// The notes of one connection, readable while it lives.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    noted: Arc<Mutex<Noted>>,
    key_exchange: Arc<Notify>,
}

/// What was noted so far.
#[derive(Debug, Default)]
pub struct Noted {
    /// The key or certificate that the server proved to have.
    pub server_key: Option<ServerKey>,
    /// What was agreed on in the first key exchange.
    pub negotiated: Option<Negotiated>,
    /// When each key exchange ended.
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

/// What both sides agreed on.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Negotiated {
    /// Key exchange method.
    pub kex: String,
    /// Host key algorithm.
    pub host_key: String,
    /// Cipher.
    pub cipher: String,
    /// MAC from client to server; of no meaning with an authenticated cipher.
    pub mac: String,
    /// Compression from client to server.
    pub compression: String,
    /// Strict key exchange, the counter-measure to Terrapin (CVE-2023-48795).
    pub strict_kex: bool,
}

impl Notes {
    /// What was noted so far.
    pub fn read(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when more than `before` key exchanges have ended.
    pub(super) async fn key_exchange_after(&self, before: usize) {
        let mut next = std::pin::pin!(self.key_exchange.notified());
        loop {
            // Listening before looking: one that ends in between is not missed.
            next.as_mut().enable();
            if self.read().key_exchanges.len() > before {
                return;
            }
            next.as_mut().await;
            next.set(self.key_exchange.notified());
        }
    }
}

/// The handler that russh calls; it only writes down.
#[derive(Debug)]
pub struct Witness {
    notes: Notes,
}

impl Witness {
    pub(super) fn new(notes: Notes) -> Self {
        Self { notes }
    }
}

impl Handler for Witness {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        self.notes.read().server_key = Some(match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => ServerKey::Key(key.clone()),
            PublicKeyOrCertificate::Certificate(certificate) => ServerKey::Certificate(Box::new(certificate.clone())),
        });
        Ok(true)
    }

    async fn kex_done(&mut self, _: Option<&[u8]>, names: &Names, _: &mut Session) -> Result<(), Self::Error> {
        let mut noted = self.notes.read();
        noted.key_exchanges.push(Instant::now());
        noted.negotiated.get_or_insert_with(|| Negotiated {
            kex: names.kex.as_ref().to_owned(),
            host_key: names.key.to_string(),
            cipher: names.cipher.as_ref().to_owned(),
            mac: names.client_mac.as_ref().to_owned(),
            compression: format!("{:?}", names.client_compression).to_lowercase(),
            strict_kex: names.strict_kex(),
        });
        drop(noted);
        self.notes.key_exchange.notify_waiters();
        Ok(())
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut Session) -> Result<(), Self::Error> {
        let mut noted = self.notes.read();
        let room = TEXT_BYTES.saturating_sub(noted.banner.len());
        noted.banner.push_str(&banner[..banner.floor_char_boundary(room)]);
        Ok(())
    }

    async fn channel_open_failure(
        &mut self,
        channel: ChannelId,
        reason: ChannelOpenFailure,
        description: &str,
        _: &str,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        let text = description[..description.floor_char_boundary(TEXT_BYTES)].to_owned();
        let failures = &mut self.notes.read().open_failures;
        failures.push_back(OpenFailure { channel: channel.into(), code: reason_code(&reason), text });
        if failures.len() > OPEN_FAILURES {
            failures.pop_front();
        }
        Ok(())
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn server_channel_open_x11(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn server_channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        refuse(reply).await
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Self::Error>) -> Result<(), Self::Error> {
        let now = Instant::now();
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                let mut text = info.message;
                text.truncate(text.floor_char_boundary(TEXT_BYTES));
                let code = info.reason_code as u32;
                self.notes.read().disconnect = Some((Disconnect { code, text }, now));
                Ok(())
            }
            DisconnectReason::Error(error) => {
                self.notes.read().failure = Some((error.to_string(), now));
                Err(error)
            }
        }
    }
}

/// A channel that the server opens leads nowhere: whatever was asked for in a probe, nothing of this machine is offered.
async fn refuse(reply: ChannelOpenHandle) -> Result<(), russh::Error> {
    reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
    Ok(())
}

/// The reason codes of RFC 4254 section 5.1.
fn reason_code(reason: &ChannelOpenFailure) -> u32 {
    match reason {
        ChannelOpenFailure::AdministrativelyProhibited => 1,
        ChannelOpenFailure::ConnectFailed => 2,
        ChannelOpenFailure::UnknownChannelType => 3,
        ChannelOpenFailure::ResourceShortage => 4,
        ChannelOpenFailure::Other { code, .. } => *code,
    }
}
