//! Asks whether the server forwards connections: with one to a port of its own loopback that nothing listens at, which connects to no other host.

use std::time::Duration;

use tokio::io::AsyncReadExt;

use crate::base::text::sanitize;
use crate::facts::channel::Capability;
use crate::os::pause::timeout;
use crate::os::socket::Socket;
use crate::ssh::channels::{ChannelKind, Opened};
use crate::ssh::connection::Connection;

use super::opened::{close, opened};

/// A port of the server's loopback that nothing listens at (tcpmux): its kernel refuses where forwarding is allowed.
pub(super) const CLOSED: ChannelKind = ChannelKind::DirectTcpip(LOOPBACK, 1);
const LOOPBACK: &str = "127.0.0.1";
/// SSH_OPEN_CONNECT_FAILED, RFC 4254 section 5.1.
const CONNECT_FAILED: u32 = 2;
/// The time that an SSH server may take to its version, where the doctor reaches it through itself.
const VERSION: Duration = Duration::from_secs(2);

/// Asks for a connection through the server to its own loopback; `port` is the one that it serves SSH at.
pub(super) async fn direct_tcpip(connection: &Connection, port: u16, wait: Duration) -> Capability {
    let [tcp] = connection.open([CLOSED], wait).await;
    outcome(tcp, connection, port, wait).await
}

/// Asks for a port of the server's choice that leads back to us, where its version has such ports: one that is named may be in use.
pub(super) async fn remote_forward(connection: &Connection, wait: Duration) -> Capability {
    if !connection.chooses_ports() {
        return Capability::not_tested("this version of the server opens no port of its own choice");
    }
    Capability::of(connection.forward_back(wait).await)
}

/// The outcome of the wish for a connection to [`CLOSED`]. One that was tried was allowed, regardless of its result: these two servers give another
/// reason where it is forbidden (serverloop.c of OpenSSH, svr-tcpfwd.c of dropbear); others, AsyncSSH among them, may give the same.
///
/// A server that confirms it does so before it connects, as Twisted Conch, or confirms whatever it is asked for, as servers that record what is done to them.
pub(super) async fn outcome(closed: Opened, connection: &Connection, port: u16, wait: Duration) -> Capability {
    let outcome = unless_failed(&closed);
    close(closed).await;
    match outcome {
        Ok(Capability::Unproven) if reaches_itself(connection, port, wait).await => Capability::Allowed,
        Ok(outcome) => outcome,
        Err(_) if connection.names_itself(&["OpenSSH", "dropbear"]) => Capability::Allowed,
        Err((code, text)) => Capability::Untold { code, text },
    }
}

/// The answer to the wish for a connection to what is not there; the error is the code and text of a connection that failed.
pub(super) fn unless_failed(answer: &Opened) -> Result<Capability, (u32, String)> {
    match answer {
        Opened::Open(_) => Ok(Capability::Unproven),
        Opened::Refused(refused) if refused.code == CONNECT_FAILED => Err((refused.code, sanitize(&refused.text))),
        other => Ok(opened(other)),
    }
}

/// True if a connection through the server to its own SSH port brings the version of an SSH server. Nothing is sent on it, so that it cannot be an echo.
/// Where the server does not listen on its loopback, the address is tried that it was reached at.
async fn reaches_itself(connection: &Connection, port: u16, wait: Duration) -> bool {
    let reached = connection.socket().and_then(Socket::remote_address);
    let reached = reached.map(|address| address.ip().to_string()).filter(|address| address != LOOPBACK);
    for host in [Some(LOOPBACK.to_owned()), reached].into_iter().flatten() {
        if is_ssh_at(connection, &host, port, wait).await {
            return true;
        }
    }
    false
}

async fn is_ssh_at(connection: &Connection, host: &str, port: u16, wait: Duration) -> bool {
    const BEGIN: &[u8] = b"SSH-";
    let Ok(mut stream) = connection.forward(host, port, wait).await else { return false };
    let mut first = [0; BEGIN.len()];
    let read = timeout(VERSION, stream.read_exact(&mut first)).await;
    matches!(read, Ok(Ok(_))) && first == BEGIN
}
