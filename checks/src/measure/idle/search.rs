//! The search for the hop that forgets: beside the ladder and in the same time where that is enough, and in further rounds where not.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until};

use super::held::verdict_deadline;
use super::hop::{self, Found, Room, Search};
use super::ladder::longer;
use super::onlooker;
use super::searched::HopSearchResult;
use super::session::Test;
use crate::base::stop::Stop;
use crate::base::target::Route;
use crate::base::text::seconds;
use crate::facts::idle::hop::{MOST, NotLocated, TtlProbe, locate};
use crate::facts::path::Path;
use crate::measure::progress::Progress;
use crate::os::path;
use crate::ssh::connection::Connection;
use crate::ssh::hop_count;

/// How long it may take to learn the hops' addresses.
const TRACE: Duration = Duration::from_secs(3);
/// How often the sessions beside the ladder are refreshed: the shortest the kernel can, since the timer is not known yet.
const INTERVAL: Duration = Duration::from_secs(1);
/// Session numbers of the search begin above this.
const SESSIONS: u32 = 50;
/// Rounds that may follow the one beside the ladder. With all its sessions one is enough for 13 hops, and two are for any path.
const ROUNDS: u32 = 3;
/// Sessions at a time that are not the search's: the main one, and the fresh one that settles a doubt.
const NOT_OURS: usize = 2;
/// Sessions of the test that do not climb: those with data, one of them with the server's alone, and the one with TCP keepalives.
const BESIDE: usize = 3;
/// Connections of the run's budget that the search leaves to others.
const LEFT: usize = 6;
/// How often the main session is kept alive meanwhile.
const KEEP: Duration = Duration::from_secs(2);
/// How much longer than the test itself the search may take where nothing died, or once the user wants an end.
const ENDING: Duration = Duration::from_secs(6);
/// What a round may take beyond its silence: opening, and the longest verdict.
const ROUND: Duration = Duration::from_mins(1);

/// What the search may use.
#[derive(Clone)]
pub(super) struct Scope {
    /// The address that connections come from.
    pub(super) bind: Option<IpAddr>,
    /// Sessions beside the ladder; none where there are too few.
    pub(super) near: usize,
    /// Sessions at the same time, those of the ladder among them.
    pub(super) sessions: usize,
    /// Whether it may go on when the ladder is done.
    pub(super) goes_on: bool,
    /// The user's wish.
    pub(super) stop: Stop,
    /// Process numbers of what the search has started on the server.
    pub(super) started: Arc<Mutex<Vec<(u32, u32)>>>,
    /// Tells when the round that is under way is over.
    pub(super) until: Arc<watch::Sender<Option<Instant>>>,
}

/// Whether there are hops to tell apart on this route.
pub(super) fn has_hops(route: Route) -> bool {
    matches!(route, Route::Direct(address) if !address.ip().is_loopback())
}

/// Refreshes sessions up to one hop each and asks them when silence has killed others, then others until the hop is known.
pub(super) async fn beside(test: Arc<Test>, scope: Scope) -> Option<HopSearchResult> {
    match test.login.route {
        Route::Direct(address) if has_hops(test.login.route) => {
            let search = Search {
                login: test.login.clone(),
                mark: test.mark.clone(),
                interval: INTERVAL,
                deadline: test.deadline,
                started: scope.started.clone(),
            };
            Some(
                Hunt {
                    address,
                    test,
                    scope,
                    search,
                    path: Path::default(),
                    so_far: HopSearchResult::default(),
                    whole: None,
                }
                .go()
                .await,
            )
        }
        Route::Direct(_) => None,
        Route::Proxy | Route::Hops => {
            let why = "the connection goes through a proxy command or a jump, and what lies behind that cannot be reached from here";
            Some(HopSearchResult { impossible: Some(why.to_owned()), ..HopSearchResult::default() })
        }
    }
}

struct Hunt {
    address: SocketAddr,
    test: Arc<Test>,
    scope: Scope,
    search: Search,
    path: Path,
    so_far: HopSearchResult,
    /// The session with TCP keepalives that the test holds anyway: it is refreshed all the way.
    whole: Option<TtlProbe>,
}

impl Hunt {
    async fn go(mut self) -> HopSearchResult {
        let (address, bind) = (self.address, self.scope.bind);
        self.path = path::trace(address, bind, MOST, TRACE).await;
        hop_count::count(&mut self.path, &self.search.login.budget, address, bind, MOST, TRACE).await;
        self.first_round().await;
        // Where a ladder with few sessions leaves none for others, nothing tells yet whether hops matter at all.
        if self.test.board.died().is_some() && (self.scope.near > 0 || self.is_worth_it().await) {
            self.further_rounds().await;
        }
        HopSearchResult { path: Some(self.path), ..self.so_far }
    }

