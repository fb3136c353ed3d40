//! A server that has said nothing by our deadline: it is listened to for a little longer, while TLS is tried beside.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio::time::sleep_until;

use super::{Facts, Look, tls};
use crate::examination::Examination;
use crate::tap::{Seen, Watch};
use crate::text::{shown, shown_bytes};

/// What came on the connection after we had given up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Later {
    /// When it came, milliseconds since the connection was open.
    pub ms: f64,
    /// The first bytes, escaped.
    pub first_bytes: String,
    /// The first four bytes as numbers.
    pub first_octets: Vec<u8>,
    /// The identification string, escaped, if it was one.
    pub version: Option<String>,
}

/// Goes on with `connecting` until the server says something, a TLS greeting is answered, or `until`; notes what came.
pub(super) async fn hear_out<T>(
    exam: &Examination,
    connecting: impl Future<Output = T>,
    watch: &Watch,
    facts: &mut Facts,
    (began, until): (Instant, Instant),
) {
    let listening = async {
        tokio::select! {
            _ = connecting => {}
            () = watch.until(|seen| seen.received > 0) => {}
            () = sleep_until(until.into()) => {}
        }
    };
    tokio::pin!(listening);
    tokio::select! {
        () = &mut listening => {}
        look = tls::greet(exam, began, until) => {
            if !look.as_ref().is_some_and(Look::has_spoken) {
                listening.await;
            }
            facts.tls = look;
        }
    }
    facts.later = later(&watch.seen());
}

fn later(seen: &Seen) -> Option<Later> {
    let first = &seen.server.first_bytes;
    let came = seen.last_received.filter(|_| !first.is_empty())?;
    Some(Later {
        ms: came.duration_since(seen.opened).as_secs_f64() * 1000.0,
        first_bytes: shown_bytes(first),
        first_octets: first.iter().take(4).copied().collect(),
        version: seen.server.version.as_ref().map(|(version, _)| shown(version)),
    })
}
