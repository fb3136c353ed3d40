//! An exchange that stalled, tried in other ways: in smaller packets, with a shorter offer, without ssh's marks.
//!
//! Nothing here runs on a connection that works. What is tried is one exchange a connection, out of the run's budget, and a
//! connection that stalls is reset: the server shall not hold it until its LoginGraceTime.

mod causes;
mod marks;
mod offer;
mod sizes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::cause::Certainty;
use crate::connection::{self, Connection, NotConnected, Patience};
use crate::dial::{self, Budget, Route};
use crate::evidence::Evidence;
use crate::login::Login;
use crate::nonce::{noise, seed};
use crate::socket::TcpInfo;
use crate::tap::KexInit;
use crate::target::Target;
use crate::text::shown;

pub(crate) use causes::CAUSES;
pub(crate) use marks::Marks;
pub(crate) use marks::unmarked;
pub(crate) use sizes::{narrow, sizes, small, stalled};

/// One exchange on a connection of its own, in one respect unlike the user's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// The largest TCP segment that both ends were held to, bytes; `null` for the system's own.
    pub segment: Option<u32>,
    /// Whether a single algorithm of each kind was offered, for a short SSH_MSG_KEXINIT.
    pub short_offer: bool,
    /// The IP type of service after the login; `null` leaves the system's.
    pub tos: Option<u8>,
    /// Milliseconds until the exchange was through, or until we stopped waiting.
    pub ms: f64,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The kernel's view at the end.
    pub tcp: Option<TcpInfo>,
}

/// What became of an arm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The exchange was through.
    Through,
    /// The connection stayed open and nothing more came.
    Silent,
    /// Something else; in words.
    Failed {
        /// The words.
        error: String,
    },
}

/// In which respect a connection differs from the user's.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    segment: Option<u32>,
    short_offer: bool,
}

/// What is exchanged.
#[derive(Debug, Clone)]
pub(crate) enum Exchange {
    /// Versions and keys.
    Keys {
        /// With whom.
        target: Arc<Target>,
        /// By which way.
        route: Route,
        /// What it may cost.
        budget: Arc<Budget>,
    },
    /// So many bytes there and back, after a login.
    Data {
        /// The login.
        login: Login,
        /// How many.
        count: usize,
    },
}

/// An arm, and what it showed beside.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) arm: Arm,
    /// The server's list of algorithms, where it came in plain text.
    server_offer: Option<KexInit>,
    /// Size of the largest plain-text message that was seen, bytes.
    message: usize,
}

impl Exchange {
    /// Whether it goes by IPv6.
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

/// What the arms say of a stall that no black hole explains.
pub(crate) struct Stall {
    /// How sure they make us that the size of packets is not to blame.
    pub(crate) certainty: Certainty,
    /// The reason, as a sentence.
    pub(crate) words: Option<String>,
    /// Whether there were any.
    pub(crate) tried: bool,
}

/// Reads the arms of an exchange that stalled, where they show no black hole.
pub(crate) fn without_a_black_hole(evidence: &Evidence, arms: &[Arm]) -> Stall {
    let Some(small) = arms.first() else {
        return Stall { certainty: Certainty::Likely, words: only_once(evidence), tried: false };
    };
    let size = small.segment.unwrap_or_default();
    let (certainty, words) = match &small.outcome {
        Outcome::Through => {
            (Certainty::Likely, "further connections got through: it does not stall every time".to_owned())
        }
        Outcome::Silent => (
            Certainty::Certain,
            format!("a connection held to segments of {size} bytes stalled as well: their size is hardly to blame"),
        ),
        Outcome::Failed { error } => (
            Certainty::Likely,
            format!("a connection held to segments of {size} bytes failed too, otherwise: {}", shown(error)),
        ),
    };
    Stall { certainty, words: Some(words), tried: true }
}

/// Why nothing was tried on further connections, where the way is not a TCP connection of our own.
pub(crate) fn only_once(evidence: &Evidence) -> Option<String> {
    let proxied = evidence.handshake.facts().is_some_and(|facts| facts.proxied);
    let by = if proxied { "a proxy command" } else { "a jump host" };
    (proxied || !evidence.target.via.is_empty()).then(|| {
        format!("nothing was tried on further connections: behind {by} each would be a login there, and its packets are not ours to shape")
    })
}

async fn keys(target: &Target, route: Route, budget: &Budget, shape: Shape, deadline: Duration) -> Tried {
    let began = Instant::now();
    let transport = match dial::open(budget, target, route, deadline).await {
        Ok(transport) => transport,
        Err(error) => return Tried::bare(arm(shape, began, Outcome::Failed { error: error.to_string() })),
    };
    let socket = transport.socket();
    let (watch, result) = connection::connect(transport, target, deadline).await;
    let outcome = match &result {
        Ok(_) => Outcome::Through,
        Err(NotConnected::Deadline) => Outcome::Silent,
        Err(error) => Outcome::Failed { error: error.to_string() },
    };
    let mut arm = arm(shape, began, outcome);
    arm.tcp = socket.as_ref().and_then(crate::socket::Socket::tcp_info);
    if let Some(socket) = &socket {
        socket.abort();
    }
    let seen = watch.seen();
    let bytes = |reader: &crate::tap::Reader| reader.kexinit.as_ref().map_or(0, |(offer, _)| offer.bytes);
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
        Err(error) => return Tried::bare(arm(shape, began, Outcome::Failed { error: error.to_string() })),
    };
    let through = timeout(deadline, echoed(&connection, count, deadline)).await == Ok(true);
    let outcome = match connection.ending() {
        _ if through => Outcome::Through,
        None => Outcome::Silent,
        Some(ending) => Outcome::Failed { error: ending.manner.words() },
    };
    let mut arm = arm(shape, began, outcome);
    arm.tos = login.target.tos;
    arm.tcp = connection.socket().and_then(crate::socket::Socket::tcp_info);
    leave(connection, through).await;
    Tried::bare(arm)
}

/// Whether so many bytes came back from a command that returns what it is sent.
async fn echoed(connection: &Connection, count: usize, deadline: Duration) -> bool {
    let patience = Patience { silence: deadline, total: deadline };
    let mut ran = connection::Ran::default();
    let Some(mut running) = connection.start("exec cat", patience, &mut ran).await else { return false };
    let all = |ran: &connection::Ran| ran.stdout_bytes >= count as u64;
    all(&running.exchange(noise(seed(), count), patience, connection.watch(), all).await)
}

/// Ends a connection: in order where it still works, else by a reset.
async fn leave(connection: Connection, works: bool) {
    /// How long saying goodbye may take.
    const GOODBYE: Duration = Duration::from_secs(1);
    if let (false, Some(socket)) = (works, connection.socket()) {
        socket.abort();
    }
    connection.close(GOODBYE).await;
}

/// An arm that ends now.
fn arm(shape: Shape, began: Instant, outcome: Outcome) -> Arm {
    let Shape { segment, short_offer } = shape;
    Arm { segment, short_offer, tos: None, ms: began.elapsed().as_secs_f64() * 1000.0, outcome, tcp: None }
}

impl Arm {
    /// Whether the kernel sent the same data again and again and had no acknowledgement of it.
    fn is_unacknowledged(&self) -> bool {
        self.tcp.is_some_and(|tcp| tcp.is_losing())
    }
}

impl Tried {
    fn bare(arm: Arm) -> Self {
        Self { arm, server_offer: None, message: 0 }
    }
}
