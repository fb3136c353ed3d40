//! Carries bytes one way until one side ends: read and looked at as long as they are plain text, then moved by the kernel without a copy.

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{read, write};
use ssh_doctor_checks::facts::journal::Direction;

/// Bytes copied at a time.
const COPY: usize = 64 * 1024;

/// The way one direction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// The source came to its end.
    AtEnd,
    /// The connection failed.
    Connection(Errno),
    /// The client takes nothing more.
    Client(Errno),
}

/// Carries everything from `source` to `sink`. One of them is the connection, which does not block, the other the client's pipe.
///
/// `look` sees what is carried until it returns false; `moved` hears how much was carried each time. `moving` is true from before bytes are
/// passed on until `moved` has heard of them.
pub(super) fn carry(
    direction: Direction,
    source: BorrowedFd<'_>,
    sink: BorrowedFd<'_>,
    moving: &AtomicBool,
    mut look: impl FnMut(Instant, &[u8]) -> bool,
    mut moved: impl FnMut(Instant, usize),
) -> Closed {
    let ended = |errno| match direction {
        Direction::In => Closed::Connection(errno),
        Direction::Out => Closed::Client(errno),
    };
    let refused = |errno| match direction {
        Direction::In => Closed::Client(errno),
        Direction::Out => Closed::Connection(errno),
    };
    let mut buffer = vec![0; COPY];
    let (mut plain, mut spliceable) = (true, cfg!(target_os = "linux"));
    loop {
        moving.store(false, Ordering::SeqCst);
        if !plain && spliceable {
            buffer = Vec::new();
            // Before the other side can answer to it.
            let now = Instant::now();
            moving.store(true, Ordering::SeqCst);
            match splice(source, sink) {
                Ok(0) => return Closed::AtEnd,
                Ok(bytes) => moved(now, bytes),
                Err(Errno::EAGAIN) => {
                    moving.store(false, Ordering::SeqCst);
                    wait_for_both(source, sink);
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EINVAL) => {
                    // Neither end is a pipe.
                    spliceable = false;
                    buffer = vec![0; COPY];
                }
                Err(Errno::EPIPE) => return refused(Errno::EPIPE),
                Err(errno) => return Closed::Connection(errno),
            }
            continue;
        }
        let bytes = match read(source, &mut buffer) {
            Ok(0) => return Closed::AtEnd,
            Ok(length) => &buffer[..length],
            Err(Errno::EAGAIN) => {
                wait(source, PollFlags::POLLIN, PollTimeout::NONE);
                continue;
            }
            Err(Errno::EINTR) => continue,
            Err(errno) => return ended(errno),
        };
        let now = Instant::now();
        plain = plain && look(now, bytes);
        moving.store(true, Ordering::SeqCst);
        if let Err(errno) = write_all(sink, bytes) {
            return refused(errno);
        }
        moved(now, bytes.len());
    }
}

/// Waits until there is something to move and room for it.
fn wait_for_both(source: BorrowedFd<'_>, sink: BorrowedFd<'_>) {
    if wait(source, PollFlags::POLLIN, PollTimeout::ZERO) {
        wait(sink, PollFlags::POLLOUT, PollTimeout::NONE);
    } else {
        wait(source, PollFlags::POLLIN, PollTimeout::NONE);
    }
}

/// Waits until a descriptor is ready, or has failed; returns true if it is ready.
fn wait(descriptor: BorrowedFd<'_>, what: PollFlags, timeout: PollTimeout) -> bool {
    poll(&mut [PollFd::new(descriptor, what)], timeout).is_ok_and(|ready| ready > 0)
}

/// True if the other end of this pipe is closed.
pub(super) fn is_left(pipe: BorrowedFd<'_>) -> bool {
    wait(pipe, PollFlags::empty(), PollTimeout::ZERO)
}

