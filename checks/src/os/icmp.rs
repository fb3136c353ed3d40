//! The ICMP message that ended a connection attempt: who refused it, and in which words.

#[cfg(target_os = "linux")]
pub(crate) mod linux {
    use crate::facts::tcp::Icmp;
    use nix::libc::{SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6, sock_extended_err, sockaddr_in, sockaddr_in6};
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
    use std::io::{self, IoSliceMut};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::os::fd::{AsFd, AsRawFd, OwnedFd};
    use tokio::io::Interest;
    use tokio::net::UdpSocket;

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
    use crate::facts::tcp::Icmp;
    use std::io;
    use std::os::fd::AsFd;
    use tokio::net::UdpSocket;

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
