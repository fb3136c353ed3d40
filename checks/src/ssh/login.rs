//! One more connection to the same server, logged in the same way: what the idle test is made of.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;
use tokio::time::sleep;

use super::budget::Budget;
use super::connection::{Connection, Via};
use super::credential::Credential;
use super::replies::Replies;
use super::transport::Transport;
use super::tunnel::Tunnel;
use super::{connect, dial, observations};
use crate::base::limits::Patience;
use crate::base::target::{Route, Target};
use crate::facts::connection::{Manner, NotLoggedIn};
use crate::os::pause::timeout;

/// The time that a server is left alone that has dropped a connection before the login.
const BREATH: Duration = Duration::from_secs(1);
/// The longest time that a login is given because the first one was slow.
const LONGEST: Duration = Duration::from_mins(1);

/// All it takes to log in again exactly as the first time.
#[derive(Debug, Clone)]
pub struct Login {
    /// The target.
    pub target: Arc<Target>,
    /// The route.
    pub route: Route,
    /// The fingerprint of the host key that was accepted; no other is.
    pub host_key: String,
    /// The credentials that the server accepted, in order; more than one where it wants several factors.
    pub accepted: Vec<Credential>,
    /// The budget for connections.
    pub budget: Arc<Budget>,
    /// The login to the hop that the connection goes through, where it does.
    pub via: Option<Box<Login>>,
    /// Filled once what was accepted the first time was accepted a second time: until then there is one such login at a time.
    pub repeated: Arc<OnceCell<()>>,
    /// The way the server answers global requests.
    pub replies: Replies,
    /// The time that the first login took, from the open TCP connection on, and the first command until it ran.
    pub took: Duration,
}

impl Login {
    /// True if it can be made again without asking a person for something that is good only once.
    #[must_use]
    pub fn repeatable(&self) -> bool {
        self.accepted.iter().all(Credential::repeatable) && self.via.as_ref().is_none_or(|via| via.repeatable())
    }

    /// True if each login needs a person to touch a security key.
    #[must_use]
    pub fn needs_touch(&self) -> bool {
        self.accepted.iter().any(Credential::needs_touch) || self.via.as_ref().is_some_and(|via| via.needs_touch())
    }

    /// The time that a further login is waited for, at least `deadline`: three times as long as the first one took, up to a minute. A server or a
    /// path that is slow is no faster the next time, and several logins at once take longer. The TCP connection has to open within `deadline`.
    #[must_use]
    pub fn patience(&self, deadline: Duration) -> Duration {
        deadline.max((self.took * 3).min(LONGEST))
    }

    /// The patience with a further command, whose start-up files take as long as those of the first: [`Self::patience`] for each silence.
    #[must_use]
    pub fn command_patience(&self, usual: Patience) -> Patience {
        let silence = self.patience(usual.silence);
        Patience { silence, total: usual.total.max(silence) }
    }

    /// Connects and logs in once more, all within [`Self::patience`] for each hop and the server, from the moment when the handshake
    /// may begin. Each login goes through connections to the hops of its own, as with ssh: what keeps one of them from
    /// falling silent must not keep the others.
    ///
    /// After a login that was refused there is never another.
    pub async fn open(&self, deadline: Duration) -> Result<Connection, NotLoggedIn> {
        if !self.repeatable() {
            return Err(NotLoggedIn::Refused);
        }
        let _permit = self.budget.handshake().await;
        if self.budget.login_refused() {
            return Err(NotLoggedIn::Refused);
        }
        if self.budget.is_limited() {
            return Err(NotLoggedIn::Unreachable("further connections were refused a moment ago".to_owned()));
        }
        let began = Instant::now();
        let mut opened = self.log_in_within(deadline).await;
        // A server that drops connections it has no place for (MaxStartups) has one a little later, for fewer at a time.
        if matches!(opened, Err(NotLoggedIn::Handshake { answered: true, .. })) && self.budget.left() > 0 {
            self.budget.slow_down();
            sleep(BREATH).await;
            opened = self.log_in_within(deadline).await;
        }
        if opened.is_ok() {
            self.budget.note_login_time(began.elapsed());
        }
        opened
    }

