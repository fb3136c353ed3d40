//! Reads the plain-text part of one direction of an SSH connection: RFC 4253 sections 4.2, 6, 7.1 and 11.1.

use std::time::Instant;

use crate::facts::handshake::{KexInit, Objection};

/// Lines before the version that are kept.
const LINES_KEPT: usize = 32;
/// Bytes kept of each of them.
const LINE_BYTES_KEPT: usize = 255;
/// Lines before the version after which OpenSSH's client gives up (`SSH_MAX_PRE_BANNER_LINES`, ssh.h).
const LINES: u64 = 1024;
/// Longest line that OpenSSH's client reads before the keys (`SSH_MAX_BANNER_LEN`, kex.c).
const LINE_BYTES: usize = 8192;
/// Longest packet that OpenSSH's client reads (`PACKET_MAX_SIZE`, packet.c); RFC 4253 section 6.1 asks for 35,000 bytes.
const PACKET_BYTES: u32 = 256 * 1024;
/// Longest name of an algorithm, RFC 4251 section 6; longer ones are dropped.
const NAME_BYTES: usize = 64;
/// Names of one kind that are kept; OpenSSH offers a dozen.
const NAMES_KEPT: usize = 256;
/// The first bytes of the stream that are kept as they came.
const FIRST_BYTES: usize = 256;

const MSG_DISCONNECT: u8 = 1;
const MSG_KEXINIT: u8 = 20;
const MSG_NEWKEYS: u8 = 21;

/// The data of one side before its encryption began.
#[derive(Debug, Default)]
pub struct Reader {
    /// The first bytes as they came.
    pub first_bytes: Vec<u8>,
    /// Lines before the version, without their line ends, each cut at 255 bytes; the first 32 of them.
    pub lines: Vec<String>,
    /// The number of lines before the version.
    pub line_count: u64,
    /// The time at which the first and the last of them were complete.
    pub line_times: Option<(Instant, Instant)>,
    /// The fault in the lines that both ssh and we reject.
    pub objection: Option<Objection>,
    /// The identification string, without its line end, and when it was complete.
    pub version: Option<(String, Instant)>,
    /// The line of the version as it came, with its line end.
    pub version_line: Vec<u8>,
    /// The algorithms on offer, and when the offer was complete.
    pub kexinit: Option<(KexInit, Instant)>,
    /// The time at which this side switched its encryption on.
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
    /// The other side's text, as it came.
    pub text: String,
}

impl Reader {
    /// Takes the next bytes of the stream, and gives back those of them that follow the version.
    pub fn feed<'b>(&mut self, mut bytes: &'b [u8], now: Instant) -> &'b [u8] {
        let room = FIRST_BYTES - self.first_bytes.len().min(FIRST_BYTES);
        self.first_bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        while self.state == State::Lines && !bytes.is_empty() {
            bytes = self.feed_line(bytes, now);
        }
        let after_version = if self.objection.is_some() { &[] } else { bytes };
        while self.state == State::Packets && !bytes.is_empty() {
            bytes = self.feed_packet(bytes, now);
        }
        after_version
    }

    /// The unfinished line before the version, if any: what a server without a line end has said so far.
    #[must_use]
    pub fn unfinished_line(&self) -> Option<String> {
        (self.state == State::Lines && !self.buffer.is_empty())
            .then(|| String::from_utf8_lossy(&self.buffer).into_owned())
    }

    fn feed_line<'b>(&mut self, bytes: &'b [u8], now: Instant) -> &'b [u8] {
        let end = bytes.iter().position(|&b| b == b'\n');
        let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        let room = LINE_BYTES + 2 - self.buffer.len();
        self.buffer.extend_from_slice(part.get(..room).unwrap_or(part));
        let text = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.get(..LINE_BYTES).unwrap_or(text).contains(&0) {
            return self.object(Objection::InvalidCharacter);
        }
        if text.len() > LINE_BYTES {
            return self.object(Objection::LineTooLong);
        }
        if end.is_some() && text.contains(&b'\r') {
            return self.object(Objection::InvalidCharacter);
        }
        if end.is_none() {
            return rest;
        }
        if text.len() > 4 && text.starts_with(b"SSH-") {
            // After any other version comes no packet of RFC 4253: an SSH-1 server objects to ours in plain text.
            let has_packets = text.starts_with(b"SSH-2.") || text.starts_with(b"SSH-1.99-");
            self.version = Some((String::from_utf8_lossy(text).into_owned(), now));
            self.version_line = std::mem::take(&mut self.buffer);
            self.state = if has_packets { State::Packets } else { State::Opaque };
            return rest;
        }
        self.line_count += 1;
        self.line_times = Some((self.line_times.map_or(now, |(first, _)| first), now));
        if self.lines.len() < LINES_KEPT {
            let kept = text.get(..LINE_BYTES_KEPT).unwrap_or(text);
            self.lines.push(String::from_utf8_lossy(kept).into_owned());
        }
        self.buffer.clear();
        if self.line_count >= LINES { self.object(Objection::TooManyLines) } else { rest }
    }

    /// Reads no further.
    fn object<'b>(&mut self, objection: Objection) -> &'b [u8] {
        self.objection = Some(objection);
        self.state = State::Opaque;
        self.buffer = Vec::new();
        &[]
    }

    fn feed_packet<'b>(&mut self, bytes: &'b [u8], now: Instant) -> &'b [u8] {
        let want = match self.buffer.first_chunk::<4>() {
            None => 4,
            Some(length) => match u32::from_be_bytes(*length) {
                length @ 2..=PACKET_BYTES => 4 + length as usize,
                length => {
                    self.bad_length = Some(length);
                    self.state = State::Opaque;
                    self.buffer = Vec::new();
                    return &[];
                }
            },
        };
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
        let names = text.split(',').filter(|name| (1..=NAME_BYTES).contains(&name.len()));
        Some(names.take(NAMES_KEPT).map(ToOwned::to_owned).collect::<Vec<_>>())
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

#[cfg(test)]
mod tests;
