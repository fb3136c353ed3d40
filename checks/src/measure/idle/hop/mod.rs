//! Which hop forgets: sessions that the kernel's TCP keepalives refresh up to one hop each, and no further.
//!
//! A keepalive that has only so many hops to go dies on the way, but every machine that it reaches has seen the connection move. The
//! nearest hop at which that keeps a session alive is the one that holds the state. A machine that looks at the time-to-live before
//! its table of connections shows one hop later, and this machine's own packet filter as the first hop.

mod limited;
mod plan;
mod verdict;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use plan::{Room, interval, next};
pub use verdict::{Untold, forgets};

use crate::facts::idle::{Arm, End, Holds, Moves, Speaker};
use crate::ssh::login::Login;
use limited::{Limited, NotLimited};

/// What became of one session that was refreshed up to a hop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The hop.
    pub hop: u8,
    /// Whether its keepalives went all the way: the hop is the server.
    pub whole: bool,
    /// Seconds between two TCP keepalives.
    pub interval_s: u32,
    /// Seconds without a byte either way; TCP keepalives carry none.
    pub lasted_s: f64,
    /// How old the connection was at its end.
    pub age_s: f64,
    /// For how long nothing had moved in its channel at its end; `null` without a channel.
    pub channel_quiet_s: Option<f64>,
    /// Bytes that the server sent by itself meanwhile.
    pub heard_bytes: u64,
    /// Whether keepalives were answered until the end; `null` where the system does not tell, or after too short a time.
    pub answered: Option<bool>,
    /// Its end.
    pub end: End,
}

impl Trial {
    /// What the arm of a session says that was refreshed all the way, to this hop or further.
    #[must_use]
    pub fn whole(hop: u8, arm: &Arm) -> Self {
        Self {
            hop,
            whole: true,
            interval_s: arm.interval_s.unwrap_or_default(),
            lasted_s: arm.lasted_s,
            age_s: arm.age_s,
            channel_quiet_s: arm.channel_quiet_s,
            heard_bytes: arm.heard_bytes,
            answered: None,
            end: arm.end.clone(),
        }
    }

    /// The same in the words of the idle test, as the arm of that session, begun so many seconds after the test.
    #[must_use]
    pub fn arm(&self, session: u32, started_s: f64) -> Arm {
        Arm {
            session,
            moves: Moves::TcpKeepalive,
            holds: if self.channel_quiet_s.is_some() { Holds::Command } else { Holds::Nothing },
            speaks_first: Speaker::Client,
            hop: (!self.whole).then_some(self.hop),
            interval_s: Some(self.interval_s),
            started_s,
            lasted_s: self.lasted_s,
            age_s: self.age_s,
            channel_quiet_s: self.channel_quiet_s,
            heard_bytes: self.heard_bytes,
            end: self.end.clone(),
        }
    }
}

/// What the sessions of a search have in common.
#[derive(Debug, Clone)]
pub struct Search {
    /// How to log in.
    pub login: Login,
    /// What the arguments of the waiting commands bear; without it no command is run.
    pub mark: Option<String>,
    /// Time between two keepalives, whole seconds: see [`interval`].
    pub interval: Duration,
    /// How long opening a session may take.
    pub deadline: Duration,
    /// Process numbers of the waiting commands on the server, and of their parents: noted as they start, since a search may be given up.
    pub started: Arc<Mutex<Vec<(u32, u32)>>>,
}

/// What sessions side by side have shown.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Each session, the nearest hop first.
    pub trials: Vec<Trial>,
    /// Sessions that could not be had, each with the reason.
    pub not_opened: Vec<String>,
}

impl Search {
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
                let limited = search.open(hop, whole).await.map_err(|error| format!("hop {hop}: {error}"))?;
                search.started.lock().unwrap_or_else(PoisonError::into_inner).extend(limited.pids());
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
        Limited::open(&self.login, self.mark.as_deref(), hop, whole, self.interval, self.deadline).await
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
        let alive = self.trials.iter().any(|trial| matches!(trial.end, End::Alive { .. }));
        for trial in &mut self.trials {
            if let End::Died { others_alive, .. } = &mut trial.end {
                *others_alive = alive;
            }
        }
    }
}
