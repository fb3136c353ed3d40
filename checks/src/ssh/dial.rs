//! The one place where connections are opened: with a deadline, and counted.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};

use super::abandoned::ResetOnDrop;
use super::budget::Budget;
use super::dialed::Dialed;
use super::openings::{Opened, UNANSWERED, first_of};
use super::proxy::ProxyStream;
use super::recorder::FlowRecord;
use super::transport::Transport;
use crate::base::target::{Route, Target};
use crate::facts::tcp::Icmp;
use crate::facts::timeline::NotOpened;
use crate::os::icmp::linux::ErrorQueue;
use crate::os::pause::timeout;
use crate::os::socket::Socket;

/// The reason for which a TCP connection could not be opened.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The system's error, or `TimedOut` when our deadline passed first.
    pub error: io::Error,
    /// The ICMP message that ended the attempt, where one did and the system tells.
    pub icmp: Option<Icmp>,
}

impl Refusal {
    /// True if somebody said no: a TCP reset, or a packet filter's ICMP message.
    fn is_from_elsewhere(&self) -> bool {
        self.error.kind() == io::ErrorKind::ConnectionRefused || self.icmp.is_some_and(|icmp| icmp.is_policy())
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self { error, icmp: None }
    }
}

/// The destination of a connection, its source, and its segments.
#[derive(Debug, Clone, Copy)]
struct Course {
    address: SocketAddr,
    bind: Option<IpAddr>,
    segment: Option<u32>,
    hops: Option<u8>,
}

/// Opens one TCP connection within `deadline`; no TCP keepalive, no Nagle delay, and segments of at most `segment` bytes.
///
/// If three SYNs bring no answer, others are tried beside it ([`first_of`]).
pub(crate) async fn attempt(
    budget: &Budget,
    address: SocketAddr,
    bind: Option<IpAddr>,
    segment: Option<u32>,
    deadline: Duration,
) -> Result<Dialed, Refusal> {
    budget.spend()?;
    let course = Course { address, bind, segment, hops: None };
    let recorder = budget.recorder();
    if deadline <= UNANSWERED || !recorder.is_on() {
        return dial(course, recorder.opening(address), deadline).await;
    }
    let another = |left: u32, time: Duration| {
        budget.spend().ok()?;
        // Every other one from a port of the other half.
        let bind = if left.is_multiple_of(2) { Some(bind.unwrap_or_else(|| any(address))) } else { bind };
        Some(unclaimed(Course { bind, ..course }, recorder.opening(address), time))
    };
    let first = recorder.opening(address);
    let timed_out = || io::Error::from(io::ErrorKind::TimedOut).into();
    let Opened { result, spare } =
        Box::pin(first_of(deadline, |time| unclaimed(course, first, time), another, timed_out)).await;
    (0..spare).for_each(|_| budget.give_back());
    result.map(Unclaimed::claim)
}

/// A connection that may open after nobody waits for it any longer.
struct Unclaimed {
    dialed: Dialed,
    unless_claimed: ResetOnDrop,
}

impl Unclaimed {
    fn claim(mut self) -> Dialed {
        self.unless_claimed.0 = None;
        self.dialed
    }
}

async fn unclaimed(course: Course, record: FlowRecord, deadline: Duration) -> Result<Unclaimed, Refusal> {
    let dialed = dial(course, record, deadline).await?;
    Ok(Unclaimed { unless_claimed: ResetOnDrop(Socket::of(&dialed.stream).ok()), dialed })
}

/// Binding lets Linux choose a port of the other half: odd for a bound socket, even for one that is not (ip_local_port_range).
fn any(address: SocketAddr) -> IpAddr {
    if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

/// As [`attempt`], with a limit on hops; a segment that does not come as far as a server costs nothing.
pub(crate) async fn within(
    budget: &Budget,
    address: SocketAddr,
    bind: Option<IpAddr>,
    hops: u8,
    deadline: Duration,
) -> Result<TcpStream, Refusal> {
    budget.spend()?;
    let course = Course { address, bind, segment: None, hops: Some(hops) };
    let connected = dial(course, FlowRecord::default(), deadline).await;
    if connected.is_err() {
        budget.give_back();
    }
    connected.map(|dialed| dialed.stream)
}

#[allow(clippy::disallowed_methods, reason = "every caller has taken the connection from the budget")]
async fn dial(course: Course, record: FlowRecord, deadline: Duration) -> Result<Dialed, Refusal> {
    let Course { address, bind, segment, hops } = course;
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
    // The port is given when the connection is asked for, and gone with the socket.
    let again = Socket::of(&socket).ok();
    let mut cut_short = ResetOnDrop(again.as_ref().and_then(|socket| socket.again().ok()));
    let connected = timeout(deadline, socket.connect(address)).await.map_err(|_| io::ErrorKind::TimedOut.into());
    cut_short.0 = None;
    match connected.flatten() {
        Ok(stream) => {
            if let Some(errors) = errors {
                errors.close();
            }
            record.connected(&stream);
            stream.set_nodelay(true)?;
            Ok(Dialed { stream, record })
        }
        Err(error) => {
            let port = again.and_then(|socket| socket.local_address()).map(|own| own.port()).filter(|port| *port > 0);
            record.failed(port, not_opened(&error));
            Err(Refusal { error, icmp: errors.and_then(|errors| errors.read()) })
        }
    }
}

fn not_opened(error: &io::Error) -> NotOpened {
    match error.kind() {
        io::ErrorKind::TimedOut => NotOpened::Unanswered,
        io::ErrorKind::ConnectionRefused => NotOpened::Refused,
        _ => NotOpened::Other { error: error.to_string() },
    }
}

/// Opens one more connection along `route`.
pub(crate) async fn open(budget: &Budget, target: &Target, route: Route, deadline: Duration) -> io::Result<Transport> {
    match route {
        Route::Direct(address) => {
            let asked = Instant::now();
            let connected = attempt(budget, address, target.bind, target.segment, deadline).await;
            match &connected {
                Ok(_) => budget.note_further(true, asked),
                Err(refusal) if refusal.is_from_elsewhere() => budget.note_further(false, asked),
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
