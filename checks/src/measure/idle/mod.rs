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
mod host_monitor;
pub(super) mod idle_session;
mod ladder;
pub(super) mod leftovers;
mod main_session;
mod next_probe;
mod onlooker;
mod own_session;
mod role;
mod run_stretch;
mod rungs;
mod second_round;
mod session;
mod session_view;
mod stretch;
mod test_state;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::handles::LoggedIn;
use crate::base::nonce::nonce;
use crate::facts::Step;
use crate::facts::idle::Facts;
use crate::facts::idle::age::mass_death;
use crate::measure::context::Context;
use crate::ssh::connection::Connection;

use control::Control;
use coordinator::Coordinator;
use hop_locator::Searching;
use host_monitor::HostMonitor;
use role::Role;
use second_round::Round;
use session::Test;
use test_state::{MAIN, TestState};

/// Sessions that the ladder and the arms beside it need before any are spent on the search for the hop.
const LADDER: usize = 13;
/// Sessions that are refreshed up to one hop each.
const HOPS: usize = 3;
/// Sessions where a person has to touch a key for each login.
const TOUCHED: usize = 4;
/// The longest test in multiples of its longest idle time: a few sessions climb the rungs one after the other.
const MAX_LENGTH_FACTOR: u32 = 6;
/// Time allowed beyond that, for logins and the proof of the fix.
const MAX_LENGTH_EXTRA: Duration = Duration::from_mins(2);

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
    let Some(connection) = logged_in.connection.take() else {
        return Step::Skipped("the connection was lost: see the checks before".into());
    };
    // The main session is the one that holds no channel.
    if let Some(running) = logged_in.running.take() {
        running.close().await;
    }
    if let Some(sftp) = logged_in.sftp.take() {
        sftp.end(ctx.limits.patience()).await;
    }
    let sessions = if login.needs_touch() { ctx.limits.sessions.min(TOUCHED) } else { ctx.limits.sessions };
    let (login, main) = (Arc::new(login), Arc::new(connection));
    let monitor = HostMonitor::begin(&login, &main);
    let mark = logged_in.runs_commands.is_ok().then(nonce);
    let own = own_session::begin(ctx, &login, &main, mark.as_ref(), sessions);
    let sessions = sessions - usize::from(own.is_held());
    let (control, controls) = Control::start(login.clone(), main.clone(), ctx.limits.connect);
    let test = Test { login: login.clone(), mark: mark.clone(), control, deadline: ctx.limits.connect };
    let Measured { mut facts, interrupted, mut processes } =
        Box::pin(measure(ctx, sessions, test, &main, &monitor)).await;
    facts.controls = controls.await.unwrap_or_default();
    let (keepalive, pids) = own.conclude().await;
    (facts.own, processes) = (Some(keepalive), processes.into_iter().chain(pids).collect());
    facts.incidents = monitor.end().await;
    let void = !facts.incidents.is_empty();
    facts.complete = !interrupted && !void;
    let main = Arc::into_inner(main).filter(|main: &Connection| !main.is_closed());
    logged_in.connection = match main {
        // It may be open only in the eyes of this machine: after an incident, or since nothing keeps it alive any more.
        Some(main) if (!void && facts.all_lived()) || control::answers(&main).await => Some(main),
        _ if facts.outages.iter().any(|outage| outage.ended_s.is_none()) => None,
        _ => login.open(ctx.limits.connect).await.ok(),
    };
    if let (Some(mark), Some(connection)) = (mark, &logged_in.connection) {
        facts.leftovers = leftovers::end(connection, &processes, &mark, ctx.limits.patience()).await;
    }
    if void {
        return Step::Void(facts);
    }
    let lived = facts.all_lived() || facts.own_outlives_all();
    if lived && facts.timeout().survived_s.is_none() && !interrupted {
        return nothing_held(ctx, facts);
    }
    if lived { Step::Passed(facts) } else { Step::Failed(facts) }
}

/// The outcome of the sessions.
struct Measured {
    facts: Facts,
    /// Whether the test was cut short.
    interrupted: bool,
    /// The processes that ran on the server, each with its parent.
    processes: Vec<(u32, u32)>,
}

