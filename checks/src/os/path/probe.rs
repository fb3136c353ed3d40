//! One UDP datagram with a limit on hops, and the ICMP message that ended it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdUdpSocket};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

use crate::facts::tcp::Icmp;
use crate::os::icmp::linux::ErrorQueue;
use crate::os::pause::timeout;
use crate::os::socket::Socket;

/// The first of traceroute's ports, which are usually closed.
const PORT: u16 = 33434;

/// A reply to a probe.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProbeReply {
    /// From whom.
    pub(super) from: Option<IpAddr>,
    /// The round-trip time.
    pub(super) rtt: Duration,
    /// The meaning of the reply.
    pub(super) reply: Reply,
}

/// The outcome of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// Its hops were used up there.
    Ended,
    /// It came to the address that it was for.
    Arrived,
    /// Somebody else sent it away.
    TurnedAway,
}

/// Sends one datagram and waits for the message that ends it; returns the number, so that callers with many can match it.
pub(super) async fn ask(
    address: SocketAddr,
    bind: Option<IpAddr>,
    hops: u8,
    deadline: Duration,
) -> (u8, Option<ProbeReply>) {
    let answer = timeout(deadline, send(address.ip(), bind, hops)).await;
    (hops, answer.ok().and_then(Result::ok))
}

async fn send(to: IpAddr, bind: Option<IpAddr>, hops: u8) -> io::Result<ProbeReply> {
    let any = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // A socket for each datagram: what its queue holds can only be about this one.
    let socket = StdUdpSocket::bind(SocketAddr::new(bind.unwrap_or(any), 0))?;
    socket.set_nonblocking(true)?;
    Socket::of(&socket)?.set_ttl(hops)?;
    let errors = ErrorQueue::of(&socket, to.is_ipv6()).ok_or(io::ErrorKind::Unsupported)?;
    let socket = UdpSocket::from_std(socket)?;
    socket.connect(SocketAddr::new(to, PORT + u16::from(hops))).await?;
    let sent = Instant::now();
    // Nothing in it that a service could take for a request.
    socket.send(&[0; 8]).await?;
    loop {
        let icmp = errors.next(&socket).await?;
        if let Some(reply) = meaning(&icmp, to) {
            return Ok(ProbeReply { from: icmp.sender, rtt: sent.elapsed(), reply });
        }
    }
}

/// Returns the meaning of an ICMP message for a datagram to `to`; `None` where it has another subject, such as its
/// size.
fn meaning(icmp: &Icmp, to: IpAddr) -> Option<Reply> {
    match icmp {
        icmp if icmp.is_time_exceeded() => Some(Reply::Ended),
        icmp if icmp.is_unreachable() && icmp.sender == Some(to) => Some(Reply::Arrived),
        icmp if icmp.is_unreachable() => Some(Reply::TurnedAway),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_address_itself_is_the_destination() {
        let [server, router] = ["192.0.2.9", "192.0.2.1"].map(|text| text.parse::<IpAddr>().unwrap());
        let from = |sender, kind, code| meaning(&Icmp { v6: false, kind, code, sender: Some(sender) }, server);
        assert_eq!(from(router, 11, 0), Some(Reply::Ended));
        // What holds the server's address and forwards a port of it is a hop like any other.
        assert_eq!(from(server, 11, 0), Some(Reply::Ended));
        assert_eq!(from(server, 3, 3), Some(Reply::Arrived));
        assert_eq!(from(server, 3, 10), Some(Reply::Arrived));
        assert_eq!(from(router, 3, 13), Some(Reply::TurnedAway));
        assert_eq!(from(router, 12, 0), None);
    }
}
