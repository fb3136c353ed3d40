//! The text that the server says inside the encryption, written down as it comes.

use std::time::Instant;

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, ChannelId, ChannelOpenFailure, Names};

use super::observations::{Observations, OpenFailure, ServerKey};
use crate::facts::handshake::Negotiated;
use crate::ssh::tap::wire::Disconnect;

/// The longest text of the server that is kept, bytes.
const TEXT_BYTES: usize = 4096;
/// Refused channels that are kept.
const OPEN_FAILURES: usize = 64;

/// The handler that russh calls; it only writes down.
#[derive(Debug)]
pub struct ClientHandler {
    observations: Observations,
}

impl ClientHandler {
    pub(super) fn new(observations: Observations) -> Self {
        Self { observations }
    }
}

impl Handler for ClientHandler {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        self.observations.read().server_key = Some(match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => ServerKey::Key(key.clone()),
            PublicKeyOrCertificate::Certificate(certificate) => ServerKey::Certificate(Box::new(certificate.clone())),
        });
        Ok(true)
    }

    async fn kex_done(&mut self, _: Option<&[u8]>, names: &Names, _: &mut Session) -> Result<(), Self::Error> {
        let mut observed = self.observations.read();
        observed.key_exchanges.push(Instant::now());
        observed.negotiated.get_or_insert_with(|| Negotiated {
            kex: names.kex.as_ref().to_owned(),
            host_key: names.key.to_string(),
            cipher: names.cipher.as_ref().to_owned(),
            mac: names.client_mac.as_ref().to_owned(),
            compression: compression(&format!("{:?}", names.client_compression)).to_owned(),
            strict_kex: names.strict_kex(),
        });
        drop(observed);
        self.observations.key_exchange.notify_waiters();
        Ok(())
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut Session) -> Result<(), Self::Error> {
        let mut observed = self.observations.read();
        let room = TEXT_BYTES.saturating_sub(observed.banner.len());
        observed.banner.push_str(&banner[..banner.floor_char_boundary(room)]);
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
        let failures = &mut self.observations.read().open_failures;
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
                self.observations.read().disconnect = Some((Disconnect { code, text }, now));
                Ok(())
            }
            DisconnectReason::Error(error) => {
                self.observations.read().failure = Some((error.to_string(), now));
                Err(error)
            }
        }
    }
}

/// Refuses a channel that the server opens: regardless of the probe's request, this machine offers nothing.
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

/// Returns the protocol's name for a compression (RFC 4253 section 6.2, OpenSSH's PROTOCOL section 1.2), which the
/// library represents only by a type of its own.
fn compression(library: &str) -> &str {
    match library {
        "None" => "none",
        "Zlib" => "zlib",
        "ZlibOpenSSH" => "zlib@openssh.com",
        other => other,
    }
}
