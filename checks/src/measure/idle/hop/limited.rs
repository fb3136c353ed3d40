//! A silent session whose keepalives go no further than one hop.

use std::io;
use std::time::{Duration, Instant};

use tokio::time::{sleep, sleep_until};

use crate::base::target::Route;
use crate::facts::connection::{Manner, NotLoggedIn};
use crate::facts::idle::hop::TtlProbe;
use crate::facts::idle::{Sign, StretchEnd};
use crate::measure::idle::channel_use::ChannelUse;
use crate::measure::idle::idle_session::{IdleSession, verdict_deadline};
use crate::measure::idle::patience;
use crate::os::socket::{Socket, SocketKeepalive};
use crate::ssh::keepalive::KeepaliveReply;
use crate::ssh::login::Login;
use crate::ssh::recorder::Expect;

/// The time within which our last acknowledgement to the server goes out (TCP_DELACK_MAX on Linux).
const SETTLED: Duration = Duration::from_millis(250);
/// Linux's most for `TCP_KEEPCNT`; with a user time-out it does not count them.
const RETRIES: u32 = 127;
/// The time for which all keepalives may go unanswered, as they do when none comes as far as the server.
const UNANSWERED: Duration = Duration::from_hours(24);

/// A held, silent SSH session; the kernel's TCP keepalives refresh it at every hop up to one, and at none behind.
pub(super) struct Limited {
    // Dropped before the session is: its goodbye must come as far as the server.
    leash: Leash,
    held: IdleSession,
    hop: u8,
    interval: Duration,
    began: Instant,
}