    async fn log_in_within(&self, deadline: Duration) -> Result<Connection, NotLoggedIn> {
        let patience = self.patience(deadline);
        timeout(patience * self.legs(), self.log_in(deadline)).await.unwrap_or(Err(NotLoggedIn::NoAnswer))
    }

    /// Connections in a row that a login takes.
    fn legs(&self) -> u32 {
        1 + self.via.as_ref().map_or(0, |hop| hop.legs())
    }

    /// Converts a failed login at this hop into the error for the hosts behind it; a refusal stays one, for it must not
    /// be repeated.
    fn stands_in_the_way(&self, error: NotLoggedIn) -> NotLoggedIn {
        match error {
            NotLoggedIn::Refused => error,
            error => NotLoggedIn::Unreachable(format!("{}: {error}", self.target.input)),
        }
    }

    async fn log_in(&self, deadline: Duration) -> Result<Connection, NotLoggedIn> {
        let transport = match &self.via {
            None => dial::open(&self.budget, &self.target, self.route, deadline)
                .await
                .map_err(|error| NotLoggedIn::Unreachable(error.to_string()))?,
            Some(hop) => {
                let connection = Box::pin(hop.log_in(deadline)).await.map_err(|error| hop.stands_in_the_way(error))?;
                let via = Via::new(&hop.target.input, connection);
                let forwarded = Tunnel::open(&via, &self.target.host, self.target.port, deadline).await;
                let tunnel =
                    forwarded.map_err(|error| NotLoggedIn::Unreachable(format!("{}: {error}", hop.target.input)))?;
                Transport::Tunnel(Box::new(tunnel))
            }
        };
        let (watch, connected) = connect::connect(transport, &self.target, self.patience(deadline)).await;
        let mut connection = connected.map_err(|error| {
            let seen = watch.seen();
            NotLoggedIn::Handshake { error: error.to_string(), answered: seen.received > 0 || seen.end.is_some() }
        })?;
        let shown = connection.observations().read().server_key.as_ref().map(observations::ServerKey::fingerprint);
        if shown.as_deref() != Some(self.host_key.as_str()) {
            return Err(NotLoggedIn::OtherHostKey(shown.unwrap_or_default()));
        }
        let mut first = false;
        let repeating = self.repeated.get_or_try_init(|| {
            first = true;
            self.prove(&mut connection)
        });
        repeating.await?;
        if !first {
            self.prove(&mut connection).await?;
        }
        connection.watch().allow(u64::MAX);
        connection.replies = self.replies.clone();
        connection.apply_tos(self.target.tos, self.route);
        connection.record().logged_in();
        Ok(connection)
    }

    /// Presents all that was accepted before.
    async fn prove(&self, connection: &mut Connection) -> Result<(), NotLoggedIn> {
        // Somebody else's may have been refused while this one waited.
        if self.budget.login_refused() {
            return Err(NotLoggedIn::Refused);
        }
        let sent = Sent { budget: &self.budget, succeeded: None };
        for credential in &self.accepted {
            let outcome = credential.present(connection, &self.target.user).await;
            if !outcome.accepted() {
                // A server that hangs up on a proof has refused it, whatever it says; a reset may be anybody's.
                let hung_up = matches!(
                    connection.ending().map(|ending| ending.manner),
                    Some(Manner::Fin | Manner::Disconnect { .. })
                );
                if connection.is_closed() && !hung_up {
                    return Err(NotLoggedIn::NoAnswer);
                }
                sent.answered(false);
                return Err(NotLoggedIn::Refused);
            }
        }
        sent.answered(true);
        Ok(())
    }
}

/// A login that is being made: the server may count it as a failed one whether or not anybody waits for its answer.
struct Sent<'b> {
    budget: &'b Budget,
    succeeded: Option<bool>,
}

impl Sent<'_> {
    fn answered(mut self, succeeded: bool) {
        self.succeeded = Some(succeeded);
    }
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        match self.succeeded {
            Some(succeeded) => self.budget.note_login(succeeded),
            None => self.budget.note_unanswered_login(),
        }
    }
}
