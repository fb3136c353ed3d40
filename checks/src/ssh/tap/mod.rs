//! A stream that is watched: what russh drops, and how the stream ended.
//!
//! Nothing is altered, and one thing withheld: the lines that a server may send before its version (RFC 4253 section 4.2) and
//! that russh would only drop. It gives up at 20 of them, where ssh reads 1023. And the stream is ended, by us, once the server has
//! sent more than it may: russh keeps what it cannot hand on, without a bound of its own.

pub(crate) mod wire;

pub use wire::Reader;

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use super::wait;

/// The most that a server may send from its version to the end of the login, bytes: a key exchange with the longest lists, a banner and
/// several rounds of questions take a fifth of it.
pub(crate) const BEFORE_LOGIN: u64 = 512 << 10;

/// Everything seen on one connection.
#[derive(Debug)]
pub struct Seen {
    /// The time at which the stream was handed over.
    pub opened: Instant,
    /// The data that the server sent, as far as it is plain text.
    pub server: Reader,
    /// The data that we sent, as far as it is plain text.
    pub client: Reader,
    /// Bytes received.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
    /// The time at which the last byte came in.
    pub last_received: Option<Instant>,
    /// The time at which the last byte went out.
    pub last_sent: Option<Instant>,
    /// The longest time without a byte either way; a measurement of silence resets it to zero first.
    pub longest_quiet: Duration,
    /// The way the stream ended, if it did.
    pub end: Option<StreamEnd>,
    /// The number of bytes that the server may have sent; `None` before its version, which has bounds of its own.
    allowed: Option<u64>,
    /// The server sent more than it may, and the stream was ended for it: the bytes received by then.
    pub excess: Option<u64>,
    /// The server gave an answer to a request that had not reached it.
    pub answered_unasked: bool,
}

/// The way a stream ended, and when.
#[derive(Debug, Clone, Copy)]
pub struct StreamEnd {
    /// The time at which we noticed.
    pub at: Instant,
    /// The manner.
    pub how: EndKind,
}

/// The way a stream can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndKind {
    /// An orderly end from the other side (TCP FIN).
    Fin,
    /// The other side, or something in the path, reset the connection (TCP RST).
    Reset,
    /// The kernel gave up on the connection or refused to send; the errno.
    Errno(i32),
}

/// The end of a watch that can be read while the connection lives.
#[derive(Debug, Clone)]
pub struct Watch(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    seen: Mutex<Seen>,
    /// The signal that something has moved, or that the stream has ended.
    moved: Notify,
}

impl Watch {
    fn new() -> Self {
        let seen = Seen {
            opened: Instant::now(),
            server: Reader::default(),
            client: Reader::default(),
            received: 0,
            sent: 0,
            last_received: None,
            last_sent: None,
            longest_quiet: Duration::ZERO,
            end: None,
            allowed: None,
            excess: None,
            answered_unasked: false,
        };
        Self(Arc::new(Watched { seen: Mutex::new(seen), moved: Notify::new() }))
    }

    /// Returns the observations so far. Do not hold two of these at once: the lock is not reentrant.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Allows the server to send this many more bytes from now on.
    pub(crate) fn allow(&self, bytes: u64) {
        let mut seen = self.seen();
        seen.allowed = Some(seen.received.saturating_add(bytes));
    }

    /// A request that goes out now.
    pub(crate) fn asking(&self) -> Asking {
        Asking { received: self.seen().received, watch: self.clone() }
    }

    /// Returns once what was seen is so.
    pub(crate) async fn until(&self, is_so: impl Fn(&Seen) -> bool) {
        wait::until(&self.0.moved, || is_so(&self.seen()).then_some(())).await;
    }
}

/// A request on its way to the server.
#[derive(Debug)]
pub(crate) struct Asking {
    watch: Watch,
    received: u64,
}

impl Asking {
    /// True if an answer that is there now can be one to this request: something has come since. If not, that is noted.
    pub(crate) fn may_be_answered(&self) -> bool {
        let mut seen = self.watch.seen();
        let unasked = seen.received == self.received;
        seen.answered_unasked |= unasked;
        !unasked
    }
}

/// The watched stream.
#[derive(Debug)]
pub(crate) struct Tap<S> {
    stream: S,
    watch: Watch,
    preface: Preface,
}

/// The progress of the reading side between the server's first byte and the end of its version.
#[derive(Debug)]
enum Preface {
    /// The version has not come yet, and nothing is handed on.
    Withheld,
    /// The version and the bytes that came with it, to be passed on from this offset.
    Waiting(Vec<u8>, usize),
    /// Everything is handed on as it comes.
    Over,
}

/// Bytes read at a time before the version.
const CHUNK: usize = 2048;

