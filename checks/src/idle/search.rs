//! The search for the hop that forgets: beside the ladder and in the same time where that is enough, and in further rounds where not.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until};

use super::facts::{Arm, Facts, Killer, Search as Outcome, Speaker};
use super::held::verdict_deadline;
use super::hop::{self, Doubt, Found, Room, Search, Trial, Untold, Verdict};
use super::ladder::longer;
use super::session::Test;
use crate::connection::Connection;
use crate::dial::Route;
use crate::examination::Stop;
use crate::path::{self, Path};
use crate::progress::{Event, IdleState, Progress};
use crate::text::seconds;

/// Hops that are looked for; the Internet's longest paths have fewer than 40.
const MOST: u8 = 30;
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
/// How often it is looked whether sessions have become free, and the main session is kept alive.
const LOOK: Duration = Duration::from_millis(200);
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

/// What the search has shown.
pub(super) struct Searched {
    path: Option<Path>,
    arms: Vec<Arm>,
    found: Found,
    /// The session with TCP keepalives that the test holds anyway: it is refreshed all the way.
    whole: Option<Trial>,
    untold: Option<String>,
}

/// Whether there are hops to tell apart on this route.
pub(super) fn has_hops(route: Route) -> bool {
    matches!(route, Route::Direct(address) if !address.ip().is_loopback())
}

/// Refreshes sessions up to one hop each and asks them when silence has killed others, then others until the hop is known.
pub(super) async fn beside(test: Arc<Test>, scope: Scope) -> Option<Searched> {
    let nothing = Searched { path: None, arms: Vec::new(), found: Found::default(), whole: None, untold: None };
    match test.login.route {
        Route::Direct(address) if has_hops(test.login.route) => {
            let search = Search {
                login: test.login.clone(),
                mark: test.mark.clone(),
                interval: INTERVAL,
                deadline: test.deadline,
                started: scope.started.clone(),
            };
            Some(Hunt { address, test, scope, search, path: Path::default(), so_far: nothing }.go().await)
        }
        Route::Direct(_) => None,
        Route::Proxy | Route::Hops => {
            let why = "the connection goes through a proxy command or a jump, and what lies behind that cannot be reached from here";
            Some(Searched { untold: Some(why.to_owned()), ..nothing })
        }
    }
}

struct Hunt {
    address: SocketAddr,
    test: Arc<Test>,
    scope: Scope,
    search: Search,
    path: Path,
    so_far: Searched,
}

