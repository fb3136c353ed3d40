//! The kernel's data on a TCP connection, and the options that no safe crate offers.
#![allow(unsafe_code, reason = "getsockopt(TCP_INFO) has no safe wrapper; each block says why it is sound")]

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use socket2::{SockRef, TcpKeepalive};

use crate::facts::tcp::TcpInfo;

/// A second descriptor of a connection's socket, to read facts and set options while russh owns the stream.
///
/// The kernel sends FIN only when the last descriptor is closed: drop this together with the stream.
#[derive(Debug)]
pub struct Socket(OwnedFd);

/// The name of a system error, such as `ECONNREFUSED` (errno(3)): its number differs from system to system.
#[must_use]
pub fn errno_name(error: &io::Error) -> Option<String> {
    error.raw_os_error().map(|number| format!("{:?}", Errno::from_raw(number)))
}

/// The time at which the kernel asks a silent peer whether it is there (tcp(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketKeepalive {
    /// The silence before the first probe; whole seconds, at least one (`TCP_KEEPIDLE`).
    pub idle: Duration,
    /// The interval of further probes; whole seconds, at least one (`TCP_KEEPINTVL`).
    pub interval: Duration,
    /// The number of unanswered probes that end the connection, at most 127 (`TCP_KEEPCNT`).
    pub retries: u32,
}

impl Socket {
    /// Duplicates the descriptor of `stream`.
    pub fn of(stream: &impl AsFd) -> io::Result<Self> {
        stream.as_fd().try_clone_to_owned().map(Self)
    }

    /// One more descriptor of the same socket, under the same rule.
    pub fn again(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Sets the IPv4 type of service, or the IPv6 traffic class, of what we send from now on.
    pub fn set_tos(&self, tos: u8, v6: bool) -> io::Result<()> {
        let socket = SockRef::from(&self.0);
        if v6 { socket.set_tclass_v6(u32::from(tos)) } else { socket.set_tos_v4(u32::from(tos)) }
    }

    /// Says that nothing more is sent (a FIN), which the kernel repeats until it is acknowledged.
    pub fn end_sending(&self) {
        // A socket that is closed already needs none of this.
        let _ = SockRef::from(&self.0).shutdown(Shutdown::Write);
    }

    /// Ends the connection with a reset once its other descriptors are closed too: data that the path lost would otherwise
    /// keep the FIN back, and the server would hold the connection as an unauthenticated one until its LoginGraceTime.
    pub fn abort(&self) {
        let socket = SockRef::from(&self.0);
        // A socket that is closed already needs none of this.
        let _ = socket.set_linger(Some(Duration::ZERO)).and_then(|()| socket.shutdown(Shutdown::Both));
    }

    /// Sets over how many hops what we send from now on may go: the IPv4 time-to-live, or the IPv6 hop limit.
    pub fn set_ttl(&self, hops: u8) -> io::Result<()> {
        let socket = SockRef::from(&self.0);
        if is_v6(&socket)? { socket.set_unicast_hops_v6(u32::from(hops)) } else { socket.set_ttl_v4(u32::from(hops)) }
    }

    /// Over how many hops what we send may go.
    pub fn ttl(&self) -> io::Result<u8> {
        let socket = SockRef::from(&self.0);
        let hops = if is_v6(&socket)? { socket.unicast_hops_v6() } else { socket.ttl_v4() }?;
        u8::try_from(hops).map_err(io::Error::other)
    }

    /// Lets the kernel send TCP keepalives, or none any more.
    pub fn set_tcp_keepalive(&self, keepalive: Option<SocketKeepalive>) -> io::Result<()> {
        let socket = SockRef::from(&self.0);
        let Some(SocketKeepalive { idle, interval, retries }) = keepalive else { return socket.set_keepalive(false) };
        // The idle time last: on a connection that is idle already it sends the first one, and the second follows after the interval.
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_interval(interval).with_retries(retries))?;
        self.set_keepalive_idle(idle)
    }

