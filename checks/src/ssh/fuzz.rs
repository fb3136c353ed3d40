//! Readers of server data and of known_hosts, for the fuzz targets, with their invariants.

use std::time::Instant;

use super::known_hosts::line;
use super::tap::wire::Reader;

/// The most that a reader may keep of a stream, bytes: the longest lines, the longest packet, and the names of an offer.
const KEPT: usize = (512 << 10) + (256 << 10);

/// One direction of a connection; the first byte says in pieces of which size it comes.
pub fn stream(bytes: &[u8]) {
    let Some((&piece, stream)) = bytes.split_first() else { return };
    let now = Instant::now();
    let (mut whole, mut pieces) = (Reader::default(), Reader::default());
    whole.feed(stream, now);
    for part in stream.chunks(usize::from(piece).max(1)) {
        pieces.feed(part, now);
    }
    // Where a packet ends must not depend on where a segment did.
    assert_eq!(whole.version.map(|(version, _)| version), pieces.version.as_ref().map(|(version, _)| version.clone()));
    assert_eq!(whole.packet_types, pieces.packet_types);
    assert_eq!(whole.kexinit, pieces.kexinit);
    assert!(kept(&pieces) <= KEPT, "{} bytes kept", kept(&pieces));
}

/// The body of an SSH_MSG_KEXINIT.
pub fn kexinit(body: &[u8]) {
    let mut reader = Reader::default();
    let now = Instant::now();
    reader.feed(b"SSH-2.0-fuzzed\r\n", now);
    let payload = body.len() + 2;
    let Ok(length) = u32::try_from(payload) else { return };
    reader.feed(&[&length.to_be_bytes()[..], &[0, 20], body].concat(), now);
    assert!(kept(&reader) <= KEPT, "{} bytes kept", kept(&reader));
    if let Some((offer, _)) = reader.kexinit {
        assert!(offer.kex.iter().chain(&offer.cipher_to_client).all(|name| !name.is_empty() && !name.contains(',')));
    }
}

fn kept(reader: &Reader) -> usize {
    let offer = reader.kexinit.iter().flat_map(|(offer, _)| {
        [&offer.kex, &offer.host_key, &offer.cipher_to_server, &offer.cipher_to_client, &offer.mac_to_server]
            .into_iter()
            .flatten()
    });
    reader.first_bytes.len()
        + reader.version_line.len()
        + reader.lines.iter().map(String::len).sum::<usize>()
        + reader.disconnect.as_ref().map_or(0, |said| said.text.len())
        + offer.map(String::len).sum::<usize>()
}

/// A known_hosts file; a comment in it names no host.
pub fn known_hosts(text: &str) {
    for text in text.lines() {
        let found = line::parse(text).and_then(|line| line.naming("[db.example]:2222", Some("db.example")));
        assert!(found.is_none() || !text.trim_start().starts_with('#'));
    }
}
