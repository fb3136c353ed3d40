//! The observer of a carried connection: heartbeats, packets that are no longer acknowledged, and the end.

use std::time::{Duration, Instant};

use ssh_doctor_checks::facts::idle::What;
use ssh_doctor_checks::facts::journal::{Alive, Event, Machine, Recovered, Stalled};
use ssh_doctor_checks::facts::tcp::TcpInfo;
use ssh_doctor_checks::os::host_changes::HostChanges;
use ssh_doctor_checks::os::release_own_pages;
use ssh_doctor_checks::os::socket::Socket;

use super::flow::Flow;
use super::plain_text::Handshake;
use super::shared::Shared;
use crate::journal::{Recorder, Sync, milliseconds};

/// The number of the one session of a tap's journal.
pub(super) const SESSION: u32 = 1;
/// The time between two looks while packets are on their way.
const TICK: Duration = Duration::from_secs(1);
/// The longest time between two looks: no stop of this process is longer without being noticed.
const DOZE: Duration = Duration::from_secs(15);
/// After the last byte, acknowledgements are looked for at every tick for so long.
const SETTLED: Duration = Duration::from_secs(3);
/// The time between two heartbeats in the journal while something moves, and while nothing does.
const HEARTBEAT: Duration = Duration::from_mins(1);
const QUIET_HEARTBEAT: Duration = Duration::from_mins(5);

/// Looks after the connection until one side has ended.
pub(super) struct Observer<'a> {
    pub(super) shared: &'a Shared,
    pub(super) socket: &'a Socket,
    pub(super) recorder: &'a Recorder,
    pub(super) handshake: &'a Handshake,
    pub(super) began: Instant,
    /// The time since which packets are not acknowledged.
    stalled: Option<Instant>,
    negotiated: bool,
    heartbeat: Instant,
    told: Totals,
    machine: HostChanges,
    /// The time of the next release of memory; `None` before the handshake has ended.
    release_at: Option<Instant>,
}

/// The totals in the last heartbeat.
#[derive(Default)]
struct Totals {
    received: u64,
    sent: u64,
    reads: u64,
}

