//! The test of a suspected death: a fresh connection, and the kept session, at the same moment.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::idle_session::verdict_deadline;
use crate::facts::connection::NotLoggedIn;
use crate::ssh::connection::Connection;
use crate::ssh::keepalive::KeepaliveReply;
use crate::ssh::login::Login;

/// A fresh connection that takes longer than this, and than three times the longest so far, shows a path that is disturbed.
const PROMPT: Duration = Duration::from_secs(2);
/// Doubts that arise within this time share one answer.
const SHARED: Duration = Duration::from_secs(1);
/// The time that we wait for a path to come back, and how often we try.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(45);
const RECOVERY_INTERVAL: Duration = Duration::from_secs(2);
/// Time between attempts where the server has ended the kept session and listens no more: a refusal costs it nothing.
const RESTART_INTERVAL: Duration = Duration::from_millis(500);

/// A connection that takes longer than this to answer is not worth waiting for: a new one is faster.
const USEFUL: Duration = Duration::from_secs(3);

/// Asks for the finding of a fresh connection.
#[derive(Debug, Clone)]
pub(super) struct Control {
    doubts: mpsc::UnboundedSender<Doubt>,
    /// True if it is being found out why a session could not be opened.
    opening_in_doubt: Arc<watch::Sender<bool>>,
}

/// A session that may be dead, or the path to it.
#[derive(Debug)]
struct Doubt {
    /// The time at which it began.
    since: Instant,
    finding: oneshot::Sender<Finding>,
}

/// The task that opens the fresh connections, one after the other.
struct Examiner {
    login: Arc<Login>,
    main: Arc<Connection>,
    deadline: Duration,
    opened: u32,
}

/// The result of a fresh connection.
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
    /// None could be opened any more.
    NoPath {
        /// The time at which it began.
        since: Instant,
        /// The last attempt, and its failure.
        why: String,
    },
    /// The path is well, and a login that worked before is not let in.
    Refused(String),
}

impl Finding {
    /// The reason why nothing can be said of a session that did not answer.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Disturbed { .. } => "the path was disturbed: a new connection did not succeed at once".to_owned(),
            Self::NoPath { why, .. } => format!("no new connection succeeds any more: {why}"),
            Self::Refused(why) => format!("the server refused a new connection: {why}"),
            Self::Fine { .. } => "a new connection worked".to_owned(),
        }
    }
}

impl Control {
    /// Starts the task, which ends with the last handle, or as soon as `incident` returns, since nothing that it finds counts from then on. It tells
    /// how many connections it has opened.
    pub(super) fn start(
        login: Arc<Login>,
        main: Arc<Connection>,
        deadline: Duration,
        incident: impl Future<Output = ()> + Send + 'static,
    ) -> (Self, JoinHandle<u32>) {
        let (doubts, asked) = mpsc::unbounded_channel();
        let (opening_in_doubt, _) = watch::channel(false);
        let mut examiner = Examiner { login, main, deadline, opened: 0 };
        let task = tokio::spawn(async move {
            tokio::select! {
                () = examiner.serve(asked) => {}
                () = incident => {}
            }
            examiner.opened
        });
        (Self { doubts, opening_in_doubt: Arc::new(opening_in_doubt) }, task)
    }

    /// Settles a doubt that arose at `since`.
    pub(super) async fn settle(&self, since: Instant) -> Finding {
        let (finding, found) = oneshot::channel();
        let asked = self.doubts.send(Doubt { since, finding });
        let gone = || Finding::Refused("the idle test is over".to_owned());
        if asked.is_ok() { found.await.unwrap_or_else(|_| gone()) } else { gone() }
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
}

impl Examiner {
    async fn serve(&mut self, mut doubts: mpsc::UnboundedReceiver<Doubt>) {
        let mut last: Option<(Instant, Finding)> = None;
        while let Some(Doubt { since, finding: mut reply }) = doubts.recv().await {
            let shared = last.take_if(|(at, _)| *at + SHARED > since);
            let (at, finding) = if let Some(known) = shared {
                known
            } else {
                let asked = Instant::now();
                let finding = tokio::select! {
                    finding = self.look(asked) => finding,
                    // The test has ended meanwhile: nobody waits for the path to come back.
                    () = reply.closed() => continue,
                };
                (asked, finding)
            };
            // Whoever asked may have left.
            let _ = reply.send(finding.clone());
            last = Some((at, finding));
        }
    }

