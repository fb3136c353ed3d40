//! Results that one check passes to the next: the live connection, further along with each.

use std::time::Instant;

use super::context::Context;
use crate::base::limits::{Limits, Patience};
use crate::base::target::Route;
use crate::facts::channel::{Capabilities, Lead};
use crate::ssh::connection::Connection;
use crate::ssh::login::Login;
use crate::ssh::run::Running;
use crate::ssh::sftp::SftpSession;
use crate::ssh::transport::Transport;

/// The way in which the server was reached, and can be reached once more.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The route of further connections.
    pub route: Route,
    /// The login to the last hop, where the connection goes through one.
    pub via: Option<Login>,
}

/// An open connection on which nothing was said yet. Left by tcp, and by the hops of a ProxyJump.
pub struct Link {
    /// The connection.
    pub transport: Transport,
    /// The way it came about.
    pub reach: Reach,
    /// The time at which opening it began: ConnectTimeout counts from there.
    pub since: Instant,
}

/// A connection past its key exchange, not authenticated. Left by handshake.
pub struct Keyed {
    /// The connection.
    pub connection: Connection,
    /// The way it came about.
    pub reach: Reach,
}

/// The decision on the server's identity. Left by hostkey.
pub enum Identity {
    /// A login may be tried.
    Trusted(Box<Trusted>),
    /// No login is tried at a key that contradicts known_hosts, although ssh would try one.
    Withheld,
    /// No login may be tried, or there is no connection to try one on.
    Untrusted,
}

/// A connection to a server whose host key may be trusted with a login.
pub struct Trusted {
    /// The connection.
    pub connection: Connection,
    /// The way it came about.
    pub reach: Reach,
    /// The key's `SHA256:` fingerprint.
    pub fingerprint: String,
    /// True if a password may be sent to it: the key is known, or the user accepted it.
    pub with_passwords: bool,
}

/// An authenticated connection, and the programs that run on it. Left by auth; the checks after it use it one after the
/// other.
pub struct LoggedIn {
    /// The connection, as long as it stands.
    pub connection: Option<Connection>,
    /// The login for a repeat; `None` once the server has revoked it.
    pub login: Option<Login>,
    /// The beginning of commands for the server's POSIX shell, or the reason for which none runs.
    pub runs_commands: Result<Lead, &'static str>,
    /// The command that transfer and exit go on with.
    pub running: Option<Running>,
    /// No command runs, and sftp is spoken.
    pub serves_sftp: bool,
    /// No command runs, and a shell stands at its prompt.
    pub has_prompt: bool,
    /// A session in which an sftp server speaks, where no command runs.
    pub sftp: Option<SftpSession>,
    /// Commands get no standard input.
    pub no_input: bool,
    /// A program of our command that the account does not have.
    pub lacks: Option<&'static str>,
    /// An imitation of a shell runs commands.
    pub is_imitation: bool,
    /// The path loses what fills its packets: see transfer.
    pub is_stalling: bool,
    /// The command that runs stores all of the data before it sends it back.
    pub is_stored: bool,
    /// The other capabilities of the connection, where they were asked for during the transfer; and the shell, if it
    /// was started.
    pub asked: Option<Box<Capabilities>>,
}

impl LoggedIn {
    /// A connection on which nothing was asked for since the login.
    #[must_use]
    pub fn new(connection: Connection, login: Login) -> Self {
        Self {
            connection: Some(connection),
            login: Some(login),
            runs_commands: Err("channel was not asked for"),
            running: None,
            serves_sftp: false,
            has_prompt: false,
            sftp: None,
            no_input: false,
            lacks: None,
            is_imitation: false,
            is_stalling: false,
            is_stored: false,
            asked: None,
        }
    }

    /// Returns a copy without the connection: the login to repeat, and the facts known of such a login.
    pub(crate) fn without_connection(&self) -> Self {
        Self {
            connection: None,
            login: self.login.clone(),
            runs_commands: self.runs_commands,
            running: None,
            serves_sftp: self.serves_sftp,
            has_prompt: self.has_prompt,
            sftp: None,
            no_input: self.no_input,
            lacks: self.lacks,
            is_imitation: self.is_imitation,
            is_stalling: self.is_stalling,
            is_stored: self.is_stored,
            asked: None,
        }
    }

    /// The patience with a further command on this account.
    pub(crate) fn patience(&self, limits: &Limits) -> Patience {
        let usual = limits.patience();
        self.login.as_ref().map_or(usual, |login| login.command_patience(usual))
    }

    /// True if there is a connection to go on with: the one that auth left, or another one, where the server ends a connection with its
    /// session.
    pub(crate) async fn is_connected(&mut self, ctx: &Context) -> bool {
        match &self.connection {
            Some(connection) if connection.is_closed() => self.reconnect(ctx).await,
            present => present.is_some(),
        }
    }

    /// Opens another connection in place of the one that there is, where the login may be made again.
    pub(crate) async fn reconnect(&mut self, ctx: &Context) -> bool {
        let Some(login) = self.login.clone().filter(|login| login.repeatable() && !login.needs_touch()) else {
            return false;
        };
        let opened = ctx.stop.race(Box::pin(login.open(ctx.limits.connect))).await;
        self.connection = opened.and_then(Result::ok);
        self.connection.is_some()
    }
}
