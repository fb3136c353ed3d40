//! A server that has said nothing by our deadline: it is listened to for longer, while TLS is tried beside.

use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use super::tls;
use crate::base::target::Route;
use crate::base::text::{sanitize, sanitize_bytes};
use crate::facts::handshake::{Facts, Later, Reconnect};
use crate::measure::context::Context;
use crate::measure::progress::Event;
use crate::os::pause::timeout;
use crate::ssh::connect::NotConnected;
use crate::ssh::connection::Connection;
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

/// Goes on with `connecting` until the server speaks, for up to `most` since `began`, unless a TLS greeting is
/// answered; from the first byte on it has `deadline` again. The answer to that greeting comes with the outcome.
pub(super) async fn wait_as_ssh(
    (ctx, route): (&Context, Route),
    connecting: impl Future<Output = Result<Connection, NotConnected>>,
    watch: &Watch,
    (began, deadline, most): (Instant, Duration, Duration),
) -> (Result<Connection, NotConnected>, Option<Reconnect>) {
    ctx.progress.tell(Event::Unanswered { silent: began.elapsed(), most });
    let mut connecting = pin!(connecting);
    let mut exchange = pin!(async {
        tokio::select! {
            outcome = &mut connecting => return outcome,
            () = watch.until(|seen| seen.received > 0) => {}
            () = sleep_until((began + most).into()) => return Err(NotConnected::Deadline),
        }
        timeout(deadline, connecting).await.unwrap_or(Err(NotConnected::Deadline))
    });
    tokio::select! {
        outcome = &mut exchange => (outcome, None),
        look = tls::greet(ctx, route, began, Instant::now() + deadline) => {
            let is_tls = look.as_ref().is_some_and(Reconnect::has_spoken);
            (if is_tls { Err(NotConnected::Deadline) } else { exchange.await }, look)
        }
    }
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
