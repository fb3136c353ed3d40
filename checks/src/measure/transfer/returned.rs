//! Data there and back, compared.

use sha2::{Digest, Sha256};

use super::alignment::Alignment;
use crate::base::limits::Patience;
use crate::base::text::{hex, sanitize_bytes};
use crate::facts::connection::Ran;
use crate::facts::transfer::{Difference, Facts, Inserted};
use crate::measure::channel::command::OUTPUT;
use crate::ssh::connection::Connection;
use crate::ssh::run::Running;

/// Sends this, and reads until all of it is back, whatever stands in between.
pub(crate) async fn returned(connection: &Connection, running: &mut Running, sent: &[u8], patience: Patience) -> Facts {
    let settled = |ran: &Ran| ran.stdout_bytes >= sent.len() as u64 && Alignment::of(sent, &ran.stdout).is_settled();
    let ran = running.exchange(sent.to_vec(), patience, connection.watch(), settled).await;
    compared(connection, sent, ran)
}

/// Whether the command met the end of its input at once: nothing came back but the zeros that it prints at its end, and it has ended.
pub(super) fn is_without_input(facts: &Facts) -> bool {
    let zeros = usize::try_from(facts.returned_bytes.min(OUTPUT)).unwrap_or_default();
    facts.ran.closed && facts.returned_bytes > 0 && facts.returned_sha256 == hex(&Sha256::digest(vec![0; zeros]))
}

/// What became of data sent to a command that returns it.
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
