//! The one place where connections are opened: with a deadline, and counted.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};

use super::budget::Budget;
use super::proxy::ProxyStream;
use super::transport::Transport;
use crate::base::target::{Route, Target};
use crate::facts::tcp::Icmp;
use crate::os::icmp::linux::ErrorQueue;
use crate::os::pause::timeout;
use crate::os::socket::Socket;

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