fn write_all(sink: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match write(sink, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::EAGAIN) => {
                wait(sink, PollFlags::POLLOUT, PollTimeout::NONE);
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Bytes that the client's pipe shall hold. With the usual 64 KiB the client waits for this process again and again while it sends much: an upload
/// took a quarter longer (docs/benchmarks.md).
#[cfg(target_os = "linux")]
const PIPE: i32 = 256 * 1024;

/// Lets the client's pipe hold more, if it is one and the kernel allows it.
#[cfg(target_os = "linux")]
pub(super) fn widen(pipe: BorrowedFd<'_>) {
    let _ = nix::fcntl::fcntl(pipe, nix::fcntl::FcntlArg::F_SETPIPE_SZ(PIPE));
}

/// Not on this system.
#[cfg(not(target_os = "linux"))]
pub(super) fn widen(_: BorrowedFd<'_>) {}

/// Bytes moved at a time: more than a pipe holds.
#[cfg(target_os = "linux")]
const CHUNK: usize = 1 << 20;

/// Moves what is there from one descriptor to the other, one of them a pipe, without a copy (splice(2)).
///
/// It never waits: a splice that waits for the connection would hold the pipe's lock, and with it the client.
#[cfg(target_os = "linux")]
fn splice(source: BorrowedFd<'_>, sink: BorrowedFd<'_>) -> Result<usize, Errno> {
    use nix::fcntl::SpliceFFlags;
    let flags = SpliceFFlags::SPLICE_F_NONBLOCK | SpliceFFlags::SPLICE_F_MOVE;
    nix::fcntl::splice(source, None, sink, None, CHUNK, flags)
}

/// Not on this system.
#[cfg(not(target_os = "linux"))]
fn splice(_: BorrowedFd<'_>, _: BorrowedFd<'_>) -> Result<usize, Errno> {
    Err(Errno::EINVAL)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;
    use std::thread;

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let far = listener.accept().unwrap().0;
        near.set_nonblocking(true).unwrap();
        (near, far)
    }

    /// Returns more bytes than all buffers on the way hold; each encodes its place.
    fn payload() -> Vec<u8> {
        (0..3_000_017_u32).map(|at| (at % 251) as u8).collect()
    }

    fn plain_until(bytes: usize) -> impl FnMut(Instant, &[u8]) -> bool {
        let mut seen = 0;
        move |_, part| {
            seen += part.len();
            seen < bytes
        }
    }

    #[test]
    fn every_byte_of_the_server_reaches_the_pipe() {
        let ((near, mut far), (mut out, input)) = (pair(), std::io::pipe().unwrap());
        let sender = thread::spawn(move || far.write_all(&payload()));
        let carried = thread::spawn(move || {
            let mut total = 0;
            let (moving, count) = (AtomicBool::default(), |_, bytes| total += bytes);
            let closed = carry(Direction::In, near.as_fd(), input.as_fd(), &moving, plain_until(5000), count);
            (closed, total)
        });
        let mut received = Vec::new();
        out.read_to_end(&mut received).unwrap();
        assert!(received == payload());
        assert_eq!(carried.join().unwrap(), (Closed::AtEnd, payload().len()));
        sender.join().unwrap().unwrap();
    }

    #[test]
    fn every_byte_of_the_client_reaches_the_server_with_and_without_pipes() {
        for pipe in [true, false] {
            let (near, mut far) = pair();
            let (source, sender) = if pipe {
                let (source, mut input) = std::io::pipe().unwrap();
                (std::os::fd::OwnedFd::from(source), thread::spawn(move || input.write_all(&payload())))
            } else {
                let (source, mut input) = std::os::unix::net::UnixStream::pair().unwrap();
                (std::os::fd::OwnedFd::from(source), thread::spawn(move || input.write_all(&payload())))
            };
            let carried = thread::spawn(move || {
                carry(
                    Direction::Out,
                    source.as_fd(),
                    near.as_fd(),
                    &AtomicBool::default(),
                    plain_until(5000),
                    |_, _| {},
                )
            });
            let mut received = Vec::new();
            far.read_to_end(&mut received).unwrap();
            assert!(received == payload(), "{pipe}");
            assert_eq!(carried.join().unwrap(), Closed::AtEnd);
            sender.join().unwrap().unwrap();
        }
    }

    #[test]
    fn bytes_on_their_way_are_told_until_they_are_counted() {
        let (near, mut far) = pair();
        let (mut out, input) = std::io::pipe().unwrap();
        let moving = std::sync::Arc::new(AtomicBool::default());
        let seen = std::sync::Arc::clone(&moving);
        let (counting, counted) = std::sync::mpsc::channel();
        let (go_on, goes_on) = std::sync::mpsc::channel();
        let carried = thread::spawn(move || {
            let count = |_, _| {
                counting.send(()).unwrap();
                goes_on.recv().unwrap();
            };
            carry(Direction::In, near.as_fd(), input.as_fd(), &moving, plain_until(1), count)
        });
        for _ in 0..2 {
            far.write_all(b"x").unwrap();
            // It has arrived, and nobody has heard of it.
            out.read_exact(&mut [0]).unwrap();
            assert!(seen.load(Ordering::SeqCst));
            counted.recv().unwrap();
            go_on.send(()).unwrap();
            while seen.load(Ordering::SeqCst) {
                thread::yield_now();
            }
        }
        drop(far);
        assert_eq!(carried.join().unwrap(), Closed::AtEnd);
    }

    #[test]
    fn a_reset_and_a_client_that_is_gone_are_told_apart() {
        let ((near, far), (out, input)) = (pair(), std::io::pipe().unwrap());
        socket2::SockRef::from(&far).set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(far);
        let closed = carry(Direction::In, near.as_fd(), input.as_fd(), &AtomicBool::default(), |_, _| false, |_, _| {});
        assert_eq!(closed, Closed::Connection(Errno::ECONNRESET));
        let (near, mut far) = pair();
        far.write_all(&payload()[..100_000]).unwrap();
        drop(out);
        assert!(is_left(input.as_fd()));
        let closed =
            carry(Direction::In, near.as_fd(), input.as_fd(), &AtomicBool::default(), plain_until(10), |_, _| {});
        assert_eq!(closed, Closed::Client(Errno::EPIPE));
    }
}
