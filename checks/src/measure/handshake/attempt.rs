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

/// Connects within `deadline`. Once nothing has come for half of that, it tries the same in packets of other sizes; where there
/// was not a byte all the time, it listens on for a little.
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
    let mut connecting = Box::pin(connect::connect_watched(stream, watch, &ctx.target, until - began));
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
    let mut facts = seen::facts(&watch.seen());
    if !matches!(outcome, Err(NotConnected::Deadline)) {
        return Attempt { outcome, facts };
    }
    facts.gave_up_ms = Some(ms_since(began));
    if facts.received_bytes == 0 && facts.end.is_none() {
        silence::hear_out((ctx, route), connecting, watch, &mut facts, (began, until)).await;
        return Attempt { outcome, facts };
    }
    facts.arms = match arms {
        None if facts.version.is_some() => trying.await,
        arms => arms.unwrap_or_default(),
    };
    Attempt { outcome, facts }
}

/// The exchange that further connections repeat; none where they could not be made unlike this one, or may not be opened.
fn exchange(ctx: &Context, route: Route) -> Option<Exchange> {
    let is_possible = matches!(route, Route::Direct(_)) && ctx.budget.left() > 0;
    is_possible.then(|| Exchange::Keys { target: ctx.target.clone(), route, budget: ctx.budget.clone() })
}
