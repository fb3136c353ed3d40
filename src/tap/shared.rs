//! The state that the threads of a tap share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ssh_doctor_checks::facts::journal::Direction;

use super::carry::Closed;
use super::flow::Flow;

/// The state of the carrying, and a signal to threads that wait for a change of it.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// True while bytes of a direction are passed on that are not in the flow yet.
    moving: [AtomicBool; 2],
}

/// The state of the carrying.
#[derive(Debug)]
pub(super) struct State {
    pub(super) flow: Flow,
    /// The time and manner of the end from the server.
    pub(super) server: Option<(Instant, Closed)>,
    /// The time and manner of the end from the client.
    pub(super) client: Option<(Instant, Closed)>,
    /// The time at which a signal asked us to end: ssh sends SIGHUP to its proxy command as it exits.
    pub(super) signal: Option<Instant>,
    /// True if the observer wants to be called when something moves.
    pub(super) dozing: bool,
}

impl Shared {
    pub(super) fn new(began: Instant) -> Self {
        let flow = Flow::new(began);
        let state = State { flow, server: None, client: None, signal: None, dozing: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), moving: Default::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes carried bytes.
    pub(super) fn moved(&self, now: Instant, direction: Direction, bytes: usize) {
        let mut state = self.state();
        state.flow.moved(now, direction, bytes);
        if std::mem::take(&mut state.dozing) {
            self.changed.notify_all();
        }
    }

    /// The mark of bytes of this direction that are passed on and not noted yet.
    pub(super) fn moving(&self, direction: Direction) -> &AtomicBool {
        &self.moving[usize::from(direction == Direction::Out)]
    }

    /// Waits for a short time until everything that was passed on is noted: its receiver may have answered and closed before its carrier
    /// gets the processor back.
    pub(super) fn wait_for_notes(&self) {
        self.wait_until(NOTED, |_| self.moving.iter().all(|moving| !moving.load(Ordering::SeqCst)));
    }

    /// Notes the end of a direction.
    pub(super) fn closed(&self, direction: Direction, how: Closed) {
        self.moving(direction).store(false, Ordering::SeqCst);
        let mut state = self.state();
        let ended = Some((Instant::now(), how));
        match direction {
            Direction::In => state.server = ended,
            Direction::Out => state.client = ended,
        }
        self.changed.notify_all();
    }

    /// Notes a signal.
    pub(super) fn signalled(&self) {
        self.state().signal.get_or_insert_with(Instant::now);
        self.changed.notify_all();
    }

    /// Waits until one of the directions ends, a signal comes or the time is over; with `dozing`, until something moves too.
    pub(super) fn wait(&self, time: Duration, dozing: bool) -> MutexGuard<'_, State> {
        let mut state = self.state();
        if state.has_ended() {
            return state;
        }
        state.dozing = dozing;
        self.changed.wait_timeout(state, time).map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state)
    }

    /// Waits until it is so, or the time is over.
    pub(super) fn wait_until(&self, patience: Duration, mut is_so: impl FnMut(&State) -> bool) {
        let until = Instant::now() + patience;
        let mut state = self.state();
        while !is_so(&state) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let time = left.min(GLANCE);
            state = self
                .changed
                .wait_timeout(state, time)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
    }
}

/// The time that passed-on bytes may take to be noted; a client that takes nothing holds its bytes up for longer.
const NOTED: Duration = Duration::from_secs(1);
/// The polling interval of states that send no event.
const GLANCE: Duration = Duration::from_millis(20);

impl State {
    /// True if either side has ended, or a signal has come.
    pub(super) fn has_ended(&self) -> bool {
        self.server.is_some() || self.client.is_some() || self.signal.is_some()
    }
}
