//! What settles a doubt: a fresh connection, and the kept session, at the same moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, watch};
use tokio::time::sleep;

use super::held::verdict_deadline;
use crate::facts::connection::NotLoggedIn;
use crate::ssh::connection::{Answer, Connection};
use crate::ssh::login::Login;

/// A fresh connection that takes longer than this, and than three times the longest so far, shows a path that is disturbed.
const PROMPT: Duration = Duration::from_secs(2);
/// Doubts that arise within this time share one answer.
const SHARED: Duration = Duration::from_secs(1);
/// How long we wait for a path to come back, and how often we try.
const RECOVERY: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(3));

/// A connection that takes longer than this to answer is not worth waiting for: a new one is faster.
const USEFUL: Duration = Duration::from_secs(3);

/// Opens the fresh connections.
pub(super) struct Control {
    login: Login,
    main: Arc<Connection>,
    deadline: Duration,
    opened: AtomicU32,
    last: Mutex<Option<(Instant, Finding)>>,
    /// Whether it is being found out why a session could not be opened.
    opening_in_doubt: watch::Sender<bool>,
}

/// What a fresh connection showed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Finding {
    /// It worked at once; and whether the kept session answered at that moment.
    Fine {
        /// The kept session is alive.
        kept_alive: bool,
    },
    /// It did not, and later it did: nothing can be said about that moment.
    Disturbed {
        /// From when to when.
        outage: (Instant, Instant),
    },
    /// None could be had any more.
    NoPath {
        /// Since when.
        since: Instant,
        /// What was tried last, and how it failed.
        why: String,
    },
    /// The path is well, and a login that worked before is not let in.
    Refused(String),
}

impl Control {
    pub(super) fn new(login: Login, main: Arc<Connection>, deadline: Duration) -> Self {
        let (opening_in_doubt, _) = watch::channel(false);
        Self { login, main, deadline, opened: AtomicU32::new(0), last: Mutex::new(None), opening_in_doubt }
    }

    /// How many fresh connections were opened.
    pub(super) fn opened(&self) -> u32 {
        self.opened.load(Ordering::Relaxed)
    }

    /// Settles a doubt that arose at `doubt`.
    pub(super) async fn settle(&self, doubt: Instant) -> Finding {
        let mut last = self.last.lock().await;
        if let Some((at, finding)) = &*last
            && *at + SHARED > doubt
        {
            return finding.clone();
        }
        let asked = Instant::now();
        let finding = self.look(asked).await;
        *last = Some((asked, finding.clone()));
        finding
    }

    /// Settles why a session could not be opened; the others that are being opened learn of the doubt, and share the finding.
    pub(super) async fn settle_opening(&self) -> Finding {
        let first = !self.opening_in_doubt.send_replace(true);
        let finding = self.settle(Instant::now()).await;
        if first {
            self.opening_in_doubt.send_replace(false);
        }
        finding
    }

    /// Returns while it is being found out why a session could not be opened.
    pub(super) async fn opening_in_doubt(&self) {
        let _ = self.opening_in_doubt.subscribe().wait_for(|in_doubt| *in_doubt).await;
    }

    async fn look(&self, asked: Instant) -> Finding {
        if self.login.budget.left() == 0 {
            return Finding::Refused("the budget of connections is spent".to_owned());
        }
        let prompt = PROMPT.max(self.login.budget.longest_login() * 3);
        let kept = self.main.keepalive(verdict_deadline(&self.main));
        let (fresh, kept) = tokio::join!(self.fresh(), kept);
        match fresh {
            Ok(took) if took < prompt => Finding::Fine { kept_alive: matches!(kept, Answer::Alive(_)) },
            Ok(took) => Finding::Disturbed { outage: (asked, asked + took) },
            Err(error) if is_refusal(&error) => Finding::Refused(error.to_string()),
            // The path is well: only new connections are kept out.
            Err(error) if matches!(kept, Answer::Alive(rtt) if rtt < prompt) => {
                Finding::Refused(format!("{error}, while one that was open answered"))
            }
            Err(error) => self.recovery(asked, error).await,
        }
    }

    /// Waits for the path to come back.
    async fn recovery(&self, since: Instant, first: NotLoggedIn) -> Finding {
        let mut error = first;
        while since.elapsed() < RECOVERY.0 {
            sleep(RECOVERY.1).await;
            match self.fresh().await {
                Ok(_) => return Finding::Disturbed { outage: (since, Instant::now()) },
                Err(next) if is_refusal(&next) => return Finding::Refused(next.to_string()),
                Err(next) => error = next,
            }
        }
        Finding::NoPath { since, why: error.to_string() }
    }

    /// Opens one fresh connection, logs in, and closes it; how long it took.
    async fn fresh(&self) -> Result<Duration, NotLoggedIn> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let asked = Instant::now();
        let connection = self.login.open(self.deadline).await?;
        let took = asked.elapsed();
        connection.close(Duration::from_millis(500)).await;
        Ok(took)
    }
}

/// Whether a connection is of any use still.
pub(super) async fn answers(connection: &Connection) -> bool {
    matches!(connection.keepalive(USEFUL).await, Answer::Alive(_))
}

/// Whether the server itself turned us away: it can be reached, so this is no outage.
pub(super) fn is_refusal(error: &NotLoggedIn) -> bool {
    match error {
        NotLoggedIn::Refused | NotLoggedIn::OtherHostKey(_) | NotLoggedIn::NoCommand(_) => true,
        NotLoggedIn::Handshake { answered, .. } => *answered,
        NotLoggedIn::Unreachable(_) | NotLoggedIn::NoAnswer => false,
    }
}
