//! The search for the hop that drops idle connections: beside the ladder and in the same time where that is enough, and in further rounds where not.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until};

use super::events::{Overview, over};
use super::hop::{self, Found, Room, TtlProbes};
use super::hop_search_result::HopSearchResult;
use super::idle_session::verdict_deadline;
use super::ladder::longer;
use super::onlooker;
use super::session::Test;
use crate::base::stop::Stop;
use crate::base::target::Route;
use crate::base::text::seconds;
use crate::facts::idle::Arm;
use crate::facts::idle::hop::{Bare, MAX_HOPS, NotLocated, TtlProbe, locate};
use crate::facts::path::Path;
use crate::measure::progress::Progress;
use crate::os::path;
use crate::ssh::connection::Connection;
use crate::ssh::hop_count;
use crate::ssh::login::Login;

/// The time that it may take to learn the hops' addresses.
const TRACE: Duration = Duration::from_secs(3);
/// The refresh interval of the sessions beside the ladder: the shortest that the kernel supports, since the timer is
/// not known yet.
const INTERVAL: Duration = Duration::from_secs(1);
/// Rounds that may follow the one beside the ladder. With all its sessions one is enough for 13 hops, and two are for any path.
const ROUNDS: u32 = 3;
/// Sessions at a time that are not the search's: the main one, and the fresh one that settles a doubt.
const NOT_OURS: usize = 2;
/// Sessions of the test that do not climb: those with data, one of them with the server's alone, and the one with TCP keepalives.
const BESIDE: usize = 3;
/// Connections of the run's budget that the search leaves to others.
const LEFT: usize = 6;
/// The keepalive interval of the main session meanwhile.
const KEEP: Duration = Duration::from_secs(2);
/// The time that the search may take beyond the test itself where nothing died, or once the user wants an end.
const ENDING: Duration = Duration::from_secs(6);
/// The time that a round may take beyond its silence: opening, and the longest verdict.
const ROUND: Duration = Duration::from_mins(1);

/// The place of the search in the run, and its resources.
pub(super) struct Scope {
    /// The time at which the test began.
    pub(super) began: Instant,
    /// The first number that no session has.
    pub(super) number: u32,
    /// The state of the test.
    pub(super) overview: watch::Receiver<Overview>,
    /// The address that connections come from.
    pub(super) bind: Option<IpAddr>,
    /// Sessions beside the ladder; none where there are too few.
    pub(super) near: usize,
    /// Sessions at the same time, those of the ladder among them.
    pub(super) sessions: usize,
    /// True if it may go on when the ladder is done.
    pub(super) goes_on: bool,
    /// The user's wish.
    pub(super) stop: Stop,
    /// Takes the process numbers of what runs on the server.
    pub(super) started: mpsc::UnboundedSender<(u32, u32)>,
    /// The end of the current round.
    pub(super) until: watch::Sender<Option<Instant>>,
}

/// True if there are hops to tell apart on this route.
pub(super) fn has_hops(route: Route) -> bool {
    matches!(route, Route::Direct(address) if !address.ip().is_loopback())
}

/// Refreshes sessions up to one hop each and asks them when silence has killed others, then others until the hop is known.
pub(super) async fn locate_hop(test: Test, scope: Scope) -> Option<HopSearchResult> {
    match test.login.route {
        Route::Direct(address) if has_hops(test.login.route) => {
            let probes = TtlProbes {
                login: Login::clone(&test.login),
                channel_use: test.channel_use,
                interval: INTERVAL,
                deadline: test.deadline,
                started: scope.started.clone(),
            };
            let (path, so_far) = (Path::default(), HopSearchResult::default());
            Some(HopLocator { address, scope, probes, path, so_far, whole: None }.go().await)
        }
        Route::Direct(_) => None,
        Route::Proxy | Route::Hops => {
            let why = "the connection goes through a proxy command or a jump, and what lies behind that cannot be reached from here";
            Some(HopSearchResult { impossible: Some(why.to_owned()), ..HopSearchResult::default() })
        }
    }
}

