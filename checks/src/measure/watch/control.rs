//! Fresh logins at the moment of a loss: they tell a lost session from a lost path.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::facts::connection::NotLoggedIn;
use crate::ssh::login::Login;

/// Losses within this time share one login.
const SHARED: Duration = Duration::from_secs(5);
/// Logins that are remembered.
const REMEMBERED: usize = 32;

/// The result of a fresh login.
#[derive(Debug, Clone)]
pub(super) struct ControlOutcome {
    pub(super) asked: Instant,
    pub(super) ended: Instant,
    /// The reason for which it failed, and true if the server itself answered all the same.
    pub(super) error: Option<(String, bool)>,
}

/// The fresh logins of a watch, one at a time.
pub(super) struct Control {
    login: Arc<Login>,
    deadline: Duration,
    /// The time at which the last one was asked for.
    asked: Option<Instant>,
    under_way: u32,
    results: (mpsc::UnboundedSender<ControlOutcome>, mpsc::UnboundedReceiver<ControlOutcome>),
    outcomes: Vec<ControlOutcome>,
    news: Vec<ControlOutcome>,
}

impl Control {
    pub(super) fn new(login: Arc<Login>, deadline: Duration) -> Self {
        let (asked, under_way, results) = (None, 0, mpsc::unbounded_channel());
        Self { login, deadline, asked, under_way, results, outcomes: Vec::new(), news: Vec::new() }
    }

    /// Starts a login, unless one has begun after `moment` or a little before it.
    pub(super) fn ask(&mut self, moment: Instant) {
        let shared = self.asked.is_some_and(|asked| asked + SHARED > moment);
        if shared || self.login.budget.login_refused() {
            return;
        }
        let (login, deadline, results) = (self.login.clone(), self.deadline, self.results.0.clone());
        let asked = Instant::now();
        self.asked = Some(asked);
        self.under_way += 1;
        tokio::spawn(async move {
            // Not in the same instant as the loss: a device that restarts the session's state would restart this one's too.
            sleep_until((asked + Duration::from_millis(200)).into()).await;
            let error = match login.open(deadline).await {
                Ok(connection) => {
                    let ended = Instant::now();
                    let _ = results.send(ControlOutcome { asked, ended, error: None });
                    connection.close(Duration::from_secs(1)).await;
                    return;
                }
                Err(error) => error,
            };
            let answered = is_answer(&error);
            let _ = results.send(ControlOutcome {
                asked,
                ended: Instant::now(),
                error: Some((error.to_string(), answered)),
            });
        });
    }

    /// Takes in the logins that have ended.
    pub(super) fn collect(&mut self) {
        while let Ok(outcome) = self.results.1.try_recv() {
            self.under_way -= 1;
            self.news.push(outcome.clone());
            self.outcomes.push(outcome);
        }
        let beyond = self.outcomes.len().saturating_sub(REMEMBERED);
        self.outcomes.drain(..beyond);
    }

    /// Returns those not yet reported.
    pub(super) fn news(&mut self) -> Vec<ControlOutcome> {
        std::mem::take(&mut self.news)
    }

    /// True if one is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way > 0
    }

    /// The first one after that moment, or a little before it.
    pub(super) fn since(&self, moment: Instant) -> Option<&ControlOutcome> {
        self.outcomes.iter().find(|outcome| outcome.ended + SHARED > moment && outcome.asked + SHARED > moment)
    }
}

/// True if the server itself turned us away: the path works.
fn is_answer(error: &NotLoggedIn) -> bool {
    match error {
        NotLoggedIn::Refused | NotLoggedIn::OtherHostKey(_) | NotLoggedIn::NoCommand(_) => true,
        NotLoggedIn::Handshake { answered, .. } => *answered,
        NotLoggedIn::Unreachable(_) | NotLoggedIn::NoAnswer => false,
    }
}