    /// Lets the kernel send a TCP keepalive after so much idle time; whole seconds, at least one.
    pub fn set_keepalive_idle(&self, idle: Duration) -> io::Result<()> {
        SockRef::from(&self.0).set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))
    }

    /// Returns the TCP keepalives that the kernel sends, if any.
    pub fn tcp_keepalive(&self) -> io::Result<Option<SocketKeepalive>> {
        let (on, values) = self.keepalive_values()?;
        Ok(on.then_some(values))
    }

    /// True if the kernel sends TCP keepalives, and which ones it would send.
    pub fn keepalive_values(&self) -> io::Result<(bool, SocketKeepalive)> {
        let socket = SockRef::from(&self.0);
        let (idle, interval) = (socket.tcp_keepalive_time()?, socket.tcp_keepalive_interval()?);
        Ok((socket.keepalive()?, SocketKeepalive { idle, interval, retries: socket.tcp_keepalive_retries()? }))
    }

    /// True if the connection still has another end, as far as the kernel knows.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        SockRef::from(&self.0).peer_addr().is_ok()
    }

    /// Gives the connection up after this long without an answer instead of after the kernel's own count (`TCP_USER_TIMEOUT`, tcp(7)).
    #[cfg(target_os = "linux")]
    pub fn set_user_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        SockRef::from(&self.0).set_tcp_user_timeout(timeout)
    }

    /// Returns the time after which the connection is given up, unless that is left to the kernel's own count.
    #[cfg(target_os = "linux")]
    pub fn user_timeout(&self) -> io::Result<Option<Duration>> {
        SockRef::from(&self.0).tcp_user_timeout()
    }

    /// Nothing that this system has.
    #[cfg(not(target_os = "linux"))]
    pub fn user_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(None)
    }

    /// Nothing that this system has.
    #[cfg(not(target_os = "linux"))]
    pub fn set_user_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The address and port of this end.
    #[must_use]
    pub fn local_address(&self) -> Option<SocketAddr> {
        SockRef::from(&self.0).local_addr().ok()?.as_socket()
    }

    /// The address and port of the other end; `None` once the connection has ended.
    #[must_use]
    pub fn remote_address(&self) -> Option<SocketAddr> {
        SockRef::from(&self.0).peer_addr().ok()?.as_socket()
    }

    /// Returns the kernel's data on the connection.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn tcp_info(&self) -> Option<TcpInfo> {
        self.with_tcp_info(super::linux::tcp_info::read)
    }

    /// Bytes that the other end has acknowledged since the connection began; `None` where the system does not tell.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn acknowledged(&self) -> Option<u64> {
        self.with_tcp_info(super::linux::tcp_info::acknowledged)
    }

    /// The shortest round trip of the last minutes, which a busy machine does not lengthen; `None` where the system does not tell.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn shortest_rtt(&self) -> Option<Duration> {
        self.with_tcp_info(super::linux::tcp_info::shortest_rtt)
    }

    #[cfg(target_os = "linux")]
    fn with_tcp_info<T>(&self, read: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        let mut info = [0_u8; size_of::<libc::tcp_info>()];
        let mut length = libc::socklen_t::try_from(info.len()).ok()?;
        // SAFETY: the descriptor is open for as long as self lives, and the kernel writes at most `length` bytes into `info`.
        let result = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                (&raw mut info).cast(),
                &raw mut length,
            )
        };
        if result != 0 {
            return None;
        }
        read(info.get(..usize::try_from(length).ok()?)?)
    }

    /// The shortest round trip: nothing that we can read on this system.
    #[cfg(not(target_os = "linux"))]
    #[must_use]
    pub fn shortest_rtt(&self) -> Option<Duration> {
        None
    }

    /// Bytes that the other end has acknowledged: nothing that we can read on this system.
    #[cfg(not(target_os = "linux"))]
    #[must_use]
    pub fn acknowledged(&self) -> Option<u64> {
        None
    }

    /// Returns the kernel's data on the connection: `None`, since we can read none on this system.
    #[cfg(not(target_os = "linux"))]
    #[must_use]
    pub fn tcp_info(&self) -> Option<TcpInfo> {
        None
    }
}

fn is_v6(socket: &SockRef<'_>) -> io::Result<bool> {
    Ok(socket.local_addr()?.is_ipv6())
}

#[cfg(test)]
mod tests {
    use super::{Socket, SocketKeepalive};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    #[test]
    fn hops_and_keepalives_are_what_was_set() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let socket = Socket::of(&stream).unwrap();
            let usual = socket.ttl().unwrap();
            socket.set_ttl(3).unwrap();
            assert_eq!(socket.ttl().unwrap(), 3, "{address}");
            socket.set_ttl(usual).unwrap();
            assert_eq!(socket.ttl().unwrap(), usual, "{address}");
            assert_eq!(socket.tcp_keepalive().unwrap(), None);
            let [idle, interval] = [2, 5].map(Duration::from_secs);
            let keepalive = Some(SocketKeepalive { idle, interval, retries: 127 });
            socket.set_tcp_keepalive(keepalive).unwrap();
            assert_eq!(socket.tcp_keepalive().unwrap(), keepalive);
            socket.set_tcp_keepalive(None).unwrap();
            assert_eq!(socket.tcp_keepalive().unwrap(), None);
        }
    }
}
