//! A socket of another process, under a descriptor of our own (pidfd_getfd(2), Linux 5.6).

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::facts::processes::Descriptor;
use crate::os::socket::Socket;

/// Borrows the socket with this inode.
///
/// The kernel wants the right to trace that process (ptrace(2)): the same user where Yama allows it, else root; without it the error is
/// `PermissionDenied`. Where that descriptor has become another file meanwhile, it is `NotFound`.
pub fn borrow_socket(descriptor: Descriptor, inode: u32) -> io::Result<Socket> {
    let gone = || io::Error::from(ErrorKind::NotFound);
    let pid = i32::try_from(descriptor.pid).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    let borrowed = pidfd_getfd(&process, descriptor.fd, PidfdGetfdFlags::empty())?;
    let file = File::from(borrowed);
    if file.metadata()?.ino() == u64::from(inode) { Socket::of(&file) } else { Err(gone()) }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;
    use std::time::Duration;

    use super::*;
    use crate::os::socket::SocketKeepalive;

    #[test]
    fn what_is_set_on_a_borrowed_socket_is_set_on_the_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let inode = u32::try_from(
            File::from(stream.try_clone().map(std::os::fd::OwnedFd::from).unwrap()).metadata().unwrap().ino(),
        );
        let own = Descriptor { pid: std::process::id(), fd: stream.as_raw_fd() };
        let borrowed = match borrow_socket(own, inode.unwrap()) {
            // A sandbox may forbid tracing altogether.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return,
            other => other.unwrap(),
        };
        let [idle, interval] = [7, 9].map(Duration::from_secs);
        let keepalive = Some(SocketKeepalive { idle, interval, retries: 5 });
        borrowed.set_tcp_keepalive(keepalive).unwrap();
        assert_eq!(Socket::of(&stream).unwrap().tcp_keepalive().unwrap(), keepalive);
        assert_eq!(borrow_socket(own, 1).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