/// Holds the sessions, and beside them those that locate the hop; where all ended at once, two more.
async fn measure(
    ctx: &Context,
    sessions: usize,
    test: Test,
    main: &Arc<Connection>,
    monitor: &HostMonitor,
) -> Measured {
    let (limits, began) = (&ctx.limits, Instant::now());
    let longest = limits.idle.as_secs_f64();
    let near = if hop_locator::has_hops(test.login.route) { sessions.saturating_sub(LADDER).min(HOPS) } else { 0 };
    let roles = roles(sessions - near, longest, test.mark.is_some());
    let roles: Vec<_> = (MAIN..).zip([Role::Main].into_iter().chain(roles)).collect();
    let number = u32::try_from(roles.len()).unwrap_or(u32::MAX);
    let mut coordinator = Coordinator::new(TestState::new(longest, roles.iter().copied(), test.mark.is_some(), began));
    let (started, mut pids) = mpsc::unbounded_channel();
    let (round, until) = watch::channel(None);
    let scope = hop_locator::Scope {
        began,
        number,
        overview: coordinator.overview(),
        bind: ctx.target.bind,
        near,
        sessions,
        // Each login of a further round would have to be touched for again.
        goes_on: !test.login.needs_touch(),
        stop: ctx.stop.clone(),
        started: started.clone(),
        until: round,
    };
    let searching = Searching { task: tokio::spawn(hop_locator::locate_hop(test.clone(), scope)), until };
    let mut held = JoinSet::new();
    for (session, role) in roles {
        let line = coordinator.line(session);
        match role {
            Role::Main => held.spawn(main_session::keep(test.control.clone(), line, main.clone())),
            _ => held.spawn(session::take_part(test.clone(), line, role)),
        };
    }
    let until = began + limits.idle * MAX_LENGTH_FACTOR + MAX_LENGTH_EXTRA;
    let (state, interrupted) = coordinator.run(&mut held, monitor, &ctx.stop, until, &ctx.progress).await;
    let mut facts = state.facts(Instant::now());
    if monitor.has_noticed().await {
        searching.abort();
    }
    let died = state.overview().died;
    if let Some(found) = searching.concluded((began, died), main, &ctx.stop, &ctx.progress).await {
        found.note(&mut facts);
    }
    let unasked = interrupted || monitor.has_noticed().await || test.login.needs_touch();
    if let (Some(age), false) = (mass_death(&facts), unasked) {
        let number = facts.arms.iter().map(|arm| arm.session + 1).max().unwrap_or(number);
        let round = Round { test: &test, began, number, started: &started };
        let later = Box::pin(ctx.stop.race(round.hold(age, &ctx.progress))).await;
        facts.arms.extend(later.unwrap_or_default());
    }
    facts.elapsed_s = began.elapsed().as_secs_f64();
    let mut processes = state.processes().to_vec();
    processes.extend(std::iter::from_fn(|| pids.try_recv().ok()));
    Measured { facts, interrupted, processes }
}

/// Why no session could be held beside the first.
fn nothing_held(ctx: &Context, facts: Facts) -> Step<Facts> {
    if ctx.budget.login_refused() {
        return Step::Skipped("what the server accepted was accepted only once".into());
    }
    // All of them have met the same, more often than not.
    let mut why = facts.not_opened;
    why.dedup();
    Step::Error(format!("no session could be held beside the first: {}", why.join("; ")))
}

/// What the sessions are for. One place is the main session's, one is left for the fresh connection that settles a doubt; what is not
/// silent comes only where enough silent ones are left.
fn roles(sessions: usize, longest: f64, runs_commands: bool) -> Vec<Role> {
    let places = sessions.saturating_sub(2).max(1);
    let mut roles = Vec::new();
    if places > 2 {
        roles.push(Role::Longest(longest));
    }
    if places > 7 && runs_commands {
        roles.extend([Role::TcpKeepalive, Role::Data]);
    }
    if places > 9 && runs_commands {
        roles.push(Role::ServerData);
    }
    roles.resize(places, Role::Ladder);
    roles
}
