//! Sessions of different kinds, held for hours: each loss is compared with the others, and with a fresh login at that moment.
//!
//! Each session is a task that opens it, asks for answers and opens it again (`session`); one more keeps the account (`coordinator`).

mod control;
mod coordinator;
mod idle_ladder;
mod kind;
mod notice;
mod open_session;
mod pacer;
mod session;
mod timers;
mod view;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::base::target::Settings;
use crate::measure::context::Context;
use crate::measure::handles::LoggedIn;
use crate::measure::idle::ChannelUse;
use crate::os::host_changes::HostChanges;

use control::Control;
use coordinator::{Coordinator, TICK};
pub use kind::SessionType;
pub use notice::{Notice, Stopped};
use open_session::Whom;
use pacer::Pacer;
use session::{Holder, Shared};
use timers::Timers;
pub use view::{SessionStatus, WatchedSession};

/// The time that sessions may take to be closed in order.
const CLOSING: Duration = Duration::from_secs(4);

/// The sessions to hold.
#[derive(Debug, Clone, Copy)]
pub struct WatchPlan {
    /// The longest idle time to test.
    pub longest_idle: Duration,
    /// The time between two SSH keepalives on the session whose interval the watch chooses; shorter once a timer is
    /// known.
    pub keepalive: Duration,
}

/// The kinds of session to hold, those that show most first.
fn kinds(plan: &WatchPlan, settings: &Settings, channel_use: &ChannelUse) -> Vec<SessionType> {
    let keepalive = SessionType::Keepalive { interval: plan.keepalive };
    let own = Duration::from_secs(settings.server_alive_interval_s);
    let count_max = u32::try_from(settings.server_alive_count_max).unwrap_or(u32::MAX);
    let own = (!own.is_zero()).then_some(SessionType::OwnKeepalive { interval: own, count_max });
    let data = channel_use.answers().then_some(SessionType::Data);
    let shell = channel_use.command().is_some().then_some(SessionType::Shell { interval: plan.keepalive });
    [data, Some(keepalive), Some(SessionType::Silent), shell, own].into_iter().flatten().collect()
}

/// Holds sessions until the user wishes it to end, or no login succeeds any more.
pub async fn hold(
    ctx: &Context,
    logged_in: LoggedIn,
    plan: WatchPlan,
    notices: mpsc::UnboundedSender<Notice>,
) -> Stopped {
    let Some(login) = logged_in.login.clone().filter(|login| login.repeatable() && !login.needs_touch()) else {
        return Stopped::NotRepeatable;
    };
    let channel_use = ChannelUse::of(&logged_in);
    if let Some(connection) = logged_in.connection {
        connection.close(Duration::from_secs(1)).await;
    }
    let login = Arc::new(login);
    let kinds = kinds(&plan, &ctx.target.settings, &channel_use);
    let timers = Timers::new(plan.longest_idle, plan.keepalive);
    let shared = Shared {
        patience: login.command_patience(ctx.limits.patience()),
        login: login.clone(),
        channel_use,
        deadline: ctx.limits.connect,
        pacer: Arc::new(Pacer::new()),
        stop: ctx.stop.clone(),
        stranded: Arc::new(Mutex::new(Vec::new())),
    };
    let (reports, reported) = mpsc::unbounded_channel();
    let mut holders = JoinSet::new();
    for (number, kind) in kinds.iter().enumerate() {
        let (shared, lengths, reports) = (shared.clone(), timers.lengths(), reports.clone());
        holders.spawn(Holder { number, kind: *kind, shared, lengths, reports }.hold());
    }
    let control = Control::new(login, ctx.limits.connect);
    let machine = HostChanges::new(ctx.target.bind);
    let whom = Whom { host: ctx.target.host.clone(), port: ctx.target.port };
    let coordinator = Coordinator::new(whom, &kinds, timers, control, machine, notices);
    keep_account(ctx, coordinator, reported, holders).await
}

async fn keep_account(
    ctx: &Context,
    mut coordinator: Coordinator,
    mut reported: mpsc::UnboundedReceiver<(usize, session::Report)>,
    mut holders: JoinSet<()>,
) -> Stopped {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stopped = loop {
        let stopped = tokio::select! {
            biased;
            () = ctx.stop.wait() => Some(Stopped::Asked),
            Some((place, report)) = reported.recv() => coordinator.take(place, report),
            _ = ticks.tick() => {
                coordinator.tick();
                None
            }
        };
        if let Some(stopped) = stopped {
            break stopped;
        }
    };
    if stopped != Stopped::Asked {
        holders.abort_all();
    }
    let closing = async {
        while coordinator.holds_any() && !holders.is_empty() {
            tokio::select! {
                Some((place, report)) = reported.recv() => {
                    coordinator.take(place, report);
                }
                _ = holders.join_next() => {}
            }
        }
        while holders.join_next().await.is_some() {}
    };
    // A session that cannot be closed in time is left to the server.
    let _ = timeout(CLOSING, closing).await;
    while let Ok((place, report)) = reported.try_recv() {
        coordinator.take(place, report);
    }
    coordinator.finish();
    stopped
}
