//! The budget of a run for connections to the server, and their recorder.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::sleep_until;

use super::recorder::Recorder;
use super::spread::Starts;
use crate::base::limits::Limits;
use crate::facts::{ConnectionLimit, Spent};

/// The number of connections that the run has opened, and its limit.
#[derive(Debug)]
pub struct Budget {
    allowed: u32,
    opened: AtomicU32,
    logins: AtomicU32,
    failed_logins: AtomicU32,
    login_refused: AtomicBool,
    longest_login_ms: AtomicU32,
    refused: AtomicU32,
    further: Mutex<Further>,
    handshakes: Semaphore,
    /// None where sessions are opened all at once.
    starts: Option<Mutex<Starts>>,
    turn: Semaphore,
    recorder: OnceLock<Recorder>,
}

impl Budget {
    /// A budget that the limits allow.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            allowed: limits.connections,
            opened: AtomicU32::new(0),
            logins: AtomicU32::new(0),
            failed_logins: AtomicU32::new(0),
            login_refused: AtomicBool::new(false),
            longest_login_ms: AtomicU32::new(0),
            refused: AtomicU32::new(0),
            further: Mutex::default(),
            handshakes: Semaphore::new(limits.handshakes),
            starts: limits.spreads_connections().then(Mutex::default),
            turn: Semaphore::new(1),
            recorder: OnceLock::new(),
        }
    }

    /// Sets the `recorder` of every connection from now on; only the first one counts.
    pub fn record(&self, recorder: Recorder) {
        let _ = self.recorder.set(recorder);
    }

    /// Returns the recorder of the connections.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        self.recorder.get().cloned().unwrap_or_default()
    }

    /// Returns the number of connections that may still be opened.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.allowed.saturating_sub(self.opened.load(Ordering::Relaxed))
    }

    /// Waits until one more connection may be in its handshake; hold the permit until it is authenticated.
    pub async fn handshake(&self) -> Option<SemaphorePermit<'_>> {
        self.handshakes.acquire().await.ok()
    }

    /// Waits until one more session may be opened, where they are spread: see [`Starts`]. Where connections were refused a moment ago, it waits for the
    /// end of that rest too. Whoever asks first is first; hold the turn until the session is open.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.starts.as_ref()?;
        let turn = self.turn.acquire().await.ok();
        while let Some(at) = self.room_at(Instant::now()) {
            sleep_until(at.into()).await;
        }
        turn
    }

    fn room_at(&self, now: Instant) -> Option<Instant> {
        let room = self.starts().and_then(|mut starts| starts.room_at(now));
        room.into_iter().chain(self.rest_until(now)).max()
    }

    /// True if a session more would not come before its turn, the one among them that is kept for a doubt.
    pub(crate) fn has_room_for_a_doubt(&self) -> bool {
        self.starts().is_none_or(|mut starts| starts.has_room_for_a_doubt(Instant::now()))
    }

    /// True if sessions come a few at a time.
    #[must_use]
    pub fn is_spread(&self) -> bool {
        self.starts.is_some()
    }

    fn starts(&self) -> Option<MutexGuard<'_, Starts>> {
        self.starts.as_ref().map(|starts| starts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a connection that the user's own ssh makes.
    pub fn note_other_connection(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.note_start();
    }

    fn note_start(&self) {
        if let Some(mut starts) = self.starts() {
            starts.note(Instant::now());
        }
    }

    /// Notes how a login ended; after one that was refused there is never another.
    pub fn note_login(&self, succeeded: bool) {
        self.login_refused.fetch_or(!succeeded, Ordering::Relaxed);
        let counter = if succeeded { &self.logins } else { &self.failed_logins };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a login whose answer was not seen: the server may have counted it as a failed one.
    pub fn note_unanswered_login(&self) {
        self.failed_logins.fetch_add(1, Ordering::Relaxed);
    }

    /// True if a login was refused.
    #[must_use]
    pub fn login_refused(&self) -> bool {
        self.login_refused.load(Ordering::Relaxed)
    }

    /// Notes how long a login took, from connecting to its success.
    pub fn note_login_time(&self, took: Duration) {
        let took = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        self.longest_login_ms.fetch_max(took, Ordering::Relaxed);
    }

    /// The longest that a login took so far.
    #[must_use]
    pub fn longest_login(&self) -> Duration {
        Duration::from_millis(self.longest_login_ms.load(Ordering::Relaxed).into())
    }

    /// Returns the connections spent so far.
    #[must_use]
    pub fn spent(&self) -> Spent {
        Spent {
            connections: self.opened.load(Ordering::Relaxed),
            budget: self.allowed,
            logins: self.logins.load(Ordering::Relaxed),
            failed_logins: self.failed_logins.load(Ordering::Relaxed),
            refused_since: self.refused.load(Ordering::Relaxed),
            limit: self.further().limit,
        }
    }

    /// Notes that an address that had accepted a connection accepted a further one, asked for at `asked`, or that somebody refused it.
    pub(super) fn note_further(&self, accepted: bool, asked: Instant) {
        let is_open_again = self.further().note(accepted, asked);
        if is_open_again {
            self.refused.store(0, Ordering::Relaxed);
        } else if !accepted {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// True if further connections were refused a moment ago: each one more may prolong that, and lock the user out.
    pub(crate) fn is_limited(&self) -> bool {
        self.rest_until(Instant::now()).is_some()
    }

    /// The end of the rest that further connections are given after one was refused, if it is still to come.
    fn rest_until(&self, now: Instant) -> Option<Instant> {
        /// Longer than the window of `ufw limit`, 30 s.
        const REST: Duration = Duration::from_secs(35);
        self.further().refused_at.map(|at| at + REST).filter(|until| *until > now)
    }

    /// Forgets that further connections were refused: all that was open has ended too, so it is no limit on new ones.
    pub(crate) fn end_rest(&self) {
        self.further().refused_at = None;
    }

    /// Lets one connection fewer be in its handshake at a time, one at least: the server drops some.
    pub(super) fn slow_down(&self) {
        if self.handshakes.available_permits() > 0 {
            self.handshakes.forget_permits(1);
        }
    }

    fn further(&self) -> MutexGuard<'_, Further> {
        self.further.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one connection from the budget, if one is left.
    pub(super) fn spend(&self) -> io::Result<()> {
        if self.opened.fetch_add(1, Ordering::Relaxed) < self.allowed {
            self.note_start();
            return Ok(());
        }
        self.opened.fetch_sub(1, Ordering::Relaxed);
        Err(io::Error::other(format!("the budget of {} connections is spent", self.allowed)))
    }

    /// Gives back a connection that did not come as far as a server.
    pub(super) fn give_back(&self) {
        self.opened.fetch_sub(1, Ordering::Relaxed);
        if let Some(mut starts) = self.starts() {
            starts.take_back();
        }
    }
}

/// The outcome of further connections to an address that had accepted one.
#[derive(Debug, Default)]
struct Further {
    accepted: u32,
    refused_at: Option<Instant>,
    limit: Option<ConnectionLimit>,
}

impl Further {
    /// Returns whether connections are accepted, as far as that is known by now.
    fn note(&mut self, accepted: bool, asked: Instant) -> bool {
        if accepted {
            self.accepted += 1;
            // One that was asked for before another one was refused does not show that the limit is over.
            let is_beside = self.refused_at.is_some_and(|refused| asked <= refused);
            if !is_beside {
                self.refused_at = None;
            }
            match &mut self.limit {
                Some(limit) if is_beside => limit.accepted += 1,
                Some(limit) => limit.ended = true,
                None => {}
            }
            !is_beside
        } else {
            self.refused_at = Some(Instant::now());
            let first = ConnectionLimit { accepted: self.accepted, ..ConnectionLimit::default() };
            let limit = self.limit.get_or_insert(first);
            limit.refused += 1;
            limit.ended = false;
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_gives_further_connections_a_rest() {
        let budget = Budget::new(&Limits::default());
        let before = Instant::now();
        budget.note_further(true, before);
        assert!(!budget.is_limited());
        budget.note_further(false, before);
        budget.note_further(false, before);
        assert!(budget.is_limited());
        assert_eq!(budget.spent().limit, Some(ConnectionLimit { accepted: 1, refused: 2, ended: false }));
        budget.note_further(true, before);
        assert!(budget.is_limited(), "it was asked for before the others were refused");
        let spent = budget.spent();
        assert_eq!(
            (spent.limit, spent.refused_since),
            (Some(ConnectionLimit { accepted: 2, refused: 2, ended: false }), 2)
        );
        budget.note_further(true, Instant::now());
        assert!(!budget.is_limited() && budget.spent().limit.is_some_and(|limit| limit.ended));
    }

    #[test]
    fn sessions_that_are_spread_wait_for_the_end_of_a_refusal() {
        let limits = Limits { idle: Duration::from_mins(6), ..Limits::default() };
        let (spread, at_once) =
            (Budget::new(&limits), Budget::new(&Limits { idle: Duration::from_secs(20), ..limits }));
        let now = Instant::now();
        assert!(spread.is_spread() && !at_once.is_spread() && spread.room_at(now).is_none());
        spread.note_further(false, now);
        assert!(spread.room_at(now).is_some_and(|at| at > now + Duration::from_secs(30)));
    }

    #[test]
    fn one_handshake_at_a_time_is_always_left() {
        let budget = Budget::new(&Limits::default());
        for _ in 0..9 {
            let _held = budget.handshakes.try_acquire().expect("one is left");
            budget.slow_down();
        }
        assert_eq!(budget.handshakes.available_permits(), 1);
    }
}
