//! One run's live handles. Anything measured goes into facts, never here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::channel::Outcome;
use crate::connection::{Connection, Running};
use crate::dial::{Budget, Route, Transport};
use crate::dns::Beside;
use crate::login::Login;
use crate::progress::Progress;
use crate::target::{Limits, Target};

/// How much longer than ConnectTimeout a run without a login may take: 0.6 s short of what is promised, for the settings have
/// to be read and the report to be written too, on a busy machine.
const BEYOND: Duration = Duration::from_millis(1400);

/// What the checks work with; each takes the handle it needs and leaves the next one.
pub struct Examination {
    /// Whom to examine.
    pub target: Arc<Target>,
    /// Within which limits.
    pub limits: Limits,
    /// What the connections may cost.
    pub budget: Arc<Budget>,
    /// When it began.
    pub began: Instant,
    /// Who looks on.
    pub progress: Progress,
    /// Whether the user wants it to end.
    pub stop: Stop,
    /// How to ask the user.
    pub ask: Arc<dyn Ask>,
    /// Left by dns: the addresses that ssh would try, in its order.
    pub addresses: Vec<SocketAddr>,
    /// Left by dns: the name servers that are still being asked, beside the other checks.
    pub name_servers: Option<Beside>,
    /// Left by the way through the hops: how to log in to the last of them again.
    pub via: Option<Login>,
    /// Since when the connection is being opened: what ConnectTimeout counts from.
    pub connecting: Option<Instant>,
    /// Left by tcp: how to open further connections.
    pub route: Option<Route>,
    /// Left by tcp: the connection that the handshake uses.
    pub transport: Option<Transport>,
    /// Left by handshake: not authenticated until auth has passed.
    pub connection: Option<Connection>,
    /// Left by hostkey: the fingerprint of the key that may be trusted with a login, and how far.
    pub trusted: Option<Trusted>,
    /// Left by hostkey: no login is tried at a key that contradicts known_hosts, although ssh would try one.
    pub login_withheld: bool,
    /// Left by auth: how to log in again.
    pub login: Option<Login>,
    /// Left by channel: the server runs POSIX shell commands of ours, or why not.
    pub runs_commands: Result<(), &'static str>,
    /// Left by channel: the command that transfer and exit go on with.
    pub running: Option<Running>,
    /// Left by channel: the wish for sftp, which is answered while transfer works.
    pub sftp: Option<JoinHandle<Outcome>>,
}

/// A host key that authentication may go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// The key's `SHA256:` fingerprint.
    pub fingerprint: String,
    /// Whether a password may be sent to it: the key is known, or the user accepted it.
    pub with_passwords: bool,
}

/// A question to the person at the terminal. Each call may block; without a terminal the answer is `None` or no.
pub trait Ask: Send + Sync {
    /// A secret, typed without echo.
    fn secret(&self, prompt: &str) -> Option<SecretString>;
    /// A line, typed with echo.
    fn line(&self, prompt: &str) -> Option<String>;
    /// Yes or no.
    fn confirm(&self, question: &str) -> bool;
}

/// Nobody to ask.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Ask for Nobody {
    fn secret(&self, _: &str) -> Option<SecretString> {
        None
    }
    fn line(&self, _: &str) -> Option<String> {
        None
    }
    fn confirm(&self, _: &str) -> bool {
        false
    }
}

/// The wish to end the run early: the user's, or that of a deadline.
#[derive(Debug, Clone)]
pub struct Stop {
    wish: watch::Receiver<bool>,
    deadline: Option<Deadline>,
}

/// When a run ends by itself.
#[derive(Debug, Clone, Copy)]
struct Deadline {
    at: Instant,
    /// How long a check may take to end after that.
    grace: Duration,
}

impl Stop {
    /// Becomes true when the sender says so.
    #[must_use]
    pub fn new(receiver: watch::Receiver<bool>) -> Self {
        Self { wish: receiver, deadline: None }
    }

    /// A stop that never comes.
    #[must_use]
    pub fn never() -> Self {
        Self::new(watch::channel(false).1)
    }

    /// The same wish, which comes by itself at `at`; a check that is running then has `grace` to end.
    #[must_use]
    pub fn by(&self, at: Instant, grace: Duration) -> Self {
        Self { deadline: Some(Deadline { at, grace }), ..self.clone() }
    }

    /// Whether the run is to end.
    #[must_use]
    pub fn asked(&self) -> bool {
        *self.wish.borrow() || self.timed_out()
    }

    /// Whether the deadline has passed.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline.at)
    }

    /// How long a check may take to end once the run is to: `usual`, or less where the deadline has passed.
    #[must_use]
    pub fn grace(&self, usual: Duration) -> Duration {
        self.deadline.filter(|_| self.timed_out()).map_or(usual, |deadline| deadline.grace.min(usual))
    }

    /// The future's result, or nothing when the run is to end first.
    pub async fn race<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            result = future => Some(result),
            () = self.wait() => None,
        }
    }

    /// Returns when the run is to end.
    pub async fn wait(&self) {
        // In a box of its own: every wait of every check holds one of these.
        Box::pin(self.clone().over()).await;
    }

    async fn over(mut self) {
        let wished = async {
            if self.wish.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let Some(deadline) = self.deadline else { return wished.await };
        tokio::select! {
            () = wished => {}
            () = tokio::time::sleep_until(deadline.at.into()) => {}
        }
    }
}

impl Examination {
    /// Until when a run that comes to no login may look further than ssh does; what has no time left is left out.
    ///
    /// The look-up of the name counts, although ConnectTimeout does not bound it: a slow one leaves less for the rest.
    #[must_use]
    pub fn until(&self) -> Instant {
        self.began + self.limits.connect + BEYOND
    }

    /// A run that has not begun.
    #[must_use]
    pub fn new(target: Target, limits: Limits, progress: Progress, stop: Stop, ask: Arc<dyn Ask>) -> Self {
        Self {
            target: Arc::new(target),
            budget: Arc::new(Budget::new(&limits)),
            limits,
            began: Instant::now(),
            progress,
            stop,
            ask,
            addresses: Vec::new(),
            name_servers: None,
            via: None,
            connecting: None,
            route: None,
            transport: None,
            connection: None,
            trusted: None,
            login_withheld: false,
            login: None,
            runs_commands: Err("channel was not asked for"),
            running: None,
            sftp: None,
        }
    }
}
