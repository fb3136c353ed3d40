//! The search for the hop that forgets, beside the ladder and in the same time.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::board::Board;
use super::facts::{Facts, Killer, Search as Outcome};
use super::hop::{self, Found, Search, Untold, Verdict};
use super::session::Test;
use crate::dial::Route;
use crate::path::{self, Path};

/// Hops that are looked for; the Internet's longest paths have fewer than 40.
const MOST: u8 = 30;
/// How long it may take to learn the hops' addresses.
const TRACE: Duration = Duration::from_secs(3);
/// How often the sessions of the search are refreshed: the shortest the kernel can, since the timer is not known yet.
const INTERVAL: Duration = Duration::from_secs(1);
/// Session numbers of the search begin above this.
const SESSIONS: u32 = 50;

/// What the search has shown.
pub(super) struct Searched {
    path: Path,
    began: Instant,
    found: Found,
    verdict: Result<Verdict, Untold>,
}

/// Whether there are hops to tell apart on this route.
pub(super) fn has_hops(route: Route) -> bool {
    matches!(route, Route::Direct(address) if !address.ip().is_loopback())
}

/// Refreshes sessions up to one hop each and asks them when silence has killed others; nothing where there are no hops to tell apart.
pub(super) async fn beside(test: Arc<Test>, bind: Option<IpAddr>, sessions: usize) -> Option<Searched> {
    let Route::Direct(address) = test.login.route else { return None };
    if sessions == 0 {
        return None;
    }
    let mut path = path::trace(address, bind, MOST, TRACE).await;
    path::count(&mut path, &test.login.budget, address, bind, MOST, TRACE).await;
    let hops = hop::next(&path, MOST, sessions, &[], None);
    let search =
        Search { login: test.login.clone(), mark: test.mark.clone(), interval: INTERVAL, deadline: test.deadline };
    let distance = path.distance.map(|distance| distance.hops);
    let opened = Instant::now();
    let found = search.round(&hops, distance, async || test.board.longer_than_killed().await).await;
    let verdict = hop::forgets(&found.trials, test.board.died());
    Some(Searched { path, began: opened, found, verdict })
}

impl Searched {
    /// Adds it to what the test saw.
    pub(super) fn note(self, board: &Board, facts: &mut Facts) {
        let started_s = board.since_start(self.began);
        facts.arms.extend((SESSIONS..).zip(&self.found.trials).map(|(session, trial)| trial.arm(session, started_s)));
        facts.not_opened.extend(self.found.not_opened);
        for pids in self.found.processes {
            board.started(Some(pids));
        }
        // Only what SSH keepalives prevent is a timer of the path, and only one that TCP keepalives renew can be located by them.
        if facts.keepalive.verified == Some(true) {
            facts.search = match (self.verdict, facts.tcp_keepalive_lived()) {
                (_, Some(false)) => Outcome::Untold(Untold::AllDied.to_string()),
                (Ok(verdict), _) => Outcome::Found(verdict),
                (Err(untold), _) => Outcome::Untold(untold.to_string()),
            };
        }
        if let Outcome::Found(Verdict { hop, .. }) = facts.search {
            let address = self.path.address(hop).map(|address| address.to_string());
            facts.killer = Killer { hop: Some(u32::from(hop)), address };
        }
        facts.path = Some(self.path);
    }
}
