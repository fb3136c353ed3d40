//! The life of one watched session: opened, held until it is lost, opened again.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, sleep_until};

use super::kind::SessionType;
use super::pacer::Pacer;
use super::timers::Lengths;
use crate::base::limits::Patience;
use crate::base::stop::Stop;
use crate::facts::connection::{Manner, NotLoggedIn};
use crate::facts::idle::{Holds, Sign};
use crate::facts::tcp::TcpInfo;
use crate::measure::idle::ChannelUse;
use crate::measure::idle::idle_session::IdleSession;
use crate::measure::idle::leftovers;
use crate::os::pause::{Mark, timeout};
use crate::os::socket::Socket;
use crate::ssh::connection::Connection;
use crate::ssh::ending::Ending;
use crate::ssh::keepalive::KeepaliveReply;
use crate::ssh::login::Login;

/// The longest wait for one answer; then it is requested once more.
const ATTEMPT: Duration = Duration::from_secs(15);
/// A session that lasted for less is opened again only after a while, longer each time.
const SHORT: Duration = Duration::from_mins(1);
/// The first wait before it is opened again, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));

/// Something that happened to a session.
pub(super) enum Report {
    /// It is open.
    Opened(Box<Opened>),
    /// It could not be opened.
    NotOpened(NotLoggedIn),
    /// The server answered after this idle time.
    Answered { idle: Duration, totals: Totals },
    /// A request has no answer yet.
    Stalled { idle: Duration, since: Instant, tcp: Option<TcpInfo> },
    /// It has one.
    Recovered { after: Duration },
    /// It is lost.
    Died(Box<Death>),
    /// It was closed in order, for the watch is over.
    Closed(Totals),
}

/// A session that was opened.
pub(super) struct Opened {
    pub(super) began: Instant,
    pub(super) took: Duration,
    pub(super) local: Option<SocketAddr>,
    pub(super) remote: Option<SocketAddr>,
    pub(super) holds: Holds,
}

/// The traffic so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) rtt_ms: Option<f64>,
    pub(super) retransmits: Option<u32>,
}

/// The end of a session that was lost.
pub(super) struct Death {
    pub(super) at: Instant,
    pub(super) age: Duration,
    /// The idle time before the end, or before the first request without an answer.
    pub(super) idle: Duration,
    pub(super) manner: Manner,
    pub(super) sign: Sign,
    /// The time at which the first request without an answer was sent.
    pub(super) asked: Option<Instant>,
    /// Requests without an answer.
    pub(super) requests: u32,
    pub(super) tcp: Option<TcpInfo>,
    pub(super) totals: Totals,
}

/// The state that all sessions of a watch share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) login: Arc<Login>,
    /// The channel of the sessions, with the mark in the waiting commands' arguments; without a mark no command is run.
    pub(super) channel_use: ChannelUse,
    pub(super) deadline: Duration,
    pub(super) patience: Patience,
    pub(super) pacer: Arc<Pacer>,
    pub(super) stop: Stop,
    /// The processes on the server of sessions that the path cut off, each with its parent.
    pub(super) stranded: Arc<Mutex<Vec<(u32, u32)>>>,
}

/// One of the sessions, opened again whenever it is lost.
pub(super) struct Holder {
    pub(super) number: usize,
    pub(super) kind: SessionType,
    pub(super) shared: Shared,
    pub(super) lengths: watch::Receiver<Lengths>,
    pub(super) reports: mpsc::UnboundedSender<(usize, Report)>,
}

impl Holder {
    /// Holds sessions one after the other until the watch is over.
    pub(super) async fn hold(mut self) {
        let (stop, mut short_lives) = (self.shared.stop.clone(), 0);
        loop {
            let Some(opened) = stop.race(self.open()).await else { return };
            let mut session = match opened {
                Ok(session) => session,
                Err(error) => {
                    self.tell(Report::NotOpened(error));
                    continue;
                }
            };
            let death = stop.race(self.live(&mut session)).await;
            let Some(death) = death else {
                self.tell(Report::Closed(totals(session.connection(), None)));
                self.end_stranded(session.connection()).await;
                session.close().await;
                return;
            };
            if !matches!(death.manner, Manner::ChannelClose | Manner::ExitStatus { .. }) {
                self.stranded().extend(session.pids);
            }
            short_lives = if death.age < SHORT { short_lives + 1 } else { 0 };
            self.tell(Report::Died(Box::new(death)));
            session.close().await;
            let pause = PAUSE.0 * 2_u32.pow(u32::min(short_lives, 8));
            if stop.race(sleep(pause.min(PAUSE.1))).await.is_none() {
                return;
            }
        }
    }

    async fn open(&mut self) -> Result<IdleSession, NotLoggedIn> {
        self.shared.pacer.turn().await;
        let began = Instant::now();
        let (login, channel_use) = (self.shared.login.clone(), self.shared.channel_use.clone());
        let shell = matches!(self.kind, SessionType::Shell { .. });
        let opened = IdleSession::open(&login, &channel_use, shell, self.shared.deadline).await;
        self.shared.pacer.ended(opened.is_ok());
        let session = opened?;
        let socket = nearest_socket(session.connection());
        self.tell(Report::Opened(Box::new(Opened {
            began,
            took: began.elapsed(),
            local: socket.and_then(Socket::local_address),
            remote: socket.and_then(Socket::remote_address),
            holds: session.holds(),
        })));
        self.end_stranded(session.connection()).await;
        Ok(session)
    }

