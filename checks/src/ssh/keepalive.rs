//! Asks whether a connection is alive. Any packet is an answer.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::channels::{ChannelKind, Opened};
use super::connection::Connection;
use super::replies::Replies;
use crate::os::pause::timeout;
use crate::os::socket::Socket;

/// The time after a packet within which the end of the connection may show: SSH_MSG_DISCONNECT is a packet too.
const FAREWELL: Duration = Duration::from_millis(100);
/// The interval at which the kernel is queried for outstanding acknowledgements.
const GLANCE: Duration = Duration::from_millis(20);
/// The least time in which a server answers that answers at all.
const ANSWERS: Duration = Duration::from_secs(1);

/// The answer to a keepalive request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepaliveReply {
    /// The server answered, after this long.
    Alive(Duration),
    /// No answer before the deadline.
    Silent,
    /// The connection was already closed, or closed while we waited.
    Gone,
}

impl Connection {
    /// Sends `keepalive@openssh.com` and waits for any packet in return. A refusal is an answer, and so is SSH_MSG_UNIMPLEMENTED (RFC 4253
    /// section 11.4), which the library drops. Where the server leaves such requests unanswered, TCP's acknowledgement is all there is.
    pub async fn keepalive(&self, deadline: Duration) -> KeepaliveReply {
        let asked = Instant::now();
        let (received, sent) = {
            let seen = self.watch.seen();
            (seen.received, seen.sent)
        };
        let request = self.handle.send_global_request("keepalive@openssh.com", &[], true);
        let answered = async {
            tokio::select! {
                biased;
                answer = request => match answer {
                    Ok(_) | Err(russh::Error::RequestDenied) => KeepaliveReply::Alive(asked.elapsed()),
                    Err(_) => KeepaliveReply::Gone,
                },
                took = self.any_packet(received, asked) => {
                    if self.is_closed() || self.ending().is_some() { KeepaliveReply::Gone } else { KeepaliveReply::Alive(took) }
                }
                () = self.acknowledged(sent), if self.replies.are_missing() => KeepaliveReply::Alive(asked.elapsed()),
            }
        };
        timeout(deadline, answered).await.unwrap_or(KeepaliveReply::Silent)
    }

    /// The way the server answers global requests, shared with all further connections to it.
    #[must_use]
    pub fn replies(&self) -> Replies {
        self.replies.clone()
    }

    /// Learns whether the server answers global requests: not where it leaves one unanswered and opens a channel at the same time.
    pub(crate) async fn learn_replies(&self) {
        let round_trip = self.socket().and_then(Socket::tcp_info).map_or(Duration::ZERO, |tcp| tcp.rtt());
        let wait = ANSWERS.max(round_trip * 4);
        if self.keepalive(wait).await != KeepaliveReply::Silent {
            return;
        }
        let [opened] = self.open([ChannelKind::Session], wait).await;
        if let Opened::Open(channel) = &opened {
            let _ = timeout(wait, channel.close()).await;
        }
        if matches!(opened, Opened::Open(_) | Opened::Refused(_)) {
            self.replies.note_missing();
        }
    }

    /// Returns some time after a packet has come, with the time until it came. What comes while our own request is still on its way does not
    /// answer it.
    pub(super) async fn any_packet(&self, mut received: u64, asked: Instant) -> Duration {
        loop {
            self.watch.until(|seen| seen.received > received || seen.end.is_some()).await;
            let took = asked.elapsed();
            sleep(FAREWELL).await;
            let arrived = self.socket().and_then(Socket::tcp_info).is_none_or(|tcp| tcp.is_acknowledged());
            if arrived || self.is_closed() {
                return took;
            }
            received = self.watch.seen().received;
        }
    }

    /// Returns once TCP has acknowledged the data sent since, where the connection is a direct TCP socket.
    async fn acknowledged(&self, sent: u64) {
        self.watch.until(|seen| seen.sent > sent).await;
        loop {
            sleep(GLANCE).await;
            if self.socket().and_then(Socket::tcp_info).is_some_and(|tcp| tcp.is_acknowledged()) {
                return;
            }
        }
    }
}
