//! Arbitrary bytes in arbitrary pieces.

use std::time::Instant;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Disconnect, Reader};
use crate::facts::handshake::{KexInit, Objection};

/// All that was read, without the times.
#[derive(Debug, PartialEq)]
struct Read {
    first_bytes: Vec<u8>,
    lines: (Vec<String>, u64, Option<String>),
    objection: Option<Objection>,
    version: Option<(String, Vec<u8>)>,
    kexinit: Option<KexInit>,
    newkeys: bool,
    disconnect: Option<Disconnect>,
    packets: (Vec<u8>, Option<u32>),
    /// The bytes after the version.
    after: Vec<u8>,
}

/// Reads `stream` in pieces of these lengths, over and over.
fn read(stream: &[u8], pieces: &[usize]) -> Read {
    let now = Instant::now();
    let mut reader = Reader::default();
    let mut after = Vec::new();
    let mut rest = stream;
    let mut lengths = pieces.iter().cycle();
    while !rest.is_empty() {
        let length = lengths.next().copied().unwrap_or(rest.len()).min(rest.len());
        let (piece, later) = rest.split_at(length);
        after.extend_from_slice(reader.feed(piece, now));
        // A buffer never grows beyond what came, nor beyond the longest packet; a vector doubles its room.
        assert!(reader.buffer.capacity() <= (2 * stream.len()).clamp(64, 600_000), "{}", reader.buffer.capacity());
        rest = later;
    }
    Read {
        lines: (reader.lines.clone(), reader.line_count, reader.unfinished_line()),
        objection: reader.objection,
        version: reader.version.map(|(version, _)| (version, reader.version_line)),
        kexinit: reader.kexinit.map(|(offer, _)| offer),
        newkeys: reader.newkeys.is_some(),
        disconnect: reader.disconnect,
        packets: (reader.packet_types, reader.bad_length),
        first_bytes: reader.first_bytes,
        after,
    }
}

/// A packet before any cipher with this payload; its padding may be a lie.
fn packet(payload: &[u8], padding: u8) -> Vec<u8> {
    let length = u32::try_from(payload.len() + 5).unwrap();
    [&length.to_be_bytes()[..], &[padding], payload, &[0; 4]].concat()
}

fn a_packet() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop_oneof![Just(1u8), Just(20), Just(21), any::<u8>()];
    (kinds, vec(any::<u8>(), 0..200), prop_oneof![9 => Just(4u8), 1 => any::<u8>()])
        .prop_map(|(kind, body, padding)| packet(&[&[kind][..], &body].concat(), padding))
}

fn a_line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[ -~]{0,40}\r?\n".prop_map(String::into_bytes),
        "SSH-2.0-[!-~]{0,20}\r\n".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..60),
        (8180usize..8200).prop_map(|length| [vec![b'x'; length], b"\r\n".to_vec()].concat()),
    ]
}

/// Lines, a version and packets, each of which may be damaged.
fn a_stream() -> impl Strategy<Value = Vec<u8>> {
    let packets = vec(prop_oneof![4 => a_packet(), 1 => vec(any::<u8>(), 0..50)], 0..6);
    (vec(a_line(), 0..4), packets)
        .prop_map(|(lines, packets)| [lines.concat(), b"SSH-2.0-x\r\n".to_vec(), packets.concat()].concat())
}

proptest! {
    // A case that failed goes into a test by name, not into a file of seeds.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_change_nothing(stream in a_stream(), pieces in vec(1usize..3000, 1..8)) {
        prop_assert_eq!(read(&stream, &pieces), read(&stream, &[]));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(stream in vec(any::<u8>(), 0..5000), pieces in vec(1usize..300, 1..4)) {
        prop_assert_eq!(read(&stream, &pieces), read(&stream, &[]));
    }

    #[test]
    fn a_stated_length_allocates_nothing(length in any::<u32>()) {
        let stream = [b"SSH-2.0-x\r\n", &length.to_be_bytes()[..], &[4]].concat();
        let read = read(&stream, &[1]);
        prop_assert_eq!(read.packets.1.is_some(), !(2..=256 * 1024).contains(&length));
    }
}

#[test]
fn lines_are_read_as_far_as_ssh_reads_them() {
    let lines = |count: usize| [b"x\r\n".repeat(count), b"SSH-2.0-x\r\n".to_vec()].concat();
    let told = |stream: &[u8]| {
        let read = read(stream, &[]);
        (read.version.is_some(), read.objection)
    };
    assert_eq!(told(&lines(1023)), (true, None));
    assert_eq!(told(&lines(1024)), (false, Some(Objection::TooManyLines)));
    let long = |length: usize| [b"x".repeat(length), b"\r\nSSH-2.0-x\r\n".to_vec()].concat();
    assert_eq!(told(&long(8192)), (true, None));
    assert_eq!(told(&long(8193)), (false, Some(Objection::LineTooLong)));
    assert_eq!(told(b"\x15\x03\x01\x00\x02\x02\x46"), (false, Some(Objection::InvalidCharacter)));
    assert_eq!(told(b"a\rb\r\nSSH-2.0-x\r\n"), (false, Some(Objection::InvalidCharacter)));
}

#[test]
fn only_what_follows_the_version_is_given_back() {
    assert_eq!(read(b"hello\r\nSSH-2.0-x\r\nrest", &[3]).after, b"rest");
    assert_eq!(read(b"hello\r\nSSH-2.0-x\r\n", &[]).after, b"");
    assert_eq!(read(b"hello\r\n", &[]).after, b"");
}

#[test]
fn what_an_ssh_1_server_says_after_its_version_is_no_packet() {
    let length = |version: &str| read(format!("{version}\nProtocol mismatch.\n").as_bytes(), &[5]).packets.1;
    assert_eq!(["SSH-1.5-1.2.27", "SSH-3.0-x"].map(length), [None, None]);
    let prot = Some(u32::from_be_bytes(*b"Prot"));
    assert_eq!(["SSH-2.0-x", "SSH-1.99-x"].map(length), [prot, prot]);
}