    /// The round beside the ladder, in which the session with TCP keepalives stands for the furthest hop.
    async fn first_round(&mut self) {
        let near = self.scope.near;
        let has_whole = near > 0 && self.test.mark.is_some();
        let room = Room { now: near + usize::from(has_whole), later: self.scope.sessions.saturating_sub(NOT_OURS) };
        let mut hops = if near > 0 { hop::next(&self.path, MOST, room, &[], None) } else { Vec::new() };
        hops.retain(|hop| !has_whole || Some(*hop) != self.furthest());
        let (board, distance, opened) = (&self.test.board, self.distance(), Instant::now());
        let round = self.search.round(&hops, distance, async || board.longer_than_killed().await);
        // Where there are several routes takes nobody's time to find out.
        let routes = path::routes(&mut self.path, self.address, self.scope.bind, TRACE);
        let (found, ()) = tokio::join!(round, routes);
        self.add(opened, found);
        if let (true, Some(furthest)) = (has_whole && self.test.board.died().is_some(), self.furthest()) {
            self.whole = self.test.board.kernel_keepalive().await.and_then(|arm| TtlProbe::of(&arm, furthest));
        }
    }

    /// Tries what is left between the nearest hop that is known to be enough and the furthest that is not.
    async fn further_rounds(&mut self) {
        for _ in 0..ROUNDS {
            let (trials, killing) = (self.so_far.probes(self.whole.as_ref()), self.test.board.died());
            let verdict = locate(&trials, killing);
            let is_open =
                verdict.is_ok_and(|verdict| verdict.hops().count() > 1) || verdict == Err(NotLocated::NothingTold);
            let next = |now: usize| hop::next(&self.path, MOST, Room { now, later: now }, &trials, killing);
            let wanted = next(MOST.into()).len();
            if !is_open || wanted == 0 || !self.scope.goes_on || self.scope.stop.asked() {
                return;
            }
            let hops = next(self.room(wanted).await);
            if hops.is_empty() || !self.round(&hops).await {
                return;
            }
        }
    }

    /// One round of as long a silence as is known to kill; whether a session had something to say.
    async fn round(&mut self, hops: &[u8]) -> bool {
        let silence = self.test.board.longer_than_killed().await;
        self.search.interval = hop::interval(self.test.board.survived()).unwrap_or(INTERVAL);
        let opened = Instant::now();
        self.scope.until.send_replace(Some(opened + silence));
        let round = self.search.round(hops, self.distance(), async || silence);
        let Some(found) = self.scope.stop.race(round).await else { return false };
        let any = !found.trials.is_empty();
        self.add(opened, found);
        any
    }

    /// Waits until so many sessions are free, or all are that the ladder held.
    async fn room(&self, wanted: usize) -> usize {
        let board = &self.test.board;
        let free = || {
            let beside = if board.is_finished() { 0 } else { BESIDE };
            let taken = board.climbing() + NOT_OURS + beside;
            let budget = usize::try_from(self.search.login.budget.left()).unwrap_or(usize::MAX);
            self.scope.sessions.saturating_sub(taken).min(budget.saturating_sub(LEFT)).min(wanted)
        };
        let enough = || {
            let all = board.is_finished() && board.climbing() == 0;
            Some(free()).filter(|free| all || *free >= wanted)
        };
        self.scope.stop.race(board.noticed(enough)).await.unwrap_or_else(free)
    }

    /// Whether a timer of the path kills: what no SSH keepalive prevents has no hop.
    async fn is_worth_it(&self) -> bool {
        self.test.board.finished().await;
        self.test.board.is_kept()
    }

    fn add(&mut self, opened: Instant, found: Found) {
        let started_s = self.test.board.since_start(opened);
        let first = SESSIONS + u32::try_from(self.so_far.arms.len()).unwrap_or_default();
        self.so_far.arms.extend((first..).zip(&found.trials).map(|(session, trial)| trial.arm(session, started_s)));
        self.so_far.found.add(found);
    }

    fn distance(&self) -> Option<u8> {
        self.path.distance.map(|distance| distance.hops)
    }

    /// The server's hop, or one that is surely behind it.
    fn furthest(&self) -> Option<u8> {
        self.path.candidates(MOST).last().copied()
    }
}

/// Waits for the search when the test is done; keeps the main session alive meanwhile, and tells the onlooker how long it takes.
pub(super) async fn concluded(
    mut searching: JoinHandle<Option<HopSearchResult>>,
    test: &Test,
    main: &Connection,
    scope: &Scope,
    progress: &Progress,
) -> Option<HopSearchResult> {
    let died = test.board.died();
    let most = died.map_or(ENDING, |died| (Duration::from_secs_f64(longer(died)) + ROUND) * ROUNDS);
    let keep = async {
        loop {
            sleep(KEEP).await;
            main.keepalive(verdict_deadline(main)).await;
        }
    };
    let killed = seconds(died.unwrap_or_default());
    let phase = format!("{killed} of silence killed; looking for the hop that forgets");
    let tell = onlooker::tell(&test.board, progress, &phase, || scope.until.borrow().filter(|_| died.is_some()));
    tokio::select! {
        done = &mut searching => return done.ok().flatten(),
        () = sleep_until((Instant::now() + most).into()) => {}
        () = async { scope.stop.wait().await; sleep(ENDING).await } => {}
        () = keep => {}
        () = tell => {}
    }
    searching.abort();
    let _ = searching.await;
    None
}
