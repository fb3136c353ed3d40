//! A server that has said nothing by our deadline: it is listened to for a little longer, while TLS is tried beside.

use std::time::Instant;

use tokio::time::sleep_until;

use super::tls;
use crate::base::target::Route;
use crate::base::text::{sanitize, sanitize_bytes};
use crate::facts::handshake::{Facts, Later, Reconnect};
use crate::measure::context::Context;
use crate::ssh::tap::{Seen, Watch};

/// Goes on with `connecting` until the server says something, a TLS greeting is answered, or `until`; notes what came.
pub(super) async fn hear_out<T>(
    (ctx, route): (&Context, Route),
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
        look = tls::greet(ctx, route, began, until) => {
            if !look.as_ref().is_some_and(Reconnect::has_spoken) {
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
        first_bytes: sanitize_bytes(first),
        first_octets: first.iter().take(4).copied().collect(),
        version: seen.server.version.as_ref().map(|(version, _)| sanitize(version)),
    })
}
