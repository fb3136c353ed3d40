//! Versions and keys: what the server said before the encryption, what was agreed on, and how long each phase took.

mod causes;

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::time::timeout_at;

use crate::connection::{self, Connection, Manner, Negotiated, NotConnected};
use crate::dial::{Route, Transport};
use crate::evidence::{self, Step};
use crate::examination::Examination;
use crate::socket::TcpInfo;
use crate::tap::{EndKind, KexInit, Seen, Tap, Watch};
use crate::target::Algorithms;
use crate::text::{seconds, shown, shown_bytes};
use crate::trial::{self, Arm, Exchange, Tried};

pub use causes::CAUSES;

/// What was seen. Times are milliseconds since the connection was open.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Lines that the server sent before its version, escaped; the first 32.
    pub lines_before_version: Vec<String>,
    /// How many such lines there were.
    pub line_count: u64,
    /// The first bytes of the server, escaped; `null` when it sent none.
    pub first_bytes: Option<String>,
    /// The first four bytes as numbers: what tells binary protocols apart.
    pub first_octets: Vec<u8>,
    /// The server's identification string, escaped.
    pub version: Option<String>,
    /// When it was complete.
    pub version_ms: Option<f64>,
    /// The server's algorithms.
    pub server_offer: Option<KexInit>,
    /// When they were complete.
    pub server_offer_ms: Option<f64>,
    /// What the user's own client offers.
    pub client_offer: Algorithms,
    /// What was agreed on.
    pub negotiated: Option<Negotiated>,
    /// When the keys were exchanged.
    pub done_ms: Option<f64>,
    /// Types of the plain-text packets that the server sent.
    pub packet_types: Vec<u8>,
    /// A packet length that no server may send.
    pub impossible_length: Option<u32>,
    /// Bytes from the server.
    pub received_bytes: u64,
    /// Bytes to the server.
    pub sent_bytes: u64,
    /// How the connection ended, and when.
    pub end: Option<(Manner, f64)>,
    /// How long we waited for an answer that did not come.
    pub gave_up_ms: Option<f64>,
    /// The library's own words on a failure.
    pub library_error: Option<String>,
    /// The kernel's view when the handshake was over.
    pub tcp: Option<TcpInfo>,
    /// What the proxy command wrote to standard error, escaped.
    pub proxy_stderr: Option<String>,
    /// The same exchange in packets of other sizes, where this one stalled.
    #[serde(default)]
    pub arms: Vec<Arm>,
}

impl evidence::Facts for Facts {
    fn summary(&self) -> String {
        match (&self.version, &self.negotiated) {
            (Some(version), Some(agreed)) => {
                format!("{version}, {}, {}, {}", agreed.kex, agreed.host_key, agreed.cipher)
            }
            (Some(version), None) => format!("{version}, then {}", self.ended()),
            (None, _) => match &self.first_bytes {
                Some(bytes) => format!("\"{}\" instead of a version, then {}", short(bytes), self.ended()),
                None => format!("no byte from the server, then {}", self.ended()),
            },
        }
    }
}

/// A library's error without the lists that follow it.
fn short_error(error: &str) -> &str {
    error.split_once(" - ").map_or(error, |(short, _)| short)
}

impl Facts {
    /// How it ended, in a few words.
    fn ended(&self) -> String {
        match (&self.end, self.gave_up_ms) {
            (Some((manner, ms)), _) => format!("{} after {}", manner.words(), seconds(ms / 1000.0)),
            (None, Some(ms)) => format!("silence for {}", seconds(ms / 1000.0)),
            // What was offered, which some errors go on to list, has facts of its own.
            (None, None) => self.library_error.as_deref().map_or("nothing", short_error).to_owned(),
        }
    }

    fn of(seen: &Seen) -> Self {
        let since = |at: Instant| at.duration_since(seen.opened).as_secs_f64() * 1000.0;
        let server = &seen.server;
        let mut first = server.first_bytes.clone();
        first.truncate(80);
        Self {
            lines_before_version: server.lines.iter().map(|line| shown(line)).collect(),
            line_count: server.line_count,
            first_octets: first.iter().take(4).copied().collect(),
            first_bytes: (!first.is_empty()).then(|| shown_bytes(&first)),
            version: server.version.as_ref().map(|(version, _)| shown(version)),
            version_ms: server.version.as_ref().map(|(_, at)| since(*at)),
            server_offer: server.kexinit.as_ref().map(|(offer, _)| offer.clone()),
            server_offer_ms: server.kexinit.as_ref().map(|(_, at)| since(*at)),
            packet_types: server.packet_types.clone(),
            impossible_length: server.bad_length,
            received_bytes: seen.received,
            sent_bytes: seen.sent,
            end: seen.end.map(|end| {
                let manner = match (&server.disconnect, end.how) {
                    (Some(said), _) => Manner::Disconnect { code: said.code, text: shown(&said.text) },
                    (None, EndKind::Fin) => Manner::Fin,
                    (None, EndKind::Reset) => Manner::Reset,
                    (None, EndKind::Errno(errno)) => Manner::Errno { errno },
                };
                (manner, since(end.at))
            }),
            ..Self::default()
        }
    }
}

