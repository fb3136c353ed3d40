//! The plain-text part of the SSH handshake, as it passes by.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ssh_doctor_checks::facts::handshake::KexInit;
use ssh_doctor_checks::facts::journal::{Direction, Negotiated};
use ssh_doctor_checks::ssh::tap::Reader;

use crate::journal::milliseconds;

/// Bytes after which a stream that has not switched its encryption on is no longer looked at: the longest handshakes take a tenth of it.
const LONGEST: u64 = 1 << 20;

/// Both sides of the handshake.
#[derive(Debug, Clone, Default)]
pub(super) struct Handshake(Arc<Mutex<Sides>>);

#[derive(Debug, Default)]
struct Sides {
    server: Side,
    client: Side,
}

#[derive(Debug, Default)]
struct Side {
    reader: Reader,
    bytes: u64,
}

impl Handshake {
    /// Reads the bytes of one direction; returns true if more are needed.
    pub(super) fn look(&self, direction: Direction, now: Instant, bytes: &[u8]) -> bool {
        let mut sides = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let side = match direction {
            Direction::In => &mut sides.server,
            Direction::Out => &mut sides.client,
        };
        side.reader.feed(bytes, now);
        side.bytes += bytes.len() as u64;
        side.reader.newkeys.is_none() && side.reader.objection.is_none() && side.bytes < LONGEST
    }

    /// Returns the agreed algorithms, once both sides have switched their encryption on.
    pub(super) fn negotiated(&self, session: u32, began: Instant) -> Option<Negotiated> {
        let sides = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let encrypted = sides.server.reader.newkeys?.max(sides.client.reader.newkeys?);
        let agreed = |of: fn(&KexInit) -> &Vec<String>| {
            let (client, _) = sides.client.reader.kexinit.as_ref()?;
            let (server, _) = sides.server.reader.kexinit.as_ref()?;
            // The first of the client's that the server has too (RFC 4253 section 7.1).
            of(client).iter().find(|name| of(server).contains(name)).cloned()
        };
        Some(Negotiated {
            session,
            server: version(&sides.server.reader),
            client: version(&sides.client.reader),
            kex: agreed(|offer| &offer.kex),
            host_key: agreed(|offer| &offer.host_key),
            cipher: agreed(|offer| &offer.cipher_to_server),
            ms: milliseconds(encrypted.saturating_duration_since(began).as_secs_f64() * 1000.0),
        })
    }
}

fn version(reader: &Reader) -> Option<String> {
    reader.version.as_ref().map(|(version, _)| version.clone())
}
