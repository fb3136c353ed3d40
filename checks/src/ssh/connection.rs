//! One SSH connection, with a witness in it: every wait has a deadline, and nothing russh reports is taken for the cause.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use russh::ChannelStream;
use russh::client::{Handle, Msg};
use tokio::sync::watch;
use tokio::time::sleep;

use super::client_handler::ClientHandler;
use super::ending::Ending;
use super::observations::Observations;
use super::openings::WATCHED;
use super::recorder::FlowRecord;
use super::replies::Replies;
use super::tap::Watch;
use crate::base::target::Route;
use crate::base::text::sanitize;
use crate::facts::channel::Lead;
use crate::facts::connection::{Manner, NotForwarded};
use crate::facts::handshake::Software;
use crate::os::pause::timeout;
use crate::os::socket::Socket;

/// The interval at which the library is checked for a connection that it gave up.
const GLANCE: Duration = Duration::from_millis(5);

/// A connection past its key exchange.
pub struct Connection {
    pub(super) handle: Handle<ClientHandler>,
    pub(super) watch: Watch,
    pub(super) observations: Observations,
    pub(super) socket: Option<Arc<Socket>>,
    pub(super) via: Option<Via>,
    pub(super) replies: Replies,
    pub(super) record: FlowRecord,
}

/// The progress of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// Bytes of ours that TCP acknowledged; where it is not our own, those that were handed over.
    bytes: u64,
    /// Bytes that came.
    received: u64,
    /// True if some have not been acknowledged yet.
    is_under_way: bool,
}

impl Delivered {
    /// True if the other end was fed since then, or what it is fed with still drains, or a part of a long packet came: acknowledgements
    /// alone, which answer what is sent again in vain, are no progress.
    pub(crate) fn goes_on_since(self, before: Self) -> bool {
        /// Bytes that keepalives and window adjustments alone do not reach.
        const FED: u64 = 16 * 1024;
        /// As many from the other side, in the time that a message is waited for.
        const CAME: u64 = 4 * 1024;
        self.bytes >= before.bytes + FED
            || self.is_under_way && self.bytes > before.bytes
            || self.received >= before.received + CAME
    }
}

impl Connection {
    /// The library's handle, for authentication.
    pub fn handle(&mut self) -> &mut Handle<ClientHandler> {
        &mut self.handle
    }

    /// Returns the tap's observations.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The text that the server said inside the encryption.
    #[must_use]
    pub fn observations(&self) -> &Observations {
        &self.observations
    }

    /// The kernel's view, where the connection is a direct TCP socket.
    #[must_use]
    pub fn socket(&self) -> Option<&Socket> {
        self.socket.as_deref()
    }

    /// Returns its record.
    #[must_use]
    pub fn record(&self) -> &FlowRecord {
        &self.record
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

    /// Returns once the library has given the connection up. The library does not report it, so it is polled: not for long waits.
    pub(crate) async fn closed(&self) {
        while !self.is_closed() {
            sleep(GLANCE).await;
        }
    }

    /// The way the connection ended, if it did; where that is the end of the connection to a hop that carried it, how that one did.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        let own = Ending::of(&self.watch, &self.observations)?;
        let of_hop = || self.via.as_ref().and_then(|via| via.connection().ending());
        if own.manner == Manner::Fin { of_hop().or(Some(own)) } else { Some(own) }
    }

    /// The compression agreed on, from the client to the server.
    pub(crate) fn compression(&self) -> Option<String> {
        self.observations.read().negotiated.as_ref().map(|agreed| agreed.compression.clone())
    }

