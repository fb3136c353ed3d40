//! Writes down what happens to every connection of an examination, on one clock: one task looks at all of them several times a second.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::observations::Observations;
use super::tap::Watch;
use crate::base::elapsed::seconds_between;
use crate::facts::timeline::{Flow, HopSample, NotOpened, Span, Timeline};
use crate::os::socket::Socket;

mod expect;
mod observed;

pub use expect::Expect;
use observed::Observed;

/// The interval at which the connections are checked.
const LOOK: Duration = Duration::from_millis(200);
/// A look that comes so much later has missed what it was to see.
const LATE: Duration = Duration::from_millis(600);
/// An opening that is older is one that was left for another, seconds.
const LEFT_S: f64 = 3.2;
/// The time that those are waited for at the end.
const OPENINGS: Duration = Duration::from_secs(5);
/// The time that the task may take to answer: it is one among many on a busy machine.
const ANSWERS: Duration = Duration::from_secs(10);
/// Connections that are kept.
const FLOWS: usize = 400;
/// Samples of hops that are kept.
const HOPS: usize = 64;

/// The handle of the task; without a task, what is noted goes nowhere.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Option<Arc<Channels>>);

#[derive(Debug)]
struct Channels {
    notes: mpsc::UnboundedSender<Note>,
    path: watch::Receiver<PathState>,
    number: AtomicU32,
}

/// The known facts of the path at this moment.
#[derive(Debug, Clone, Default)]
pub struct PathState {
    /// The times in which nothing came through, or the server did not answer, the last ones; without an end while it is so.
    pub events: Vec<(Instant, Option<Instant>)>,
    /// The longest time for which one connection alone has been expecting something by now.
    pub expecting: Duration,
    /// True if another connection was asked for in that time: what becomes of it tells whether the path and the server are well.
    pub is_looked_into: bool,
}

/// Something to note of a connection.
enum Note {
    Opening { number: u32, leg: u8, through: Option<u32>, to: Option<SocketAddr>, at: Instant },
    Connected { number: u32, at: Instant, source_port: Option<u16>, repeated_syns: u32 },
    Failed { number: u32, at: Instant, source_port: Option<u16>, why: NotOpened },
    Watched { number: u32, watch: Watch, observations: Observations, socket: Weak<Socket> },
    LoggedIn { number: u32, at: Instant },
    Expect { number: u32, expect: Expect, at: Instant },
    Awaits { number: u32, since: Instant },
    Answered { number: u32, since: Instant },
    Closed { number: u32, at: Instant },
    Hops { at: Instant, asked: Vec<u8>, answered: Vec<u8> },
    Ask(oneshot::Sender<Timeline>),
}

/// A request whose answer is awaited, until this goes.
#[must_use]
pub(crate) struct Awaited {
    record: FlowRecord,
    since: Instant,
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.record.note(|number| Note::Answered { number, since: self.since });
    }
}

/// The record of one connection; the connection is closed when the last copy of it goes.
#[derive(Debug, Clone, Default)]
pub struct FlowRecord(Option<Arc<Opened>>);

#[derive(Debug)]
struct Opened {
    number: u32,
    leg: u8,
    to: Recorder,
}

impl Recorder {
    /// Starts the task; times count from `began`.
    #[must_use]
    pub fn start(began: Instant) -> Self {
        let (notes, to_note) = mpsc::unbounded_channel();
        let (tell, path) = watch::channel(PathState::default());
        let task =
            Task { began, flows: Vec::new(), timeline: Timeline::default(), last_look: Instant::now(), path: tell };
        tokio::spawn(task.run(to_note));
        Self(Some(Arc::new(Channels { notes, path, number: AtomicU32::new(0) })))
    }

    /// Records a request for a TCP connection of this machine.
    #[must_use]
    pub fn opening(&self, to: SocketAddr) -> FlowRecord {
        self.opening_on(0, None, Some(to))
    }

    fn opening_on(&self, leg: u8, through: Option<u32>, to: Option<SocketAddr>) -> FlowRecord {
        let Some(channels) = &self.0 else { return FlowRecord(None) };
        let number = channels.number.fetch_add(1, Ordering::Relaxed);
        self.note(Note::Opening { number, leg, through, to, at: Instant::now() });
        FlowRecord(Some(Arc::new(Opened { number, leg, to: self.clone() })))
    }

    /// Notes which hops answered when these were asked.
    pub fn hops(&self, at: Instant, asked: Vec<u8>, answered: Vec<u8>) {
        self.note(Note::Hops { at, asked, answered });
    }

