//! How long silence is survived, who ends it how, and the keepalive that was proven to prevent it.
//!
//! Sessions idle side by side, each for a longer time than the one before ([`ladder`]); each is then asked for an answer ([`held`]), and a
//! doubt is settled by a fresh connection opened at that moment ([`control`]), so that an outage is never taken for a timer.

mod age;
mod board;
mod control;
mod goal;
mod held;
pub mod hop;
mod ladder;
mod lane;
mod leftovers;
mod legs;
mod main_session;
mod notes;
mod onlooker;
mod opening;
mod role;
mod rungs;
mod search;
mod searched;
mod session;
mod verdict;
mod vigil;

use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::examination::Examination;
use crate::base::nonce::nonce;
use crate::facts::Step;
use crate::facts::idle::Facts;
use crate::facts::idle::age::mass_death;
use crate::ssh::connection::Connection;
use board::Board;
use control::Control;
use role::Role;
use session::Test;
use vigil::Vigil;

/// How often the onlooker is told.
const TICK: Duration = Duration::from_millis(500);
/// Sessions that the ladder and the arms beside it need before any are spent on the search for the hop.
const LADDER: usize = 13;
/// Sessions that are refreshed up to one hop each.
const HOPS: usize = 3;
/// Sessions where a person has to touch a key for each login.
const TOUCHED: usize = 4;
/// What a test may take at most: so many times its longest silence, for few sessions that climb one after the other, and this beside it.
const MOST: (u32, Duration) = (6, Duration::from_mins(2));
/// How long sessions may take to close at the end.
const CLOSING: Duration = Duration::from_secs(3);

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
    let main = Arc::new(connection);
    let vigil = Vigil::begin(&login, &main);
    let mark = exam.runs_commands.is_ok().then(nonce);
    let longest = exam.limits.idle.as_secs_f64();
    let near = if search::has_hops(login.route) { exam.limits.sessions.saturating_sub(LADDER).min(HOPS) } else { 0 };
    let roles = roles(exam.limits.sessions - near, longest, mark.is_some());
    let climbing = roles.iter().filter(|role| role.climbs()).count();
    let test = Arc::new(Test {
        control: Control::new(login.clone(), main.clone(), exam.limits.connect),
        board: Board::new(longest, climbing, mark.is_some()),
        login,
        mark: mark.clone(),
        deadline: exam.limits.connect,
    });
    let scope = search::Scope {
        bind: exam.target.bind,
        near,
        sessions: exam.limits.sessions,
        // Each login of a further round would have to be touched for again.
        goes_on: !test.login.needs_touch(),
        stop: exam.stop.clone(),
        started: Arc::default(),
        until: Arc::default(),
    };
    let searching = tokio::spawn(search::beside(test.clone(), scope.clone()));
    if roles.contains(&Role::Longest(longest)) {
        test.board.leave_out_longest();
    }
    let mut sessions = JoinSet::new();
    sessions.spawn(main_session::keep(test.clone(), main.clone()));
    for (number, role) in (1..).zip(roles) {
        sessions.spawn(session::take_part(test.clone(), number, role));
    }
    let interrupted = watch(exam, &test, &vigil, &mut sessions).await;
    sessions.shutdown().await;
    let mut facts = test.board.facts(longest, !interrupted, &test.control);
    if vigil.has_noticed() {
        searching.abort();
    }
    if let Some(searched) = search::concluded(searching, &test, &main, &scope, &exam.progress).await {
        searched.note(&mut facts);
    }
    facts.elapsed_s = test.board.since_start(Instant::now());
    let unasked = interrupted || vigil.has_noticed() || test.login.needs_touch();
    if let (Some(age), false) = (mass_death(&facts), unasked) {
        let second = exam.stop.race(age::second_round(&test, age, &exam.progress));
        facts.arms.extend(Box::pin(second).await.unwrap_or_default());
        facts.elapsed_s = test.board.since_start(Instant::now());
    }
    facts.incidents = vigil.end();
    let void = !facts.incidents.is_empty();
    facts.complete &= !void;
    let mut processes = test.board.processes();
    processes.extend(scope.started.lock().unwrap_or_else(PoisonError::into_inner).iter());
    let Some(Test { login, .. }) = Arc::into_inner(test) else {
        return Step::Error("a session of the idle test outlived it".into());
    };
    let main = Arc::into_inner(main).filter(|main: &Connection| !main.is_closed());
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

/// Tells the onlooker how it goes until all is known, the user wants to end, or it has taken too long; whether one of these was so.
async fn watch(exam: &Examination, test: &Test, vigil: &Vigil, sessions: &mut JoinSet<()>) -> bool {
    let mut tick = tokio::time::interval(TICK);
    let mut too_long = pin!(sleep(exam.limits.idle * MOST.0 + MOST.1));
    let mut cut_short = false;
    loop {
        tokio::select! {
            _ = tick.tick() => test.board.tell(&exam.progress),
            () = &mut too_long => {
                cut_short = true;
                test.board.finish();
                break;
            }
            ended = sessions.join_next() => if ended.is_none() { return false },
            () = test.board.finished() => break,
            // What is seen from here on says nothing of the path.
            () = vigil.incident() => {
                test.board.finish();
                break;
            }
            () = exam.stop.wait() => {
                test.board.finish();
                break;
            }
        }
    }
    // The sessions note how they stand and say goodbye.
    let all = async { while sessions.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(CLOSING, all).await;
    test.board.tell(&exam.progress);
    cut_short || exam.stop.asked()
}
