//! One connection as the recorder looks at it.

use std::sync::Weak;
use std::time::{Duration, Instant};

use super::expect::Expect;
use crate::base::elapsed::seconds_between;
use crate::base::text::sanitize;
use crate::facts::connection::Manner;
use crate::facts::tcp::TcpInfo;
use crate::facts::timeline::{Flow, FlowEnd, Gap};
use crate::os::socket::Socket;
use crate::ssh::ending::Ending;
use crate::ssh::observations::Observations;
use crate::ssh::tap::Watch;

/// The time beyond three round trips after which an acknowledgement is missing: a lost packet is retransmitted more
/// than once within less.
const UNACKNOWLEDGED: Duration = Duration::from_secs(1);
/// The time beyond three round trips after which an answer is missing, although the request was acknowledged.
const UNANSWERED: Duration = Duration::from_millis(1500);
/// The kernel tells the age of the last acknowledgement in clock ticks of up to 10 ms, read a moment before ours.
const TICKS: Duration = Duration::from_millis(50);
/// The time after the other end's data within which ours counts as a reply of the library to its request (a server with
/// ClientAliveInterval), to which no answer is due.
const REPLY: Duration = Duration::from_millis(500);
/// Data that arrives so soon after a request, and within two round trips, had left the server before the request reached it.
const CROSSED: Duration = Duration::from_millis(20);
/// An end that comes so soon after our last data may be the answer to it.
const SPOKE: Duration = Duration::from_secs(5);
/// Gaps of one connection that are kept.
const GAPS: usize = 100;

/// A connection and what is expected on it.
pub(super) struct Observed {
    pub(super) flow: Flow,
    seen: Option<Seen>,
    expect: Expect,
    expect_since: Option<Instant>,
    /// The times of the requests that a server answers at once, until each is answered: several may be under way.
    awaited: Vec<Instant>,
    /// The time since which some of our data has not been acknowledged.
    unacked_since: Option<Instant>,
    /// The time at which all our data was acknowledged.
    acked_at: Option<Instant>,
    /// The time at which the other end was last heard, at the last look.
    heard: Option<Instant>,
    /// The gap that is open, and the condition that ends it.
    missing: Option<(Missing, Instant)>,
}

/// The source of a connection's observations.
struct Seen {
    watch: Watch,
    observations: Observations,
    socket: Weak<Socket>,
}

/// The packets missing in an open gap; the moment beside it is that of the last sign of them.
#[derive(Clone, Copy, PartialEq)]
enum Missing {
    /// Any packet.
    Packets,
    /// Data.
    Data,
}

/// The moments of one look.
struct Moments {
    received: Option<Instant>,
    sent: Option<Instant>,
    opened: Instant,
    /// Any packet, as far as the system tells.
    heard: Instant,
}

impl Observed {
    pub(super) fn new(flow: Flow) -> Self {
        Self {
            flow,
            seen: None,
            expect: Expect::Answers(None),
            expect_since: None,
            awaited: Vec::new(),
            unacked_since: None,
            acked_at: None,
            heard: None,
            missing: None,
        }
    }

    pub(super) fn watch(&mut self, watch: Watch, observations: Observations, socket: Weak<Socket>) {
        self.seen = Some(Seen { watch, observations, socket });
    }

    pub(super) fn expect(&mut self, expect: Expect, since: Instant, began: Instant) {
        self.expect = expect;
        self.expect_since = Some(since);
        if self.flow.logged_in_s.is_some() && expect != Expect::Receipt {
            self.flow.opened_s.get_or_insert(seconds_between(began, since));
        }
        let beat = match expect {
            Expect::Answers(beat) => beat,
            Expect::Silence | Expect::Line(_) | Expect::Receipt => None,
            Expect::Lines(every) | Expect::Acknowledgements(every) => Some(every),
        };
        if let Some(beat) = beat {
            self.flow.beat_s = Some(beat.as_secs_f64());
            self.flow.beat_until_s = None;
            self.flow.is_kernels = matches!(expect, Expect::Acknowledgements(_));
        } else if self.flow.beat_s.is_some() {
            self.flow.beat_until_s.get_or_insert(seconds_between(began, since));
        }
    }

    /// From now on the answer to a request of that time is awaited.
    pub(super) fn awaits(&mut self, since: Instant) {
        self.awaited.push(since);
    }