fn short(text: &str) -> &str {
    text.get(..40).unwrap_or(text)
}

/// Exchanges versions and keys on the connection that tcp left; leaves it unauthenticated.
///
/// It takes `Limits::connect` at most, and a second more where the exchange stalled and the same was tried in small packets
/// meanwhile; only where those pass, [`trial`](crate::trial) takes up to 11 s more to prove it.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    let Some(transport) = exam.transport.take() else {
        return Step::Skipped("there is no connection: see tcp".into());
    };
    let socket = transport.socket();
    let proxy_stderr = transport.proxy_stderr();
    let began = Instant::now();
    let (stream, watch) = Tap::new(transport);
    let connecting = connect_beside_arm(exam, stream, &watch);
    let Some((outcome, small)) = exam.stop.race(connecting).await else {
        return Step::Skipped("interrupted".into());
    };
    let mut facts = Facts::of(&watch.seen());
    facts.client_offer = exam.target.algorithms.clone();
    facts.tcp = socket.as_ref().and_then(crate::socket::Socket::tcp_info);
    facts.proxy_stderr = proxy_stderr.and_then(|kept| {
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        (!kept.is_empty()).then(|| shown_bytes(&kept))
    });
    match outcome {
        Ok(connection) => {
            facts.done_ms = Some(began.elapsed().as_secs_f64() * 1000.0);
            facts.negotiated.clone_from(&connection.notes().read().negotiated);
            exam.connection = Some(connection);
            Step::Passed(facts)
        }
        Err(NotConnected::Library(lacking)) => Step::Error(format!(
            "our SSH library speaks none of the {} that your ssh offers: {}",
            lacking.setting,
            shown(&lacking.offered.join(","))
        )),
        Err(NotConnected::Deadline) => {
            facts.gave_up_ms = Some(began.elapsed().as_secs_f64() * 1000.0);
            if let Some(socket) = &socket {
                socket.abort();
            }
            if let (Some(small), Some(exchange)) = (small, exchange(exam)) {
                let further =
                    exam.stop.race(Box::pin(trial::narrow(&exchange, &small, None))).await.unwrap_or_default();
                facts.arms = std::iter::once(small.arm).chain(further).collect();
            }
            Step::Failed(facts)
        }
        Err(NotConnected::Failed(russh::Error::NoCommonAlgo { kind, .. })) if causes::user_would_agree(&facts) => {
            Step::Error(format!(
                "your ssh and the server would agree on a {kind:?} algorithm that our SSH library does not speak"
            ))
        }
        Err(NotConnected::Failed(error)) => {
            facts.library_error = Some(shown(&error.to_string()));
            Step::Failed(facts)
        }
    }
}

/// Connects, and tries the same in small packets once nothing has come for half of the time that it may take.
async fn connect_beside_arm(
    exam: &Examination,
    stream: Tap<Transport>,
    watch: &Watch,
) -> (Result<Connection, NotConnected>, Option<Tried>) {
    /// How much longer than the connection itself the arm may take.
    const GRACE: Duration = Duration::from_secs(1);
    let deadline = exam.limits.connect;
    let until = tokio::time::Instant::now() + deadline + GRACE;
    let mut connecting = Box::pin(connection::connect_watched(stream, watch, &exam.target, deadline));
    let mut trying = Box::pin(async {
        let Some(exchange) = exchange(exam) else { return std::future::pending().await };
        trial::stalled(watch, deadline / 2).await;
        trial::small(&exchange, until.saturating_duration_since(tokio::time::Instant::now())).await
    });
    tokio::select! {
        biased;
        outcome = &mut connecting => match outcome {
            Err(NotConnected::Deadline) if watch.seen().server.version.is_some() => {
                (outcome, timeout_at(until, trying).await.ok())
            }
            outcome => (outcome, None),
        },
        tried = &mut trying => (connecting.await, Some(tried)),
    }
}

/// The exchange that further connections repeat; none where they could not be made unlike this one, or may not be opened.
fn exchange(exam: &Examination) -> Option<Exchange> {
    let route = exam.route.filter(|route| matches!(route, Route::Direct(_)) && exam.budget.left() > 0)?;
    Some(Exchange::Keys { target: exam.target.clone(), route, budget: exam.budget.clone() })
}
