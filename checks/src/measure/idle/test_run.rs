//! The idle test from its first session to its last: one generation of sessions, and another one where all of the first were lost at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::channel_use::ChannelUse;
use super::control::Control;
use super::coordinator::Coordinator;
use super::hop_locator::{self, Searching};
use super::hop_watch;
use super::host_monitor::HostMonitor;
use super::main_session;
use super::role::{MAIN, Role};
use super::second_round::Round;
use super::session::{self, Test};
use super::test_state::TestState;
use crate::facts::idle::age::{ended, mass_death};
use crate::facts::idle::chance::ended_by_chance;
use crate::facts::idle::{Arm, Cut, Facts, Outage};
use crate::facts::timeline::{EventKind, LASTING_S, MassEnd, Timeline};
use crate::measure::context::Context;
use crate::ssh::connection::Connection;
use crate::ssh::login::Login;

/// Sessions that the ladder and the arms beside it need before any are spent on the search for the hop.
const LADDER: usize = 13;
/// Sessions that are refreshed up to one hop each.
const HOPS: usize = 3;
/// The longest test in multiples of its longest idle time: a few sessions climb the rungs one after the other.
const MAX_LENGTH_FACTOR: u32 = 6;
/// Time allowed beyond that, for logins and the proof of the fix.
const MAX_LENGTH_EXTRA: Duration = Duration::from_mins(2);
/// Silent sessions that come first where they are opened a few at a time; the one with data is next, which tells idle time from age.
const FIRST_SILENT: usize = 2;
/// Generations of sessions, where each is lost at once.
const GENERATIONS: usize = 3;
/// Connections of the run's budget that a further generation leaves to others.
const LEFT: u32 = 6;
/// Losses so long before the first that shows on a busy session belong to it, seconds.
const BEFORE_S: f64 = 8.0;
/// A session that ends so near to a restart of the server ended with it, seconds.
const RESTART_S: f64 = 2.5;

/// One run of the test.
pub(super) struct TestRun<'e> {
    pub(super) ctx: &'e Context,
    /// Sessions that may be open at once.
    pub(super) sessions: usize,
    pub(super) login: Arc<Login>,
    pub(super) channel_use: ChannelUse,
    pub(super) monitor: &'e HostMonitor,
    pub(super) began: Instant,
}

/// The outcome of the sessions.
pub(super) struct Measured {
    pub(super) facts: Facts,
    /// True if the test was cut short.
    pub(super) interrupted: bool,
    /// The processes that ran on the server, each with its parent.
    pub(super) processes: Vec<(u32, u32)>,
    /// The session that holds no channel, where it is left.
    pub(super) main: Option<Connection>,
    /// True if connections were reset at random meanwhile.
    pub(super) reset_at_random: bool,
    /// The time at which every session was lost, seconds since the examination began.
    lost_at_s: Option<f64>,
}

