//! Versions and keys: what the server said before the encryption, what was agreed on, and how long each phase took.

mod attempt;
mod library;
mod reconnects;
pub(crate) mod seen;
mod silence;
mod tls;

use std::time::{Duration, Instant};

use super::context::Context;
use super::handles::{Keyed, Link};
use crate::base::elapsed::ms_since;
use crate::base::text::sanitize;
use crate::facts::Step;
use crate::facts::handshake::{Facts, Reconnect};
use crate::facts::proxy::ProxyOutput;
use crate::ssh::connect::NotConnected;
use crate::ssh::tap::{Seen, Tap};
use attempt::{Attempt, attempt, is_silent};

/// The shortest time left to the handshake when connecting took all of ConnectTimeout.
const LEAST: Duration = Duration::from_millis(500);

/// The time that a proxy command that has closed the connection may take to end.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Exchanges versions and keys on the connection that tcp left; leaves it unauthenticated.
///
/// It takes `Limits::connect` at most; what is tried beside it or afterwards ends at [`Context::until`].
pub async fn check(ctx: &Context, link: Option<Link>) -> (Step<Facts>, Option<Keyed>) {
    let Some(Link { transport, reach, since }) = link else {
        return (Step::Skipped("there is no connection: see tcp".into()), None);
    };
    let socket = transport.socket();
    let process = transport.process();
    let began = Instant::now();
    // ConnectTimeout is for the connection and the handshake together (ssh_config(5)).
    let spent = (began - since).saturating_sub(ctx.mark.paused());
    let deadline = ctx.limits.connect.saturating_sub(spent).max(LEAST);
    let (stream, watch) = Tap::new(transport);
    let mut exchange = Box::pin(attempt(ctx, reach.route, stream, &watch, deadline));
    let attempted = match ctx.stop.race(&mut exchange).await {
        Some(attempted) => attempted,
        // A silence of that length is a finding, whoever ends the wait.
        None if began.elapsed() >= deadline && is_silent(&watch) => Attempt::given_up(&watch, began),
        None => return (Step::Skipped("interrupted".into()), None),
    };
    drop(exchange);
    let Attempt { outcome, mut facts } = attempted;
    facts.client_offer = ctx.target.algorithms.clone();
    facts.tcp = socket.as_ref().and_then(crate::os::socket::Socket::tcp_info);
    if let Some(process) = process {
        facts.proxied = true;
        if outcome.is_err() && facts.end.is_some() {
            facts.proxy_end = process.end(LAST_WORDS).await;
        }
        facts.proxy_stderr = process.stderr().map(|text| ProxyOutput::of(&text, ctx.limits.plain).into());
    }
    let step = match outcome {
        Ok(connection) => {
            facts.done_ms = Some(ms_since(began));
            facts.negotiated.clone_from(&connection.observations().read().negotiated);
            if facts.names_no_software() {
                return (Step::Failed(facts), None);
            }
            return (Step::Passed(facts), Some(Keyed { connection, reach }));
        }
        Err(NotConnected::Library(_)) if facts.user_would_agree() => Step::Error(library::library_lacks(&facts)),
        // The server's list has nothing of the user's, whatever the library speaks.
        Err(NotConnected::Library(_) | NotConnected::Deadline) => Step::Failed(facts),
        Err(NotConnected::Failed(russh::Error::NoCommonAlgo { .. })) if facts.user_would_agree() => {
            Step::Error(library::library_lacks(&facts))
        }
        Err(NotConnected::Failed(_)) if is_beyond_library(&watch.seen()) => Step::Error(
            "the server's version is longer than 255 bytes or not UTF-8, against RFC 4253 section 4.2: ssh reads it, our SSH library does not"
                .to_owned(),
        ),
        Err(NotConnected::Failed(error)) => {
            facts.library_error = Some(sanitize(&error.to_string()));
            if facts.is_refusal() {
                facts.reconnects = reconnects::again(ctx, reach.route, facts.may_be_chance(), began).await;
                if facts.reconnects.last().is_some_and(Reconnect::is_silent) {
                    facts.tls = ctx.stop.race(tls::greet(ctx, reach.route, began, ctx.until())).await.flatten();
                }
            }
            Step::Failed(facts)
        }
    };
    (step, None)
}

/// True if the library, and not ssh, stops at the version.
fn is_beyond_library(seen: &Seen) -> bool {
    let line = &seen.server.version_line;
    let spoken = line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-");
    spoken && !crate::ssh::tap::library_reads(line)
}
