//! Versions and keys: what the server said before the encryption, what was agreed on, and how long each phase took.

mod causes;
mod looks;
mod software;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::time::timeout_at;

use crate::connection::{self, Connection, Manner, Negotiated, NotConnected};
use crate::dial::{Route, Transport};
use crate::evidence::{self, Step};
use crate::examination::Examination;
use crate::proxy;
use crate::socket::TcpInfo;
use crate::tap::{EndKind, KexInit, Objection, Seen, Tap, Watch};
use crate::target::Algorithms;
use crate::text::{seconds, shown, shown_bytes};
use crate::trial::{self, Arm, Exchange};

pub use causes::CAUSES;
pub use looks::Look;
pub use software::{Limit, Software};

/// What the handshake gets at least when connecting took all of ConnectTimeout.
const LEAST: Duration = Duration::from_millis(500);

/// How long a proxy command that has closed the connection may take to end.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What was seen. Times are milliseconds since the connection was open.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Lines that the server sent before its version, escaped; the first 32.
    pub lines_before_version: Vec<String>,
    /// How many such lines there were.
    pub line_count: u64,
    /// When the first and the last of them were complete.
    pub lines_ms: Option<(f64, f64)>,
    /// What came after the last line end and is not a version yet, escaped.
    pub unfinished_line: Option<String>,
    /// What OpenSSH's client accepts in no such line.
    pub objection: Option<Objection>,
    /// The first bytes of the server, escaped; `null` when it sent none.
    pub first_bytes: Option<String>,
    /// The first four bytes as numbers: what tells binary protocols apart.
    pub first_octets: Vec<u8>,
    /// The server's identification string, escaped.
    pub version: Option<String>,
    /// Whether it holds bytes other than the printable US-ASCII that RFC 4253 section 4.2 asks for.
    pub version_unprintable: bool,
    /// The software that it names.
    pub software: Option<Software>,
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
    /// When the last of them came.
    pub last_received_ms: Option<f64>,
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
    /// Whether a proxy command carries the connection.
    #[serde(default)]
    pub proxied: bool,
    /// What the proxy command wrote to standard error, escaped.
    pub proxy_stderr: Option<String>,
    /// How the proxy command ended, where the handshake failed and it did.
    pub proxy_end: Option<proxy::End>,
    /// Further connections on which we only listened, where the first was refused before the version.
    pub looks: Vec<Look>,
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
    /// Whether the server's software, as it names itself, can have this limit; none where that is not known.
    #[must_use]
    pub fn can_have(&self, limit: Limit) -> Option<bool> {
        Software::of(self.version.as_ref()?)?.can_have(limit)
    }

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
            lines_ms: server.line_times.map(|(first, last)| (since(first), since(last))),
            unfinished_line: server.unfinished_line().map(|line| shown(&line)),
            objection: server.objection,
            first_octets: first.iter().take(4).copied().collect(),
            first_bytes: (!first.is_empty()).then(|| shown_bytes(&first)),
            version: server.version.as_ref().map(|(version, _)| shown(version)),
            version_unprintable: server
                .version_line
                .strip_suffix(b"\n")
                .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
                .is_some_and(|line| !line.iter().all(|byte| (b' '..=b'~').contains(byte))),
            software: server.version.as_ref().and_then(|(version, _)| Software::of(&shown(version))),
            version_ms: server.version.as_ref().map(|(_, at)| since(*at)),
            server_offer: server.kexinit.as_ref().map(|(offer, _)| offer.clone()),
            server_offer_ms: server.kexinit.as_ref().map(|(_, at)| since(*at)),
            packet_types: server.packet_types.clone(),
            impossible_length: server.bad_length,
            received_bytes: seen.received,
            last_received_ms: seen.last_received.map(since),
            sent_bytes: seen.sent,
            end: manner(seen).zip(seen.end.map(|end| since(end.at))),
            ..Self::default()
        }
    }
}

/// How the stream ended, if it did.
fn manner(seen: &Seen) -> Option<Manner> {
    Some(match (&seen.server.disconnect, seen.end?.how) {
        (Some(said), _) => Manner::Disconnect { code: said.code, text: shown(&said.text) },
        (None, EndKind::Fin) => Manner::Fin,
        (None, EndKind::Reset) => Manner::Reset,
        (None, EndKind::Errno(errno)) => Manner::Errno { errno },
    })
}

