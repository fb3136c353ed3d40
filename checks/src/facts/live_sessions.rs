//! The SSH connections that are open on this machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::processes::{Descriptor, Process};
use super::sockets::TcpSocket;

/// One SSH connection of this machine, and the programs that use it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveSession {
    /// The end of the connection that this machine is.
    pub role: Role,
    /// Its TCP socket.
    pub socket: TcpSocket,
    /// The descriptors of that socket that may be seen.
    pub holders: Vec<Descriptor>,
    /// The program that speaks SSH on it; `null` where it may not be seen.
    pub process: Option<Process>,
    /// Ancestors of the program, the parent first.
    pub ancestors: Vec<Process>,
    /// Programs connected to that program by UNIX sockets: those that share a control master, sshfs.
    pub partners: Vec<Process>,
    /// The kernel's TCP keepalive on it; `null` where the socket may not be borrowed or nobody asked.
    pub keepalive: Option<TcpKeepalive>,
    /// Three TCP keepalives; `null` where they were not asked for.
    pub probe: Option<Probe>,
}

/// An end of an SSH connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It opened the connection.
    Client,
    /// It accepted the connection.
    Server,
}

/// The kernel's TCP keepalive on a socket (tcp(7)).
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct TcpKeepalive {
    /// True if it is on (`SO_KEEPALIVE`).
    pub on: bool,
    /// Seconds of idle time before the first one (`TCP_KEEPIDLE`).
    pub idle_s: u64,
    /// Seconds between two that are not answered (`TCP_KEEPINTVL`).
    pub interval_s: u64,
    /// Unanswered ones after which the kernel ends the connection (`TCP_KEEPCNT`).
    pub count: u32,
}

/// The outcome of a few TCP keepalives on a connection.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Probe {
    /// The other end acknowledged.
    Answered {
        /// After so many milliseconds at most.
        within_ms: f64,
    },
    /// It did not.
    Unanswered {
        /// Keepalives sent.
        probes: u32,
        /// In so many milliseconds.
        waited_ms: f64,
    },
    /// The connection ended meanwhile.
    Ended,
    /// None were sent.
    NotProbed {
        /// The reason, as the end of a sentence.
        why: String,
    },
}
