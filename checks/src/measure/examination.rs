//! One run's live handles. Anything measured goes into facts, never here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::progress::Progress;
use crate::base::ask::Ask;
use crate::base::limits::Limits;
use crate::base::stop::Stop;
use crate::base::target::{Route, Target};
use crate::facts::channel::Outcome;
use crate::measure::dns::beside::Beside;
use crate::ssh::budget::Budget;
use crate::ssh::connection::Connection;
use crate::ssh::login::Login;
use crate::ssh::run::Running;
use crate::ssh::transport::Transport;

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
