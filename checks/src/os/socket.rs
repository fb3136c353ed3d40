//! What the kernel knows of a TCP connection, and the options that no safe crate offers.
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
pub(crate) fn errno_name(error: &io::Error) -> Option<String> {
    error.raw_os_error().map(|number| format!("{:?}", Errno::from_raw(number)))
}

/// When the kernel asks a silent peer whether it is there (tcp(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// After this long a silence; whole seconds, at least one (`TCP_KEEPIDLE`).
    pub idle: Duration,
    /// Then again so often; whole seconds, at least one (`TCP_KEEPINTVL`).
    pub interval: Duration,
    /// Until so many were not answered, at most 127 (`TCP_KEEPCNT`).
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
    pub fn set_tcp_keepalive(&self, keepalive: Option<Keepalive>) -> io::Result<()> {
        let socket = SockRef::from(&self.0);
        let Some(Keepalive { idle, interval, retries }) = keepalive else { return socket.set_keepalive(false) };
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(retries))
    }

    /// Which TCP keepalives the kernel sends, if any.
    pub fn tcp_keepalive(&self) -> io::Result<Option<Keepalive>> {
        let socket = SockRef::from(&self.0);
        if !socket.keepalive()? {
            return Ok(None);
        }
        let (idle, interval) = (socket.tcp_keepalive_time()?, socket.tcp_keepalive_interval()?);
        Ok(Some(Keepalive { idle, interval, retries: socket.tcp_keepalive_retries()? }))
    }

    /// Gives the connection up after this long without an answer instead of after the kernel's own count (`TCP_USER_TIMEOUT`, tcp(7)).
    #[cfg(target_os = "linux")]
    pub fn set_user_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        SockRef::from(&self.0).set_tcp_user_timeout(timeout)
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

    /// What the kernel knows of the connection.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn tcp_info(&self) -> Option<TcpInfo> {
        // SAFETY: tcp_info is plain old data, for which all zeroes is a valid value.
        let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
        let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).ok()?;
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
        (result == 0).then_some(TcpInfo {
            rtt_us: info.tcpi_rtt,
            rto_us: info.tcpi_rto,
            backoff: info.tcpi_backoff,
            unacked: info.tcpi_unacked,
            retransmits: info.tcpi_total_retrans,
            data_segments: info.tcpi_data_segs_out,
            last_ack_ms: info.tcpi_last_ack_recv,
            mss: info.tcpi_snd_mss,
            path_mtu: info.tcpi_pmtu,
        })
    }

    /// What the kernel knows of the connection: nothing that we can read on this system.
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
    use super::{Keepalive, Socket};
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
            let keepalive = Some(Keepalive { idle, interval, retries: 127 });
            socket.set_tcp_keepalive(keepalive).unwrap();
            assert_eq!(socket.tcp_keepalive().unwrap(), keepalive);
            socket.set_tcp_keepalive(None).unwrap();
            assert_eq!(socket.tcp_keepalive().unwrap(), None);
        }
    }
}