fn short(text: &str) -> &str {
    text.get(..40).unwrap_or(text)
}

/// Exchanges versions and keys on the connection that tcp left; leaves it unauthenticated.
///
/// It takes `Limits::connect` at most; what is tried beside it or afterwards ends at [`Examination::until`].
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    let Some(transport) = exam.transport.take() else {
        return Step::Skipped("there is no connection: see tcp".into());
    };
    let socket = transport.socket();
    let process = transport.process();
    let began = Instant::now();
    // ConnectTimeout is for the connection and the handshake together (ssh_config(5)).
    let spent = exam.connecting.map(|since| began - since).unwrap_or_default();
    let deadline = exam.limits.connect.saturating_sub(spent).max(LEAST);
    let (stream, watch) = Tap::new(transport);
    let connecting = connect_beside_arms(exam, stream, &watch, deadline);
    let Some((outcome, arms)) = exam.stop.race(connecting).await else {
        return Step::Skipped("interrupted".into());
    };
    let mut facts = Facts::of(&watch.seen());
    facts.client_offer = exam.target.algorithms.clone();
    facts.tcp = socket.as_ref().and_then(crate::socket::Socket::tcp_info);
    if let Some(process) = process {
        facts.proxied = true;
        if outcome.is_err() && facts.end.is_some() {
            facts.proxy_end = process.end(LAST_WORDS).await;
        }
        facts.proxy_stderr = process.stderr();
    }
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
            facts.gave_up_ms = Some(deadline.as_secs_f64() * 1000.0);
            if let Some(socket) = &socket {
                socket.abort();
            }
            facts.arms = arms;
            Step::Failed(facts)
        }
        Err(NotConnected::Failed(russh::Error::NoCommonAlgo { .. })) if causes::user_would_agree(&facts) => {
            Step::Error(causes::library_lacks(&facts))
        }
        Err(NotConnected::Failed(_)) if is_beyond_library(&watch.seen()) => Step::Error(
            "the server's version is longer than 255 bytes or not UTF-8, against RFC 4253 section 4.2: ssh reads it, our SSH library does not"
                .to_owned(),
        ),
        Err(NotConnected::Failed(error)) => {
            facts.library_error = Some(shown(&error.to_string()));
            if causes::is_refusal(&facts) {
                facts.looks = looks::again(exam, facts.first_bytes.is_some() && facts.version.is_none(), began).await;
            }
            Step::Failed(facts)
        }
    }
}

/// Whether the library, and not ssh, stops at the version.
fn is_beyond_library(seen: &Seen) -> bool {
    let line = &seen.server.version_line;
    let spoken = line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-");
    spoken && !crate::tap::library_reads(line)
}

/// Connects, and tries the same in packets of other sizes once nothing has come for half of the time that it may take.
async fn connect_beside_arms(
    exam: &Examination,
    stream: Tap<Transport>,
    watch: &Watch,
    deadline: Duration,
) -> (Result<Connection, NotConnected>, Vec<Arm>) {
    let mut connecting = Box::pin(connection::connect_watched(stream, watch, &exam.target, deadline));
    let mut trying = Box::pin(async {
        let Some(exchange) = exchange(exam) else { return Vec::new() };
        match timeout_at(exam.until().into(), trial::stalled(watch, deadline / 2)).await {
            Ok(()) => trial::sizes(&exchange, exam.until()).await,
            Err(_) => Vec::new(),
        }
    });
    tokio::select! {
        biased;
        outcome = &mut connecting => match outcome {
            Err(NotConnected::Deadline) if watch.seen().server.version.is_some() => {
                (outcome, trying.await)
            }
            outcome => (outcome, Vec::new()),
        },
        arms = &mut trying => (connecting.await, arms),
    }
}

/// The exchange that further connections repeat; none where they could not be made unlike this one, or may not be opened.
fn exchange(exam: &Examination) -> Option<Exchange> {
    let route = exam.route.filter(|route| matches!(route, Route::Direct(_)) && exam.budget.left() > 0)?;
    Some(Exchange::Keys { target: exam.target.clone(), route, budget: exam.budget.clone() })
}
