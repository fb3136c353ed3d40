//! Reads the plain-text part of one direction of an SSH connection: RFC 4253 sections 4.2, 6, 7.1 and 11.1.

use std::time::Instant;

/// Lines before the version that are kept; OpenSSH's client gives up after 1024 (`SSH_MAX_PRE_BANNER_LINES`).
const LINES_KEPT: usize = 32;
/// Longest line that is kept; RFC 4253 section 4.2 allows 255 bytes for the version.
const LINE_BYTES: usize = 255;
/// Longest plain-text packet that is read; RFC 4253 section 6.1 asks for 35,000 bytes.
const PACKET_BYTES: usize = 35_000;
/// The first bytes of the stream that are kept as they came.
const FIRST_BYTES: usize = 256;

const MSG_DISCONNECT: u8 = 1;
const MSG_KEXINIT: u8 = 20;
const MSG_NEWKEYS: u8 = 21;

/// What one side said before its encryption began.
#[derive(Debug, Default)]
pub struct Reader {
    /// The first bytes as they came.
    pub first_bytes: Vec<u8>,
    /// Lines before the version, without their line ends, each cut at 255 bytes; the first 32 of them.
    pub lines: Vec<String>,
    /// How many lines came before the version.
    pub line_count: u64,
    /// The identification string, without its line end, and when it was complete.
    pub version: Option<(String, Instant)>,
    /// The algorithms on offer, and when the offer was complete.
    pub kexinit: Option<(KexInit, Instant)>,
    /// When this side switched its encryption on.
    pub newkeys: Option<Instant>,
    /// A DISCONNECT in plain text.
    pub disconnect: Option<Disconnect>,
    /// The types of the plain-text packets so far (at most 32).
    pub packet_types: Vec<u8>,
    /// A packet whose stated length is impossible: the length.
    pub bad_length: Option<u32>,
    state: State,
    buffer: Vec<u8>,
}

#[derive(Debug, Default, PartialEq)]
enum State {
    #[default]
    Lines,
    Packets,
    Opaque,
}

/// SSH_MSG_DISCONNECT, RFC 4253 section 11.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnect {
    /// The reason code.
    pub code: u32,
    /// What the other side says about it, as it came.
    pub text: String,
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

impl Reader {
    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, mut bytes: &[u8], now: Instant) {
        let room = FIRST_BYTES - self.first_bytes.len().min(FIRST_BYTES);
        self.first_bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        while !bytes.is_empty() {
            match self.state {
                State::Lines => bytes = self.feed_line(bytes, now),
                State::Packets => bytes = self.feed_packet(bytes, now),
                State::Opaque => return,
            }
        }
    }

    /// The unfinished line before the version, if any: what a server without a line end has said so far.
    #[must_use]
    pub fn unfinished_line(&self) -> Option<String> {
        (self.state == State::Lines && !self.buffer.is_empty())
            .then(|| String::from_utf8_lossy(&self.buffer).into_owned())
    }

    fn feed_line<'b>(&mut self, bytes: &'b [u8], now: Instant) -> &'b [u8] {
        let end = bytes.iter().position(|&b| b == b'\n');
        let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        let room = LINE_BYTES.saturating_sub(self.buffer.len());
        self.buffer.extend_from_slice(line.get(..room).unwrap_or(line));
        if end.is_none() {
            return rest;
        }
        let text = String::from_utf8_lossy(&self.buffer).trim_end_matches(['\r', '\n']).to_owned();
        self.buffer.clear();
        if text.starts_with("SSH-") {
            self.version = Some((text, now));
            self.state = State::Packets;
        } else {
            self.line_count += 1;
            if self.lines.len() < LINES_KEPT {
                self.lines.push(text);
            }
        }
        rest
    }

    fn feed_packet<'b>(&mut self, bytes: &'b [u8], now: Instant) -> &'b [u8] {
        let want = match self.buffer.first_chunk::<4>() {
            None => 4,
            Some(length) => match u32::from_be_bytes(*length) {
                length @ 2..=35_000 => 4 + length as usize,
                length => {
                    self.bad_length = Some(length);
                    self.state = State::Opaque;
                    self.buffer = Vec::new();
                    return &[];
                }
            },
        };
        debug_assert!(want <= 4 + PACKET_BYTES);
        let missing = want - self.buffer.len();
        let (now_bytes, rest) = bytes.split_at(missing.min(bytes.len()));
        self.buffer.extend_from_slice(now_bytes);
        if self.buffer.len() == want && want > 4 {
            let packet = std::mem::take(&mut self.buffer);
            self.packet(&packet[4..], now);
        }
        rest
    }

    /// One packet without its length field: padding length, payload, padding.
    fn packet(&mut self, packet: &[u8], now: Instant) {
        let Some((&padding, rest)) = packet.split_first() else { return };
        let Some(payload) = rest.len().checked_sub(usize::from(padding)).and_then(|end| rest.get(..end)) else {
            return;
        };
        let Some((&kind, body)) = payload.split_first() else { return };
        if self.packet_types.len() < 32 {
            self.packet_types.push(kind);
        }
        match kind {
            MSG_KEXINIT if self.kexinit.is_none() => {
                self.kexinit = parse_kexinit(body).map(|offer| (KexInit { bytes: payload.len(), ..offer }, now));
            }
            MSG_DISCONNECT if self.disconnect.is_none() => self.disconnect = parse_disconnect(body),
            MSG_NEWKEYS => {
                self.newkeys.get_or_insert(now);
                self.state = State::Opaque;
            }
            _ => {}
        }
    }
}

fn parse_kexinit(body: &[u8]) -> Option<KexInit> {
    let mut rest = body.get(16..)?;
    let mut list = || {
        let (text, after) = string(rest)?;
        rest = after;
        let text = String::from_utf8_lossy(text).into_owned();
        Some(text.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect::<Vec<_>>())
    };
    Some(KexInit {
        kex: list()?,
        host_key: list()?,
        cipher_to_server: list()?,
        cipher_to_client: list()?,
        mac_to_server: list()?,
        mac_to_client: list()?,
        compression_to_server: list()?,
        compression_to_client: list()?,
        bytes: 0,
    })
}

fn parse_disconnect(body: &[u8]) -> Option<Disconnect> {
    let (code, rest) = body.split_first_chunk::<4>()?;
    let (text, _) = string(rest)?;
    Some(Disconnect { code: u32::from_be_bytes(*code), text: String::from_utf8_lossy(text).into_owned() })
}

/// An SSH string (RFC 4251 section 5) and what follows it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}
