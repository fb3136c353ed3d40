//! Data there and back, compared.

use sha2::{Digest, Sha256};

use super::alignment::Alignment;
use crate::base::limits::Patience;
use crate::base::nonce::{noise, seed};
use crate::base::text::{hex, sanitize_bytes};
use crate::facts::connection::Ran;
use crate::facts::transfer::{Difference, Facts, Inserted};
use crate::measure::channel::command::OUTPUT;
use crate::ssh::connection::Connection;
use crate::ssh::run::Running;

/// Bytes of the first part: more than TCP sends at first (RFC 6928), and 4 s at 64 kbit/s.
const FIRST: usize = 32 * 1024;
/// Bytes of both parts: more than a hundred full-size packets, which slow start lets through in four round trips.
const MOST: usize = 192 * 1024;
/// The time limit of the second part, seconds.
const TIME_S: f64 = 2.0;

/// Sends this, and reads until all of it is back, ignoring inserted text.
pub(crate) async fn returned(connection: &Connection, running: &mut Running, sent: &[u8], patience: Patience) -> Facts {
    compared(connection, sent, exchange(connection, running, sent, patience).await)
}

/// Moves data both ways at once, as much as the path takes in little time: a first part, and as much more as its rate allows.
pub(super) async fn measured(connection: &Connection, running: &mut Running, most: usize, patience: Patience) -> Facts {
    let sent = noise(seed(), most.min(MOST));
    let (first, rest) = sent.split_at(FIRST.min(sent.len()));
    let ran = exchange(connection, running, first, patience).await;
    let rate = first.len() as f64 / (ran.duration_ms / 1000.0).max(f64::EPSILON);
    let more = in_time(rate, TIME_S, rest.len());
    let is_back = ran.stdout_bytes >= first.len() as u64 && !ran.is_over();
    let (Some(second), true) = (rest.get(..more).filter(|second| !second.is_empty()), is_back) else {
        return compared(connection, first, ran);
    };
    let ran = joined(ran, exchange(connection, running, second, patience).await);
    compared(connection, &sent[..first.len() + more], ran)
}

/// Returns the bytes that go through in `seconds` at `rate` per second, at most `most`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and a usize")]
pub(super) fn in_time(rate: f64, seconds: f64, most: usize) -> usize {
    (rate * seconds).clamp(0.0, most as f64) as usize
}

async fn exchange(connection: &Connection, running: &mut Running, sent: &[u8], patience: Patience) -> Ran {
    let settled = |ran: &Ran| ran.stdout_bytes >= sent.len() as u64 && Alignment::of(sent, &ran.stdout).is_settled();
    running.exchange(sent.to_vec(), patience, connection, settled).await
}

/// Joins the output of two exchanges into one.
fn joined(first: Ran, second: Ran) -> Ran {
    Ran {
        stdout_bytes: first.stdout_bytes + second.stdout_bytes,
        stdout: [first.stdout, second.stdout].concat(),
        stderr: [first.stderr, second.stderr].concat(),
        duration_ms: first.duration_ms + second.duration_ms,
        first_output_ms: first.first_output_ms,
        ..second
    }
}

/// True if the command met the end of its input at once: nothing came back but the zeros that it prints at its end, and it has ended.
pub(super) fn is_without_input(facts: &Facts) -> bool {
    let zeros = usize::try_from(facts.returned_bytes.min(OUTPUT)).unwrap_or_default();
    facts.ran.closed && facts.returned_bytes > 0 && facts.returned_sha256 == hex(&Sha256::digest(vec![0; zeros]))
}

/// The outcome of data sent to a command that returns it.
fn compared(connection: &Connection, sent: &[u8], ran: Ran) -> Facts {
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
