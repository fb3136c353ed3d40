//! One SSH connection, with a witness in it: every wait has a deadline, and nothing russh reports is taken for the cause.

mod algorithms;
mod channels;
mod ending;
mod notes;
mod run;
mod witness;

use std::sync::Arc;
use std::time::{Duration, Instant};

use russh::client::{self, GexParams, Handle, Msg};
use russh::{ChannelStream, Preferred};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

pub(crate) use algorithms::{Shortfall, authenticates, library_speaks, preferred};
pub(crate) use channels::{Kind, Opened, answers};
pub(crate) use ending::{Ending, Manner};
pub(crate) use notes::{Negotiated, Notes, OpenFailure, ServerKey};
pub(crate) use run::{GaveUp, Patience, Ran, Running};
pub(crate) use witness::Witness;

use crate::dial::{Route, Transport};
use crate::jump::Via;
use crate::socket::Socket;
use crate::tap::{Tap, Watch};
use crate::target::Target;
use crate::text::shown;

/// How we name ourselves in the version exchange.
const CLIENT_ID: &str = concat!("SSH-2.0-ssh-doctor_", env!("CARGO_PKG_VERSION"));

/// How often it is looked whether the library has given a connection up.
const GLANCE: Duration = Duration::from_millis(5);

/// A connection past its key exchange.
pub struct Connection {
    handle: Handle<Witness>,
    watch: Watch,
    notes: Notes,
    socket: Option<Socket>,
    via: Option<Via>,
}

/// Why a handshake did not end in a connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotConnected {
    /// Our deadline passed first.
    #[error("no answer in time")]
    Deadline,
    /// Our library speaks none of a kind that the target's own client offers; the [`Watch`] has the server's offer.
    #[error("our SSH library speaks none of the {} on offer", .0.setting)]
    Library(Shortfall),
    /// The library's error; the [`Watch`] tells what really happened.
    #[error("{}", shown(&.0.to_string()))]
    Failed(russh::Error),
}

/// Why a hop did not carry a connection on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NotForwarded {
    /// It refused (RFC 4254 section 5.1).
    #[error("refused: {text} (reason {code})")]
    Refused {
        /// The reason code.
        code: u32,
        /// Its text, escaped.
        text: String,
    },
    /// It did not answer in time.
    #[error("no answer in time")]
    Deadline,
    /// The connection to the hop ended.
    #[error("the connection to the hop ended")]
    Gone,
}

/// The answer to a keepalive request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The server answered, after this long.
    Alive(Duration),
    /// No answer before the deadline.
    Silent,
    /// The connection was already closed, or closed while we waited.
    Gone,
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
    let (socket, via) = (stream.get_ref().socket(), stream.get_ref().via());
    let notes = Notes::default();
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
        gex: GexParams::new(2048, 8192, 8192).unwrap_or_default(),
        ..client::Config::default()
    });
    let connecting = Box::pin(client::connect_stream(config, stream, Witness::new(notes.clone())));
    let connected = async {
        let Some(lacking) = lacking else { return connecting.await.map_err(NotConnected::Failed) };
        tokio::select! {
            biased;
            () = watch.until(|seen| seen.server.kexinit.is_some()) => Err(NotConnected::Library(lacking)),
            Err(error) = connecting => Err(NotConnected::Failed(error)),
        }
    };
    let handle = timeout(deadline, connected).await.unwrap_or(Err(NotConnected::Deadline))?;
    Ok(Connection { handle, watch: watch.clone(), notes, socket, via })
}

impl Connection {
    /// The library's handle, for authentication.
    pub fn handle(&mut self) -> &mut Handle<Witness> {
        &mut self.handle
    }

    /// What the tap saw.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// What the server said inside the encryption.
    #[must_use]
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// The kernel's view, where the connection is a socket of ours.
    #[must_use]
    pub fn socket(&self) -> Option<&Socket> {
        self.socket.as_ref()
    }

    /// The connection to the hop that carries this one, where one does.
    #[must_use]
    pub fn via(&self) -> Option<&Via> {
        self.via.as_ref()
    }

