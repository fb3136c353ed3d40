//! TCP reachability: every address tried by itself, the first in ssh's order that connects carries the examination.

mod attempts;
mod causes;
mod reading;

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use crate::dial::{self, Route, Transport};
use crate::evidence::{self, Step};
use crate::examination::Examination;
use crate::icmp::Icmp;
use crate::socket::Socket;
use crate::text;

pub use causes::CAUSES;

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Every address that was tried, in ssh's order.
    pub attempts: Vec<Attempt>,
    /// Addresses of the name beyond those, not tried.
    pub not_tried: usize,
    /// How long an attempt was given, seconds.
    pub deadline_s: f64,
    /// The local address that the user's settings connect from (`BindAddress`).
    pub bind: Option<IpAddr>,
    /// The first address in ssh's order that connected.
    pub connected_to: Option<SocketAddr>,
    /// Our end of that connection.
    pub connected_from: Option<SocketAddr>,
    /// The kernel's view of that connection.
    pub path: Option<Path>,
    /// Further connections to the same address, one after the other, closed at once (`--deep`).
    #[serde(default)]
    pub repeats: Vec<Attempt>,
}

/// One address and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The address and port.
    pub address: SocketAddr,
    /// Milliseconds until the outcome.
    pub ms: f64,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of an attempt to connect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The connection was established.
    Connected,
    /// Nothing came back before the deadline.
    TimedOut,
    /// The system reported an error.
    Failed {
        /// Its name, such as `ECONNREFUSED` (errno(3)).
        errno: Option<String>,
        /// Its text.
        error: String,
        /// The ICMP message that caused it; `None` for a TCP reset, for an error of this machine's own, and where
        /// the system does not tell.
        icmp: Option<Icmp>,
        /// Whether that message came from the address that this machine connects from.
        icmp_from_here: bool,
    },
    /// Another address had connected that ssh tries earlier.
    NotWaitedFor,
}

/// What the kernel knows of a new connection's path.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Path {
    /// Round-trip time of the TCP handshake, milliseconds.
    pub rtt_ms: f64,
    /// Maximum segment size we send, bytes.
    pub mss: u32,
    /// Path MTU as known so far, bytes.
    pub mtu: u32,
    /// How often the first packet (SYN) was sent again.
    #[serde(default)]
    pub repeated_syns: u32,
}

impl evidence::Facts for Facts {
    fn summary(&self) -> String {
        let Some(address) = self.connected_to else {
            let outcomes: Vec<_> = self.attempts.iter().map(reading::line).collect();
            return outcomes.join("; ");
        };
        let took = self.attempts.iter().find(|attempt| attempt.address == address).map_or(0.0, |attempt| attempt.ms);
        let rest = match self.attempts.len() {
            0 | 1 => String::new(),
            count => format!(", of {count} addresses"),
        };
        format!("connected to {address} in {}{rest}", text::seconds(took / 1000.0))
    }
}

/// Connects to every address at once and leaves the connection that ssh would have got.
///
/// The other connections are closed without a word: each costs its server a line in the log, and from OpenSSH 9.8 on a
/// second of penalty (`PerSourcePenalties`, sshd_config(5)), far below the 15 s at which sshd begins to refuse.
/// It takes `Limits::connect` at most; `--deep` repeats the connection for 6 s more.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    if let Some(proxy) = &exam.target.proxy {
        let by = if proxy.hops.is_empty() { "the proxy command".to_owned() } else { proxy.hops.join(", ") };
        if !proxy.hops.is_empty() {
            let how = if exam.transport.is_some() { "reached through" } else { "it is not reached through" };
            return Step::Skipped(format!("{how} {}", text::shown(&by)));
        }
        exam.route = Some(Route::Proxy);
        return match dial::open(&exam.budget, &exam.target, Route::Proxy, exam.limits.connect).await {
            Ok(transport) => {
                exam.transport = Some(transport);
                Step::Skipped(format!("reached through {}", text::shown(&by)))
            }
            Err(error) => Step::Error(format!("the proxy command could not be started: {error}")),
        };
    }
    if exam.addresses.is_empty() {
        return Step::Skipped("no address: the dns check left none".into());
    }
    let tried = attempts::all(exam).await;
    let facts = Facts {
        not_tried: exam.addresses.len().saturating_sub(tried.attempts.len()),
        deadline_s: exam.limits.connect.as_secs_f64(),
        bind: exam.target.bind,
        connected_to: tried.winner.as_ref().map(|(address, _)| *address),
        connected_from: tried.winner.as_ref().and_then(|(_, stream)| stream.local_addr().ok()),
        path: tried.winner.as_ref().and_then(|(_, stream)| path(stream)),
        repeats: match &tried.winner {
            Some((address, _)) if exam.limits.deep => attempts::repeated(exam, *address).await,
            _ => Vec::new(),
        },
        attempts: tried.attempts,
    };
    match tried.winner {
        Some((address, stream)) => {
            exam.route = Some(Route::Direct(address));
            exam.transport = Some(Transport::Tcp(stream));
            Step::Passed(facts)
        }
        None if exam.stop.asked() => Step::Skipped("interrupted".into()),
        None => Step::Failed(facts),
    }
}

fn path(stream: &TcpStream) -> Option<Path> {
    let info = Socket::of(stream).ok()?.tcp_info()?;
    Some(Path {
        rtt_ms: f64::from(info.rtt_us) / 1000.0,
        mss: info.mss,
        mtu: info.path_mtu,
        repeated_syns: info.retransmits,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::{Outcome, check};
    use crate::dial::Route;
    use crate::examination::{Examination, Nobody, Stop};
    use crate::progress::Progress;
    use crate::target::{Limits, Target};

    #[tokio::test]
    async fn the_first_that_connects_is_kept_and_the_others_are_closed() {
        let [closed, first, second] = [
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        ];
        let target = Target::bare("localhost", 22, "me");
        let mut exam =
            Examination::new(target, Limits::default(), Progress::default(), Stop::never(), Arc::new(Nobody));
        exam.addresses = [&closed, &first, &second].map(|listener| listener.local_addr().unwrap()).into();
        let [_, first, _] = <[_; 3]>::try_from(exam.addresses.clone()).unwrap();
        drop(closed);
        let step = check(&mut exam).await;
        let facts = step.passed().unwrap();
        assert!(
            matches!(&facts.attempts[0].outcome, Outcome::Failed { errno: Some(errno), icmp: None, .. } if errno == "ECONNREFUSED")
        );
        assert!(facts.attempts[1..].iter().all(|attempt| attempt.outcome == Outcome::Connected));
        assert_eq!(exam.route, Some(Route::Direct(first)));
        assert!(exam.transport.is_some());
        let (mut other, _) = second.accept().await.unwrap();
        assert_eq!(other.read(&mut [0; 1]).await.unwrap(), 0);
    }
}