impl TestRun<'_> {
    /// Holds sessions until all is known; where all of them were lost at one moment, others once more.
    pub(super) async fn measure(&self, main: Connection) -> Measured {
        let _hops = hop_watch::begin(self.ctx, &self.login);
        let began_s = self.timeline().await.until_s;
        let mut measured = self.generation(main).await;
        let mut cuts = Vec::new();
        for _ in 1..GENERATIONS {
            let Some(at_s) = measured.lost_at_s.map(|at| at - began_s) else { break };
            if !self.may_go_on(&measured).await {
                break;
            }
            let Ok(main) = self.login.open(self.ctx.limits.connect).await else { break };
            cuts.push(take_lost(&mut measured.facts, at_s));
            measured = measured.and(self.generation(main).await);
        }
        let facts = &mut measured.facts;
        (facts.cuts, facts.began_s, facts.elapsed_s) = (cuts, began_s, self.began.elapsed().as_secs_f64());
        let timeline = self.timeline().await;
        facts.outages = outages(&timeline, began_s);
        let resets = timeline.random_resets().map(|found| found.resets).unwrap_or_default();
        let resets_s: Vec<f64> = resets.iter().map(|(at_s, ..)| at_s - began_s).collect();
        facts.random_resets = take_by_chance(facts, &resets_s);
        let restart = timeline.mass_end().filter(MassEnd::is_restart).map(|end| end.at_s - began_s);
        let restarted = restart.and_then(|at_s| take_ended(facts, at_s));
        facts.cuts.extend(restarted);
        measured.reset_at_random = !resets_s.is_empty();
        measured
    }

    /// Holds one generation of sessions, and beside them those that locate the hop; where all ended at once, two more.
    async fn generation(&self, main: Connection) -> Measured {
        let (ctx, limits, places) = (self.ctx, &self.ctx.limits, self.sessions);
        let since_s = self.timeline().await.until_s;
        let main = Arc::new(main);
        let (control, controls) =
            Control::start(self.login.clone(), main.clone(), limits.connect, self.monitor.incident());
        let test = Test {
            login: self.login.clone(),
            channel_use: self.channel_use.clone(),
            control,
            deadline: limits.connect,
        };
        let longest = limits.idle.as_secs_f64();
        let has_hops = hop_locator::has_hops(self.login.route);
        let near = if has_hops { places.saturating_sub(LADDER).min(HOPS) } else { 0 };
        let roles = roles(places - near, longest, &test.channel_use, self.login.budget.is_spread());
        let roles: Vec<_> = (MAIN..).zip([Role::Main].into_iter().chain(roles)).collect();
        let number = u32::try_from(roles.len()).unwrap_or(u32::MAX);
        let state = TestState::new(longest, roles.iter().copied(), test.channel_use.speaks(), self.began)
            .holding(test.channel_use.holds())
            .spread(self.login.budget.is_spread());
        let mut coordinator = Coordinator::new(state);
        let (started, mut pids) = mpsc::unbounded_channel();
        let (round, until) = watch::channel(None);
        let scope = hop_locator::Scope {
            began: self.began,
            number,
            overview: coordinator.overview(),
            bind: ctx.target.bind,
            near,
            sessions: places,
            // Each login of a further round would have to be touched for again.
            goes_on: !test.login.needs_touch(),
            stop: ctx.stop.clone(),
            started: started.clone(),
            until: round,
        };
        let searching = Searching { task: tokio::spawn(hop_locator::locate_hop(test.clone(), scope)), until };
        let mut sessions = JoinSet::new();
        for (session, role) in roles {
            let line = coordinator.line(session);
            match role {
                Role::Main => sessions.spawn(main_session::keep(test.control.clone(), line, main.clone())),
                _ => sessions.spawn(session::take_part(test.clone(), line, role)),
            };
        }
        let (state, interrupted) = coordinator
            .run(&mut sessions, self.monitor, &ctx.stop, self.until(), &ctx.progress, &ctx.budget.recorder())
            .await;
        let mut facts = state.facts(Instant::now());
        if self.monitor.has_noticed().await || state.is_cut() {
            searching.abort();
        }
        let died = state.overview().died;
        if let Some(found) = searching.concluded((self.began, died), &main, &ctx.stop, &ctx.progress).await {
            found.note(&mut facts);
        }
        let unasked = interrupted || self.monitor.has_noticed().await || test.login.needs_touch();
        let lost_at_s = self.timeline().await.state_loss_after(since_s).map(|lost| lost.at_s);
        if let (Some(age), false) = (mass_death(&facts), unasked || lost_at_s.is_some()) {
            let number = facts.arms.iter().map(|arm| arm.session + 1).max().unwrap_or(number);
            let round = Round { test: &test, began: self.began, number, started: &started };
            let later = Box::pin(ctx.stop.race(round.hold(age, &ctx.progress))).await;
            facts.arms.extend(later.unwrap_or_default());
        }
        let mut processes = state.processes().to_vec();
        processes.extend(std::iter::from_fn(|| pids.try_recv().ok()));
        drop(test);
        facts.controls = controls.await.unwrap_or_default();
        let main = Arc::into_inner(main).filter(|main| !main.is_closed());
        Measured { facts, interrupted, processes, main, lost_at_s, reset_at_random: false }
    }

    /// True if there is time and room for another generation.
    async fn may_go_on(&self, measured: &Measured) -> bool {
        let limits = &self.ctx.limits;
        let room = self.login.budget.left() > u32::try_from(self.sessions).unwrap_or(u32::MAX).saturating_add(LEFT);
        let time = Instant::now() + limits.idle < self.until();
        let wanted = !measured.interrupted && !self.ctx.stop.asked() && !self.login.needs_touch();
        room && time && wanted && !self.monitor.has_noticed().await
    }

    fn until(&self) -> Instant {
        self.began + self.ctx.limits.idle * MAX_LENGTH_FACTOR + MAX_LENGTH_EXTRA
    }

    async fn timeline(&self) -> Timeline {
        self.ctx.budget.recorder().timeline().await
    }
}

