//! Does the server let us in: `none` first, then everything that the user's own client would try, once each.

mod certificate;
#[doc(hidden)]
pub mod fuzz;
mod identity;
mod login_flow;
mod offer;
mod repeat;

use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::handles::{Identity, LoggedIn, Trusted};
use crate::base::text::sanitize;
use crate::facts::Step;
use crate::facts::auth::{AuthAnswer, Conclusion, Facts};
use crate::facts::connection::{Manner, Violation};
use crate::facts::handshake::Software;
use crate::facts::witness::Witness;
use crate::ssh::abandoned;
use crate::ssh::connection::Connection;
use crate::ssh::login::Login;
use login_flow::LoginFlow;

/// The time that saying goodbye may take after a refused login.
const GOODBYE: Duration = Duration::from_secs(1);
/// The bytes that no login costs which comes to no end: banners and methods are a few KiB.
const FLOOD: u64 = 64 << 10;

/// Logs in on the connection that the handshake left, if the host key check trusts its key; leaves ssh's own login in `witness`, where
/// that had to come first.
pub async fn check(
    ctx: &Context,
    identity: Identity,
    witness: &mut Option<Witness>,
) -> (Step<Facts>, Option<LoggedIn>) {
    let Trusted { connection, reach, fingerprint, with_passwords } = match identity {
        Identity::Trusted(trusted) => *trusted,
        Identity::Withheld => {
            let why =
                "no login was tried: the host key contradicts known_hosts; ssh goes on without passwords (see hostkey)";
            return (Step::Error(why.into()), None);
        }
        Identity::Untrusted => return (Step::Skipped("no trusted host key: see hostkey".into()), None),
    };
    let mut flow = LoginFlow::new(ctx, connection, with_passwords);
    Box::pin(flow.go()).await;
    flow.settle_after_ssh();
    let LoginFlow { connection, mut facts, accepted, witness: first, .. } = flow;
    *witness = first;
    let banner = connection.observations().read().banner.clone();
    facts.banner = (!banner.trim().is_empty()).then(|| sanitize(banner.trim()));
    if facts.conclusion == Conclusion::LoggedIn {
        ctx.budget.note_login(true);
        connection.watch().allow(u64::MAX);
        connection.apply_tos(ctx.target.tos, reach.route);
        let login = Login {
            target: ctx.target.clone(),
            route: reach.route,
            host_key: fingerprint,
            accepted,
            budget: ctx.budget.clone(),
            via: reach.via.map(Box::new),
            repeated: Arc::default(),
            replies: connection.replies(),
            took: connection.age(),
        };
        connection.record().logged_in();
        return (Step::Passed(facts), Some(LoggedIn::new(connection, login)));
    }
    if !facts.attempts.iter().all(|attempt| attempt.answer == AuthAnswer::Withheld) {
        ctx.budget.note_login(false);
    }
    facts.repeatable = false;
    let interrupted = facts.conclusion == Conclusion::Interrupted;
    facts.end = connection.ending().map(|ending| escaped(ending.manner));
    facts.violation = violation(&connection, &facts);
    let agreed = connection.observations().read().negotiated.clone();
    let version = connection.watch().seen().server.version.clone();
    let penalizes = Software::penalizes(version.as_ref().map(|(version, _)| version.as_str()));
    // Who says nothing hears no goodbye either.
    if let (Conclusion::Silent, Some(socket)) =
        (facts.conclusion, connection.socket().and_then(|socket| socket.again().ok()))
    {
        abandoned::reset(socket);
    }
    connection.close(GOODBYE).await;
    if let (true, Some(agreed)) = (facts.never_understood() && (ctx.limits.deep || !penalizes), agreed) {
        facts.repeats = repeat::again(ctx, reach.route, &agreed).await;
    }
    if let Some(Manner::Protocol { error }) = facts.end.as_ref().filter(|_| facts.is_beyond_library()) {
        let why = format!(
            "our SSH library gave the login up ({}): the server sent a message that it does not know; ssh may go on",
            sanitize(error)
        );
        return (Step::Error(why), None);
    }
    let step = match facts.is_open_for_ssh() {
        _ if interrupted => Step::Skipped("interrupted".into()),
        // ssh itself would go on: to ask for a touch, to log in otherwise.
        true => Step::Void(facts),
        false => Step::Failed(facts),
    };
    (step, None)
}

/// The data that the server sent that no server may.
fn violation(connection: &Connection, facts: &Facts) -> Option<Violation> {
    let seen = connection.watch().seen();
    let waited = Duration::try_from_secs_f64(facts.gave_up_ms.unwrap_or_default() / 1000.0).unwrap_or_default();
    let was_silent = seen.last_received.is_none_or(|at| at.elapsed() > waited);
    let is_flood = facts.conclusion == Conclusion::Silent && seen.received > FLOOD && !was_silent;
    match &facts.end {
        _ if seen.answered_unasked => Some(Violation::UnaskedAnswer),
        _ if seen.excess.is_some() => seen.excess.map(|bytes| Violation::TooMuch { bytes }),
        // It was no silence, and came too slowly to reach the limit on a login.
        _ if is_flood => Some(Violation::TooMuch { bytes: seen.received }),
        Some(Manner::Protocol { error }) => Violation::malformed(error),
        _ => None,
    }
}

/// The server's words made safe to show.
fn escaped(manner: Manner) -> Manner {
    match manner {
        Manner::Disconnect { code, text } => Manner::Disconnect { code, text: sanitize(&text) },
        other => other,
    }
}
