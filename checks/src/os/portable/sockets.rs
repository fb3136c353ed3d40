//! No socket table that could be read.

use std::io;

use crate::facts::sockets::TcpSocket;

/// Fails: this system's socket table cannot be read.
pub fn for_each_tcp_socket(_: impl FnMut(TcpSocket)) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Fails: this system's socket table cannot be read.
pub fn tcp_socket(_: &TcpSocket) -> io::Result<Option<TcpSocket>> {
    Err(io::ErrorKind::Unsupported.into())
}
