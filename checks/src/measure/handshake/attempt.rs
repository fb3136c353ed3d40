//! The exchange itself, and the attempts beside it once it has stalled.

use std::time::{Duration, Instant};

use super::{seen, silence};
use crate::base::elapsed::ms_since;
use crate::base::target::Route;
use crate::facts::handshake::Facts;
use crate::measure::context::Context;
use crate::measure::retest::{Exchange, sizes};
use crate::os::pause::{timeout, timeout_at};
use crate::ssh::connect::{self, NotConnected};
use crate::ssh::connection::Connection;
use crate::ssh::tap::{Tap, Watch};
use crate::ssh::transport::Transport;

/// The result of the exchange.
pub(super) struct Attempt {
    pub(super) outcome: Result<Connection, NotConnected>,
    /// The facts so far, and those of packets of other sizes where it stalled.
    pub(super) facts: Facts,
}

impl Attempt {
    /// One that was given up by now.
    pub(super) fn given_up(watch: &Watch, began: Instant) -> Self {
        let facts = Facts { gave_up_ms: Some(ms_since(began)), ..seen::facts(&watch.seen()) };
        Self { outcome: Err(NotConnected::Deadline), facts }
    }
}

/// Connects within `deadline`. Once nothing has come for half of that, it tries the same in packets of other sizes; where there
/// was not a byte all the time, it listens on for a little, or for as long as ssh would.
pub(super) async fn attempt(
    ctx: &Context,
    route: Route,
    stream: Tap<Transport>,
    watch: &Watch,
    deadline: Duration,
) -> Attempt {
    let began = Instant::now();
    let given_up = began + deadline;
    let until = ctx.until().max(given_up);
    let first_word = ctx.limits.first_word.unwrap_or_default();
    let longest = until.max(began + first_word + deadline) - began;
    let mut connecting = Box::pin(connect::connect_watched(stream, watch, &ctx.target, longest));
    let mut in_time =
        Box::pin(async { timeout(deadline, &mut connecting).await.unwrap_or(Err(NotConnected::Deadline)) });
    let mut trying = Box::pin(async {
        let Some(exchange) = exchange(ctx, route) else { return Vec::new() };
        match timeout_at(until, sizes::stalled(watch, deadline / 2)).await {
            Ok(()) => sizes::sizes(&exchange, until).await,
            Err(_) => Vec::new(),
        }
    });
    let (outcome, arms) = tokio::select! {
        biased;
        outcome = &mut in_time => (outcome, None),
        arms = &mut trying => (in_time.as_mut().await, Some(arms)),
    };
    drop(in_time);
    let is_silent = matches!(outcome, Err(NotConnected::Deadline)) && is_silent(watch);
    if is_silent && first_word > deadline {
        let times = (began, deadline, first_word);
        let (outcome, tls) = silence::wait_as_ssh((ctx, route), connecting, watch, times).await;
        let gave_up_ms = matches!(outcome, Err(NotConnected::Deadline)).then(|| ms_since(began));
        return Attempt { outcome, facts: Facts { gave_up_ms, tls, ..seen::facts(&watch.seen()) } };
    }
    let mut facts = seen::facts(&watch.seen());
    if !matches!(outcome, Err(NotConnected::Deadline)) {
        return Attempt { outcome, facts };
    }
    facts.gave_up_ms = Some(ms_since(began));
    if is_silent {
        silence::hear_out((ctx, route), connecting, watch, &mut facts, (began, until)).await;
        return Attempt { outcome, facts };
    }
    facts.arms = match arms {
        None if facts.version.is_some() => trying.await,
        arms => arms.unwrap_or_default(),
    };
    Attempt { outcome, facts }
}

/// True if the server has said nothing, and has not ended the connection.
pub(super) fn is_silent(watch: &Watch) -> bool {
    let seen = watch.seen();
    seen.received == 0 && seen.end.is_none()
}

/// The exchange that further connections repeat; none where they could not be made unlike this one, or may not be opened.
fn exchange(ctx: &Context, route: Route) -> Option<Exchange> {
    let is_possible = matches!(route, Route::Direct(_)) && ctx.budget.left() > 0;
    is_possible.then(|| Exchange::Keys { target: ctx.target.clone(), route, budget: ctx.budget.clone() })
}
