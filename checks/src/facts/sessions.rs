//! Real sessions: what `tap`, `watch` and the kernel's socket table saw of them.

use std::net::SocketAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::connection::Manner;
use super::idle::arm::{Holds, Sign};
use super::idle::incident::What;
use super::tcp::TcpInfo;

/// One session: how long it lasted, what moved on it, and its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The party that saw it.
    pub observer: Observer,
    /// The kind of traffic on it.
    pub traffic: Traffic,
    /// The use of the connection; `null` where it is not known.
    pub holds: Option<Holds>,
    /// The server as the user named it.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// This end of its TCP connection.
    pub local: Option<SocketAddr>,
    /// The other end of its TCP connection.
    pub remote: Option<SocketAddr>,
    /// Its end, or the last look at it, on the wall clock.
    pub seen_at: Timestamp,
    /// Its age then, seconds; `null` where its beginning is not known.
    pub age_s: Option<f64>,
    /// The longest idle time after which its path was seen to work again, seconds.
    pub survived_s: f64,
    /// The idle time that its end followed, seconds: without a packet from the server until the first one that was not acknowledged, or, where
    /// the other side ended it, without a byte either way. 0 on one that was in use until its end.
    pub quiet_s: f64,
    /// The exchange that went on until its end; `null` where no byte moved right before.
    pub exchange: Option<Exchange>,
    /// Its end.
    pub end: SessionEnd,
    /// The events on this machine since the server was last heard.
    pub machine: Vec<What>,
    /// The other sessions to the same server at that moment.
    pub others: Others,
    /// A new connection to the same server at that moment or soon after; `null` where none was tried.
    pub next: Option<Next>,
}

/// The party that saw a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observer {
    /// The program that carried it (`ssh-doctor tap`).
    Tap,
    /// The program that held it (`ssh-doctor watch`).
    Watch,
    /// The kernel's socket table (`ssh-doctor sessions`).
    SocketTable,
}

/// The kind of traffic on a session.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "moves", rename_all = "kebab-case")]
pub enum Traffic {
    /// Whatever its user did.
    Use,
    /// Nothing.
    Nothing,
    /// `keepalive@openssh.com` requests and their answers.
    Keepalive {
        /// Seconds between two of them.
        interval_s: f64,
    },
    /// Data in its channel, both ways.
    Data {
        /// Seconds between two pieces.
        interval_s: f64,
    },
}

/// Bytes that moved without a pause of two seconds or more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// True if the server sent the first of them: a command or shell that came to its end by itself, or a limit of the server.
    pub by_server: bool,
    /// Seconds that it went on.
    pub lasted_s: f64,
}

/// The data that a client sent without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Unanswered {
    /// Packets.
    pub packets: u32,
    /// Seconds from the first of them to the end.
    pub for_s: f64,
    /// True if all have one length, as keepalives do.
    pub alike: bool,
}

/// The way a session ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum SessionEnd {
    /// It has not ended.
    Open,
    /// The program on this machine closed it, with everything acknowledged.
    ClosedHere {
        /// The bytes that the client had sent since the server's last ones; `null` where there were none.
        unanswered: Option<Unanswered>,
    },
    /// It broke: nothing came back any more, or the other side ended it.
    Died {
        /// The manner.
        manner: Manner,
        /// The origin of the first sign: it came by itself, or after we had sent something.
        sign: Sign,
        /// Seconds from the first packet without an acknowledgement to the end.
        unanswered_s: Option<f64>,
        /// The kernel's counters at the end.
        tcp: Option<TcpInfo>,
    },
    /// The observer was stopped before it ended.
    Unknown,
}

/// The other sessions to the same server at the end of one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Others {
    /// Sessions on which the server was heard after it had been heard last on the one in question.
    pub alive: u32,
    /// Sessions that were lost within a few seconds of it.
    pub lost: u32,
}

/// A new connection after the end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Next {
    /// Seconds from the end to it; below zero where it was opened while the session was already dead.
    pub after_s: f64,
    /// True if the server answered on it.
    pub answered: bool,
}

impl Session {
    /// The way it broke; `None` while it lives and where it ended in good order.
    #[must_use]
    pub fn death(&self) -> Option<(&Manner, Sign)> {
        match &self.end {
            SessionEnd::Died { manner, sign, .. } => Some((manner, *sign)),
            _ => None,
        }
    }
}