/// The reason why a session cannot be limited.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotLimited {
    /// There is no session.
    #[error(transparent)]
    NotLoggedIn(#[from] NotLoggedIn),
    /// The connection is not a direct TCP socket.
    #[error("the connection goes through a proxy command or a jump: the hops behind it cannot be reached from here")]
    Proxy,
    /// The session moves when it should be silent.
    #[error("the session did not become silent")]
    Restless,
    /// The system has not what it takes.
    #[error("the system cannot limit a connection's keepalives: {0}")]
    System(#[from] io::Error),
}

impl Limited {
    /// Logs in, waits until nothing moves, and lets the kernel refresh the connection every `interval` up to `hop`.
    ///
    /// With `whole` the keepalives go all the way, which is right for the hop that is the server. The interval is whole seconds.
    pub(super) async fn open(
        login: &Login,
        channel_use: &ChannelUse,
        hop: u8,
        whole: bool,
        interval: Duration,
        deadline: Duration,
    ) -> Result<Self, NotLimited> {
        if !matches!(login.route, Route::Direct(_)) {
            return Err(NotLimited::Proxy);
        }
        let mut held = IdleSession::open(login, channel_use, false, deadline).await?;
        settle(&held, deadline).await?;
        held.connection().record().expect(Expect::Silence);
        let leash = Leash::on(socket(&held)?, (!whole).then_some(hop), interval)?;
        let began = held.begin_silence();
        Ok(Self { leash, held, hop, interval, began })
    }

    /// Process numbers of the waiting command and of its parent on the server.
    #[must_use]
    pub(super) fn pids(&self) -> Option<(u32, u32)> {
        self.held.pids
    }

    /// Idles until the wanted length of the silence is known, and for at least as long; asks whether the session is alive, and closes it.
    pub(super) async fn trial(mut self, least: impl Future<Output = Duration>) -> TtlProbe {
        let began = self.began;
        let passive = tokio::select! {
            () = async { sleep_until((began + least.await).into()).await } => None,
            ending = self.held.ended() => Some(ending.manner),
        };
        let passive = match passive {
            // It ended in the moment in which it was to be asked.
            None if self.held.is_over() => Some(self.held.ended().await.manner),
            passive => passive,
        };
        let info = socket(&self.held).ok().and_then(Socket::tcp_info);
        let (lasted, heard_bytes) = self.held.silence(self.began);
        let end = match (passive, self.leash.lift()) {
            (Some(manner), _) => died(manner, Sign::BeforeProbe),
            (None, Ok(())) => self.ask().await,
            (None, Err(error)) => StretchEnd::Void { why: NotLimited::from(error).to_string() },
        };
        // Every answer to a keepalive is younger than an interval; one that was lost is allowed for.
        let answered = info.map(|info| Duration::from_millis(info.last_ack_ms.into()) < self.interval * 2 + SETTLED);
        let (channel_quiet, age) = self.held.ages(Instant::now());
        let trial = TtlProbe {
            hop: self.hop,
            whole: self.leash.usual.is_none(),
            holds: self.held.holds(),
            interval_s: u32::try_from(self.interval.as_secs()).unwrap_or(u32::MAX),
            lasted_s: lasted.as_secs_f64(),
            age_s: age.as_secs_f64(),
            channel_quiet_s: channel_quiet.map(|quiet| quiet.as_secs_f64()),
            heard_bytes,
            answered: answered.filter(|_| lasted > self.interval * 3),
            end,
        };
        drop(self.leash);
        self.held.close().await;
        trial
    }

    async fn ask(&self) -> StretchEnd {
        // All are asked at the same moment: those that answer show that the path is well, so that half of the usual patience is enough.
        let connection = self.held.connection();
        match patience::keepalive(connection, verdict_deadline(connection) / 2).await {
            KeepaliveReply::Alive(rtt) => StretchEnd::Alive { rtt_ms: rtt.as_secs_f64() * 1000.0 },
            KeepaliveReply::Silent => died(Manner::Silent, Sign::AfterProbe),
            KeepaliveReply::Gone => died(self.held.connection_ended().await.manner, Sign::AfterProbe),
        }
    }
}

fn died(manner: Manner, sign: Sign) -> StretchEnd {
    StretchEnd::Died { manner, sign, others_alive: false, tcp: None }
}

fn socket(held: &IdleSession) -> Result<&Socket, NotLimited> {
    held.connection().socket().ok_or(NotLimited::Proxy)
}

/// Waits until nothing is owed either way: an acknowledgement that died on the way would make the server send again and again.
async fn settle(held: &IdleSession, deadline: Duration) -> Result<(), NotLimited> {
    let began = Instant::now();
    loop {
        let acknowledged = socket(held)?.tcp_info().is_none_or(|info| info.is_acknowledged());
        let quiet = held.connection().quiet_since().elapsed();
        if acknowledged && quiet >= SETTLED {
            return Ok(());
        }
        if began.elapsed() > deadline {
            return Err(NotLimited::Restless);
        }
        sleep(SETTLED.saturating_sub(quiet).max(SETTLED / 10)).await;
    }
}

/// The limit on a connection's packets (TTL), lifted at the latest when it is dropped.
struct Leash {
    socket: Socket,
    /// The time-to-live that was set before; none where nothing is limited.
    usual: Option<u8>,
}

impl Leash {
    /// Sets the keepalives, and the time-to-live where there is one to set.
    fn on(socket: &Socket, hop: Option<u8>, interval: Duration) -> io::Result<Self> {
        let (socket, usual) = (socket.again()?, socket.ttl()?);
        let leash = Self { socket, usual: hop.map(|_| usual) };
        if let Some(hop) = hop {
            leash.socket.set_ttl(hop)?;
        }
        leash.socket.set_user_timeout(Some(UNANSWERED))?;
        leash.socket.set_tcp_keepalive(Some(SocketKeepalive { idle: interval, interval, retries: RETRIES }))?;
        Ok(leash)
    }

    /// Lets our packets go all the way again, and the kernel be silent.
    fn lift(&self) -> io::Result<()> {
        if let Some(usual) = self.usual {
            self.socket.set_ttl(usual)?;
        }
        self.socket.set_tcp_keepalive(None)?;
        self.socket.set_user_timeout(None)
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        // A connection that the kernel has given up has nothing to say any more.
        let _ = self.lift();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::Limits;
    use crate::base::target::Target;
    use crate::ssh::budget::Budget;
    use crate::ssh::replies::Replies;
    use std::sync::Arc;

    #[tokio::test]
    async fn behind_a_proxy_nothing_is_opened() {
        let budget = Arc::new(Budget::new(&Limits::default()));
        let target = Arc::new(Target::bare("192.0.2.1", 22, "me"));
        let (host_key, accepted) = (String::new(), Vec::new());
        let (budget_of_it, repeated, replies) = (budget.clone(), Arc::default(), Replies::default());
        let login = Login {
            target,
            route: Route::Proxy,
            host_key,
            accepted,
            budget: budget_of_it,
            via: None,
            repeated,
            replies,
            took: Duration::ZERO,
        };
        let second = Duration::from_secs(1);
        let opened = Limited::open(&login, &ChannelUse::Nothing, 1, false, second, second).await;
        assert!(matches!(opened, Err(NotLimited::Proxy)));
        assert_eq!(budget.spent().connections, 0);
    }
}
