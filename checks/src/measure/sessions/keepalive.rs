//! The TCP keepalive of a running program's connection.

use std::io;
use std::time::Duration;

use crate::facts::live_sessions::{LiveSession, TcpKeepalive};
use crate::os::borrow_socket;
use crate::os::socket::{Socket, SocketKeepalive};

/// The most unanswered keepalives that the kernel counts (`MAX_TCP_KEEPCNT`).
const MOST_PROBES: u64 = 127;

/// A second descriptor of the session's socket; the error of the last holder that did not lend it.
pub fn borrowed(session: &LiveSession) -> io::Result<Socket> {
    let mut refused = io::Error::from(io::ErrorKind::PermissionDenied);
    for holder in &session.holders {
        match borrow_socket(*holder, session.socket.inode) {
            Ok(socket) => return Ok(socket),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// The keepalive that the kernel has on this socket.
pub fn keepalive_of(socket: &Socket) -> io::Result<TcpKeepalive> {
    let (on, values) = socket.keepalive_values()?;
    let count = values.retries;
    Ok(TcpKeepalive { on, idle_s: values.idle.as_secs(), interval_s: values.interval.as_secs(), count })
}

/// Lets the kernel send a keepalive whenever a connection has been idle for this time, and leaves it so; returns the previous values.
///
/// Linux looks again only an interval after each keepalive, so that must not be longer. The count grows instead: a dead connection is given
/// up after as long as before.
pub fn leave_keepalive(session: &LiveSession, idle: Duration) -> io::Result<TcpKeepalive> {
    let socket = borrowed(session)?;
    let before = keepalive_of(&socket)?;
    let interval_s = before.interval_s.min(idle.as_secs()).max(1);
    let patience_s = before.interval_s * u64::from(before.count);
    let count = patience_s.div_ceil(interval_s).clamp(u64::from(before.count), MOST_PROBES);
    let count = u32::try_from(count).map_err(io::Error::other)?;
    put(&socket, TcpKeepalive { on: true, idle_s: idle.as_secs(), interval_s, count })?;
    Ok(before)
}

/// Sets all four values; returns the previous ones.
pub fn set_keepalive(session: &LiveSession, wanted: TcpKeepalive) -> io::Result<TcpKeepalive> {
    let socket = borrowed(session)?;
    let before = keepalive_of(&socket)?;
    put(&socket, wanted)?;
    Ok(before)
}

fn put(socket: &Socket, wanted: TcpKeepalive) -> io::Result<()> {
    let [idle, interval] = [wanted.idle_s, wanted.interval_s].map(Duration::from_secs);
    socket.set_tcp_keepalive(Some(SocketKeepalive { idle, interval, retries: wanted.count }))?;
    if wanted.on { Ok(()) } else { socket.set_tcp_keepalive(None) }
}