impl<S> Tap<S> {
    /// Watches `stream`.
    pub(crate) fn new(stream: S) -> (Self, Watch) {
        let watch = Watch::new();
        (Self { stream, watch: watch.clone(), preface: Preface::Withheld }, watch)
    }

    /// Returns the watched stream.
    pub(crate) fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl Seen {
    /// Notes the quiet that a byte ends.
    fn moved(&mut self, now: Instant) {
        let last = self.last_received.max(self.last_sent).unwrap_or(self.opened);
        self.longest_quiet = self.longest_quiet.max(now - last);
    }

    fn fail(&mut self, error: &io::Error) {
        let how = match error.kind() {
            io::ErrorKind::ConnectionReset => EndKind::Reset,
            _ => EndKind::Errno(error.raw_os_error().unwrap_or_default()),
        };
        self.end.get_or_insert(StreamEnd { at: Instant::now(), how });
    }
}

impl<S: AsyncRead + Unpin> Tap<S> {
    /// Reads from the stream and writes down what came, and how it ended; gives back where the bytes after the version begin.
    fn poll_watched(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let result = ready!(self.poll_noted(cx, buf));
        self.watch.0.moved.notify_waiters();
        Poll::Ready(result)
    }

    fn poll_noted(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let before = buf.filled().len();
        let had_room = buf.remaining() > 0;
        let result = ready!(Pin::new(&mut self.stream).poll_read(cx, buf));
        let now = Instant::now();
        let mut seen = self.watch.seen();
        if let Err(error) = result {
            seen.fail(&error);
            return Poll::Ready(Err(error));
        }
        let new = buf.filled().get(before..).unwrap_or_default();
        if new.is_empty() {
            if had_room {
                seen.end.get_or_insert(StreamEnd { at: now, how: EndKind::Fin });
            }
            return Poll::Ready(Ok(before));
        }
        seen.moved(now);
        seen.received += new.len() as u64;
        seen.last_received = Some(now);
        let after = seen.server.feed(new, now).len();
        if seen.server.version.is_some() {
            let received = seen.received;
            if received > *seen.allowed.get_or_insert(received.saturating_add(BEFORE_LOGIN)) {
                seen.excess = Some(received);
                let words = format!("the server sent more than it can have to say: {received} bytes");
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, words)));
            }
        }
        Poll::Ready(Ok(buf.filled().len() - after))
    }

    /// Reads lines until the version is there; ready with nothing at the end of the stream.
    fn poll_version(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Vec<u8>>>> {
        let mut chunk = [0; CHUNK];
        loop {
            let mut buf = ReadBuf::new(&mut chunk);
            let after = ready!(self.poll_watched(cx, &mut buf))?;
            if buf.filled().is_empty() {
                return Poll::Ready(Ok(None));
            }
            let seen = self.watch.seen();
            if seen.server.objection.is_some() {
                let words = "what came before the version is not acceptable to ssh";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, words)));
            }
            if seen.server.version.is_some() {
                let mut ready = seen.server.version_line.clone();
                if !library_reads(&ready) {
                    // The library would take it for one more line to drop, and wait for ever.
                    let words = "the library cannot read this version";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, words)));
                }
                ready.extend_from_slice(buf.filled().get(after..).unwrap_or_default());
                return Poll::Ready(Ok(Some(ready)));
            }
        }
    }
}

/// True if russh takes the line for a version; it reads 255 bytes of UTF-8, of SSH 2.0 and 1.99.
pub(crate) fn library_reads(line: &[u8]) -> bool {
    let spoken = line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-");
    spoken && line.len() <= 255 && std::str::from_utf8(line).is_ok()
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if matches!(self.preface, Preface::Withheld) {
            match ready!(self.poll_version(cx))? {
                Some(ready) => self.preface = Preface::Waiting(ready, 0),
                None => return Poll::Ready(Ok(())),
            }
        }
        if let Preface::Waiting(ready, from) = &mut self.preface {
            let count = buf.remaining().min(ready.len() - *from);
            buf.put_slice(&ready[*from..*from + count]);
            *from += count;
            if *from == ready.len() {
                self.preface = Preface::Over;
            }
            return Poll::Ready(Ok(()));
        }
        self.poll_watched(cx, buf).map_ok(drop)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.stream).poll_write(cx, buf));
        let now = Instant::now();
        let mut seen = self.watch.seen();
        match &result {
            Ok(written) => {
                seen.moved(now);
                seen.sent += *written as u64;
                seen.last_sent = Some(now);
                seen.client.feed(buf.get(..*written).unwrap_or_default(), now);
            }
            Err(error) => seen.fail(error),
        }
        drop(seen);
        self.watch.0.moved.notify_waiters();
        Poll::Ready(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