impl Hunt {
    async fn go(mut self) -> Searched {
        let (address, bind) = (self.address, self.scope.bind);
        self.path = path::trace(address, bind, MOST, TRACE).await;
        path::count(&mut self.path, &self.search.login.budget, address, bind, MOST, TRACE).await;
        self.first_round().await;
        // Where a ladder with few sessions leaves none for others, nothing tells yet whether hops matter at all.
        if self.test.board.died().is_some() && (self.scope.near > 0 || self.is_worth_it().await) {
            self.further_rounds().await;
        }
        Searched { path: Some(self.path), ..self.so_far }
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
            self.so_far.whole = self.test.board.kernel_keepalive().await.map(|arm| Trial::whole(furthest, &arm));
        }
    }

    /// Tries what is left between the nearest hop that is known to be enough and the furthest that is not.
    async fn further_rounds(&mut self) {
        for _ in 0..ROUNDS {
            let (trials, killing) = (self.so_far.trials(), self.test.board.died());
            let verdict = hop::forgets(&trials, killing);
            let is_open =
                verdict.is_ok_and(|verdict| verdict.hops().count() > 1) || verdict == Err(Untold::NothingTold);
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
        loop {
            let over = self.test.board.is_finished();
            let taken = self.test.board.climbing() + NOT_OURS + if over { 0 } else { BESIDE };
            let budget = usize::try_from(self.search.login.budget.left()).unwrap_or(usize::MAX);
            let free = self.scope.sessions.saturating_sub(taken).min(budget.saturating_sub(LEFT));
            if free >= wanted || over && self.test.board.climbing() == 0 || self.scope.stop.asked() {
                return free.min(wanted);
            }
            sleep(LOOK).await;
        }
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
    mut searching: JoinHandle<Option<Searched>>,
    test: &Test,
    main: &Connection,
    scope: &Scope,
    progress: &Progress,
) -> Option<Searched> {
    let died = test.board.died();
    let most = died.map_or(ENDING, |died| (Duration::from_secs_f64(longer(died)) + ROUND) * ROUNDS);
    let keep = async {
        loop {
            sleep(KEEP).await;
            main.keepalive(verdict_deadline(main)).await;
        }
    };
    let tell = async {
        loop {
            sleep(LOOK * 2).await;
            if let (Some(died), Some(until)) = (died, *scope.until.borrow()) {
                let phase = format!("{} of silence killed; looking for the hop that forgets", seconds(died));
                let left = until.saturating_duration_since(Instant::now());
                progress.tell(Event::Idle(IdleState { phase, elapsed: test.board.elapsed(), left, lanes: Vec::new() }));
            }
        }
    };
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

impl Searched {
    /// Every session that tells something.
    fn trials(&self) -> Vec<Trial> {
        self.found.trials.iter().chain(&self.whole).cloned().collect()
    }

    /// Adds it to what the test saw.
    pub(super) fn note(self, facts: &mut Facts) {
        // Only what SSH keepalives prevent is a timer of the path.
        if facts.keepalive.verified == Some(true) {
            facts.search = self.outcome(facts);
        }
        facts.arms.extend(self.arms);
        facts.not_opened.extend(self.found.not_opened);
        if let (Outcome::Found(Verdict { hop, .. }), Some(path)) = (&facts.search, &self.path) {
            let address = path.address(*hop).map(|address| address.to_string());
            facts.killer = Killer { hop: Some(u32::from(*hop)), address };
        }
        facts.path = self.path;
    }

    fn outcome(&self, facts: &Facts) -> Outcome {
        if let Some(why) = &self.untold {
            return Outcome::Untold(why.clone());
        }
        // Only a timer that TCP keepalives renew can be located by them.
        if facts.tcp_keepalive_lived() == Some(false) {
            return Outcome::Untold(Untold::AllDied.to_string());
        }
        // The sessions of the search are asked: what died of a word of the server says nothing of them.
        let Some(first) = facts.deaths().into_iter().find(|arm| arm.speaks_first == Speaker::Client) else {
            return Outcome::Untold(
                "a word of ours is enough to let the path pass again what the server says".to_owned(),
            );
        };
        if self.found.trials.is_empty() {
            return Outcome::Untold(match self.found.not_opened.first() {
                Some(why) => format!("no session for it could be had: {why}"),
                None => {
                    "no session was to spare for it: --sessions is low, or each login has to be touched for".to_owned()
                }
            });
        }
        match hop::forgets(&self.trials(), Some(first.quiet_s())) {
            Ok(verdict) => {
                let furthest = self.path.as_ref().and_then(|path| path.candidates(MOST).last().copied());
                let renews = facts.server_heard() == Some(true) && Some(verdict.hop) == furthest;
                Outcome::Found(verdict.doubted(renews.then_some(Doubt::ServerRenews)))
            }
            Err(untold) => Outcome::Untold(untold.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::{End, Holds, Keepalive, Moves, Sign, Timeout};
    use super::*;
    use crate::cause::Certainty;
    use crate::connection::Manner;
    use crate::path::{Distance, Protocol};

    fn arm(moves: Moves, speaks_first: Speaker, hop: Option<u8>, alive: bool) -> Arm {
        let died = End::Died { manner: Manner::Silent, sign: Sign::AfterProbe, others_alive: true, tcp: None };
        Arm {
            session: 1,
            moves,
            holds: Holds::Command,
            speaks_first,
            hop,
            interval_s: None,
            started_s: 0.0,
            lasted_s: if moves == Moves::Nothing { 8.5 } else { 9.5 },
            age_s: 9.5,
            channel_quiet_s: None,
            heard_bytes: 0,
            end: if alive { End::Alive { rtt_ms: 1.0 } } else { died },
        }
    }

    /// A path of two routers and the server, and which of the hops kept a session alive.
    fn searched(alive: [bool; 2]) -> Searched {
        let trial = |(hop, alive)| Trial {
            whole: false,
            ..Trial::whole(hop, &arm(Moves::TcpKeepalive, Speaker::Client, None, alive))
        };
        Searched {
            path: Some(Path { distance: Some(Distance { hops: 3, by: Protocol::Udp }), ..Path::default() }),
            arms: Vec::new(),
            found: Found { trials: (1..).zip(alive).map(trial).collect(), ..Found::default() },
            whole: Some(Trial::whole(3, &arm(Moves::TcpKeepalive, Speaker::Client, None, true))),
            untold: None,
        }
    }

    fn facts(more: impl IntoIterator<Item = Arm>) -> Facts {
        let timeout = Timeout { survived_s: Some(7.8), died_s: Some(8.5) };
        let keepalive = Keepalive { verified: Some(true), ..Keepalive::default() };
        let died = arm(Moves::Nothing, Speaker::Client, None, false);
        Facts { timeout, keepalive, arms: [died].into_iter().chain(more).collect(), ..Facts::default() }
    }

    fn found(outcome: &Outcome) -> (u8, u8, Certainty, Option<Doubt>) {
        let Outcome::Found(Verdict { hop, after, certainty, doubt }) = outcome else { panic!("{outcome:?}") };
        (*hop, *after, *certainty, *doubt)
    }

    #[test]
    fn the_session_that_is_refreshed_all_the_way_stands_for_the_server() {
        let seen = facts([]);
        assert_eq!(found(&searched([false, true]).outcome(&seen)), (2, 1, Certainty::Likely, None));
        assert_eq!(found(&searched([false, false]).outcome(&seen)), (3, 2, Certainty::Likely, None));
    }

    #[test]
    fn a_server_that_is_heard_after_the_same_silence_is_rather_behind_a_firewall() {
        let heard = facts([arm(Moves::Nothing, Speaker::Server, None, true)]);
        let doubt = (3, 2, Certainty::Possible, Some(Doubt::ServerRenews));
        assert_eq!(found(&searched([false, false]).outcome(&heard)), doubt);
        assert_eq!(found(&searched([false, true]).outcome(&heard)).3, None);
    }

    #[test]
    fn what_no_session_of_ours_can_tell_is_not_told() {
        let untold = |searched: &Searched, facts: &Facts| matches!(searched.outcome(facts), Outcome::Untold(_));
        // A proxy: not even keepalives that come all the way helped.
        let proxied = facts([arm(Moves::TcpKeepalive, Speaker::Client, None, false)]);
        assert!(untold(&searched([false, false]), &proxied));
        // Only the server's word was lost.
        let mut one_way = facts([]);
        one_way.arms[0].speaks_first = Speaker::Server;
        assert!(untold(&searched([true, true]), &one_way));
        let none = Searched { found: Found::default(), ..searched([false, true]) };
        assert!(untold(&none, &facts([])));
    }
}
