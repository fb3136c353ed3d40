//! TCP sockets of this machine, as the kernel's socket table has them.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::facts::tcp::TcpInfo;

/// One TCP socket (sock_diag(7)).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TcpSocket {
    /// Its state (RFC 9293 section 3.3.2).
    pub state: TcpState,
    /// The address and port of this end.
    pub local: SocketAddr,
    /// The address and port of the other end.
    pub remote: SocketAddr,
    /// The timer that is running, if any.
    pub timer: Option<TcpTimer>,
    /// Bytes received and not read by the program; connections waiting to be accepted on a listening socket.
    pub receive_queue: u32,
    /// Bytes written by the program and not acknowledged; the backlog's length on a listening socket.
    pub send_queue: u32,
    /// The user id of the socket's owner.
    pub uid: u32,
    /// The socket's inode; 0 once no process holds it.
    pub inode: u32,
    /// Distinguishes this socket from one that has its addresses later.
    pub cookie: u64,
    /// The kernel's counters; `null` on a listening socket.
    pub info: Option<TcpInfo>,
}

/// A state of a TCP connection (RFC 9293 section 3.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TcpState {
    /// Data may flow both ways.
    Established,
    /// Our SYN is not answered yet.
    SynSent,
    /// A SYN was answered, and the answer is not acknowledged yet.
    SynReceived,
    /// Our FIN is not acknowledged yet.
    #[serde(rename = "fin-wait-1")]
    FinWait1,
    /// Our FIN is acknowledged, the other side's has not come.
    #[serde(rename = "fin-wait-2")]
    FinWait2,
    /// Both sides are done; late segments are still caught.
    TimeWait,
    /// Not connected.
    Closed,
    /// The other side's FIN has come, and our program has not closed.
    CloseWait,
    /// Both FINs are sent, ours is not acknowledged yet.
    LastAck,
    /// Waits for connections.
    Listen,
    /// Both FINs crossed, ours is not acknowledged yet.
    Closing,
}

/// A running timer of a TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpTimer {
    /// Its purpose.
    pub kind: TimerKind,
    /// Milliseconds until it runs out.
    pub expires_ms: u64,
}

/// The purpose of a TCP timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimerKind {
    /// Sends unacknowledged data again.
    Retransmit,
    /// Sends a TCP keepalive.
    Keepalive,
    /// Ends TIME-WAIT.
    TimeWait,
    /// Asks whether the other side's receive window has opened (persist timer, RFC 9293 section 3.8.6.1).
    WindowProbe,
}
