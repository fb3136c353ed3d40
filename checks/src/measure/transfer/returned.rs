//! Data there and back, compared.

use std::time::Instant;

use sha2::{Digest, Sha256};
use tokio::sync::mpsc::unbounded_channel;

use super::alignment::{Alignment, ends_lines_anew};
use crate::base::limits::Patience;
use crate::base::nonce::{noise, seed};
use crate::base::text::{hex, sanitize_bytes};
use crate::facts::connection::Ran;
use crate::facts::transfer::{Difference, Facts, Inserted};
use crate::measure::channel::command::OUTPUT;
use crate::ssh::connection::Connection;
use crate::ssh::run::Running;

/// Bytes that are sent at once: more than TCP sends at first (RFC 6928), and 4 s at 64 kbit/s.
const FIRST: usize = 32 * 1024;
/// Bytes in all: more than a hundred full-size packets, which slow start lets through in four round trips.
const MOST: usize = 192 * 1024;
/// Bytes of a packet: so few that the first of them are back while others are still on their way.
const PACKET: usize = 4 * 1024;
/// The time that the rest may take at the rate seen so far, seconds.
const TIME_S: f64 = 1.0;

/// Sends this, and reads until all of it is back, ignoring inserted text.
pub(crate) async fn returned(connection: &Connection, running: &mut Running, sent: &[u8], patience: Patience) -> Facts {
    let settled = |ran: &Ran| ran.stdout_bytes >= sent.len() as u64 && Alignment::of(sent, &ran.stdout).is_settled();
    compared(connection, sent, running.exchange(sent.to_vec(), patience, connection, settled).await)
}

/// Moves data both ways at once, as much as the path takes in little time: a single byte, whose time is that of a round trip, a first part
/// behind it, and when half of that is back as much more as the rate allows.
pub(super) async fn measured(connection: &Connection, running: &mut Running, most: usize, patience: Patience) -> Facts {
    let sent = noise(seed(), most.min(MOST));
    let (first, rest) = sent.split_at(FIRST.min(sent.len()));
    let (feed, parts) = unbounded_channel();
    let say = |data: &[u8]| data.chunks(PACKET).for_each(|part| drop(feed.send(part.to_vec())));
    let (byte, others) = first.split_at(first.len().min(1));
    say(byte);
    say(others);
    let (began, mut more) = (Instant::now(), None);
    let settled = |ran: &Ran| {
        if more.is_none() && ran.stdout_bytes >= first.len() as u64 / 2 {
            let rate = ran.stdout_bytes as f64 / began.elapsed().as_secs_f64().max(f64::EPSILON);
            let count = in_time(rate, TIME_S, rest.len());
            say(&rest[..count]);
            more = Some(count);
        }
        let sent = &sent[..first.len() + more.unwrap_or_default()];
        ran.stdout_bytes >= sent.len() as u64 && Alignment::of(sent, &ran.stdout).is_settled()
    };
    let ran = running.exchange_parts(parts, sent.len(), patience, connection, settled).await;
    compared(connection, &sent[..first.len() + more.unwrap_or_default()], ran)
}

/// Returns the bytes that go through in `seconds` at `rate` per second, at most `most`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and a usize")]
pub(super) fn in_time(rate: f64, seconds: f64, most: usize) -> usize {
    (rate * seconds).clamp(0.0, most as f64) as usize
}

/// True if the command met the end of its input at once: nothing came back but the zeros that it prints at its end, and it has ended.
pub(super) fn is_without_input(facts: &Facts) -> bool {
    let zeros = usize::try_from(facts.returned_bytes.min(OUTPUT)).unwrap_or_default();
    facts.ran.closed && facts.returned_bytes > 0 && facts.returned_sha256 == hex(&Sha256::digest(vec![0; zeros]))
}

/// The outcome of data sent to a command that returns it.
pub(super) fn compared(connection: &Connection, sent: &[u8], ran: Ran) -> Facts {
    let found = Alignment::of(sent, &ran.stdout).at_the_end(&ran.stdout);
    let inserted: usize = found.inserted.iter().map(|(_, text)| text.len()).sum();
    let whole = found.difference.is_none() && found.missing == 0;
    Facts {
        sent_bytes: sent.len() as u64,
        returned_bytes: ran.stdout_bytes.saturating_sub(inserted as u64),
        sent_sha256: hex(&Sha256::digest(sent)),
        returned_sha256: hex(&Sha256::digest(&ran.stdout)),
        inserted: found
            .inserted
            .iter()
            .map(|(at, text)| Inserted { at: *at as u64, text: sanitize_bytes(text) })
            .collect(),
        first_difference: found.difference.map(|difference| difference.at as u64),
        difference: found.difference.map(|difference| Difference {
            in_place: difference.in_place,
            line_ends: ends_lines_anew(sent, &ran.stdout),
            sent: first_bytes(sent, difference.at),
            returned: first_bytes(&ran.stdout, difference.back_at),
        }),
        rate: whole.then(|| 2.0 * sent.len() as f64 / (ran.duration_ms / 1000.0)),
        ending: connection.ending().map(|ending| ending.manner),
        tcp: connection.socket().and_then(crate::os::socket::Socket::tcp_info),
        stderr: (!ran.stderr.is_empty()).then(|| sanitize_bytes(&ran.stderr)),
        ran,
        ..Facts::default()
    }
}

/// So few of them that they tell which bits were altered, and no more.
fn first_bytes(bytes: &[u8], from: usize) -> String {
    const SHOWN: usize = 8;
    hex(&bytes.iter().copied().skip(from).take(SHOWN).collect::<Vec<_>>())
}