    /// Ends what lost sessions have left on the server.
    async fn end_stranded(&self, connection: &Connection) {
        let stranded = std::mem::take(&mut *self.stranded());
        if let Some(held) = self.shared.channel_use.command() {
            leftovers::end(connection, &stranded, held, self.shared.patience).await;
        }
    }

    fn stranded(&self) -> std::sync::MutexGuard<'_, Vec<(u32, u32)>> {
        self.shared.stranded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, report: Report) {
        // A coordinator that is gone needs none.
        let _ = self.reports.send((self.number, report));
    }

    /// Holds a session until it is lost.
    async fn live(&mut self, session: &mut IdleSession) -> Death {
        loop {
            let began = session.begin_silence();
            if let Some(ending) = self.wait(session, began).await {
                let idle = session.silence(began).0;
                return death(session, ending, Sign::BeforeProbe, idle, None);
            }
            let idle = session.silence(began).0;
            if let Some(death) = self.ask(session, idle).await {
                return death;
            }
        }
    }

    /// Waits until it is time for a request, which the coordinator may change meanwhile; returns the end of the session, if it ended.
    async fn wait(&mut self, session: &mut IdleSession, began: Instant) -> Option<Ending> {
        loop {
            let due = began + self.length();
            tokio::select! {
                () = sleep_until(due.into()) => {
                    return if session.is_over() { Some(session.ended().await) } else { None };
                }
                ending = session.ended() => return Some(ending),
                changed = self.lengths.changed() => if changed.is_err() {
                    std::future::pending::<()>().await;
                },
            }
        }
    }

    fn length(&self) -> Duration {
        let lengths = *self.lengths.borrow();
        self.kind.within(lengths.keepalive).interval().unwrap_or(lengths.silent)
    }

    /// Asks for an answer until there is one; returns the loss of the session, if there is none.
    async fn ask(&mut self, session: &mut IdleSession, idle: Duration) -> Option<Death> {
        let (asked, patience) = (Instant::now(), self.kind.patience());
        let mark = Mark::now();
        // A time in which this process did not run is nobody's silence.
        let waited = || asked.elapsed().saturating_sub(mark.paused());
        for requests in 1.. {
            let mut ending = None;
            let left = patience.saturating_sub(waited()).min(ATTEMPT);
            let reply = match self.kind {
                SessionType::Data if session.has_channel() => timeout(left, session.echo(&mut ending)).await,
                _ => timeout(left, session.ask()).await,
            };
            let reply = reply.unwrap_or(KeepaliveReply::Silent);
            match reply {
                KeepaliveReply::Alive(rtt) => {
                    if requests > 1 {
                        self.tell(Report::Recovered { after: asked.elapsed() });
                    }
                    self.tell(Report::Answered { idle, totals: totals(session.connection(), Some(rtt)) });
                    break;
                }
                KeepaliveReply::Gone => {
                    let ending = match ending {
                        Some(ending) => ending,
                        None => session.connection_ended().await,
                    };
                    return Some(death(session, ending, Sign::AfterProbe, idle, Some((asked, requests))));
                }
                KeepaliveReply::Silent if waited() >= patience => {
                    let ending = Ending { at: Instant::now(), manner: Manner::Silent };
                    return Some(death(session, ending, Sign::AfterProbe, idle, Some((asked, requests))));
                }
                KeepaliveReply::Silent if requests == 1 => {
                    self.tell(Report::Stalled { idle, since: asked, tcp: tcp_info(session.connection()) });
                }
                KeepaliveReply::Silent => {}
            }
        }
        None
    }
}

fn death(
    session: &IdleSession,
    ending: Ending,
    sign: Sign,
    idle: Duration,
    unanswered: Option<(Instant, u32)>,
) -> Death {
    let (in_channel, age) = session.ages(ending.at);
    let connection = session.connection();
    // A channel's own end follows the idle time of the channel: keepalives are no data.
    let idle = match ending.manner {
        Manner::ChannelClose | Manner::ExitStatus { .. } => in_channel.unwrap_or(idle),
        _ => idle,
    };
    Death {
        at: ending.at,
        age,
        idle,
        manner: ending.manner,
        sign,
        asked: unanswered.map(|(asked, _)| asked),
        requests: unanswered.map_or(0, |(_, requests)| requests),
        tcp: tcp_info(connection),
        totals: totals(connection, None),
    }
}

fn totals(connection: &Connection, rtt: Option<Duration>) -> Totals {
    let seen = connection.watch().seen();
    Totals {
        received: seen.received,
        sent: seen.sent,
        rtt_ms: rtt.map(|rtt| rtt.as_secs_f64() * 1000.0),
        retransmits: tcp_info(connection).map(|info| info.retransmits),
    }
}

fn tcp_info(connection: &Connection) -> Option<TcpInfo> {
    connection.socket().and_then(Socket::tcp_info)
}

/// The socket of the connection, or of the one to the first hop that carries it.
fn nearest_socket(connection: &Connection) -> Option<&Socket> {
    let mut nearest = connection;
    while let Some(via) = nearest.via() {
        nearest = via.connection();
    }
    nearest.socket()
}
