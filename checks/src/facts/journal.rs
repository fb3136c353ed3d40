//! The records of a journal: one JSON object a line (docs/journals.md).

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::idle::{Holds, What};
use super::sessions::{Session, Traffic};
use crate::facts::tcp::TcpInfo;

/// The version of this format; a reader skips kinds of records that it does not know.
pub const VERSION: u32 = 1;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Counts up by one from record to record in a file: a gap is a loss.
    pub seq: u64,
    /// The wall clock.
    pub at: Timestamp,
    /// Seconds on the clock that runs on through the machine's sleep and is never set (CLOCK_BOOTTIME); `null` where there is none.
    pub boot_s: Option<f64>,
    /// The first digits of the boot's identifier: another one means a restart of the machine, and other `boot_s`.
    pub boot: Option<String>,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// The event in a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// A writer began.
    Started(Started),
    /// A TCP connection was opened.
    Connected(Connected),
    /// No TCP connection could be opened.
    NotConnected(NotConnected),
    /// The plain-text part of the SSH handshake is over.
    Negotiated(Negotiated),
    /// The writer is there, and this is what moved since its last word.
    Alive(Alive),
    /// Packets are no longer acknowledged.
    Stalled(Stalled),
    /// They are acknowledged again.
    Recovered(Recovered),
    /// A fresh login at the moment of a loss has ended.
    Controlled(Controlled),
    /// The writer is there, and no session is open.
    Watching,
    /// Something happened to this machine.
    Machine(Machine),
    /// A session ended.
    Ended(Box<Ended>),
    /// Records that could not be written are missing here.
    Lost(Lost),
    /// The writer ended in good order.
    Stopped,
    /// A kind of a later version.
    #[serde(other)]
    Unknown,
}

/// A writer's first record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// [`VERSION`] of the writer.
    pub journal: u32,
    /// `tap` or `watch`.
    pub command: String,
    /// The program's version.
    pub version: String,
    /// The writer's process.
    pub pid: u32,
    /// The server as the user named it.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// The use of the carried connection, as far as it is known: `shell`, `command`, `nothing`.
    pub holds: Option<Holds>,
    /// Seconds between the TCP keepalives that were asked for.
    pub keep_alive_s: Option<f64>,
}

/// A TCP connection that was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connected {
    /// Counts the sessions of one writer.
    pub session: u32,
    /// The kind of traffic on it.
    #[serde(flatten)]
    pub traffic: Traffic,
    /// The use of the connection; `null` where it is not known.
    #[serde(default)]
    pub holds: Option<Holds>,
    /// The other end; `null` where a proxy command connects.
    pub remote: Option<SocketAddr>,
    /// This end; `null` where a proxy command connects.
    pub local: Option<SocketAddr>,
    /// The interface that has this end's address.
    pub interface: Option<String>,
    /// Milliseconds that the name took.
    pub resolve_ms: f64,
    /// Milliseconds that the connection took.
    pub connect_ms: f64,
    /// The addresses that did not work before this one.
    pub failed: Vec<FailedAddress>,
}

/// No TCP connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NotConnected {
    /// The outcome of each address; empty where the name had none.
    pub failed: Vec<FailedAddress>,
    /// The reason why the name has no address.
    pub resolve_error: Option<String>,
    /// The reason why a login failed that goes beyond one connection; `null` from `tap`.
    #[serde(default)]
    pub reason: Option<String>,
}

/// An address that could not be connected to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedAddress {
    /// The address.
    pub address: IpAddr,
    /// The name of the system's error (errno(3)).
    pub error: String,
    /// Milliseconds until it was there.
    pub ms: f64,
}

/// The algorithms that both sides agreed on in plain text (RFC 4253 sections 4.2 and 7.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Negotiated {
    /// The number of the session.
    pub session: u32,
    /// The server's identification string.
    pub server: Option<String>,
    /// The client's identification string.
    pub client: Option<String>,
    /// The key exchange method.
    pub kex: Option<String>,
    /// The host key's algorithm.
    pub host_key: Option<String>,
    /// The cipher from the client to the server.
    pub cipher: Option<String>,
    /// Milliseconds from the connection to the encryption.
    pub ms: f64,
}

/// The traffic since the last record of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alive {
    /// The number of the session.
    pub session: u32,
    /// Bytes from the server.
    pub received: u64,
    /// Bytes from the client.
    pub sent: u64,
    /// Reads that brought them; small ones are about one SSH packet each.
    pub reads: u64,
    /// The longest idle time that ended since, seconds.
    pub survived_s: f64,
    /// The idle time that goes on, seconds.
    pub quiet_s: f64,
    /// Smoothed round-trip time, milliseconds.
    pub rtt_ms: Option<f64>,
    /// Segments retransmitted since the connection began.
    pub retransmits: Option<u32>,
}

/// Packets are no longer acknowledged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stalled {
    /// The number of the session.
    pub session: u32,
    /// The idle time before the first of them, seconds.
    pub quiet_s: f64,
    /// Seconds since the first of them.
    pub unanswered_s: f64,
    /// The kernel's counters.
    pub tcp: Option<TcpInfo>,
}

/// Packets are acknowledged again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recovered {
    /// The number of the session.
    pub session: u32,
    /// Seconds from the first packet without an acknowledgement to its acknowledgement.
    pub after_s: f64,
}

/// A fresh login at the moment of a loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Controlled {
    /// True if the server answered.
    pub answered: bool,
    /// Milliseconds that it took.
    pub ms: f64,
    /// The reason why it failed; `null` where it worked.
    pub error: Option<String>,
}

/// Something happened to this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The subject.
    #[serde(flatten)]
    pub what: What,
}

/// A session's end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// The number of the session.
    pub session: u32,
    /// All that is known of it.
    pub facts: Session,
    /// Bytes from the server in all.
    pub received: u64,
    /// Bytes from the client in all.
    pub sent: u64,
    /// The last reads: seconds before the end, the direction, bytes.
    pub last: Vec<Moved>,
}

/// One read of carried bytes: seconds before the end, the direction, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moved(pub f64, pub Direction, pub u32);

/// The direction of carried bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the server.
    In,
    /// To the server.
    Out,
}

/// Records that are missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The number of records.
    pub records: u64,
    /// The system's error text.
    pub error: String,
}
