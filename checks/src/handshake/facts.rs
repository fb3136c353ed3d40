//! What was seen of the version exchange and of the key exchange.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::silence::Later;
use super::{Limit, Look, Software};
use crate::connection::{Manner, Negotiated};
use crate::evidence;
use crate::proxy;
use crate::socket::TcpInfo;
use crate::tap::{EndKind, KexInit, Objection, Seen};
use crate::target::Algorithms;
use crate::text::{seconds, shown, shown_bytes};
use crate::trial::Arm;

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
    /// A further connection that began as a TLS client does, where the server said nothing unasked.
    pub tls: Option<Look>,
    /// What came after we had given up, where nothing had come until then.
    pub later: Option<Later>,
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
            (None, None) => {
                self.library_error.as_deref().map_or("no algorithm in common with your ssh", short_error).to_owned()
            }
        }
    }
}

/// What was seen of the exchange so far.
pub(super) fn facts(seen: &Seen) -> Facts {
    let since = |at: Instant| at.duration_since(seen.opened).as_secs_f64() * 1000.0;
    let server = &seen.server;
    let mut first = server.first_bytes.clone();
    first.truncate(80);
    Facts {
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
        ..Facts::default()
    }
}

/// How the stream ended, if it did.
pub(super) fn manner(seen: &Seen) -> Option<Manner> {
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
