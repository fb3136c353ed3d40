//! A connection of a simulated examination, as its recorder would note it.

use super::path::Expiry;
use crate::facts::connection::Manner;
use crate::facts::timeline::{Flow, FlowEnd, Gap};

/// Seconds that a login takes.
const LOGIN_S: f64 = 0.3;

/// A connection to the target, seconds since the examination began.
#[derive(Debug, Clone)]
pub(super) struct SimConnection {
    pub(super) flow: Flow,
    /// The time of the last packet on it, and of the last one that came from the other end.
    pub(super) moved_s: f64,
    heard_s: f64,
    /// The interval of packets that move by themselves.
    beat_s: Option<f64>,
    /// True if a device on the way has dropped its state.
    pub(super) is_forgotten: bool,
}

impl SimConnection {
    /// One that is requested at a moment; through the connection with that number to a jump host, where there is one.
    pub(super) fn new(number: u32, through: Option<u32>, at_s: f64) -> Self {
        let leg = u8::from(through.is_some());
        let flow = Flow {
            number,
            leg,
            through,
            began_s: at_s,
            connected_s: Some(at_s + 0.01),
            version: Some("SSH-2.0-OpenSSH_9.2".to_owned()),
            version_s: Some(at_s + 0.02),
            logged_in_s: Some(at_s + LOGIN_S),
            rtt_s: 0.001,
            ..Flow::default()
        };
        Self { flow, moved_s: at_s, heard_s: at_s, beat_s: None, is_forgotten: false }
    }

    pub(super) fn is_open(&self) -> bool {
        self.flow.end.is_none() && self.flow.closed_s.is_none()
    }

    /// A word of ours, or of the server, that came through.
    pub(super) fn moves(&mut self, at_s: f64) {
        (self.moved_s, self.heard_s) = (self.moved_s.max(at_s), self.heard_s.max(at_s));
    }

    /// From now on something is expected this often, or nothing.
    pub(super) fn expect(&mut self, beat_s: Option<f64>, is_kernels: bool, at_s: f64) {
        self.catch_up(at_s);
        self.beat_s = beat_s.filter(|_| is_kernels || beat_s < Some(2.0));
        self.flow.opened_s.get_or_insert(at_s);
        if let Some(beat_s) = beat_s {
            (self.flow.beat_s, self.flow.beat_until_s, self.flow.is_kernels) = (Some(beat_s), None, is_kernels);
        } else if self.flow.beat_s.is_some() {
            self.flow.beat_until_s.get_or_insert(at_s);
        }
    }

    /// Traffic without a request of ours has moved until now.
    pub(super) fn catch_up(&mut self, at_s: f64) {
        let Some(beat_s) = self.beat_s.filter(|_| self.is_open() && !self.is_forgotten) else { return };
        let beats = ((at_s - self.moved_s) / beat_s).floor();
        if beats > 0.0 {
            self.moves(self.moved_s + beats * beat_s);
        }
    }

    /// The time at which a timer of this length expires, unless something moves before.
    pub(super) fn expires_s(&self, timer: Option<(f64, Expiry)>) -> Option<f64> {
        let (length_s, _) = timer.filter(|_| self.is_open() && !self.is_forgotten && self.beat_s.is_none())?;
        Some(self.moved_s + length_s)
    }

    pub(super) fn end(&mut self, at_s: f64, manner: Manner, spoke_last: bool) {
        self.catch_up(at_s);
        self.flow.end = Some(FlowEnd { at_s, manner, quiet_s: at_s - self.heard_s, spoke_last });
    }

    /// A request on it gets no answer.
    pub(super) fn freezes(&mut self, at_s: f64) {
        let gap =
            Gap { heard_s: self.heard_s, from_s: at_s, until_s: None, acknowledged: Some(false), retransmissions: 3 };
        self.flow.gaps.push(gap);
    }

    /// The record of it at a moment.
    pub(super) fn noted(&self, now_s: f64) -> Flow {
        let mut caught_up = self.clone();
        caught_up.catch_up(now_s);
        let happened = |moment: Option<f64>| moment.filter(|at| *at <= now_s);
        Flow {
            logged_in_s: happened(self.flow.logged_in_s),
            heard_s: Some(caught_up.heard_s),
            answered_s: Some(caught_up.heard_s),
            ..caught_up.flow
        }
    }
}