struct HopLocator {
    address: SocketAddr,
    scope: Scope,
    probes: TtlProbes,
    path: Path,
    so_far: HopSearchResult,
    /// The session with TCP keepalives that the test holds anyway: it is refreshed all the way.
    whole: Option<TtlProbe>,
}

impl HopLocator {
    async fn go(mut self) -> HopSearchResult {
        let (address, bind) = (self.address, self.scope.bind);
        self.path = path::trace(address, bind, MAX_HOPS, TRACE).await;
        hop_count::count(&mut self.path, &self.probes.login.budget, address, bind, MAX_HOPS, TRACE).await;
        self.first_round().await;
        // Where a ladder with few sessions leaves none for others, nothing tells yet whether hops matter at all.
        if self.died().is_some() && (self.scope.near > 0 || self.is_worth_it().await) {
            self.further_rounds().await;
        }
        HopSearchResult { path: Some(self.path), ..self.so_far }
    }

    /// The round beside the ladder, in which the session with TCP keepalives stands for the furthest hop.
    async fn first_round(&mut self) {
        let near = self.scope.near;
        let has_whole = near > 0 && self.probes.channel_use.answers();
        let room = Room { now: near + usize::from(has_whole), later: self.scope.sessions.saturating_sub(NOT_OURS) };
        let mut hops = if near > 0 { hop::next(&self.path, MAX_HOPS, room, &[], Bare::default()) } else { Vec::new() };
        hops.retain(|hop| !has_whole || Some(*hop) != self.furthest());
        let (overview, distance, opened) = (self.scope.overview.clone(), self.distance(), Instant::now());
        let round = self.probes.round(&hops, distance, async || longer_than_killed(overview).await);
        // Where there are several routes takes nobody's time to find out.
        let routes = path::routes(&mut self.path, self.address, self.scope.bind, TRACE);
        let (found, ()) = tokio::join!(round, routes);
        self.add(opened, found);
        if let (true, Some(furthest)) = (has_whole && self.died().is_some(), self.furthest()) {
            self.whole =
                kernel_keepalive(self.scope.overview.clone()).await.and_then(|arm| TtlProbe::of(&arm, furthest));
        }
    }

    /// Tries what is left between the nearest hop that is known to be enough and the furthest that is not.
    async fn further_rounds(&mut self) {
        for _ in 0..ROUNDS {
            let (trials, bare) = (self.so_far.probes(self.whole.as_ref()), self.bare());
            let verdict = locate(&trials, bare);
            let is_open =
                verdict.is_ok_and(|verdict| verdict.hops().count() > 1) || verdict == Err(NotLocated::NothingTold);
            let next = |now: usize| hop::next(&self.path, MAX_HOPS, Room { now, later: now }, &trials, bare);
            let wanted = next(MAX_HOPS.into()).len();
            if !is_open || wanted == 0 || !self.scope.goes_on || self.scope.stop.asked() {
                return;
            }
            let hops = next(self.room(wanted).await);
            if hops.is_empty() || !self.round(&hops).await {
                return;
            }
        }
    }

    /// Runs one round with a silence longer than the fatal one; returns true if a session gave a result.
    async fn round(&mut self, hops: &[u8]) -> bool {
        let silence = longer_than_killed(self.scope.overview.clone()).await;
        self.probes.interval = hop::interval(self.scope.overview.borrow().survived).unwrap_or(INTERVAL);
        let opened = Instant::now();
        self.scope.until.send_replace(Some(opened + silence));
        let round = self.probes.round(hops, self.distance(), async || silence);
        let Some(found) = self.scope.stop.race(round).await else { return false };
        let any = !found.trials.is_empty();
        self.add(opened, found);
        any
    }

