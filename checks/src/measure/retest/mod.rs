//! An exchange that stalled, tried in other ways: in smaller packets, with a shorter offer, without ssh's marks.
//!
//! Nothing here runs on a connection that works. What is tried is one exchange a connection, out of the run's budget, and a
//! connection that stalls is reset: the server shall not hold it until its LoginGraceTime.

pub(super) mod marks;
mod offer;
pub(crate) mod sizes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::elapsed::ms_since;
use crate::base::limits::Patience;
use crate::base::nonce::{noise, seed};
use crate::base::target::{Route, Target};
use crate::facts::connection;
use crate::facts::handshake::KexInit;
use crate::facts::retest::{Retest, RetestOutcome};
use crate::os::pause::timeout;
use crate::ssh::budget::Budget;
use crate::ssh::connect::{self, NotConnected};
use crate::ssh::connection::Connection;
use crate::ssh::dial;
use crate::ssh::login::Login;
use crate::ssh::recorder::Expect;

/// The respect in which a connection differs from the user's.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    segment: Option<u32>,
    short_offer: bool,
}

/// The exchange on a connection.
#[derive(Debug, Clone)]
pub(crate) enum Exchange {
    /// Versions and keys.
    Keys {
        /// With whom.
        target: Arc<Target>,
        /// The route.
        route: Route,
        /// The budget for connections.
        budget: Arc<Budget>,
    },
    /// A number of bytes there and back, after a login.
    Data {
        /// The login.
        login: Login,
        /// The number of bytes.
        count: usize,
    },
}

/// An arm, and its further observations.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) arm: Retest,
    /// The server's list of algorithms, where it came in plain text.
    server_offer: Option<KexInit>,
    /// Size of the largest plain-text message that was seen, bytes.
    message: usize,
}

impl Exchange {
    /// True if it goes by IPv6.
    fn is_v6(&self) -> bool {
        let (Self::Keys { route, .. } | Self::Data { login: Login { route, .. }, .. }) = self;
        matches!(route, Route::Direct(address) if address.is_ipv6())
    }

    /// Does it once, in at most `deadline` and the time that TCP takes to connect.
    async fn once(&self, shape: Shape, few: Option<&KexInit>, deadline: Duration) -> Tried {
        match self {
            Self::Keys { target, route, budget } => {
                let mut target = Target { segment: shape.segment, ..Target::clone(target) };
                if shape.short_offer {
                    target.algorithms = offer::short(&target.algorithms, few);
                }
                let _permit = budget.handshake().await;
                keys(&target, *route, budget, shape, deadline).await
            }
            Self::Data { login, count } => {
                let target = Arc::new(Target { segment: shape.segment, ..Target::clone(&login.target) });
                data(&Login { target, ..login.clone() }, shape, *count, deadline).await
            }
        }
    }
}

async fn keys(target: &Target, route: Route, budget: &Budget, shape: Shape, deadline: Duration) -> Tried {
    let began = Instant::now();
    let transport = match dial::open(budget, target, route, deadline).await {
        Ok(transport) => transport,
        Err(error) => return Tried::bare(arm(shape, began, RetestOutcome::Failed { error: error.to_string() })),
    };
    transport.record().expect(Expect::Receipt);
    let socket = transport.socket();
    let (watch, result) = connect::connect(transport, target, deadline).await;
    let outcome = match &result {
        Ok(_) => RetestOutcome::Through,
        Err(NotConnected::Deadline) => RetestOutcome::Silent,
        Err(error) => RetestOutcome::Failed { error: error.to_string() },
    };
    let mut arm = arm(shape, began, outcome);
    arm.tcp = socket.as_ref().and_then(crate::os::socket::Socket::tcp_info);
    if let Some(socket) = &socket {
        socket.abort();
    }
    let seen = watch.seen();
    let bytes = |reader: &crate::ssh::tap::wire::Reader| reader.kexinit.as_ref().map_or(0, |(offer, _)| offer.bytes);
    Tried {
        arm,
        message: bytes(&seen.server).max(bytes(&seen.client)),
        server_offer: seen.server.kexinit.as_ref().map(|(offer, _)| offer.clone()),
    }
}

async fn data(login: &Login, shape: Shape, count: usize, deadline: Duration) -> Tried {
    let began = Instant::now();
    let connection = match login.open(deadline).await {
        Ok(connection) => connection,
        Err(error) => return Tried::bare(arm(shape, began, RetestOutcome::Failed { error: error.to_string() })),
    };
    connection.record().expect(Expect::Receipt);
    let through = timeout(deadline, echoed(&connection, count, deadline)).await == Ok(true);
    let outcome = match connection.ending() {
        _ if through => RetestOutcome::Through,
        None => RetestOutcome::Silent,
        Some(ending) => RetestOutcome::Failed { error: ending.manner.words() },
    };
    let mut arm = arm(shape, began, outcome);
    arm.tos = login.target.tos;
    arm.tcp = connection.socket().and_then(crate::os::socket::Socket::tcp_info);
    leave(connection, through).await;
    Tried::bare(arm)
}

/// True if this many bytes came back from a command that echoes its input.
async fn echoed(connection: &Connection, count: usize, deadline: Duration) -> bool {
    let patience = Patience { silence: deadline, total: deadline };
    let mut ran = connection::Ran::default();
    let Some(mut running) = connection.start("exec cat", patience, &mut ran).await else { return false };
    let all = |ran: &connection::Ran| ran.stdout_bytes >= count as u64;
    all(&running.exchange(noise(seed(), count), patience, connection, all).await)
}

/// Ends a connection: in order where it still works, else by a reset.
pub(crate) async fn leave(connection: Connection, works: bool) {
    /// The time that saying goodbye may take.
    const GOODBYE: Duration = Duration::from_secs(1);
    if let (false, Some(socket)) = (works, connection.socket()) {
        socket.abort();
    }
    connection.close(GOODBYE).await;
}

/// An arm that ends now.
fn arm(shape: Shape, began: Instant, outcome: RetestOutcome) -> Retest {
    let Shape { segment, short_offer } = shape;
    Retest { segment, short_offer, tos: None, ms: ms_since(began), outcome, tcp: None }
}

impl Tried {
    fn bare(arm: Retest) -> Self {
        Self { arm, server_offer: None, message: 0 }
    }
}
