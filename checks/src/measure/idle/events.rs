//! Reports of sessions to the coordinator, and its directives to them.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::control::Finding;
use super::next_probe::NextProbe;
use super::rungs::DATA_INTERVAL;
use super::stretch::Stretch;
use crate::facts::idle::Arm;
use crate::os::pause::timeout;

/// Something that happened to a session.
pub(super) enum SessionEvent {
    /// It is open, and these are the processes of its command and of that one's parent on the server.
    Opened(Option<(u32, u32)>),
    /// It could not be opened; why.
    NotOpened(String),
    /// It could not be opened, and a fresh connection showed this.
    Doubt(Finding),
    /// The silence of its stretch began at this moment.
    Began(Instant),
    /// Its request is under way.
    Asked,
    /// It has not answered yet, while a new connection worked: its silence is as good as proven to kill.
    Suspected(NextProbe, Duration),
    /// Its terminal, or the shell in it, was ended by itself after so long a silence.
    TerminalEnded(Duration),
    /// Its stretch is over.
    Ended(Box<Stretch>),
    /// It takes part no longer.
    Left,
}

/// The coordinator's word to one session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Directive {
    /// Counts the stretches; a redirection keeps the number.
    pub(super) stretch: u32,
    pub(super) order: Order,
}

/// A directive for a session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Order {
    /// This stretch; in the midst of one, its new end.
    Probe(NextProbe),
    /// Close, and begin anew with another connection.
    Reopen,
    /// Close, and take no further part.
    Leave,
}

/// The state of the test that everyone may read.
#[derive(Debug, Clone, Default)]
pub(super) struct Overview {
    /// True if the test is over.
    pub(super) over: bool,
    /// The shortest time that an answer took so far.
    pub(super) rtt: Duration,
    /// The longest time that an answer took because the path delivered the request late.
    pub(super) late_by: Duration,
    /// The time at which a session answered last.
    pub(super) last_answer: Option<Instant>,
    /// The longest silence that was survived, seconds.
    pub(super) survived: f64,
    /// The shortest idle time that killed, seconds.
    pub(super) died: Option<f64>,
    /// True if sessions were dropped without a packet.
    pub(super) died_silently: bool,
    /// True if a keepalive is proven against it.
    pub(super) kept: bool,
    /// Sessions of the ladder that are still held.
    pub(super) climbing: usize,
    /// The session that only TCP keepalives refresh, once it has been asked.
    pub(super) kernel_keepalive: Option<Arm>,
}

/// One session's end of the channels to the coordinator and from it.
pub(super) struct Line {
    number: u32,
    events: mpsc::UnboundedSender<(u32, SessionEvent)>,
    directive: watch::Receiver<Directive>,
    overview: watch::Receiver<Overview>,
}

impl Line {
    pub(super) fn new(
        number: u32,
        events: mpsc::UnboundedSender<(u32, SessionEvent)>,
        directive: watch::Receiver<Directive>,
        overview: watch::Receiver<Overview>,
    ) -> Self {
        Self { number, events, directive, overview }
    }

    /// The number of the session.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Reports an event; a coordinator that is gone needs none.
    pub(super) fn tell(&self, event: SessionEvent) {
        let _ = self.events.send((self.number, event));
    }

    /// Returns the order for the stretch after that one.
    pub(super) async fn order_after(&mut self, stretch: u32) -> Directive {
        let next = self.directive.wait_for(|directive| directive.stretch > stretch).await;
        next.map_or(Directive { stretch: u32::MAX, order: Order::Leave }, |directive| *directive)
    }

    /// Returns the changed order of the stretch under way, or that to leave once the test is over.
    pub(super) async fn redirected(&mut self) -> Order {
        tokio::select! {
            changed = self.directive.changed() => match changed {
                Ok(()) => self.directive.borrow_and_update().order,
                Err(_) => Order::Leave,
            },
            _ = self.overview.wait_for(|test| test.over) => Order::Leave,
        }
    }

    /// The shortest time that an answer took so far.
    pub(super) fn rtt(&self) -> Duration {
        self.overview.borrow().rtt
    }

    /// The longest time that an answer took because the path delivered the request late.
    pub(super) fn late_by(&self) -> Duration {
        self.overview.borrow().late_by
    }

    /// Returns when the test is over.
    pub(super) async fn over(&self) {
        over(&self.overview).await;
    }

    /// True if any session answers after that moment; waits for the next answer of the session that has data.
    pub(super) async fn answers_after(&self, moment: Instant) -> bool {
        let patience = Duration::from_secs(u64::from(DATA_INTERVAL) + 1);
        let mut overview = self.overview.clone();
        let answered = overview.wait_for(|test| test.last_answer.is_some_and(|answer| answer > moment));
        matches!(timeout(patience, answered).await, Ok(Ok(_)))
    }
}

/// Returns when the test is over.
pub(super) async fn over(overview: &watch::Receiver<Overview>) {
    let _ = overview.clone().wait_for(|test| test.over).await;
}