    /// True if anything is written down.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The state of the path; none without a task.
    #[must_use]
    pub fn path(&self) -> Option<watch::Receiver<PathState>> {
        self.0.as_ref().map(|channels| channels.path.clone())
    }

    /// Returns all records, once the outcome of abandoned openings is known.
    pub async fn concluded(&self) -> Timeline {
        let is_open = |flow: &Flow| flow.connected_s.is_none() && flow.failure.is_none() && flow.closed_s.is_none();
        let limit = Instant::now() + OPENINGS;
        loop {
            let timeline = self.timeline().await;
            let any = timeline.flows.iter().any(|flow| is_open(flow) && timeline.until_s - flow.began_s > LEFT_S);
            if !any || Instant::now() > limit {
                return timeline;
            }
            sleep(LOOK).await;
        }
    }

    /// All that was noted so far, after one more look.
    pub async fn timeline(&self) -> Timeline {
        let (reply, timeline) = oneshot::channel();
        self.note(Note::Ask(reply));
        timeout(ANSWERS, timeline).await.ok().and_then(Result::ok).unwrap_or_default()
    }

    fn note(&self, note: Note) {
        if let Some(channels) = &self.0 {
            let _ = channels.notes.send(note);
        }
    }
}

impl FlowRecord {
    /// It is open.
    pub fn connected(&self, stream: &TcpStream) {
        let info = Socket::of(stream).ok().and_then(|socket| socket.tcp_info());
        let source_port = stream.local_addr().ok().map(|own| own.port());
        let repeated_syns = info.map_or(0, |info| info.retransmits);
        self.note(|number| Note::Connected { number, at: Instant::now(), source_port, repeated_syns });
    }

    /// It is open, as a channel of a connection to a hop.
    pub fn forwarded(&self) {
        self.note(|number| Note::Connected { number, at: Instant::now(), source_port: None, repeated_syns: 0 });
    }

    /// It did not open, from this port.
    pub fn failed(&self, source_port: Option<u16>, why: NotOpened) {
        self.note(|number| Note::Failed { number, at: Instant::now(), source_port, why });
    }

    /// It is monitored from now on.
    pub(crate) fn watched(&self, watch: &Watch, observations: &Observations, socket: Option<&Arc<Socket>>) {
        let socket = socket.map(Arc::downgrade).unwrap_or_default();
        self.note(|number| Note::Watched { number, watch: watch.clone(), observations: observations.clone(), socket });
    }

    /// The login on it succeeded.
    pub fn logged_in(&self) {
        self.note(|number| Note::LoggedIn { number, at: Instant::now() });
    }

    /// We are about to close it: what comes from now on is an answer to that.
    pub fn closing(&self) {
        self.note(|number| Note::Closed { number, at: Instant::now() });
    }

    /// Records the packets expected from its other end from now on.
    pub fn expect(&self, expect: Expect) {
        self.note(|number| Note::Expect { number, expect, at: Instant::now() });
    }

    /// A request is made now that a server answers at once. What comes while it is on its way answers something else.
    pub(crate) fn awaits(&self) -> Awaited {
        let since = Instant::now();
        self.note(|number| Note::Awaits { number, since });
        Awaited { record: self.clone(), since }
    }

    /// A connection requested through this one.
    #[must_use]
    pub fn onward(&self) -> Self {
        let opened = self.0.as_ref();
        opened.map_or_else(Self::default, |opened| {
            opened.to.opening_on(opened.leg.saturating_add(1), Some(opened.number), None)
        })
    }

    /// The recorder that it belongs to.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        self.0.as_ref().map(|opened| opened.to.clone()).unwrap_or_default()
    }

    fn note(&self, note: impl FnOnce(u32) -> Note) {
        if let Some(opened) = &self.0 {
            opened.to.note(note(opened.number));
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.to.note(Note::Closed { number: self.number, at: Instant::now() });
    }
}

/// The task.
struct Task {
    began: Instant,
    flows: Vec<Observed>,
    timeline: Timeline,
    last_look: Instant,
    path: watch::Sender<PathState>,
}

impl Task {
    async fn run(mut self, mut notes: mpsc::UnboundedReceiver<Note>) {
        loop {
            tokio::select! {
                note = notes.recv() => match note {
                    Some(note) => self.take(note),
                    None => return,
                },
                () = sleep(LOOK) => {}
            }
            if self.last_look.elapsed() >= LOOK {
                self.look();
            }
        }
    }