    async fn look(&mut self, asked: Instant) -> Finding {
        if self.login.budget.left() == 0 {
            return Finding::Refused("the budget of connections is spent".to_owned());
        }
        let prompt = PROMPT.max(self.login.budget.longest_login() * 3);
        let main = self.main.clone();
        // Each would bring the user nearer to being kept out: the session that is kept alive shows the path too.
        if !self.login.budget.has_room_for_a_doubt() && matches!(main.keepalive(prompt).await, KeepaliveReply::Alive(_))
        {
            return Finding::Fine { kept_alive: true };
        }
        let (fresh, kept) = tokio::join!(self.fresh_beside(prompt), main.keepalive(verdict_deadline(&main)));
        match fresh {
            Ok(took) if took < prompt => Finding::Fine { kept_alive: matches!(kept, KeepaliveReply::Alive(_)) },
            Ok(took) => Finding::Disturbed { outage: (asked, asked + took) },
            Err(error) if is_refusal(&error) => Finding::Refused(error.to_string()),
            // The path is well: only new connections are kept out.
            Err(error) if matches!(kept, KeepaliveReply::Alive(rtt) if rtt < prompt) => {
                Finding::Refused(format!("{error}, while one that was open answered"))
            }
            Err(error) => self.recovery(asked, error).await,
        }
    }

    /// Waits for the path to come back.
    async fn recovery(&mut self, since: Instant, first: NotLoggedIn) -> Finding {
        let mut error = first;
        while since.elapsed() < RECOVERY_TIMEOUT {
            let is_down = self.main.ending().is_some();
            sleep(if is_down { RESTART_INTERVAL } else { RECOVERY_INTERVAL }).await;
            if is_down {
                self.login.budget.end_rest();
            }
            match self.fresh().await {
                Ok(_) => return Finding::Disturbed { outage: (since, Instant::now()) },
                Err(next) if is_refusal(&next) => return Finding::Refused(next.to_string()),
                Err(next) => error = next,
            }
        }
        Finding::NoPath { since, why: error.to_string() }
    }

    /// As [`fresh`](Self::fresh), with another one beside it that is begun after `prompt`: one that an interruption hit goes on only with its
    /// next retransmission, seconds after the path is back.
    async fn fresh_beside(&mut self, prompt: Duration) -> Result<Duration, NotLoggedIn> {
        let asked = Instant::now();
        let (login, deadline) = (self.login.clone(), self.deadline);
        let mut first = pin!(timed_login(&login, deadline));
        self.opened += 1;
        tokio::select! {
            done = &mut first => return done,
            () = sleep(prompt) => {}
        }
        if login.needs_touch() || login.budget.left() == 0 {
            return first.await;
        }
        self.opened += 1;
        tokio::select! {
            done = &mut first => done,
            Ok(_) = timed_login(&login, deadline) => Ok(asked.elapsed()),
        }
    }

    /// Opens one fresh connection, logs in, and closes it; returns the time it took.
    async fn fresh(&mut self) -> Result<Duration, NotLoggedIn> {
        self.opened += 1;
        timed_login(&self.login, self.deadline).await
    }
}

/// Logs in on a fresh connection and closes it; returns the time that the login took.
async fn timed_login(login: &Login, deadline: Duration) -> Result<Duration, NotLoggedIn> {
    let asked = Instant::now();
    let connection = login.open(deadline).await?;
    let took = asked.elapsed();
    connection.close(Duration::from_millis(500)).await;
    Ok(took)
}

/// True if a connection is of any use still.
pub(super) async fn answers(connection: &Connection) -> bool {
    matches!(connection.keepalive(USEFUL).await, KeepaliveReply::Alive(_))
}

/// True if the server itself turned us away: it can be reached, so this is no outage.
pub(super) fn is_refusal(error: &NotLoggedIn) -> bool {
    match error {
        NotLoggedIn::Refused | NotLoggedIn::OtherHostKey(_) | NotLoggedIn::NoCommand(_) => true,
        NotLoggedIn::Handshake { answered, .. } => *answered,
        NotLoggedIn::Unreachable(_) | NotLoggedIn::NoAnswer => false,
    }
}
