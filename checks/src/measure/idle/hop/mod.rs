//! The hop that drops idle connections: sessions that the kernel's TCP keepalives refresh up to one hop each, and no further.
//!
//! A keepalive with a limit on hops expires on the way, but every machine that it reaches has seen the connection move. The
//! nearest hop at which that keeps a session alive is the one that holds the state. A machine that looks at the time-to-live before
//! its table of connections shows one hop later, and this machine's own packet filter as the first hop.

mod limited;
mod plan;

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

pub use plan::{Room, interval, next};

use crate::facts::idle::StretchEnd;
use crate::facts::idle::hop::TtlProbe;
use crate::measure::idle::channel_use::ChannelUse;
use crate::ssh::login::Login;
use limited::{Limited, NotLimited};

/// The state that the sessions of a search share.
#[derive(Debug, Clone)]
pub struct TtlProbes {
    /// The login.
    pub login: Login,
    /// The channel that each session holds.
    pub channel_use: ChannelUse,
    /// Time between two keepalives, whole seconds: see [`interval`].
    pub interval: Duration,
    /// The time that opening a session may take.
    pub deadline: Duration,
    /// Takes the process numbers of the waiting commands on the server, and of their parents, as they start: a search may be given up.
    pub started: mpsc::UnboundedSender<(u32, u32)>,
}

/// The results of parallel sessions.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Each session, the nearest hop first.
    pub trials: Vec<TtlProbe>,
    /// Sessions that could not be opened, each with the reason.
    pub not_opened: Vec<String>,
}

impl TtlProbes {
    /// Opens one session for each hop, and asks all when each has been silent for as long as `silence` says that it must be.
    ///
    /// It may take its time to say so: until something else has shown what kills. Where it says zero all are asked at once, and end in
    /// good order. A session for the hop that is the server, or for one behind it, is refreshed all the way.
    pub async fn round(&self, hops: &[u8], distance: Option<u8>, silence: impl AsyncFnOnce() -> Duration) -> Found {
        let (tell, told) = watch::channel(None);
        let mut sessions = JoinSet::new();
        for &hop in hops {
            let (search, mut told) = (self.clone(), told.clone());
            let whole = distance.is_some_and(|distance| hop >= distance);
            sessions.spawn(async move {
                let is_over = |silence: &Option<Duration>| *silence == Some(Duration::ZERO);
                let turn = tokio::select! {
                    turn = search.login.budget.turn() => turn,
                    _ = told.wait_for(is_over) => return Err(format!("hop {hop}: the test was over first")),
                };
                let limited = search.open(hop, whole).await.map_err(|error| format!("hop {hop}: {error}"))?;
                drop(turn);
                if let Some(pids) = limited.pids() {
                    // Whoever collects them may have left.
                    let _ = search.started.send(pids);
                }
                let least =
                    async { told.wait_for(Option::is_some).await.ok().and_then(|told| *told).unwrap_or_default() };
                Ok::<_, String>(limited.trial(least).await)
            });
        }
        tell.send_replace(Some(silence().await));
        let mut found = Found::default();
        for ended in sessions.join_all().await {
            match ended {
                Ok(trial) => found.trials.push(trial),
                Err(why) => found.not_opened.push(why),
            }
        }
        found.settle();
        found
    }

    async fn open(&self, hop: u8, whole: bool) -> Result<Limited, NotLimited> {
        Limited::open(&self.login, &self.channel_use, hop, whole, self.interval, self.deadline).await
    }
}

impl Found {
    /// Adds what a further round has shown.
    pub fn add(&mut self, other: Self) {
        self.trials.extend(other.trials);
        self.not_opened.extend(other.not_opened);
        self.trials.sort_by_key(|trial| trial.hop);
    }

    /// Notes on the sessions that died whether another one was alive at that moment.
    fn settle(&mut self) {
        self.trials.sort_by_key(|trial| trial.hop);
        let alive = self.trials.iter().any(|trial| matches!(trial.end, StretchEnd::Alive { .. }));
        for trial in &mut self.trials {
            if let StretchEnd::Died { others_alive, .. } = &mut trial.end {
                *others_alive = alive;
            }
        }
    }
}
