//! The one task that owns the state of the idle test: sessions send it events and receive directives.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep_until};

use super::events::{Directive, Line, Order, Overview, SessionEvent};
use super::host_monitor::HostMonitor;
use super::test_state::TestState;
use crate::base::stop::Stop;
use crate::measure::progress::{Event, Progress};
use crate::ssh::recorder::Recorder;

/// The interval of the observer's updates.
const TICK: Duration = Duration::from_millis(500);
/// The time that sessions may take to close at the end: one that has just ended waits 3 s for another one's answer, after a fresh login.
const CLOSING: Duration = Duration::from_secs(5);
/// The time until an unanswering session is reported dead: the shortest verdict (7 s), and the look at its hops.
const VERDICT: Duration = Duration::from_secs(9);

/// The coordinator, and its ends of the channels.
pub(super) struct Coordinator {
    state: TestState,
    events: mpsc::UnboundedReceiver<(u32, SessionEvent)>,
    senders: mpsc::UnboundedSender<(u32, SessionEvent)>,
    directives: BTreeMap<u32, watch::Sender<Directive>>,
    overview: watch::Sender<Overview>,
}

impl Coordinator {
    pub(super) fn new(state: TestState) -> Self {
        let (senders, events) = mpsc::unbounded_channel();
        let (overview, _) = watch::channel(state.overview());
        Self { state, events, senders, directives: BTreeMap::new(), overview }
    }

    /// The line of a session to the coordinator.
    pub(super) fn line(&mut self, session: u32) -> Line {
        let (directives, directive) = watch::channel(Directive { stretch: 0, order: Order::Leave });
        self.directives.insert(session, directives);
        Line::new(session, self.senders.clone(), directive, self.overview.subscribe())
    }

    /// The state of the test for those who take no part in it.
    pub(super) fn overview(&self) -> watch::Receiver<Overview> {
        self.overview.subscribe()
    }

    /// Directs the sessions until all is known, the user wants an end, this machine is not itself, or the time is over; then lets them
    /// close. Returns the state, and whether the test was cut short.
    pub(super) async fn run(
        mut self,
        sessions: &mut JoinSet<()>,
        monitor: &HostMonitor,
        stop: &Stop,
        until: Instant,
        progress: &Progress,
        recorder: &Recorder,
    ) -> (TestState, bool) {
        let mut tick = interval(TICK);
        let mut cut_short = false;
        while !self.state.is_over() {
            tokio::select! {
                _ = tick.tick() => self.show(progress),
                Some(event) = self.events.recv() => {
                    let has_ended = matches!(&event.1, SessionEvent::Ended(stretch) if stretch.has_ended_itself());
                    // What is known of earlier ones tells what becomes of this session.
                    if has_ended {
                        self.look_for_resets(recorder).await;
                    }
                    self.take(event);
                    if has_ended {
                        self.look_for_resets(recorder).await;
                    }
                }
                ended = sessions.join_next() => if ended.is_none() { self.state.finish() },
                // What is seen from here on says nothing of the path.
                () = monitor.incident() => self.state.finish(),
                () = stop.wait() => self.state.finish(),
                () = sleep_until(until.into()) => {
                    cut_short = true;
                    self.state.finish();
                }
            }
        }
        self.close(sessions, stop).await;
        self.show(progress);
        (self.state, cut_short || stop.asked())
    }

    /// Lets the sessions report their state and disconnect; one that does not answer is waited for until it is reported dead or late.
    async fn close(&mut self, sessions: &mut JoinSet<()>, stop: &Stop) {
        self.publish();
        let began = Instant::now();
        loop {
            let in_doubt = self.state.is_in_doubt() && !stop.timed_out();
            let until = began + if in_doubt { VERDICT } else { CLOSING };
            tokio::select! {
                // All that was reported counts before the end of the last session.
                biased;
                Some(event) = self.events.recv() => self.take(event),
                ended = sessions.join_next() => if ended.is_none() { break },
                () = sleep_until(until.into()) => break,
            }
        }
        sessions.shutdown().await;
        while let Ok(event) = self.events.try_recv() {
            self.take(event);
        }
        self.state.all_left();
        self.publish();
    }

    fn take(&mut self, (session, event): (u32, SessionEvent)) {
        self.state.take(session, event, Instant::now());
        self.publish();
    }

    /// Tells the plan which sessions were reset at random, as far as that is known by now.
    async fn look_for_resets(&mut self, recorder: &Recorder) {
        let timeline = recorder.timeline().await;
        let Some(found) = timeline.random_resets() else { return };
        let now = Instant::now();
        let ago = |at_s: f64| Duration::try_from_secs_f64(timeline.until_s - at_s).unwrap_or_default();
        let at: Vec<Instant> = found.resets.iter().filter_map(|(at_s, ..)| now.checked_sub(ago(*at_s))).collect();
        self.state.resets_at_random(&at, now);
        self.publish();
    }

    /// Publishes the changes.
    fn publish(&mut self) {
        for (session, directive) in self.state.directives() {
            if let Some(sender) = self.directives.get(&session) {
                sender.send_if_modified(|known| std::mem::replace(known, directive) != directive);
            }
        }
        self.overview.send_replace(self.state.overview());
    }

    fn show(&self, progress: &Progress) {
        progress.tell(Event::Idle(self.state.shown(Instant::now())));
    }
}