impl Measured {
    /// This generation and the next one.
    fn and(self, next: Self) -> Self {
        let Self { mut facts, mut processes, .. } = self;
        processes.extend(next.processes);
        let arms = facts.arms.into_iter().chain(next.facts.arms).collect();
        facts = Facts {
            arms,
            controls: facts.controls + next.facts.controls,
            not_opened: [facts.not_opened, next.facts.not_opened].concat(),
            legs: [facts.legs, next.facts.legs].concat(),
            rtt_ms: next.facts.rtt_ms.or(facts.rtt_ms),
            ..next.facts
        };
        Self { facts, processes, ..next }
    }
}

/// Takes the stretches out of the facts that ended because every session was lost at a moment.
fn take_lost(facts: &mut Facts, at_s: f64) -> Cut {
    let (lost, kept) = std::mem::take(&mut facts.arms)
        .into_iter()
        .partition(|arm| arm.death().is_some() && ended(arm) > at_s - BEFORE_S);
    facts.arms = kept;
    Cut { at_s, arms: lost }
}

/// Takes the stretches out of the facts that a restart of the server ended at that moment; the sessions were opened again.
fn take_ended(facts: &mut Facts, at_s: f64) -> Option<Cut> {
    let is_of_it = |arm: &mut Arm| arm.death().is_some() && (ended(arm) - at_s).abs() < RESTART_S;
    let arms: Vec<Arm> = facts.arms.extract_if(.., is_of_it).collect();
    (!arms.is_empty()).then_some(Cut { at_s, arms })
}

/// Takes the stretches out of the facts that resets at random ended.
pub(super) fn take_by_chance(facts: &mut Facts, resets_s: &[f64]) -> Vec<Arm> {
    let mut by_chance = ended_by_chance(&facts.arms, resets_s).into_iter();
    facts.arms.extract_if(.., |_| by_chance.next() == Some(true)).collect()
}

/// The times in which nothing came through since the test began.
fn outages(timeline: &Timeline, began_s: f64) -> Vec<Outage> {
    let now = timeline.until_s;
    let events = timeline.events().into_iter().filter(|event| event.kind != EventKind::Stalled);
    let events = events.filter(|event| event.until_s.is_none_or(|until| until > began_s));
    let lasts = |event: &crate::facts::timeline::Event| event.until_s.is_none() && event.length_s(now) > LASTING_S;
    let outage = |event: crate::facts::timeline::Event| Outage {
        started_s: (event.from_s - began_s).max(0.0),
        ended_s: if lasts(&event) { None } else { Some(event.until_s.unwrap_or(now) - began_s) },
    };
    let Some(silent_s) = timeline.lasting_silence() else { return events.map(outage).collect() };
    // What seems to come and go in it is of the same outage.
    let mut outages: Vec<Outage> =
        events.filter(|event| event.until_s.is_some_and(|at| at < silent_s)).map(outage).collect();
    outages.push(Outage { started_s: (silent_s - began_s).max(0.0), ended_s: None });
    outages
}

/// Assigns the roles of the sessions. One place is the main session's, one is left for the fresh connection that
/// settles a doubt; what is not silent comes only where enough silent ones are left, and early where sessions are opened a few at a time
/// (`spread`): each has to outlast the idle timeout.
pub(super) fn roles(sessions: usize, longest: f64, channel_use: &ChannelUse, spread: bool) -> Vec<Role> {
    let places = sessions.saturating_sub(2).max(1);
    let mut last = Vec::new();
    if places > 7 && channel_use.answers() {
        last.extend([Role::TcpKeepalive, Role::Data]);
    } else if places > 2 && *channel_use == ChannelUse::Prompt {
        // Whether typing is what counts is the question on a device.
        last.push(Role::Data);
    }
    if places > 9 && channel_use.speaks() {
        last.push(Role::ServerData);
    }
    // Where few sessions can be opened, silent ones tell most.
    let mut roles = vec![Role::Ladder; places - last.len()];
    if let (true, Some(second)) = (places > 2, roles.get_mut(1)) {
        *second = Role::Longest(longest);
    }
    if spread {
        last.sort_by_key(|role| *role != Role::Data);
        let others = roles.split_off(roles.len().min(FIRST_SILENT));
        let (data, beside) = last.split_at(last.len().min(1));
        let (next, others) = others.split_at(others.len().min(1));
        return [&roles, data, next, beside, others].concat();
    }
    roles.extend(last);
    roles
}