    /// True when the library has given the connection up.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Returns once the library has given the connection up. It tells nobody, so it is looked at now and then: not for long waits.
    pub(crate) async fn closed(&self) {
        while !self.is_closed() {
            sleep(GLANCE).await;
        }
    }

    /// How the connection ended, if it did; where that is the end of the connection to a hop that carried it, how that one did.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        let own = Ending::of(&self.watch, &self.notes)?;
        let of_hop = || self.via.as_ref().and_then(|via| via.connection().ending());
        if own.manner == Manner::Fin { of_hop().or(Some(own)) } else { Some(own) }
    }

    /// How old the connection is.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.watch.seen().opened.elapsed()
    }

    /// Since when nothing has moved on the connection, either way.
    #[must_use]
    pub fn quiet_since(&self) -> Instant {
        let seen = self.watch.seen();
        seen.last_received.max(seen.last_sent).unwrap_or(seen.opened)
    }

    /// Opens a connection from the server on to `host` (direct-tcpip, RFC 4254 section 7.2); on a refusal its code and text.
    pub(crate) async fn forward(
        &self,
        host: &str,
        port: u16,
        deadline: Duration,
    ) -> Result<ChannelStream<Msg>, NotForwarded> {
        // The originator that `ssh -W` names.
        let opening = self.handle.channel_open_direct_tcpip(host, port.into(), "127.0.0.1", 65535);
        match timeout(deadline, opening).await {
            Err(_) => Err(NotForwarded::Deadline),
            Ok(Ok(channel)) => Ok(channel.into_stream()),
            Ok(Err(russh::Error::ChannelOpenFailure(_))) => {
                let failure = self.notes.read().open_failures.back().cloned();
                let (code, text) = failure.map(|failure| (failure.code, shown(&failure.text))).unwrap_or_default();
                Err(NotForwarded::Refused { code, text })
            }
            Ok(Err(_)) => Err(NotForwarded::Gone),
        }
    }

    /// Says goodbye without waiting for the end.
    pub(crate) async fn say_goodbye(&self) {
        // A connection that is gone needs none.
        let _ = self.handle.disconnect(russh::Disconnect::ByApplication, "", "").await;
    }

    /// Asks `keepalive@openssh.com` and waits for any answer; a refusal is an answer too.
    pub async fn keepalive(&self, deadline: Duration) -> Answer {
        let asked = Instant::now();
        let request = self.handle.send_global_request("keepalive@openssh.com", &[], true);
        match timeout(deadline, request).await {
            Err(_) => Answer::Silent,
            Ok(Ok(_) | Err(russh::Error::RequestDenied)) => Answer::Alive(asked.elapsed()),
            Ok(Err(_)) => Answer::Gone,
        }
    }

    /// Exchanges keys anew; how long it took, or nothing where it was not done by the deadline.
    pub async fn rekey(&self, deadline: Duration) -> Option<Duration> {
        let (asked, before) = (Instant::now(), self.notes.read().key_exchanges.len());
        let done = async {
            self.handle.rekey_soon().await.ok()?;
            self.notes.key_exchange_after(before).await;
            Some(asked.elapsed())
        };
        timeout(deadline, done).await.ok()?
    }

    /// Marks what we send from now on as ssh marks an interactive session (`IPQoS`).
    pub fn apply_tos(&self, tos: Option<u8>, route: Route) {
        if let (Some(tos), Some(socket), Route::Direct(address)) = (tos, &self.socket, route) {
            // A path that objects to the mark shows in the checks that follow; a kernel that objects changes nothing.
            let _ = socket.set_tos(tos, address.is_ipv6());
        }
    }

    /// Says goodbye and waits, at most `deadline`, until the connection is closed; then the same to the hops behind it.
    pub async fn close(self, deadline: Duration) {
        let Self { handle, socket, via, .. } = self;
        let _ = timeout(deadline, async {
            if handle.disconnect(russh::Disconnect::ByApplication, "", "").await.is_ok() {
                let _ = handle.await;
            }
        })
        .await;
        drop(socket);
        if let Some(via) = via {
            via.close(deadline).await;
        }
    }
}
