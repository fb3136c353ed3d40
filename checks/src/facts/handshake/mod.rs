//! The observations of the version exchange and of the key exchange.

pub mod kinds;
pub mod refusal;
pub mod software;

use serde::{Deserialize, Serialize};

pub use software::{Limit, Software};

use super::connection::Manner;
use super::proxy;
use super::retest::Retest;
use super::tcp::TcpInfo;
use crate::base::target::Algorithms;
use crate::base::text::seconds;
use crate::facts;

/// The facts of the handshake. Times are milliseconds since the connection was open.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Lines that the server sent before its version, escaped; the first 32.
    pub lines_before_version: Vec<String>,
    /// The number of such lines.
    pub line_count: u64,
    /// The time at which the first and the last of them were complete.
    pub lines_ms: Option<(f64, f64)>,
    /// Bytes after the last line end that are not a version yet, escaped.
    pub unfinished_line: Option<String>,
    /// The fault in such a line that OpenSSH's client rejects.
    pub objection: Option<Objection>,
    /// The first bytes of the server, escaped; `null` when it sent none.
    pub first_bytes: Option<String>,
    /// The first four bytes as numbers: what tells binary protocols apart.
    pub first_octets: Vec<u8>,
    /// The server's identification string, escaped.
    pub version: Option<String>,
    /// True if it holds bytes other than the printable US-ASCII that RFC 4253 section 4.2 asks for.
    pub version_unprintable: bool,
    /// The software that it names.
    pub software: Option<Software>,
    /// The time at which it was complete.
    pub version_ms: Option<f64>,
    /// The server's algorithms.
    pub server_offer: Option<KexInit>,
    /// The time at which they were complete.
    pub server_offer_ms: Option<f64>,
    /// The algorithms that the user's own client offers.
    pub client_offer: Algorithms,
    /// The agreed algorithms.
    pub negotiated: Option<Negotiated>,
    /// The time at which the keys were exchanged.
    pub done_ms: Option<f64>,
    /// Types of the plain-text packets that the server sent.
    pub packet_types: Vec<u8>,
    /// A packet length that no server may send.
    pub impossible_length: Option<u32>,
    /// Bytes from the server.
    pub received_bytes: u64,
    /// The time at which the last of them came.
    pub last_received_ms: Option<f64>,
    /// Bytes to the server.
    pub sent_bytes: u64,
    /// The way the connection ended, and when.
    pub end: Option<(Manner, f64)>,
    /// The time that we waited for an answer that did not come.
    pub gave_up_ms: Option<f64>,
    /// The library's own words on a failure.
    pub library_error: Option<String>,
    /// The kernel's view when the handshake was over.
    pub tcp: Option<TcpInfo>,
    /// True if a proxy command carries the connection.
    #[serde(default)]
    pub proxied: bool,
    /// The output of the proxy command on standard error.
    pub proxy_stderr: Option<Box<proxy::ProxyOutput>>,
    /// The way the proxy command ended, where the handshake failed and it did.
    pub proxy_end: Option<proxy::ProxyExit>,
    /// Further connections on which we only listened, where the first was refused before the version.
    #[serde(rename = "looks")]
    pub reconnects: Vec<Reconnect>,
    /// A further connection that began as a TLS client does, where the server said nothing unasked.
    pub tls: Option<Reconnect>,
    /// Bytes that came after we had given up, where none had come until then.
    pub later: Option<Later>,
    /// Repeats of the exchange in packets of other sizes, where this one stalled.
    #[serde(default)]
    pub arms: Vec<Retest>,
}

impl facts::Facts for Facts {
    /// True if the server was waited for as long as is usual and said nothing; a stop after that changes nothing.
    fn outlive_the_stop(&self) -> bool {
        /// The usual wait of 10 s, less what connecting may have taken of it.
        const USUAL_MS: f64 = 8000.0;
        self.received_bytes == 0 && self.gave_up_ms.is_some_and(|gave_up| gave_up >= USUAL_MS)
    }

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
    /// True if the server's version ends before the name of its software, which RFC 4253 section 4.2 wants and ssh does too.
    #[must_use]
    pub fn names_no_software(&self) -> bool {
        self.version.as_deref().is_some_and(|version| ["SSH-2.0-", "SSH-1.99-"].contains(&version))
    }

    /// True if the server's software, as it names itself, can have this limit; none where that is not known.
    #[must_use]
    pub fn can_have(&self, limit: Limit) -> Option<bool> {
        Software::of(self.version.as_ref()?)?.can_have(limit)
    }

    /// The way it ended, in a few words.
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

fn short(text: &str) -> &str {
    text.get(..40).unwrap_or(text)
}

/// The algorithms that both sides agreed on.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Negotiated {
    /// Key exchange method.
    pub kex: String,
    /// Host key algorithm.
    pub host_key: String,
    /// Cipher.
    pub cipher: String,
    /// MAC from client to server; of no meaning with an authenticated cipher.
    pub mac: String,
    /// Compression from client to server.
    pub compression: String,
    /// Strict key exchange, the counter-measure to Terrapin (CVE-2023-48795).
    pub strict_kex: bool,
}

/// One further connection, on which we only listened, or began as another client than ssh's does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reconnect {
    /// The time at which it was open, milliseconds since the check began.
    pub at_ms: f64,
    /// The identification string that came, escaped.
    pub version: Option<String>,
    /// The first bytes that came, escaped.
    pub first_bytes: Option<String>,
    /// The first four of them as numbers.
    #[serde(default)]
    pub first_octets: Vec<u8>,
    /// The way it ended, if it did while we listened.
    pub end: Option<Manner>,
    /// The time for which we listened, milliseconds.
    pub ms: f64,
}

impl Reconnect {
    /// True if a byte came.
    pub(crate) fn has_spoken(&self) -> bool {
        self.first_bytes.is_some()
    }

    /// True if it stayed open without a byte.
    pub(crate) fn is_silent(&self) -> bool {
        self.end.is_none() && !self.has_spoken()
    }
}

/// Bytes that came on the connection after we had given up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Later {
    /// The time at which they came, milliseconds since the connection was open.
    pub ms: f64,
    /// The first bytes, escaped.
    pub first_bytes: String,
    /// The first four bytes as numbers.
    pub first_octets: Vec<u8>,
    /// The identification string, escaped, if it was one.
    pub version: Option<String>,
}

/// A fault in a line before the keys that OpenSSH's client rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objection {
    /// More lines before the version than 1024.
    TooManyLines,
    /// A line of more than 8192 bytes.
    LineTooLong,
    /// A NUL, or a carriage return inside a line.
    InvalidCharacter,
}

/// The name lists of SSH_MSG_KEXINIT, RFC 4253 section 7.1.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KexInit {
    /// Key exchange methods.
    pub kex: Vec<String>,
    /// Host key algorithms.
    pub host_key: Vec<String>,
    /// Ciphers from client to server.
    pub cipher_to_server: Vec<String>,
    /// Ciphers from server to client.
    pub cipher_to_client: Vec<String>,
    /// MACs from client to server.
    pub mac_to_server: Vec<String>,
    /// MACs from server to client.
    pub mac_to_client: Vec<String>,
    /// Compression from client to server.
    pub compression_to_server: Vec<String>,
    /// Compression from server to client.
    pub compression_to_client: Vec<String>,
    /// Size of the packet's payload, bytes.
    pub bytes: usize,
}
