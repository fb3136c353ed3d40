//! A TCP connection of our own.

use tokio::net::TcpStream;

use super::recorder::FlowRecord;

/// A TCP connection of our own, and what is written down of it.
#[derive(Debug)]
pub struct Dialed {
    pub(crate) stream: TcpStream,
    pub(crate) record: FlowRecord,
}
