//! Channels beside the one that the command runs in: opened together, so that they cost one round trip.

use std::time::{Duration, Instant};

use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use tokio::time::sleep;

use super::connection::Connection;
use super::observations::OpenFailure;
use crate::os::pause::timeout;

/// The time that a server may take to answer a request once it has sent something since.
const YES_OR_NO: Duration = Duration::from_secs(2);

/// The destination of a channel.
#[derive(Debug, Clone, Copy)]
pub enum ChannelKind {
    /// A session (RFC 4254 section 6.1).
    Session,
    /// A port of a host that the server connects to (RFC 4254 section 7.2).
    DirectTcpip(&'static str, u16),
    /// A socket of the server's file system (OpenSSH's PROTOCOL, section 2.4).
    Streamlocal(&'static str),
}

/// The server's answer to the wish for a channel.
pub enum Opened {
    /// It is open.
    Open(Channel<Msg>),
    /// It is refused.
    Refused(OpenFailure),
    /// No answer before the deadline.
    Silent,
    /// The connection ended.
    Gone,
}

impl Connection {
    /// Asks for these channels at once; the answers are in the order of the wishes.
    pub async fn open<const N: usize>(&self, kinds: [ChannelKind; N], deadline: Duration) -> [Opened; N] {
        let already = self.observations().read().open_failures.iter().map(|failure| failure.channel).max();
        let mut asked = kinds.map(|kind| Box::pin(timeout(deadline, self.open_one(kind))));
        let mut answers = [const { None }; N];
        std::future::poll_fn(|cx| {
            // In this order, also the first time: it is that of the channels' numbers.
            for (asked, answer) in asked.iter_mut().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
                if let std::task::Poll::Ready(ready) = asked.as_mut().poll(cx) {
                    *answer = Some(ready);
                }
            }
            if answers.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        let mut failures: Vec<_> = self
            .observations()
            .read()
            .open_failures
            .iter()
            .filter(|new| Some(new.channel) > already)
            .cloned()
            .collect();
        failures.sort_by_key(|failure| failure.channel);
        let mut failures = failures.into_iter();
        answers.map(|answer| match answer {
            Some(Ok(Ok(channel))) => Opened::Open(channel),
            Some(Ok(Err(russh::Error::ChannelOpenFailure(_)))) => {
                let unknown = OpenFailure { channel: 0, code: 0, text: String::new() };
                Opened::Refused(failures.next().unwrap_or(unknown))
            }
            Some(Ok(Err(_))) => Opened::Gone,
            Some(Err(_)) | None => Opened::Silent,
        })
    }

    async fn open_one(&self, kind: ChannelKind) -> Result<Channel<Msg>, russh::Error> {
        // The server may be slow to connect onwards: a further connection, which is then answered at once, tells that from a stall.
        let _awaited = self.record().awaits();
        match kind {
            ChannelKind::Session => self.handle.channel_open_session().await,
            ChannelKind::DirectTcpip(host, port) => {
                self.handle.channel_open_direct_tcpip(host, u32::from(port), "127.0.0.1", 0).await
            }
            ChannelKind::Streamlocal(path) => self.handle.channel_open_direct_streamlocal(path).await,
        }
    }

    /// Asks for a port on the server's loopback that leads back to us, and gives it back at once; `None` where no answer came, or one that is
    /// neither yes nor no.
    pub async fn forward_back(&self, deadline: Duration) -> Option<bool> {
        // The address that ssh sends for -R without one, and GatewayPorts no.
        const LOOPBACK: &str = "localhost";
        let asked = Instant::now();
        let (received, mut awaited) = (self.watch.seen().received, Some(self.record().awaits()));
        let forwarded = async {
            tokio::select! {
                biased;
                answer = self.handle.tcpip_forward(LOOPBACK, 0) => Some(answer),
                // A server that knows no global requests says so in a packet that the library drops.
                () = async {
                    self.any_packet(received, asked).await;
                    awaited.take();
                    sleep(YES_OR_NO).await;
                } => None,
            }
        };
        let forwarded = timeout(deadline, forwarded).await.ok().flatten();
        match forwarded {
            Some(Ok(port)) => {
                // Where it is not given back, it ends with the connection.
                let _ = timeout(deadline, self.handle.cancel_tcpip_forward(LOOPBACK, port)).await;
                Some(true)
            }
            Some(Err(russh::Error::RequestDenied)) => Some(false),
            Some(Err(_)) | None => None,
        }
    }
}

/// Waits for the answers to `count` requests of a channel, which come in the order of the requests; fewer where the channel ends
/// or says nothing for the deadline. With them comes output that was sent before them.
pub(crate) async fn answers(channel: &mut Channel<Msg>, count: usize, deadline: Duration) -> (Vec<bool>, Vec<u8>) {
    /// Bytes of output that are kept.
    const KEPT: usize = 16 * 1024;
    let (mut answers, mut output) = (Vec::new(), Vec::new());
    while answers.len() < count {
        match timeout(deadline, channel.wait()).await {
            Ok(Some(ChannelMsg::Success)) => answers.push(true),
            Ok(Some(ChannelMsg::Failure)) => answers.push(false),
            Ok(Some(ChannelMsg::Close) | None) | Err(_) => break,
            Ok(Some(ChannelMsg::Data { data })) if output.len() < KEPT => output.extend_from_slice(&data),
            Ok(Some(_)) => {}
        }
    }
    (answers, output)
}