    /// The answer to a request of that time is awaited no longer.
    pub(super) fn answered(&mut self, since: Instant) {
        if let Some(at) = self.awaited.iter().position(|other| *other == since) {
            self.awaited.swap_remove(at);
        }
    }

    /// The gap that is open, if one is.
    pub(super) fn open_gap(&self) -> Option<&Gap> {
        self.missing.and_then(|_| self.flow.gaps.last())
    }

    pub(super) fn look(&mut self, began: Instant, now: Instant) {
        let Some(seen) = &self.seen else { return };
        if self.flow.end.is_some() || self.flow.closed_s.is_some() {
            return;
        }
        let info = seen.socket.upgrade().and_then(|socket| socket.tcp_info());
        let moments = Moments::of(seen, info.as_ref(), now);
        if self.flow.version.is_none()
            && let Some((version, at)) = &seen.watch.seen().server.version
        {
            self.flow.version = Some(sanitize(version));
            self.flow.version_s = Some(seconds_between(began, *at));
        }
        let ending = Ending::of(&seen.watch, &seen.observations);
        if let Some(info) = &info {
            self.flow.rtt_s = f64::from(info.rtt_us) / 1e6;
            self.note_unacknowledged(info, &moments);
        }
        self.end_gap(began, &moments, info.as_ref());
        if self.missing.is_none() && self.flow.gaps.len() < GAPS {
            self.begin_gap(began, now, &moments, info.as_ref());
        }
        let heard = if info.is_some() { Some(moments.heard) } else { moments.received };
        self.flow.heard_s = heard.map(|heard| seconds_between(began, heard)).or(self.flow.heard_s);
        self.flow.answered_s = moments.received.map(|received| seconds_between(began, received));
        if let Some(Ending { at, manner }) = ending {
            let moved = moments.received.max(self.heard).unwrap_or(moments.opened);
            self.flow.end = Some(FlowEnd {
                at_s: seconds_between(began, at),
                manner: escaped(manner),
                quiet_s: at.saturating_duration_since(moved).as_secs_f64(),
                spoke_last: moments.sent.is_some_and(|sent| Some(sent) > moments.received && at < sent + SPOKE),
            });
        }
        self.heard = heard;
    }

    /// We close it: what the other end does from then on is an answer to that.
    pub(super) fn close(&mut self, began: Instant, at: Instant) {
        self.look(began, Instant::now());
        let at_s = seconds_between(began, at);
        self.flow.end.take_if(|end| end.at_s > at_s);
        self.flow.closed_s.get_or_insert(at_s);
    }

    fn note_unacknowledged(&mut self, info: &TcpInfo, moments: &Moments) {
        if !info.is_unanswered() {
            if self.unacked_since.take().is_some() {
                self.acked_at = Some(moments.heard);
            }
            return;
        }
        // Some of it was acknowledged meanwhile: what is left is younger.
        let since = self.unacked_since.unwrap_or_else(|| moments.sent.unwrap_or(moments.heard));
        self.unacked_since = Some(since.max(moments.heard));
    }

    /// Ends the open gap where what was missing has come.
    fn end_gap(&mut self, began: Instant, moments: &Moments, info: Option<&TcpInfo>) {
        let (Some((missing, last)), Some(gap)) = (self.missing, self.flow.gaps.last_mut()) else { return };
        if let Some(info) = info {
            gap.retransmissions = gap.retransmissions.max(info.backoff).max(info.probes);
        }
        let came = match missing {
            Missing::Packets => Some(moments.heard),
            Missing::Data => moments.received,
        };
        if let Some(came) = came.filter(|came| *came > last + TICKS) {
            gap.until_s = Some(seconds_between(began, came));
            self.missing = None;
        }
    }