impl<'a> Observer<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        socket: &'a Socket,
        recorder: &'a Recorder,
        handshake: &'a Handshake,
        began: Instant,
        machine: HostChanges,
    ) -> Self {
        let (stalled, negotiated, told) = (None, false, Totals::default());
        let (heartbeat, release_at) = (began, None);
        Self { shared, socket, recorder, handshake, began, stalled, negotiated, heartbeat, told, machine, release_at }
    }

    /// Returns when either side has ended, or a signal has come.
    pub(super) fn run(&mut self) {
        let mut settled = false;
        loop {
            let time = if settled { DOZE } else { TICK };
            let ended = self.shared.wait(time, settled).has_ended();
            for what in self.machine.look(time, ended) {
                self.recorder.record(Event::Machine(Machine { what }), Sync::Now);
            }
            if ended {
                return;
            }
            let (info, was_settled) = (self.socket.tcp_info(), settled);
            settled = self.look(info);
            self.tell_negotiated();
            self.tell_alive(info);
            self.release(settled && !was_settled);
        }
    }

    /// Gives back the memory of the program's own pages now and then: what is left to do, to carry bytes, is a small part of it.
    fn release(&mut self, now_idle: bool) {
        let now = Instant::now();
        if self.release_at.is_some_and(|at| now_idle || at <= now) {
            self.release_at = Some(now + HEARTBEAT);
            release_own_pages();
        }
    }

    /// The events on this machine after a moment.
    pub(super) fn machine_since(&self, moment: Instant) -> Vec<What> {
        self.machine.since(moment)
    }

    /// Looks for acknowledgements; returns true if all is acknowledged and nothing has moved for a while.
    fn look(&mut self, info: Option<TcpInfo>) -> bool {
        let now = Instant::now();
        let mut state = self.shared.state();
        let quiet = now.saturating_duration_since(state.flow.last_moved()) > SETTLED;
        let Some(info) = info else { return quiet };
        if info.unacked == 0 {
            // A reset leaves nothing unacknowledged either.
            if state.flow.last_sent.is_some_and(|sent| heard(&info, now) + TICKS >= sent) {
                state.flow.confirm();
            }
            if let Some(since) = self.stalled.take() {
                let after_s = seconds(now.saturating_duration_since(since));
                self.recorder.record(Event::Recovered(Recovered { session: SESSION, after_s }), Sync::Now);
            }
            return quiet;
        }
        if info.is_losing() && self.stalled.is_none() {
            let silence = Silence::of(&state.flow, &info, now);
            let first_unanswered = silence.first_unanswered.unwrap_or(now);
            self.stalled = Some(first_unanswered);
            let stalled = Stalled {
                session: SESSION,
                quiet_s: seconds(silence.quiet),
                unanswered_s: seconds(now.saturating_duration_since(first_unanswered)),
                tcp: Some(info),
            };
            self.recorder.record(Event::Stalled(stalled), Sync::Now);
        }
        false
    }

    /// Records once what both sides agreed on.
    pub(super) fn tell_negotiated(&mut self) {
        if !self.negotiated
            && let Some(negotiated) = self.handshake.negotiated(SESSION, self.began)
        {
            self.negotiated = true;
            self.recorder.record(Event::Negotiated(negotiated), Sync::Later);
            self.release_at = Some(Instant::now() + SETTLED);
        }
    }

    fn tell_alive(&mut self, info: Option<TcpInfo>) {
        let now = Instant::now();
        let state = self.shared.state();
        let flow = &state.flow;
        let period = if flow.reads > self.told.reads { HEARTBEAT } else { QUIET_HEARTBEAT };
        if now.saturating_duration_since(self.heartbeat) < period {
            return;
        }
        let alive = Alive {
            session: SESSION,
            received: flow.received - self.told.received,
            sent: flow.sent - self.told.sent,
            reads: flow.reads - self.told.reads,
            survived_s: seconds(flow.survived(now)),
            quiet_s: seconds(now.saturating_duration_since(flow.last_moved())),
            rtt_ms: info.map(|info| milliseconds(f64::from(info.rtt_us) / 1000.0)),
            retransmits: info.map(|info| info.retransmits),
        };
        (self.heartbeat, self.told) = (now, Totals { received: flow.received, sent: flow.sent, reads: flow.reads });
        self.recorder.record(Event::Alive(alive), Sync::Later);
    }
}

/// The silence before the first packet that was not acknowledged, or until now.
pub(super) struct Silence {
    /// The time at which that packet was sent; `None` where the server was heard after everything that was sent.
    pub(super) first_unanswered: Option<Instant>,
    /// The time for which nothing had come from the server then.
    pub(super) quiet: Duration,
}

impl Silence {
    /// Reckons it from the kernel's counters at this moment.
    pub(super) fn of(flow: &Flow, info: &TcpInfo, now: Instant) -> Self {
        let heard = heard(info, now).max(flow.began);
        // The kernel's times are in its clock ticks, and an acknowledgement comes right after what it is for.
        let sent = flow.first_sent_after(heard + TICKS);
        // More may have been sent since than is remembered.
        let first_unanswered = sent.or(flow.last_sent.filter(|_| info.unacked > 0));
        Self { first_unanswered, quiet: first_unanswered.unwrap_or(now).saturating_duration_since(heard) }
    }

    /// Returns the time for which that packet has had no acknowledgement.
    pub(super) fn unanswered(&self, now: Instant) -> Duration {
        self.first_unanswered.map_or(Duration::ZERO, |first| now.saturating_duration_since(first))
    }
}

/// The time at which the kernel last had a packet of the server.
fn heard(info: &TcpInfo, now: Instant) -> Instant {
    let ago = Duration::from_millis(info.last_ack_ms.min(info.last_received_ms).into());
    now.checked_sub(ago).unwrap_or(now)
}

/// A clock tick of the kernel, at least (HZ=100, time(7)).
const TICKS: Duration = Duration::from_millis(10);

pub(super) fn seconds(time: Duration) -> f64 {
    milliseconds(time.as_secs_f64())
}
