//! Versions and keys: what the server said before the encryption, what was agreed on, and how long each phase took.

mod attempt;
mod library;
mod reconnects;
pub(crate) mod seen;
mod silence;
mod tls;

use std::time::{Duration, Instant};

use super::examination::Examination;
use crate::base::text::sanitize;
use crate::facts::Step;
use crate::facts::handshake::{Facts, Reconnect};
use crate::ssh::connect::NotConnected;
use crate::ssh::tap::{Seen, Tap};
use attempt::{Attempt, attempt};

/// What the handshake gets at least when connecting took all of ConnectTimeout.
const LEAST: Duration = Duration::from_millis(500);

/// How long a proxy command that has closed the connection may take to end.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Exchanges versions and keys on the connection that tcp left; leaves it unauthenticated.
///
/// It takes `Limits::connect` at most; what is tried beside it or afterwards ends at [`Examination::until`].
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    let Some(transport) = exam.transport.take() else {
        return Step::Skipped("there is no connection: see tcp".into());
    };
    let socket = transport.socket();
    let process = transport.process();
    let began = Instant::now();
    // ConnectTimeout is for the connection and the handshake together (ssh_config(5)).
    let spent = exam.connecting.map(|since| began - since).unwrap_or_default();
    let deadline = exam.limits.connect.saturating_sub(spent).max(LEAST);
    let (stream, watch) = Tap::new(transport);
    let Some(attempted) = exam.stop.race(attempt(exam, stream, &watch, deadline)).await else {
        return Step::Skipped("interrupted".into());
    };
    let Attempt { outcome, mut facts } = attempted;
    facts.client_offer = exam.target.algorithms.clone();
    facts.tcp = socket.as_ref().and_then(crate::os::socket::Socket::tcp_info);
    if let Some(process) = process {
        facts.proxied = true;
        if outcome.is_err() && facts.end.is_some() {
            facts.proxy_end = process.end(LAST_WORDS).await;
        }
        facts.proxy_stderr = process.stderr();
    }
    match outcome {
        Ok(connection) => {
            facts.done_ms = Some(began.elapsed().as_secs_f64() * 1000.0);
            facts.negotiated.clone_from(&connection.observations().read().negotiated);
            exam.connection = Some(connection);
            Step::Passed(facts)
        }
        Err(NotConnected::Library(_)) if facts.user_would_agree() => Step::Error(library::library_lacks(&facts)),
        // The server's list has nothing of the user's, whatever the library speaks.
        Err(NotConnected::Library(_)) => Step::Failed(facts),
        Err(NotConnected::Deadline) => {
            if let Some(socket) = &socket {
                socket.abort();
            }
            Step::Failed(facts)
        }
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
                facts.reconnects = reconnects::again(exam, facts.may_be_chance(), began).await;
                if facts.reconnects.last().is_some_and(Reconnect::is_silent) {
                    facts.tls = exam.stop.race(tls::greet(exam, began, exam.until())).await.flatten();
                }
            }
            Step::Failed(facts)
        }
    }
}

/// Whether the library, and not ssh, stops at the version.
fn is_beyond_library(seen: &Seen) -> bool {
    let line = &seen.server.version_line;
    let spoken = line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-");
    spoken && !crate::ssh::tap::library_reads(line)
}
