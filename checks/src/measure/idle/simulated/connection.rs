//! A connection of a simulated examination, as its recorder would note it.

use super::path::{Expiry, PathModel};
use crate::facts::connection::Manner;
use crate::facts::timeline::{Flow, FlowEnd, Gap};

/// Seconds after which a packet that is missing is noted.
const NOTED_S: f64 = 1.1;

/// A connection to the target, seconds since the examination began.
#[derive(Debug, Clone)]
pub(super) struct SimConnection {
    pub(super) flow: Flow,
    path: PathModel,
    /// The time of the last packet on it, and of the last one that came from the other end.
    pub(super) moved_s: f64,
    heard_s: f64,
    /// The interval of packets that move by themselves.
    beat_s: Option<f64>,
    /// True if these are sent at that interval, whatever becomes of the one before.
    is_kernels: bool,
    /// True if a device on the way has dropped its state.
    pub(super) is_forgotten: bool,
}

impl SimConnection {
    /// One that is requested at a moment; through the connection with that number to a jump host, where there is one.
    pub(super) fn new(path: PathModel, number: u32, through: Option<u32>, at_s: f64) -> Self {
        let leg = u8::from(through.is_some());
        let connected_s = path.connects_s(at_s) + 0.01;
        let flow = Flow {
            number,
            leg,
            through,
            began_s: at_s,
            connected_s: Some(connected_s),
            version: Some("SSH-2.0-OpenSSH_9.2".to_owned()),
            version_s: Some(connected_s + 0.01),
            logged_in_s: Some(path.logs_in_s(at_s)),
            rtt_s: 0.001,
            ..Flow::default()
        };
        Self { flow, path, moved_s: at_s, heard_s: at_s, beat_s: None, is_kernels: false, is_forgotten: false }
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
        self.is_kernels = is_kernels;
        self.flow.opened_s.get_or_insert(at_s);
        if let Some(beat_s) = beat_s {
            (self.flow.beat_s, self.flow.beat_until_s, self.flow.is_kernels) = (Some(beat_s), None, is_kernels);
        } else if self.flow.beat_s.is_some() {
            self.flow.beat_until_s.get_or_insert(at_s);
        }
    }

    /// Traffic without a request of ours has moved until now; the first packet that is missing since, if one is.
    pub(super) fn catch_up(&mut self, at_s: f64) -> Option<f64> {
        let beat_s = self.beat_s.filter(|_| self.is_open() && !self.is_forgotten)?;
        loop {
            let sent_s = self.moved_s + beat_s;
            if sent_s > at_s {
                return None;
            }
            let mut came_s = sent_s;
            if self.is_kernels {
                while self.path.is_down(came_s) {
                    came_s += beat_s;
                }
            } else {
                came_s = self.path.through_s(sent_s);
            }
            if came_s > at_s {
                return Some(sent_s);
            }
            self.lost(sent_s, came_s);
            self.moves(came_s);
        }
    }

    /// A packet that was sent at a moment came through only then.
    pub(super) fn lost(&mut self, from_s: f64, until_s: f64) {
        if until_s > from_s + NOTED_S {
            self.gap(from_s, Some(until_s));
        }
    }

    fn gap(&mut self, from_s: f64, until_s: Option<f64>) {
        let heard_s = self.heard_s.min(from_s);
        self.flow.gaps.push(Gap { heard_s, from_s, until_s, acknowledged: Some(false), retransmissions: 3 });
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
        self.gap(at_s, None);
    }

    /// The record of it at a moment.
    pub(super) fn noted(&self, now_s: f64) -> Flow {
        let mut caught_up = self.clone();
        if let Some(missing_s) = caught_up.catch_up(now_s) {
            caught_up.gap(missing_s, None);
        }
        caught_up.flow.gaps.retain(|gap| gap.from_s + NOTED_S <= now_s);
        for gap in &mut caught_up.flow.gaps {
            gap.until_s = gap.until_s.filter(|until_s| *until_s <= now_s);
        }
        let happened = |moment: Option<f64>| moment.filter(|at| *at <= now_s);
        Flow {
            connected_s: happened(self.flow.connected_s),
            version_s: happened(self.flow.version_s),
            logged_in_s: happened(self.flow.logged_in_s),
            heard_s: Some(caught_up.heard_s),
            answered_s: Some(caught_up.heard_s),
            ..caught_up.flow
        }
    }
}
