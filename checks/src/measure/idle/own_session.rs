//! One session as the user's own settings hold it: their keepalive and the kernel's, and nothing else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};

use super::channel_use::ChannelUse;
use super::idle_session::{Event, IdleSession, verdict_deadline};
use crate::base::target::Settings;
use crate::facts::idle::own::{OwnEnd, OwnKeepalive, OwnSession};
use crate::measure::context::Context;
use crate::os::socket::Socket;
use crate::ssh::connection::Connection;
use crate::ssh::keepalive::KeepaliveReply;
use crate::ssh::login::Login;

/// The time that the session may take to be closed at the end of the test.
const CLOSING: Duration = Duration::from_secs(3);

/// Sessions that the test needs besides.
const BESIDE: usize = 4;

/// The user's own keepalive, and the session while it is held beside the test.
pub(super) struct Holding {
    own: OwnKeepalive,
    session: Option<Session>,
}

struct Session {
    over: watch::Sender<bool>,
    task: JoinHandle<Option<Held>>,
}

/// The outcome of the session, and the processes of its command.
type Held = (OwnSession, Option<(u32, u32)>);

/// Opens the session where the user's settings send something on an idle one within the time that is tested, and there is room for it
/// among so many sessions.
pub(super) fn begin(
    ctx: &Context,
    login: &Arc<Login>,
    main: &Connection,
    channel_use: &ChannelUse,
    sessions: usize,
) -> Holding {
    let own = keepalive(&ctx.target.settings, main);
    let is_wanted = own.sends_within(ctx.limits.idle.as_secs_f64()) && !own.gives_up_at_once();
    if !is_wanted || sessions <= BESIDE {
        return Holding { own, session: None };
    }
    let (over, mut test) = watch::channel(false);
    let (settings, login, channel_use, deadline) =
        (own.clone(), login.clone(), channel_use.clone(), ctx.limits.connect);
    let task = tokio::spawn(async move {
        let turn = tokio::select! {
            turn = login.budget.turn() => turn,
            _ = test.wait_for(|over| *over) => return None,
        };
        let session = IdleSession::open(&login, &channel_use, false, deadline).await.ok()?;
        drop(turn);
        let pids = session.pids;
        Some((hold(session, &settings, test).await, pids))
    });
    Holding { own, session: Some(Session { over, task }) }
}

/// The user's keepalive for a target, as ssh and the kernel apply it to a connection.
fn keepalive(settings: &Settings, connection: &Connection) -> OwnKeepalive {
    let kernel = connection.socket().and_then(|socket| socket.keepalive_values().ok());
    OwnKeepalive {
        interval_s: settings.server_alive_interval_s,
        count_max: settings.server_alive_count_max,
        tcp_idle_s: kernel.filter(|_| settings.tcp_keepalive).map(|(_, values)| values.idle.as_secs()),
        session: None,
    }
}

impl Holding {
    /// True if a session is held.
    pub(super) fn is_held(&self) -> bool {
        self.session.is_some()
    }

    /// Asks the session a last time when the test is over. Returns the processes of its command too.
    pub(super) async fn conclude(self) -> (OwnKeepalive, Option<(u32, u32)>) {
        let Self { own, session } = self;
        let Some(Session { over, task }) = session else { return (own, None) };
        over.send_replace(true);
        let held = task.await.ok().flatten();
        let pids = held.as_ref().and_then(|(_, pids)| *pids);
        (OwnKeepalive { session: held.map(|(session, _)| session), ..own }, pids)
    }
}

async fn hold(mut session: IdleSession, own: &OwnKeepalive, mut over: watch::Receiver<bool>) -> OwnSession {
    let opened = Instant::now();
    if own.tcp_idle_s.is_some() {
        session.connection().socket().and_then(kernels_own);
    }
    let mut seen = OwnSession { lasted_s: 0.0, answered: 0, slowest_s: 0.0, end: OwnEnd::Alive };
    let interval = (own.interval_s > 0).then(|| Duration::from_secs(own.interval_s));
    let end = loop {
        let due = interval.map(|interval| heard(&session).max(opened) + interval);
        let is_over = tokio::select! {
            _ = over.wait_for(|over| *over) => true,
            event = session.event() => match event {
                Event::Ended(ending) => {
                    seen.lasted_s = (ending.at - opened).as_secs_f64();
                    break OwnEnd::Ended { manner: ending.manner };
                }
                Event::Line => continue,
            },
            () = pause_until(due) => false,
        };
        // What the server sent by itself puts the next keepalive off.
        if !is_over && interval.is_some_and(|interval| heard(&session).max(opened) + interval > Instant::now()) {
            continue;
        }
        let asked = Instant::now();
        let patience = Duration::try_from_secs_f64(own.patience_s()).unwrap_or(Duration::MAX);
        let is_answered = match ask(&session, patience, is_over, &mut over).await {
            KeepaliveReply::Alive(_) => true,
            KeepaliveReply::Silent => false,
            KeepaliveReply::Gone => {
                seen.lasted_s = opened.elapsed().as_secs_f64();
                break OwnEnd::Ended { manner: session.connection_ended().await.manner };
            }
        };
        let took = asked.elapsed();
        seen.lasted_s = if is_answered { opened.elapsed() } else { asked - opened }.as_secs_f64();
        if !is_answered {
            break OwnEnd::Unanswered;
        }
        seen.slowest_s = seen.slowest_s.max(took.as_secs_f64());
        seen.answered += u32::from(!is_over);
        if interval.is_some() && took > patience {
            break OwnEnd::Late;
        }
        if is_over {
            break OwnEnd::Alive;
        }
    };
    // A session that is dead may take no goodbye.
    let _ = timeout(CLOSING, session.close()).await;
    OwnSession { end, ..seen }
}

/// Asks for an answer, for as long as ssh would wait, and long enough to tell a dead session; once the test is over, no longer than that.
async fn ask(
    session: &IdleSession,
    patience: Duration,
    is_over: bool,
    over: &mut watch::Receiver<bool>,
) -> KeepaliveReply {
    let asked = Instant::now();
    let enough = verdict_deadline(session.connection());
    let cut = async {
        if !is_over {
            // The sender lives for as long as the session is held.
            let _ = over.wait_for(|over| *over).await;
        }
        sleep_until((asked + enough).max(Instant::now()).into()).await;
    };
    tokio::select! {
        answer = session.connection().keepalive(patience.max(enough)) => answer,
        () = cut => KeepaliveReply::Silent,
    }
}

/// The time at which the server was last heard.
fn heard(session: &IdleSession) -> Instant {
    let seen = session.connection().watch().seen();
    seen.last_received.unwrap_or(seen.opened)
}

async fn pause_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Lets the kernel send TCP keepalives by its own timers.
fn kernels_own(socket: &Socket) -> Option<()> {
    let (_, values) = socket.keepalive_values().ok()?;
    socket.set_tcp_keepalive(Some(values)).ok()
}
