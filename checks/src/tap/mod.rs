//! A stream that is watched without being altered: what russh drops, and how the stream ended.

mod wire;

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub use wire::{Disconnect, KexInit, Reader};

/// Everything seen on one connection.
#[derive(Debug)]
pub struct Seen {
    /// When the stream was handed over.
    pub opened: Instant,
    /// What the server sent, as far as it is plain text.
    pub server: Reader,
    /// What we sent, as far as it is plain text.
    pub client: Reader,
    /// Bytes received.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
    /// When the last byte came in.
    pub last_received: Option<Instant>,
    /// When the last byte went out.
    pub last_sent: Option<Instant>,
    /// The longest time without a byte either way; whoever measures a silence sets it back to zero first.
    pub longest_quiet: Duration,
    /// How the stream ended, if it did.
    pub end: Option<End>,
}

/// How a stream ended, and when.
#[derive(Debug, Clone, Copy)]
pub struct End {
    /// When we noticed.
    pub at: Instant,
    /// How.
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
pub struct Watch(Arc<Mutex<Seen>>);

impl Watch {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Seen {
            opened: Instant::now(),
            server: Reader::default(),
            client: Reader::default(),
            received: 0,
            sent: 0,
            last_received: None,
            last_sent: None,
            longest_quiet: Duration::ZERO,
            end: None,
        })))
    }

    /// What was seen so far. Do not hold two of these at once: the lock is not reentrant.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The watched stream.
#[derive(Debug)]
pub struct Tap<S> {
    stream: S,
    watch: Watch,
}

impl<S> Tap<S> {
    /// Watches `stream`.
    pub fn new(stream: S) -> (Self, Watch) {
        let watch = Watch::new();
        (Self { stream, watch: watch.clone() }, watch)
    }

    /// What is watched.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl Seen {
    /// Takes note of the quiet that a byte ends.
    fn moved(&mut self, now: Instant) {
        let last = self.last_received.max(self.last_sent).unwrap_or(self.opened);
        self.longest_quiet = self.longest_quiet.max(now - last);
    }

    fn fail(&mut self, error: &io::Error) {
        let how = match error.kind() {
            io::ErrorKind::ConnectionReset => EndKind::Reset,
            _ => EndKind::Errno(error.raw_os_error().unwrap_or_default()),
        };
        self.end.get_or_insert(End { at: Instant::now(), how });
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let had_room = buf.remaining() > 0;
        let result = ready!(Pin::new(&mut self.stream).poll_read(cx, buf));
        let now = Instant::now();
        let mut seen = self.watch.seen();
        match &result {
            Ok(()) => {
                let new = buf.filled().get(before..).unwrap_or_default();
                if new.is_empty() {
                    if had_room {
                        seen.end.get_or_insert(End { at: now, how: EndKind::Fin });
                    }
                } else {
                    seen.moved(now);
                    seen.received += new.len() as u64;
                    seen.last_received = Some(now);
                    seen.server.feed(new, now);
                }
            }
            Err(error) => seen.fail(error),
        }
        Poll::Ready(result)
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
        Poll::Ready(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
