//! The longest silence survived, who ends sessions and in which manner, and the keepalive proven to prevent it.
//!
//! Sessions idle side by side, as one task directs them (`coordinator`), each for a longer time than the one before (`ladder`); each is then asked for an answer (`idle_session`), and a
//! doubt is settled by a fresh connection opened at that moment (`control`), so that an outage is never taken for a timer.

mod channel_use;
mod control;
mod coordinator;
mod events;
pub mod hop;
mod hop_liveness;
mod hop_locator;
mod hop_search_result;
mod hop_watch;
mod host_monitor;
pub(super) mod idle_session;
mod kept;
mod ladder;
mod lateness;
pub(super) mod leftovers;
mod main_session;
mod next_probe;
mod onlooker;
mod own_session;
mod patience;
mod role;
mod run_stretch;
mod rungs;
mod second_round;
mod session;
mod session_view;
#[cfg(test)]
mod simulated;
mod starting;
mod stretch;
mod test_run;
mod test_state;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::handles::LoggedIn;
use crate::base::text::seconds;
use crate::facts::Step;
use crate::facts::idle::Facts;
use crate::facts::idle::own::{OwnEnd, OwnKeepalive};
use crate::measure::channel::RESTRICTED;
use crate::measure::context::Context;

pub use channel_use::ChannelUse;
use host_monitor::HostMonitor;
use test_run::{Measured, TestRun};

/// Sessions where a person has to touch a key for each login.
const TOUCHED: usize = 4;

/// The longest time that the end of the test takes, once the user wants it: a session that does not answer is given the time for a
/// verdict, lest what was seen is lost.
pub(crate) const CLOSING: Duration = Duration::from_secs(12);

/// Measures how long silence is survived on sessions of its own, beside the connection that auth left.
pub async fn check(ctx: &Context, logged_in: Option<&mut LoggedIn>) -> Step<Facts> {
    if ctx.limits.idle.is_zero() {
        return Step::Skipped("not asked for".into());
    }
    let Some((logged_in, login)) = logged_in.and_then(|it| it.login.clone().map(|login| (it, login))) else {
        return Step::Skipped("there is no login: see auth and channel".into());
    };
    if !login.repeatable() {
        return Step::Skipped("each login needs an answer that is good only once".into());
    }
    if let Some(connection) = &logged_in.connection {
        connection.learn_replies().await;
    }
    // A server may end a connection with its session, which tells nothing of silence: the requests have shown it by now.
    let connection = if logged_in.is_connected(ctx).await { logged_in.connection.take() } else { None };
    let Some(connection) = connection else {
        return Step::Skipped("the connection was lost: see the checks before".into());
    };
    // The main session is the one that holds no channel.
    if let Some(running) = logged_in.running.take() {
        running.end(ctx.limits.patience()).await;
    }
    if let Some(sftp) = logged_in.sftp.take() {
        sftp.end(ctx.limits.patience()).await;
    }
    let login = Arc::new(login);
    let monitor = HostMonitor::begin(&login, &connection);
    let channel_use = ChannelUse::of(logged_in);
    let most = if login.needs_touch() { TOUCHED } else { channel_use.most_sessions() };
    let sessions = ctx.limits.sessions.min(most);
    let own = own_session::begin(ctx, &login, &connection, &channel_use, sessions);
    let sessions = sessions - usize::from(own.is_held());
    let began = Instant::now();
    let test = TestRun { ctx, sessions, login: login.clone(), channel_use, monitor: &monitor, began };
    let Measured { mut facts, interrupted, mut processes, main, reset_at_random, .. } =
        Box::pin(test.measure(connection)).await;
    let channel_use = test.channel_use;
    let (keepalive, pids) = own.conclude().await;
    // Where every session was lost at one moment, its end tells nothing of a keepalive, nor where it was reset at random.
    let is_by_chance = |end: &OwnEnd| reset_at_random && matches!(end, OwnEnd::Ended { .. });
    let session = keepalive.session.filter(|session| facts.cuts.is_empty() && !is_by_chance(&session.end));
    facts.own = Some(OwnKeepalive { session, ..keepalive });
    processes.extend(pids);
    facts.incidents = monitor.end().await;
    let void = !facts.incidents.is_empty();
    facts.complete = !interrupted && !void;
    logged_in.connection = match main {
        // It may be open only in the eyes of this machine: after an incident, or since nothing keeps it alive any more.
        Some(main) if (!void && facts.all_lived()) || control::answers(&main).await => Some(main),
        _ if facts.outages.iter().any(|outage| outage.ended_s.is_none()) => None,
        _ => login.open(ctx.limits.connect).await.ok(),
    };
    if let (Some(held), Some(connection)) = (channel_use.command(), &logged_in.connection) {
        facts.leftovers =
            leftovers::end(connection, &processes, held, login.command_patience(ctx.limits.patience())).await;
    }
    if void {
        return Step::Void(facts);
    }
    if let (Err(RESTRICTED), Some(age_s)) = (&logged_in.runs_commands, facts.age_without_channel()) {
        return Step::Error(format!(
            "not measured: the account has no session that could be held idle, and the server ends connections without one after {}",
            seconds(age_s)
        ));
    }
    let lived = facts.all_lived() || facts.own_outlives_all() || facts.only_the_unused_ended();
    if lived && facts.timeout().survived_s.is_none() && !interrupted {
        return nothing_held(ctx, facts);
    }
    if lived { Step::Passed(facts) } else { Step::Failed(facts) }
}

/// Returns the step for a test in which no session could be held beside the first.
fn nothing_held(ctx: &Context, facts: Facts) -> Step<Facts> {
    if ctx.budget.login_refused() {
        return Step::Skipped("what the server accepted was accepted only once".into());
    }
    // All of them have met the same, more often than not.
    let mut why = facts.not_opened;
    why.dedup();
    Step::Error(format!("no session could be held beside the first: {}", why.join("; ")))
}