    /// Returns the age of the connection.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.watch.seen().opened.elapsed()
    }

    /// The way a command begins: these servers have the account's shell run it. Others may split it themselves, and Apache MINA ends the connection
    /// where it finds no program that is called `exec`.
    pub(crate) fn usual_lead(&self) -> Lead {
        if self.names_itself(&["OpenSSH", "dropbear", "tinyssh"]) { Lead::ExecSh } else { Lead::Sh }
    }

    /// True if one of these names stands in the server's version.
    pub(crate) fn names_itself(&self, names: &[&str]) -> bool {
        let seen = self.watch.seen();
        let version = seen.server.version.as_ref().map(|(version, _)| version.as_str()).unwrap_or_default();
        names.iter().any(|name| version.contains(name))
    }

    /// True if the server passes signals on to the account's own shell, and to no forced command: OpenSSH since 7.9, where the session is not
    /// root's (session_signal_req in its session.c).
    pub(crate) fn passes_signals(&self, user: &str) -> bool {
        let seen = self.watch.seen();
        let version = seen.server.version.as_ref().map(|(version, _)| version.as_str());
        let openssh = version.and_then(Software::of).and_then(|software| software.openssh());
        user != "root" && openssh.is_some_and(|version| version >= (7, 9))
    }

    /// True if the server's version opens a port of its own choice, as far as is known.
    pub(crate) fn chooses_ports(&self) -> bool {
        let seen = self.watch.seen();
        let version = seen.server.version.as_ref().map(|(version, _)| version.as_str());
        version.and_then(Software::of).is_none_or(|software| software.chooses_ports())
    }

    /// Returns how far data has come by now, ours and the other end's.
    pub(crate) fn delivered(&self) -> Delivered {
        let (sent, received) = {
            let seen = self.watch.seen();
            (seen.sent, seen.received)
        };
        match self.socket().and_then(|socket| socket.acknowledged().zip(socket.tcp_info())) {
            Some((bytes, tcp)) => Delivered { bytes, received, is_under_way: tcp.unacked > 0 },
            None => Delivered { bytes: sent, received, is_under_way: false },
        }
    }

    /// True if a round trip takes so long that each of them counts; where it is not known, it may.
    pub(crate) fn is_far(&self) -> bool {
        /// Beyond what a local network or a data centre takes.
        const NEAR: Duration = Duration::from_millis(5);
        self.socket().and_then(Socket::shortest_rtt).is_none_or(|shortest| shortest >= NEAR)
    }

    /// The shortest round trip to the other end of the socket; zero where it is not known.
    pub(crate) fn round_trip(&self) -> Duration {
        self.socket().and_then(Socket::shortest_rtt).unwrap_or_default()
    }

    /// Returns the time since which nothing has moved on the connection, either way.
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
                let failure = self.observations.read().open_failures.back().cloned();
                let (code, text) = failure.map(|failure| (failure.code, sanitize(&failure.text))).unwrap_or_default();
                Err(NotForwarded::Refused { code, text })
            }
            Ok(Err(_)) => Err(NotForwarded::Gone),
        }
    }

    /// Disconnects without waiting for the end.
    pub(crate) async fn say_goodbye(&self) {
        self.record.closing();
        // A connection that is gone needs none.
        let _ = self.handle.disconnect(russh::Disconnect::ByApplication, "", "").await;
    }

    /// Rekeys; returns the time it took, or `None` if it was not done by the deadline.
    pub async fn rekey(&self, deadline: Duration) -> Option<Duration> {
        let (asked, before) = (Instant::now(), self.observations.read().key_exchanges.len());
        let done = async {
            self.handle.rekey_soon().await.ok()?;
            self.observations.key_exchange_after(before).await;
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

    /// Disconnects and waits, at most `deadline`, until the connection is closed; then does the same for the hops
    /// behind it.
    pub async fn close(self, deadline: Duration) {
        let Self { handle, socket, via, record, .. } = self;
        record.closing();
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

/// The connection to a hop, which lives as long as anything goes through it.
pub struct Via {
    carrier: Arc<Carrier>,
    /// Counts those that use it.
    users: Arc<watch::Sender<()>>,
    /// One that uses it, until this goes.
    used: watch::Receiver<()>,
}

struct Carrier {
    name: String,
    connection: Connection,
}

impl Clone for Via {
    fn clone(&self) -> Self {
        Self { carrier: self.carrier.clone(), users: self.users.clone(), used: self.users.subscribe() }
    }
}

impl Via {
    /// The connection to the hop of that name, logged in.
    #[must_use]
    pub fn new(name: &str, connection: Connection) -> Self {
        let (users, used) = watch::channel(());
        let carrier = Arc::new(Carrier { name: name.to_owned(), connection });
        Self { carrier, users: Arc::new(users), used }
    }

    /// Returns the name of the hop in the user's settings.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.carrier.name
    }

    /// The connection to the hop.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.carrier.connection
    }

    /// Disconnects from the hop and those before it, and waits for each, at most `deadline`. Where the hop still waits for a connection that it
    /// was asked for, it is left first to tell what comes of that, for at most [`WATCHED`].
    pub async fn close(self, deadline: Duration) {
        let Self { carrier, users, used } = self;
        // Only what else goes through it, or is about to, counts from here on.
        drop(used);
        if users.receiver_count() == 0 {
            return carrier.disconnect(deadline).await;
        }
        tokio::spawn(async move {
            let _ = timeout(WATCHED, users.closed()).await;
            carrier.disconnect(deadline).await;
        });
    }
}

impl Carrier {
    async fn disconnect(&self, deadline: Duration) {
        let mut carrier = Some(self);
        while let Some(Self { connection, .. }) = carrier {
            let _ = timeout(deadline, async {
                connection.say_goodbye().await;
                connection.closed().await;
            })
            .await;
            carrier = connection.via().map(|via| &*via.carrier);
        }
    }
}

impl fmt::Debug for Via {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Via").field(&self.carrier.name).finish()
    }
}
