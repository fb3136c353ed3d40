//! An open connection over any transport.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::Via;
use super::dialed::Dialed;
use super::proxy::{Process, ProxyStream};
use super::recorder::FlowRecord;
use super::tunnel::Tunnel;
use crate::os::socket::Socket;

/// An open connection that nothing was said on yet.
#[derive(Debug)]
pub enum Transport {
    /// A TCP connection of our own.
    Tcp(Dialed),
    /// A proxy command's standard input and output.
    Proxy(Box<ProxyStream>),
    /// A channel of a connection to a hop.
    Tunnel(Box<Tunnel>),
}

impl Transport {
    /// A second descriptor of the socket, where there is one.
    #[must_use]
    pub fn socket(&self) -> Option<Socket> {
        match self {
            Self::Tcp(dialed) => Socket::of(&dialed.stream).ok(),
            Self::Proxy(_) | Self::Tunnel(_) => None,
        }
    }

    /// Returns its record.
    #[must_use]
    pub fn record(&self) -> FlowRecord {
        match self {
            Self::Tcp(dialed) => dialed.record.clone(),
            Self::Tunnel(tunnel) => tunnel.record().clone(),
            Self::Proxy(_) => FlowRecord::default(),
        }
    }

    /// The proxy command behind it, if this is one.
    #[must_use]
    pub fn process(&self) -> Option<Process> {
        match self {
            Self::Tcp(_) | Self::Tunnel(_) => None,
            Self::Proxy(proxy) => Some(proxy.process()),
        }
    }

    /// The connection to the hop behind it, if this is a tunnel.
    #[must_use]
    pub fn via(&self) -> Option<Via> {
        match self {
            Self::Tcp(_) | Self::Proxy(_) => None,
            Self::Tunnel(tunnel) => Some(tunnel.via().clone()),
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(dialed) => Pin::new(&mut dialed.stream).poll_read(cx, buf),
            Self::Proxy(proxy) => Pin::new(proxy.as_mut()).poll_read(cx, buf),
            Self::Tunnel(tunnel) => Pin::new(tunnel.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(dialed) => Pin::new(&mut dialed.stream).poll_write(cx, buf),
            Self::Proxy(proxy) => Pin::new(proxy.as_mut()).poll_write(cx, buf),
            Self::Tunnel(tunnel) => Pin::new(tunnel.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(dialed) => Pin::new(&mut dialed.stream).poll_flush(cx),
            Self::Proxy(proxy) => Pin::new(proxy.as_mut()).poll_flush(cx),
            Self::Tunnel(tunnel) => Pin::new(tunnel.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(dialed) => Pin::new(&mut dialed.stream).poll_shutdown(cx),
            Self::Proxy(proxy) => Pin::new(proxy.as_mut()).poll_shutdown(cx),
            Self::Tunnel(tunnel) => Pin::new(tunnel.as_mut()).poll_shutdown(cx),
        }
    }
}
