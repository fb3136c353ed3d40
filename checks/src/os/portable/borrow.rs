//! No way to another process's socket.

use std::io;

use crate::facts::processes::Descriptor;
use crate::os::socket::Socket;

/// Fails: this system lends no descriptors.
pub fn borrow_socket(_: Descriptor, _: u32) -> io::Result<Socket> {
    Err(io::ErrorKind::Unsupported.into())
}
