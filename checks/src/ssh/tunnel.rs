//! A connection that another connection carries.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, io};

use russh::ChannelStream;
use russh::client::Msg;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::Via;
use super::openings::{UNANSWERED, first_of};
use super::recorder::{Expect, FlowRecord};
use crate::facts::connection::NotForwarded;
use crate::facts::timeline::NotOpened;

/// A channel of a connection to a hop, as a stream.
pub struct Tunnel {
    stream: ChannelStream<Msg>,
    via: Via,
    record: FlowRecord,
}

impl Tunnel {
    /// Opens a connection from the hop on to `host`; while it gets no answer, others are tried beside it ([`first_of`]).
    pub async fn open(via: &Via, host: &str, port: u16, deadline: Duration) -> Result<Self, NotForwarded> {
        if deadline <= UNANSWERED || !via.connection().record().recorder().is_on() {
            return Self::open_one(via.clone(), host.to_owned(), port, deadline).await;
        }
        let one = |time: Duration| Self::open_one(via.clone(), host.to_owned(), port, time);
        Box::pin(first_of(deadline, one, |_, time| Some(one(time)), || NotForwarded::Deadline)).await.result
    }

    async fn open_one(via: Via, host: String, port: u16, deadline: Duration) -> Result<Self, NotForwarded> {
        let record = via.connection().record().onward();
        match via.connection().forward(&host, port, deadline).await {
            Ok(stream) => {
                record.forwarded();
                via.connection().record().expect(Expect::Receipt);
                Ok(Self { stream, via, record })
            }
            Err(failure) => {
                record.failed(None, NotOpened::of_hop(&failure));
                Err(failure)
            }
        }
    }

    /// Returns its record.
    #[must_use]
    pub fn record(&self) -> &FlowRecord {
        &self.record
    }

    /// The connection to the hop.
    #[must_use]
    pub fn via(&self) -> &Via {
        &self.via
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tunnel").field("via", &self.via).finish_non_exhaustive()
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
