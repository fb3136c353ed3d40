//! Versions and keys are exchanged over a stream that is watched.

use std::sync::Arc;
use std::time::Duration;

use russh::client::GexParams;
use russh::{Preferred, client};

use super::abandoned::ResetOnDrop;
use super::algorithms::{Shortfall, preferred};
use super::client_handler::ClientHandler;
use super::connection::Connection;
use super::observations::Observations;
use super::replies::Replies;
use super::tap::{Tap, Watch};
use super::transport::Transport;
use crate::base::target::Target;
use crate::base::text::sanitize;
use crate::os::pause::timeout;

/// The way we name ourselves in the version exchange.
const CLIENT_ID: &str = concat!("SSH-2.0-ssh-doctor_", env!("CARGO_PKG_VERSION"));

/// Messages of one channel that wait for us at most.
const CHANNEL_MESSAGES: usize = 16;

/// The reason why a handshake did not end in a connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotConnected {
    /// Our deadline passed first.
    #[error("no answer in time")]
    Deadline,
    /// Our library speaks none of a kind that the target's own client offers; the [`Watch`] has the server's offer.
    #[error("our SSH library speaks none of the {} on offer", .0.setting)]
    Library(Shortfall),
    /// The library's error; the [`Watch`] tells what really happened.
    #[error("{}", sanitize(&.0.to_string()))]
    Failed(russh::Error),
}

/// Exchanges versions and keys over `transport`. The watch outlives a failure.
///
/// Any host key is accepted here and only noted: nothing is sent to the server that depends on trust before
/// the hostkey check has had its say.
pub(crate) async fn connect(
    transport: Transport,
    target: &Target,
    deadline: Duration,
) -> (Watch, Result<Connection, NotConnected>) {
    let (stream, watch) = Tap::new(transport);
    let result = connect_watched(stream, &watch, target, deadline).await;
    (watch, result)
}

/// As [`connect`], over a stream that is watched already: the watch can be read meanwhile.
pub(crate) async fn connect_watched(
    stream: Tap<Transport>,
    watch: &Watch,
    target: &Target,
    deadline: Duration,
) -> Result<Connection, NotConnected> {
    let (socket, via) = (stream.get_ref().socket().map(Arc::new), stream.get_ref().via());
    let mut cut_short = ResetOnDrop(stream.get_ref().socket());
    let (observations, record) = (Observations::default(), stream.get_ref().record());
    record.watched(watch, &observations, socket.as_ref());
    let (preferred, lacking) = match preferred(target) {
        Ok(preferred) => (preferred, None),
        // The server's list is in plain text, and comes whatever we offer: with it the mismatch can be judged.
        Err(lacking) => (Preferred::DEFAULT, Some(lacking)),
    };
    let config = Arc::new(client::Config {
        client_id: russh::SshId::Standard(CLIENT_ID.into()),
        // Silence must be silence: no rekey by time. 1 GiB each way is the library's upper bound.
        limits: russh::Limits::new(1 << 30, 1 << 30, Duration::from_secs(u64::from(u32::MAX))),
        preferred,
        inactivity_timeout: None,
        keepalive_interval: None,
        // OpenSSH's client accepts 2048-bit groups (DH_GRP_MIN); the library's default of 3072 would refuse old devices.
        // A server that ignores windows fills this many messages of 256 KiB for each channel, and then waits for us.
        channel_buffer_size: CHANNEL_MESSAGES,
        gex: GexParams::new(2048, 8192, 8192).unwrap_or_default(),
        ..client::Config::default()
    });
    let connecting = Box::pin(client::connect_stream(config, stream, ClientHandler::new(observations.clone())));
    let connected = async {
        let Some(lacking) = lacking else { return connecting.await.map_err(NotConnected::Failed) };
        tokio::select! {
            biased;
            () = watch.until(|seen| seen.server.kexinit.is_some()) => Err(NotConnected::Library(lacking)),
            Err(error) = connecting => Err(NotConnected::Failed(error)),
        }
    };
    let Ok(answered) = timeout(deadline, connected).await else { return Err(NotConnected::Deadline) };
    cut_short.0 = None;
    Ok(Connection {
        handle: answered?,
        watch: watch.clone(),
        observations,
        socket,
        via,
        record,
        replies: Replies::default(),
    })
}
