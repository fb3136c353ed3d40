//! The ICMP message that ended a connection attempt: who refused it, and in which words.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

#[cfg(target_os = "linux")]
pub(crate) use linux::ErrorQueue;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::ErrorQueue;

/// An ICMP error (RFC 792) or an ICMPv6 one (RFC 4443).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Icmp {
    /// Whether it is ICMPv6, whose numbers differ.
    pub v6: bool,
    /// Message type: 3 is ICMP's "destination unreachable", 1 is ICMPv6's.
    #[serde(rename = "type")]
    pub kind: u8,
    /// The code within the type.
    pub code: u8,
    /// Who sent it.
    pub sender: Option<IpAddr>,
}

impl Icmp {
    /// What "destination unreachable" is about, in the words of RFC 792, RFC 1812 section 5.2.7.1 and RFC 4443 section 3.1.
    #[must_use]
    pub fn name(&self) -> String {
        let known = match (self.v6, self.kind, self.code) {
            (false, 3, 0) => "net unreachable",
            (false, 3, 1) => "host unreachable",
            (false, 3, 2) => "protocol unreachable",
            (false, 3, 3) | (true, 1, 4) => "port unreachable",
            (false, 3, 9) => "network administratively prohibited",
            (false, 3, 10) => "host administratively prohibited",
            (false, 3, 13) | (true, 1, 1) => "communication administratively prohibited",
            (true, 1, 0) => "no route to destination",
            (true, 1, 3) => "address unreachable",
            (true, 1, 5) => "source address failed policy",
            (true, 1, 6) => "reject route to destination",
            _ => return format!("ICMP{} type {} code {}", if self.v6 { "v6" } else { "" }, self.kind, self.code),
        };
        format!("ICMP{} {known}", if self.v6 { "v6" } else { "" })
    }

    /// Whether the packet had come to the end of its hops (RFC 792 page 6, RFC 4443 section 3.3).
    #[must_use]
    pub fn is_time_exceeded(&self) -> bool {
        matches!((self.v6, self.kind, self.code), (false, 11, 0) | (true, 3, 0))
    }

    /// Whether it is "destination unreachable", of any kind.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        self.kind == if self.v6 { 1 } else { 3 }
    }

    /// Whether only a packet filter answers a TCP segment so: a closed port sends a TCP reset (RFC 9293 section 3.10.7.1).
    #[must_use]
    pub fn is_policy(&self) -> bool {
        matches!((self.v6, self.kind, self.code), (false, 3, 2 | 3 | 9 | 10 | 13) | (true, 1, 1 | 4 | 5 | 6))
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{self, IoSliceMut};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::os::fd::{AsFd, AsRawFd, OwnedFd};

    use nix::libc::{SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6, sock_extended_err, sockaddr_in, sockaddr_in6};
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
    use tokio::io::Interest;
    use tokio::net::UdpSocket;

    use super::Icmp;

    /// Keeps the ICMP errors of a UDP socket, or of a TCP one that is about to connect (`IP_RECVERR`, ip(7); Linux 5.8 has it for TCP).
    pub(crate) struct ErrorQueue {
        descriptor: OwnedFd,
        v6: bool,
    }

    impl ErrorQueue {
        pub(crate) fn of(socket: &impl AsFd, v6: bool) -> Option<Self> {
            let queue = Self { descriptor: socket.as_fd().try_clone_to_owned().ok()?, v6 };
            queue.set(true).then_some(queue)
        }

        /// Lets the socket go on without: on an established connection the option would make every ICMP error fatal.
        pub(crate) fn close(self) {
            self.set(false);
        }

        /// The first ICMP error that came.
        pub(crate) fn read(&self) -> Option<Icmp> {
            let mut payload = [0; 512];
            let mut slices = [IoSliceMut::new(&mut payload)];
            let mut control = nix::cmsg_space!(sock_extended_err, sockaddr_in6);
            let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
            let message =
                recvmsg::<SockaddrStorage>(self.descriptor.as_raw_fd(), &mut slices, Some(&mut control), flags).ok()?;
            message.cmsgs().ok()?.find_map(|control| match control {
                ControlMessageOwned::Ipv4RecvErr(error, from) => icmp(error, from.as_ref().and_then(sender_v4)),
                ControlMessageOwned::Ipv6RecvErr(error, from) => icmp(error, from.as_ref().and_then(sender_v6)),
                _ => None,
            })
        }

        /// Waits for the next ICMP error of a UDP socket, whose queue this is.
        pub(crate) async fn next(&self, socket: &UdpSocket) -> io::Result<Icmp> {
            loop {
                socket.ready(Interest::ERROR).await?;
                let read = || self.read().ok_or_else(|| io::ErrorKind::WouldBlock.into());
                match socket.try_io(Interest::ERROR, read) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    ended => return ended,
                }
            }
        }

        fn set(&self, on: bool) -> bool {
            let set = if self.v6 {
                setsockopt(&self.descriptor, sockopt::Ipv6RecvErr, &on)
            } else {
                setsockopt(&self.descriptor, sockopt::Ipv4RecvErr, &on)
            };
            set.is_ok()
        }
    }

    fn icmp(error: sock_extended_err, sender: Option<IpAddr>) -> Option<Icmp> {
        let v6 = error.ee_origin == SO_EE_ORIGIN_ICMP6;
        (v6 || error.ee_origin == SO_EE_ORIGIN_ICMP).then_some(Icmp {
            v6,
            kind: error.ee_type,
            code: error.ee_code,
            sender,
        })
    }

    fn sender_v4(from: &sockaddr_in) -> Option<IpAddr> {
        let address = Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr));
        (!address.is_unspecified()).then_some(address.into())
    }

    fn sender_v6(from: &sockaddr_in6) -> Option<IpAddr> {
        let address = Ipv6Addr::from(from.sin6_addr.s6_addr);
        (!address.is_unspecified()).then_some(address.into())
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::io;
    use std::os::fd::AsFd;

    use tokio::net::UdpSocket;

    use super::Icmp;

    /// Only Linux hands ICMP errors to the program that connects.
    pub(crate) struct ErrorQueue;

    impl ErrorQueue {
        pub(crate) fn of(_: &impl AsFd, _: bool) -> Option<Self> {
            None
        }

        pub(crate) fn close(self) {}

        pub(crate) fn read(&self) -> Option<Icmp> {
            None
        }

        pub(crate) async fn next(&self, _: &UdpSocket) -> io::Result<Icmp> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Icmp;

    #[test]
    fn only_a_packet_filter_prohibits() {
        let icmp = |v6, kind, code| Icmp { v6, kind, code, sender: None };
        assert!([3, 9, 10, 13].iter().all(|&code| icmp(false, 3, code).is_policy()));
        assert!([1, 4, 5, 6].iter().all(|&code| icmp(true, 1, code).is_policy()));
        assert!(![0, 1].iter().any(|&code| icmp(false, 3, code).is_policy()));
        assert!(![0, 3].iter().any(|&code| icmp(true, 1, code).is_policy()));
        assert_eq!(icmp(true, 1, 4).name(), "ICMPv6 port unreachable");
        assert_eq!(icmp(false, 11, 0).name(), "ICMP type 11 code 0");
        assert!(icmp(false, 11, 0).is_time_exceeded() && !icmp(true, 11, 0).is_time_exceeded());
        assert!(icmp(true, 3, 0).is_time_exceeded() && !icmp(true, 3, 0).is_unreachable());
        assert!(icmp(false, 3, 3).is_unreachable() && icmp(true, 1, 4).is_unreachable());
    }
}