    fn take(&mut self, note: Note) {
        match note {
            Note::Opening { number, leg, through, to, at } if self.flows.len() < FLOWS => {
                let began_s = self.clock(at);
                let flow = Flow { number, leg, through, to, began_s, ..Flow::default() };
                self.flows.push(Observed::new(flow));
            }
            Note::Hops { at, asked, answered } if self.timeline.hops.len() < HOPS => {
                let at_s = self.clock(at);
                self.timeline.hops.push(HopSample { at_s, asked, answered });
            }
            Note::Opening { .. } | Note::Hops { .. } => self.timeline.left_out += 1,
            Note::Ask(reply) => {
                self.look();
                let flows = self.flows.iter().map(|observed| observed.flow.clone()).collect();
                let until_s = self.clock(Instant::now());
                // Whoever asked may have left.
                let _ = reply.send(Timeline { flows, until_s, ..self.timeline.clone() });
            }
            Note::Connected { number, at, source_port, repeated_syns } => self.change(number, |observed, began| {
                observed.flow.connected_s = Some(seconds_between(began, at));
                observed.flow.source_port = source_port;
                observed.flow.repeated_syns = repeated_syns;
            }),
            Note::Failed { number, at, source_port, why } => self.change(number, |observed, began| {
                observed.flow.closed_s = Some(seconds_between(began, at));
                observed.flow.source_port = source_port;
                observed.flow.failure = Some(why);
            }),
            Note::Watched { number, watch, observations, socket } => {
                self.change(number, |observed, _| observed.watch(watch, observations, socket));
            }
            Note::LoggedIn { number, at } => {
                self.change(number, |observed, began| observed.flow.logged_in_s = Some(seconds_between(began, at)));
            }
            Note::Expect { number, expect, at } => {
                self.change(number, |observed, began| observed.expect(expect, at, began));
            }
            Note::Awaits { number, since } => self.change(number, |observed, _| observed.awaits(since)),
            Note::Answered { number, since } => self.change(number, |observed, _| observed.answered(since)),
            Note::Closed { number, at } => self.change(number, |observed, began| observed.close(began, at)),
        }
    }

    fn change(&mut self, number: u32, change: impl FnOnce(&mut Observed, Instant)) {
        if let Some(observed) = self.flows.iter_mut().find(|observed| observed.flow.number == number) {
            change(observed, self.began);
        }
    }

    /// Looks at every connection.
    fn look(&mut self) {
        let now = Instant::now();
        if now - self.last_look > LOOK + LATE {
            let span = Span { from_s: self.clock(self.last_look + LOOK), until_s: self.clock(now) };
            self.timeline.blind.push(span);
        }
        self.last_look = now;
        for observed in &mut self.flows {
            observed.look(self.began, now);
        }
        self.tell(now);
    }

    /// Publishes the state of the path.
    fn tell(&self, now: Instant) {
        let lasting = |observed: &&Observed| observed.open_gap().is_some() && observed.flow.closed_s.is_none();
        let expecting = self.flows.iter().filter(lasting).filter_map(Observed::open_gap).map(|gap| gap.from_s);
        let since = expecting.reduce(f64::min);
        let is_looked_into = since.is_some_and(|since| self.flows.iter().any(|observed| observed.flow.began_s > since));
        let expecting = since.map_or(Duration::ZERO, |since| now - self.instant(since));
        let quiet = expecting.is_zero() && self.path.borrow().events.iter().all(|(_, until)| until.is_some());
        if quiet && self.path.borrow().expecting.is_zero() {
            return;
        }
        let flows = self.flows.iter().map(|observed| observed.flow.clone()).collect();
        let timeline =
            Timeline { flows, until_s: self.clock(now), blind: self.timeline.blind.clone(), ..Timeline::default() };
        let events = timeline.events();
        let events =
            events.iter().map(|event| (self.instant(event.from_s), event.until_s.map(|until| self.instant(until))));
        self.path.send_replace(PathState { events: events.collect(), expecting, is_looked_into });
    }

    fn clock(&self, at: Instant) -> f64 {
        seconds_between(self.began, at)
    }

    fn instant(&self, at_s: f64) -> Instant {
        self.began + Duration::try_from_secs_f64(at_s).unwrap_or_default()
    }
}

impl PathState {
    /// True if the path is interrupted, or the server silent, at this moment.
    #[must_use]
    pub fn is_disturbed(&self) -> bool {
        self.events.iter().any(|(_, until)| until.is_none())
    }

    /// Returns the end of the last disturbance after `since`; `None` where there was none, or it still lasts.
    #[must_use]
    pub fn disturbed_until(&self, since: Instant) -> Option<Instant> {
        self.events.iter().filter_map(|(_, until)| *until).filter(|until| *until > since).max()
    }
}
