//! How long silence is survived, who ends it how, and the keepalive that was proven to prevent it.
//!
//! Sessions idle side by side, as one task directs them ([`coordinator`]), each for a longer time than the one before ([`ladder`]); each is then asked for an answer ([`idle_session`]), and a
//! doubt is settled by a fresh connection opened at that moment ([`control`]), so that an outage is never taken for a timer.

mod control;
mod coordinator;
mod events;
pub mod hop;
mod hop_liveness;
mod hop_locator;
mod hop_search_result;
mod hop_watch;
mod host_monitor;
mod idle_session;
mod kept;
mod ladder;
mod leftovers;
mod main_session;
mod next_probe;
mod onlooker;
mod patience;
mod role;
mod rungs;
mod second_round;
mod session;
mod session_view;
mod stretch;
mod test_run;
mod test_state;

use std::sync::Arc;
use std::time::Instant;

use crate::base::nonce::nonce;
use crate::facts::Step;
use crate::facts::idle::Facts;
use crate::measure::examination::Examination;

use host_monitor::HostMonitor;
use test_run::{Measured, TestRun};

/// Sessions where a person has to touch a key for each login.
const TOUCHED: usize = 4;
/// Measures how long silence is survived on sessions of its own, beside the connection that auth left.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    if exam.limits.idle.is_zero() {
        return Step::Skipped("not asked for".into());
    }
    let Some(login) = exam.login.clone() else {
        return Step::Skipped("there is no login: see auth and channel".into());
    };
    if !login.repeatable() {
        return Step::Skipped("each login needs an answer that is good only once".into());
    }
    let Some(connection) = exam.connection.take() else {
        return Step::Skipped("the connection was lost: see the checks before".into());
    };
    // The main session is the one that holds no channel.
    if let Some(running) = exam.running.take() {
        running.close().await;
    }
    if login.needs_touch() {
        exam.limits.sessions = exam.limits.sessions.min(TOUCHED);
    }
    let login = Arc::new(login);
    let monitor = HostMonitor::begin(&login, &connection);
    let mark = exam.runs_commands.is_ok().then(nonce);
    let test = TestRun { exam, login: login.clone(), mark: mark.clone(), monitor: &monitor, began: Instant::now() };
    let Measured { mut facts, interrupted, processes, main, .. } = Box::pin(test.measure(connection)).await;
    facts.incidents = monitor.end().await;
    let void = !facts.incidents.is_empty();
    facts.complete = !interrupted && !void;
    exam.connection = match main {
        // It may be open only in the eyes of this machine: after an incident, or since nothing keeps it alive any more.
        Some(main) if (!void && facts.all_lived()) || control::answers(&main).await => Some(main),
        _ if facts.outages.iter().any(|outage| outage.ended_s.is_none()) => None,
        _ => login.open(exam.limits.connect).await.ok(),
    };
    if let (Some(mark), Some(connection)) = (mark, &exam.connection) {
        facts.leftovers = leftovers::end(connection, &processes, &mark, exam.limits.patience()).await;
    }
    if void {
        return Step::Void(facts);
    }
    let lived = facts.all_lived();
    if lived && facts.timeout().survived_s.is_none() && !interrupted {
        return nothing_held(exam, facts);
    }
    if lived { Step::Passed(facts) } else { Step::Failed(facts) }
}

/// Why no session could be held beside the first.
fn nothing_held(exam: &Examination, facts: Facts) -> Step<Facts> {
    if exam.budget.login_refused() {
        return Step::Skipped("what the server accepted was accepted only once".into());
    }
    // All of them have met the same, more often than not.
    let mut why = facts.not_opened;
    why.dedup();
    Step::Error(format!("no session could be held beside the first: {}", why.join("; ")))
}
