//! What the kernel knows of a TCP connection, and the options that no safe crate offers.
#![allow(unsafe_code, reason = "getsockopt(TCP_INFO) has no safe wrapper; each block says why it is sound")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use socket2::{SockRef, TcpKeepalive};

/// A second descriptor of a connection's socket, to read facts and set options while russh owns the stream.
///
/// The kernel sends FIN only when the last descriptor is closed: drop this together with the stream.
#[derive(Debug)]
pub struct Socket(OwnedFd);

/// The name of a system error, such as `ECONNREFUSED` (errno(3)): its number differs from system to system.
pub(crate) fn errno_name(error: &io::Error) -> Option<String> {
    error.raw_os_error().map(|number| format!("{:?}", Errno::from_raw(number)))
}

/// A snapshot of Linux's `TCP_INFO` (tcp(7)); `None` on other systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpInfo {
    /// Smoothed round-trip time, microseconds.
    pub rtt_us: u32,
    /// Retransmission time-out, microseconds.
    pub rto_us: u32,
    /// Consecutive retransmissions of the oldest unacknowledged segment.
    pub backoff: u8,
    /// Segments sent and not acknowledged.
    pub unacked: u32,
    /// Segments retransmitted since the connection began.
    pub retransmits: u32,
    /// Milliseconds since the last acknowledgement came.
    pub last_ack_ms: u32,
    /// Maximum segment size we send, bytes.
    pub mss: u32,
    /// Path MTU, bytes.
    pub path_mtu: u32,
}

impl Socket {
    /// Duplicates the descriptor of `stream`.
    pub fn of(stream: &impl AsFd) -> io::Result<Self> {
        stream.as_fd().try_clone_to_owned().map(Self)
    }

    /// Sets the IPv4 type of service, or the IPv6 traffic class, of what we send from now on.
    pub fn set_tos(&self, tos: u8, v6: bool) -> io::Result<()> {
        let socket = SockRef::from(&self.0);
        if v6 { socket.set_tclass_v6(u32::from(tos)) } else { socket.set_tos_v4(u32::from(tos)) }
    }

    /// Lets the kernel send TCP keepalives at this interval and never give up, or no longer send any (tcp(7)).
    pub fn set_tcp_keepalive(&self, interval: Option<Duration>) -> io::Result<()> {
        let socket = SockRef::from(&self.0);
        match interval {
            None => socket.set_keepalive(false),
            Some(interval) => {
                let keepalive = TcpKeepalive::new().with_time(interval).with_interval(interval).with_retries(127);
                socket.set_tcp_keepalive(&keepalive)
            }
        }
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
