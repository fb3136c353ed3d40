//! Real sessions: what `tap`, `watch` and the kernel's socket table saw of them.

use std::net::SocketAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::connection::Manner;
use super::idle::{Holds, Sign, What};
use crate::facts::tcp::TcpInfo;

/// The sessions of one machine to one server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Each of them, in the order in which they began.
    pub sessions: Vec<Session>,
}

/// One session: how long it lasted, what moved on it, and its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Who saw it.
    pub observer: Observer,
    /// What moved on it.
    pub traffic: Traffic,
    /// What it held; `null` where that is not known.
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
    /// Seconds without a packet from the server until its end, or until the first packet that was not acknowledged.
    pub quiet_s: f64,
    /// Seconds since the client's program had last sent anything, at its end; `null` where that is not known.
    pub client_quiet_s: Option<f64>,
    /// Its end.
    pub end: End,
    /// What happened to this machine since the server was last heard.
    pub machine: Vec<What>,
    /// The other sessions to the same server at that moment.
    pub others: Others,
    /// A new connection to the same server at that moment or soon after; `null` where none was tried.
    pub next: Option<Next>,
}

/// Who saw a session.
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

/// What moved on a session.
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

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum End {
    /// It has not ended.
    Open,
    /// The program on this machine closed it, with everything acknowledged.
    ClosedHere {
        /// Whether the server had sent something after the client's last bytes: it, too, was about to end the session.
        server_spoke_last: bool,
        /// The idle time before that, seconds.
        idle_before_s: f64,
    },
    /// It broke: nothing came back any more, or the other side ended it.
    Died {
        /// How.
        manner: Manner,
        /// Whether the first sign came by itself or after we had sent something.
        sign: Sign,
        /// Seconds from the first packet without an acknowledgement to the end.
        unanswered_s: Option<f64>,
        /// Seconds from the server's last bytes to the end; what a server says before it closes comes right before.
        server_spoke_s: Option<f64>,
        /// The kernel's counters at the end.
        tcp: Option<TcpInfo>,
    },
    /// Whoever saw it was stopped before it ended.
    Unknown,
}

/// The other sessions to the same server at the end of one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Others {
    /// Those from which the server was heard after the one in question had been heard last.
    pub alive: u32,
    /// Those that were lost within a few seconds of it.
    pub lost: u32,
}

/// A new connection after the end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Next {
    /// Seconds from the end to it; below zero where it was opened while the session was already dead.
    pub after_s: f64,
    /// Whether the server answered on it.
    pub answered: bool,
}

impl Session {
    /// How it broke; `None` while it lives and where it ended in good order.
    #[must_use]
    pub fn death(&self) -> Option<(&Manner, Sign)> {
        match &self.end {
            End::Died { manner, sign, .. } => Some((manner, *sign)),
            _ => None,
        }
    }
}
