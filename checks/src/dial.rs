//! The one place where connections are opened: with a deadline, and counted.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::evidence::Spent;
use crate::icmp::{ErrorQueue, Icmp};
use crate::jump::{Tunnel, Via};
use crate::proxy::{Process, ProxyStream};
use crate::socket::Socket;
use crate::target::{Limits, Target};

/// How many connections the run has opened, and how many it may.
#[derive(Debug)]
pub struct Budget {
    allowed: u32,
    opened: AtomicU32,
    logins: AtomicU32,
    failed_logins: AtomicU32,
    login_refused: AtomicBool,
    longest_login_ms: AtomicU32,
    refused: AtomicU32,
    handshakes: Semaphore,
}

impl Budget {
    /// A budget that the limits allow.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            allowed: limits.connections,
            opened: AtomicU32::new(0),
            logins: AtomicU32::new(0),
            failed_logins: AtomicU32::new(0),
            login_refused: AtomicBool::new(false),
            longest_login_ms: AtomicU32::new(0),
            refused: AtomicU32::new(0),
            handshakes: Semaphore::new(limits.handshakes),
        }
    }

    /// How many connections may still be opened.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.allowed.saturating_sub(self.opened.load(Ordering::Relaxed))
    }

    /// Waits until one more connection may be in its handshake; hold the permit until it is authenticated.
    pub async fn handshake(&self) -> Option<SemaphorePermit<'_>> {
        self.handshakes.acquire().await.ok()
    }

    /// Notes how a login ended; after one that was refused there is never another.
    pub fn note_login(&self, succeeded: bool) {
        self.login_refused.fetch_or(!succeeded, Ordering::Relaxed);
        let counter = if succeeded { &self.logins } else { &self.failed_logins };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a login whose answer nobody saw: the server may have counted it as a failed one.
    pub fn note_unanswered_login(&self) {
        self.failed_logins.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a login was refused.
    #[must_use]
    pub fn login_refused(&self) -> bool {
        self.login_refused.load(Ordering::Relaxed)
    }

    /// Notes how long a login took, from connecting to its success.
    pub fn note_login_time(&self, took: Duration) {
        let took = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        self.longest_login_ms.fetch_max(took, Ordering::Relaxed);
    }

    /// The longest that a login took so far.
    #[must_use]
    pub fn longest_login(&self) -> Duration {
        Duration::from_millis(self.longest_login_ms.load(Ordering::Relaxed).into())
    }

    /// What was spent so far.
    #[must_use]
    pub fn spent(&self) -> Spent {
        Spent {
            connections: self.opened.load(Ordering::Relaxed),
            budget: self.allowed,
            logins: self.logins.load(Ordering::Relaxed),
            failed_logins: self.failed_logins.load(Ordering::Relaxed),
            refused_since: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Notes that an address that had accepted a connection accepted a further one, or that somebody refused it.
    pub(super) fn note_further(&self, accepted: bool) {
        if accepted {
            self.refused.store(0, Ordering::Relaxed);
        } else {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes one connection from the budget, if one is left.
    pub(super) fn spend(&self) -> io::Result<()> {
        if self.opened.fetch_add(1, Ordering::Relaxed) < self.allowed {
            return Ok(());
        }
        self.give_back();
        Err(io::Error::other(format!("the budget of {} connections is spent", self.allowed)))
    }

    /// Gives back a connection that did not come as far as a server.
    pub(super) fn give_back(&self) {
        self.opened.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How to reach the server once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// By TCP, to this address.
    Direct(SocketAddr),
    /// By the target's proxy command.
    Proxy,
    /// Through a connection to a hop.
    Hops,
}

/// An open connection that nothing was said on yet.
#[derive(Debug)]
pub enum Transport {
    /// A TCP connection of our own.
    Tcp(TcpStream),
    /// A proxy command's standard input and output.
    Proxy(Box<ProxyStream>),
    /// A channel of a connection to a hop.
    Tunnel(Box<Tunnel>),
}

/// Why a TCP connection could not be had.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The system's error, or `TimedOut` when our deadline passed first.
    pub error: io::Error,
    /// The ICMP message that ended the attempt, where one did and the system tells.
    pub icmp: Option<Icmp>,
}

impl Refusal {
    /// Whether somebody said no: a TCP reset, or a packet filter's ICMP message.
    fn is_from_elsewhere(&self) -> bool {
        self.error.kind() == io::ErrorKind::ConnectionRefused || self.icmp.is_some_and(|icmp| icmp.is_policy())
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self { error, icmp: None }
    }
}

/// Opens one TCP connection within `deadline`; no TCP keepalive, no Nagle delay, and segments of at most `segment` bytes.
pub(crate) async fn attempt(
    budget: &Budget,
    address: SocketAddr,
    bind: Option<IpAddr>,
    segment: Option<u32>,
    deadline: Duration,
) -> Result<TcpStream, Refusal> {
    budget.spend()?;
    connect(address, bind, segment, None, deadline).await
}

/// As [`attempt`], over at most so many hops; a segment that does not come as far as a server costs nothing.
pub(crate) async fn within(
    budget: &Budget,
    address: SocketAddr,
    bind: Option<IpAddr>,
    hops: u8,
    deadline: Duration,
) -> Result<TcpStream, Refusal> {
    budget.spend()?;
    let connected = connect(address, bind, None, Some(hops), deadline).await;
    if connected.is_err() {
        budget.give_back();
    }
    connected
}

#[allow(clippy::disallowed_methods, reason = "every caller has taken the connection from the budget")]
async fn connect(
    address: SocketAddr,
    bind: Option<IpAddr>,
    segment: Option<u32>,
    hops: Option<u8>,
    deadline: Duration,
) -> Result<TcpStream, Refusal> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(bytes) = segment {
        SockRef::from(&socket).set_tcp_mss(bytes)?;
    }
    if let Some(local) = bind {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    if let Some(hops) = hops {
        Socket::of(&socket)?.set_ttl(hops)?;
    }
    let errors = ErrorQueue::of(&socket, address.is_ipv6());
    let connected = timeout(deadline, socket.connect(address)).await.map_err(|_| io::ErrorKind::TimedOut.into());
    match connected.flatten() {
        Ok(stream) => {
            if let Some(errors) = errors {
                errors.close();
            }
            stream.set_nodelay(true)?;
            Ok(stream)
        }
        Err(error) => Err(Refusal { error, icmp: errors.and_then(|errors| errors.read()) }),
    }
}

/// Opens one more connection along `route`.
pub(crate) async fn open(budget: &Budget, target: &Target, route: Route, deadline: Duration) -> io::Result<Transport> {
    match route {
        Route::Direct(address) => {
            let connected = attempt(budget, address, target.bind, target.segment, deadline).await;
            match &connected {
                Ok(_) => budget.note_further(true),
                Err(refusal) if refusal.is_from_elsewhere() => budget.note_further(false),
                Err(_) => {}
            }
            connected.map(Transport::Tcp).map_err(|refusal| refusal.error)
        }
        Route::Proxy => {
            budget.spend()?;
            let proxy = target.proxy.as_ref().ok_or_else(|| io::Error::other("no proxy command is configured"))?;
            ProxyStream::start(&proxy.command).map(|proxy| Transport::Proxy(Box::new(proxy)))
        }
        Route::Hops => Err(io::Error::other("a way through hops begins with a login to the first one")),
    }
}

impl Transport {
    /// A second descriptor of the socket, where there is one.
    #[must_use]
    pub fn socket(&self) -> Option<Socket> {
        match self {
            Self::Tcp(stream) => Socket::of(stream).ok(),
            Self::Proxy(_) | Self::Tunnel(_) => None,
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
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Proxy(proxy) => Pin::new(proxy.as_mut()).poll_read(cx, buf),
            Self::Tunnel(tunnel) => Pin::new(tunnel.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Proxy(proxy) => Pin::new(proxy.as_mut()).poll_write(cx, buf),
            Self::Tunnel(tunnel) => Pin::new(tunnel.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Proxy(proxy) => Pin::new(proxy.as_mut()).poll_flush(cx),
            Self::Tunnel(tunnel) => Pin::new(tunnel.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Proxy(proxy) => Pin::new(proxy.as_mut()).poll_shutdown(cx),
            Self::Tunnel(tunnel) => Pin::new(tunnel.as_mut()).poll_shutdown(cx),
        }
    }
}
