//! A TCP connection of our own.

use tokio::net::TcpStream;

use super::recorder::FlowRecord;

/// A direct TCP connection, and its record.
#[derive(Debug)]
pub struct Dialed {
    pub(crate) stream: TcpStream,
    pub(crate) record: FlowRecord,
}