    /// Waits until this many sessions are free, or all that the ladder held are.
    async fn room(&self, wanted: usize) -> usize {
        let free = |test: &Overview| {
            let beside = if test.over { 0 } else { BESIDE };
            let taken = test.climbing + NOT_OURS + beside;
            let budget = usize::try_from(self.probes.login.budget.left()).unwrap_or(usize::MAX);
            self.scope.sessions.saturating_sub(taken).min(budget.saturating_sub(LEFT)).min(wanted)
        };
        let enough = |test: &Overview| test.over && test.climbing == 0 || free(test) >= wanted;
        let mut overview = self.scope.overview.clone();
        // Once the test is over for good there is all the room that there will be.
        let _ = self.scope.stop.race(overview.wait_for(enough)).await;
        free(&overview.borrow())
    }

    /// True if a timer of the path kills: what no SSH keepalive prevents has no hop.
    async fn is_worth_it(&self) -> bool {
        over(&self.scope.overview).await;
        self.scope.overview.borrow().kept
    }

    fn died(&self) -> Option<f64> {
        self.scope.overview.borrow().died
    }

    /// Returns the results so far of sessions that nothing refreshed.
    fn bare(&self) -> Bare {
        let test = self.scope.overview.borrow();
        Bare { survived_s: Some(test.survived), died_s: test.died, silently: test.died_silently }
    }

    fn add(&mut self, opened: Instant, found: Found) {
        let started_s = opened.saturating_duration_since(self.scope.began).as_secs_f64();
        let first = self.scope.number + u32::try_from(self.so_far.arms.len()).unwrap_or_default();
        self.so_far.arms.extend((first..).zip(&found.trials).map(|(session, trial)| trial.arm(session, started_s)));
        self.so_far.found.add(found);
    }

    fn distance(&self) -> Option<u8> {
        self.path.distance.map(|distance| distance.hops)
    }

    /// The server's hop, or one that is surely behind it.
    fn furthest(&self) -> Option<u8> {
        self.path.candidates(MAX_HOPS).last().copied()
    }
}

/// Returns, when a silence is as good as proven to kill, one that is surely longer; when the test ends without that, none at all.
async fn longer_than_killed(mut overview: watch::Receiver<Overview>) -> Duration {
    let test = overview.wait_for(|test| test.died.is_some() || test.over).await;
    test.ok().and_then(|test| test.died).map_or(Duration::ZERO, |died| Duration::from_secs_f64(longer(died)))
}

/// The session that only TCP keepalives refresh, once it has been asked; none where there is none, or the test was over first.
async fn kernel_keepalive(mut overview: watch::Receiver<Overview>) -> Option<Arm> {
    let test = overview.wait_for(|test| test.kernel_keepalive.is_some() || test.over).await;
    test.ok().and_then(|test| test.kernel_keepalive.clone())
}

/// The search as the idle test waits for it.
pub(super) struct Searching {
    pub(super) task: JoinHandle<Option<HopSearchResult>>,
    /// The time at which the round that is under way is over.
    pub(super) until: watch::Receiver<Option<Instant>>,
}

impl Searching {
    /// Gives it up.
    pub(super) fn abort(&self) {
        self.task.abort();
    }

    /// Waits for it when the test that began at `began` is done; keeps the main session alive meanwhile, and tells the onlooker how long
    /// it takes.
    pub(super) async fn concluded(
        mut self,
        (began, died): (Instant, Option<f64>),
        main: &Connection,
        stop: &Stop,
        progress: &Progress,
    ) -> Option<HopSearchResult> {
        let most = died.map_or(ENDING, |died| (Duration::from_secs_f64(longer(died)) + ROUND) * ROUNDS);
        let keep = async {
            loop {
                sleep(KEEP).await;
                main.keepalive(verdict_deadline(main)).await;
            }
        };
        let killed = seconds(died.unwrap_or_default());
        let phase = format!("{killed} idle killed a session; locating the hop that drops it");
        let until = self.until.clone();
        let tell = onlooker::tell(began, progress, &phase, || until.borrow().filter(|_| died.is_some()));
        tokio::select! {
            done = &mut self.task => return done.ok().flatten(),
            () = sleep_until((Instant::now() + most).into()) => {}
            () = async { stop.wait().await; sleep(ENDING).await } => {}
            () = keep => {}
            () = tell => {}
        }
        self.task.abort();
        let _ = self.task.await;
        None
    }
}
