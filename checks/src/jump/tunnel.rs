//! A connection that another connection carries.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use russh::ChannelStream;
use russh::client::Msg;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;

use crate::connection::{Connection, NotForwarded};

/// The connection to a hop, which lives as long as anything goes through it.
#[derive(Clone)]
pub struct Via(Arc<Carrier>);

struct Carrier {
    name: String,
    connection: Connection,
}

impl Via {
    /// The connection to the hop of that name, logged in.
    #[must_use]
    pub fn new(name: &str, connection: Connection) -> Self {
        Self(Arc::new(Carrier { name: name.to_owned(), connection }))
    }

    /// What the user's settings call the hop.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The connection to the hop.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.0.connection
    }

    /// Says goodbye to the hop and to those before it, and waits for each, at most `deadline`.
    pub async fn close(self, deadline: Duration) {
        let mut via = Some(&self);
        while let Some(Self(carrier)) = via {
            let _ = timeout(deadline, async {
                carrier.connection.say_goodbye().await;
                carrier.connection.closed().await;
            })
            .await;
            via = carrier.connection.via();
        }
    }
}

impl fmt::Debug for Via {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Via").field(&self.0.name).finish()
    }
}

/// A channel of a connection to a hop, as a stream.
pub struct Tunnel {
    stream: ChannelStream<Msg>,
    via: Via,
}

impl Tunnel {
    /// Opens a connection from the hop on to `host`.
    pub async fn open(via: &Via, host: &str, port: u16, deadline: Duration) -> Result<Self, NotForwarded> {
        let stream = via.connection().forward(host, port, deadline).await?;
        Ok(Self { stream, via: via.clone() })
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
