//! What settles a doubt: a fresh connection, and the kept session, at the same moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::sleep;

use super::held::verdict_deadline;
use crate::connection::{Answer, Connection};
use crate::login::{Login, NotLoggedIn};

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
    /// The server answers, and refuses a login that worked before.
    Refused(String),
}

impl Control {
    pub(super) fn new(login: Login, main: Arc<Connection>, deadline: Duration) -> Self {
        Self { login, main, deadline, opened: AtomicU32::new(0), last: Mutex::new(None) }
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

    async fn look(&self, asked: Instant) -> Finding {
        let prompt = PROMPT.max(self.login.budget.longest_login() * 3);
        let kept = self.main.keepalive(verdict_deadline(&self.main));
        let (fresh, kept) = tokio::join!(self.fresh(), kept);
        match fresh {
            Ok(took) if took < prompt => Finding::Fine { kept_alive: matches!(kept, Answer::Alive(_)) },
            Ok(took) => Finding::Disturbed { outage: (asked, asked + took) },
            Err(error) if refused(&error) => Finding::Refused(error.to_string()),
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
                Err(next) if refused(&next) => return Finding::Refused(next.to_string()),
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
fn refused(error: &NotLoggedIn) -> bool {
    match error {
        NotLoggedIn::Refused | NotLoggedIn::OtherHostKey(_) | NotLoggedIn::NoCommand(_) => true,
        NotLoggedIn::Handshake { answered, .. } => *answered,
        NotLoggedIn::Unreachable(_) | NotLoggedIn::NoAnswer => false,
    }
}