    fn begin_gap(&mut self, began: Instant, now: Instant, moments: &Moments, info: Option<&TcpInfo>) {
        let patience = Duration::from_secs_f64(3.0 * self.flow.rtt_s);
        let overdue = |since: Instant, every: Duration, limit: Duration| {
            now.saturating_duration_since(since) > every + limit + patience
        };
        let of_kernel = match self.expect {
            Expect::Acknowledgements(every) if info.is_some() => {
                Some((self.expect_since.unwrap_or(moments.heard).max(moments.heard), every))
            }
            _ => None,
        };
        let unacked = self.unacked_since.filter(|_| info.is_some()).map(|since| (since, Duration::ZERO));
        let packets = unacked.or(of_kernel).filter(|(since, every)| overdue(*since, *every, UNACKNOWLEDGED));
        if let (Some((since, every)), Some(info)) = (packets, info) {
            self.missing = Some((Missing::Packets, moments.heard));
            self.push(began, moments.heard, since + every, Some(false), info.backoff.max(info.probes));
            return;
        }
        if unacked.is_some() {
            return;
        }
        let answer = self.overdue_since(moments).filter(|(since, every)| overdue(*since, *every, UNANSWERED));
        if let Some((since, every)) = answer {
            let last = moments.received.unwrap_or(moments.opened);
            self.missing = Some((Missing::Data, last));
            self.push(began, last, since + every, info.map(|_| true), 0);
        }
    }

    fn push(&mut self, began: Instant, heard: Instant, from: Instant, acknowledged: Option<bool>, retransmissions: u8) {
        let [heard_s, from_s] = [heard, from].map(|at| seconds_between(began, at));
        self.flow.gaps.push(Gap { heard_s, from_s, until_s: None, acknowledged, retransmissions });
    }

    /// Returns the time since which data of the other end is expected, and how long it may take.
    fn overdue_since(&self, moments: &Moments) -> Option<(Instant, Duration)> {
        let crossed = CROSSED.max(Duration::from_secs_f64(2.0 * self.flow.rtt_s));
        // What came later answers another of the requests, or belongs to none; the rest is due from then on.
        let due = |since: Instant| moments.received.filter(|at| *at >= since + crossed).unwrap_or(since);
        let in_vain = self.awaited.iter().min().map(|since| (due(*since), Duration::ZERO));
        let spoke_after = |earlier: Option<Instant>| {
            let sent = moments.sent.filter(|sent| Some(*sent) > moments.received.max(earlier))?;
            Some((sent.max(self.acked_at.unwrap_or(sent)), Duration::ZERO))
        };
        let is_reply = moments.sent.zip(moments.received).is_some_and(|(sent, received)| sent <= received + REPLY);
        match self.expect {
            // At first the server's identification is.
            Expect::Answers(_) if moments.received.is_none() => Some((moments.opened, Duration::ZERO)),
            Expect::Answers(None) => in_vain.or(spoke_after(None)),
            Expect::Answers(Some(_)) => spoke_after(None).filter(|_| !is_reply),
            Expect::Silence | Expect::Acknowledgements(_) => spoke_after(self.expect_since).filter(|_| !is_reply),
            Expect::Receipt => None,
            Expect::Line(after) => {
                let asked = self.expect_since?;
                (moments.received <= Some(asked)).then_some((asked, after))
            }
            Expect::Lines(every) => Some((moments.received.max(self.expect_since)?, every)),
        }
    }
}

/// The server's words made safe to show.
fn escaped(manner: Manner) -> Manner {
    match manner {
        Manner::Disconnect { code, text } => Manner::Disconnect { code, text: sanitize(&text) },
        Manner::Protocol { error } => Manner::Protocol { error: sanitize(&error) },
        other => other,
    }
}

impl Moments {
    fn of(seen: &Seen, info: Option<&TcpInfo>, now: Instant) -> Self {
        let tap = seen.watch.seen();
        let acked = info.and_then(|info| now.checked_sub(Duration::from_millis(info.last_ack_ms.into())));
        Self {
            received: tap.last_received,
            sent: tap.last_sent,
            opened: tap.opened,
            heard: tap.last_received.max(acked).unwrap_or(tap.opened),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_request_is_awaited_although_another_one_was_answered_meanwhile() {
        let sent = Instant::now();
        let (first, second) = (sent, sent + ms(1));
        let mut observed = Observed::new(Flow::default());
        observed.awaits(first);
        observed.awaits(second);
        let moments =
            |received| Moments { received: Some(received), sent: Some(second), opened: sent, heard: received };
        // What had left the server before the requests reached it answers none of them.
        assert_eq!(observed.overdue_since(&moments(sent + ms(5))), Some((first, Duration::ZERO)));
        // The first is answered, and the server stops then.
        let answered = sent + ms(40);
        observed.answered(first);
        assert_eq!(observed.overdue_since(&moments(answered)), Some((answered, Duration::ZERO)));
        observed.answered(second);
        assert_eq!(observed.overdue_since(&moments(answered)), None);
    }
}
