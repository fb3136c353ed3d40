//! The exchange itself, and what is tried beside it once it has stalled.

use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use super::{Facts, LOOKING, silence};
use crate::connection::{self, Connection, NotConnected};
use crate::dial::{Route, Transport};
use crate::examination::Examination;
use crate::tap::{Tap, Watch};
use crate::trial::{self, Exchange, Tried};

/// What came of the exchange.
pub(super) struct Attempt {
    pub(super) outcome: Result<Connection, NotConnected>,
    /// What was seen by then.
    pub(super) facts: Facts,
    /// The same in small packets, where it stalled.
    pub(super) small: Option<Tried>,
}

/// Connects within `deadline`. Once nothing has come for half of that, it tries the same in small packets; where there was
/// not a byte all the time, it listens on for a little.
pub(super) async fn attempt(exam: &Examination, stream: Tap<Transport>, watch: &Watch, deadline: Duration) -> Attempt {
    /// How much longer than the connection itself the arm may take.
    const GRACE: Duration = Duration::from_secs(1);
    let began = Instant::now();
    let (given_up, until) = (began + deadline, began + deadline + GRACE);
    let mut connecting = Box::pin(connection::connect_watched(stream, watch, &exam.target, deadline + LOOKING));
    let mut in_time =
        Box::pin(async { timeout_at(given_up.into(), &mut connecting).await.unwrap_or(Err(NotConnected::Deadline)) });
    let mut trying = Box::pin(async {
        let Some(exchange) = exchange(exam) else { return std::future::pending().await };
        trial::stalled(watch, deadline / 2).await;
        trial::small(&exchange, until.saturating_duration_since(Instant::now())).await
    });
    let (outcome, small) = tokio::select! {
        biased;
        outcome = &mut in_time => (outcome, None),
        tried = &mut trying => (in_time.as_mut().await, Some(tried)),
    };
    drop(in_time);
    let mut facts = Facts::of(&watch.seen());
    if !matches!(outcome, Err(NotConnected::Deadline)) {
        return Attempt { outcome, facts, small: None };
    }
    facts.gave_up_ms = Some(began.elapsed().as_secs_f64() * 1000.0);
    if facts.received_bytes == 0 && facts.end.is_none() {
        silence::hear_out(exam, connecting, watch, &mut facts, (began, given_up + LOOKING)).await;
        return Attempt { outcome, facts, small: None };
    }
    let small = match small {
        None if facts.version.is_some() => timeout_at(until.into(), trying).await.ok(),
        small => small,
    };
    Attempt { outcome, facts, small }
}

/// The exchange that further connections repeat; none where they could not be made unlike this one, or may not be opened.
pub(super) fn exchange(exam: &Examination) -> Option<Exchange> {
    let route = exam.route.filter(|route| matches!(route, Route::Direct(_)) && exam.budget.left() > 0)?;
    Some(Exchange::Keys { target: exam.target.clone(), route, budget: exam.budget.clone() })
}
