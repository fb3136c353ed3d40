//! The observations of an exchange, as facts.

use std::time::Instant;

use crate::base::text::{sanitize, sanitize_bytes};
use crate::facts::connection::Manner;
use crate::facts::handshake::{Facts, Software};
use crate::ssh::tap::{EndKind, Seen};

/// The observations of the exchange so far.
pub(super) fn facts(seen: &Seen) -> Facts {
    let since = |at: Instant| at.duration_since(seen.opened).as_secs_f64() * 1000.0;
    let server = &seen.server;
    let mut first = server.first_bytes.clone();
    first.truncate(80);
    Facts {
        lines_before_version: server.lines.iter().map(|line| sanitize(line)).collect(),
        line_count: server.line_count,
        lines_ms: server.line_times.map(|(first, last)| (since(first), since(last))),
        unfinished_line: server.unfinished_line().map(|line| sanitize(&line)),
        objection: server.objection,
        first_octets: first.iter().take(4).copied().collect(),
        first_bytes: (!first.is_empty()).then(|| sanitize_bytes(&first)),
        version: server.version.as_ref().map(|(version, _)| sanitize(version)),
        version_unprintable: server
            .version_line
            .strip_suffix(b"\n")
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .is_some_and(|line| !line.iter().all(|byte| (b' '..=b'~').contains(byte))),
        software: server.version.as_ref().and_then(|(version, _)| Software::of(&sanitize(version))),
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

/// The way the stream ended, if it did.
pub(crate) fn manner(seen: &Seen) -> Option<Manner> {
    Some(match (&seen.server.disconnect, seen.end?.how) {
        (Some(said), _) => Manner::Disconnect { code: said.code, text: sanitize(&said.text) },
        (None, EndKind::Fin) => Manner::Fin,
        (None, EndKind::Reset) => Manner::Reset,
        (None, EndKind::Errno(errno)) => Manner::Errno { errno },
    })
}
