//! The traffic on the carried connection: counters, the idle times, and the last reads.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ssh_doctor_checks::facts::journal::{Direction, Moved};

/// Reads that are remembered.
const REMEMBERED: usize = 128;

/// Everything that was carried so far.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) began: Instant,
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) reads: u64,
    pub(super) last_received: Option<Instant>,
    pub(super) last_sent: Option<Instant>,
    /// The longest idle time that was followed by something from the server, or by an acknowledgement; without the last one.
    survived: Duration,
    /// The last such idle time, and when it ended.
    last_survived: Option<(Instant, Duration)>,
    /// An idle time that the client ended, as long as nothing of the server has followed.
    unconfirmed: Option<(Instant, Duration)>,
    recent: VecDeque<(Instant, Direction, u32)>,
}

impl Flow {
    pub(super) fn new(began: Instant) -> Self {
        Self {
            began,
            received: 0,
            sent: 0,
            reads: 0,
            last_received: None,
            last_sent: None,
            survived: Duration::ZERO,
            last_survived: None,
            unconfirmed: None,
            recent: VecDeque::with_capacity(REMEMBERED + 1),
        }
    }

    /// Notes carried bytes; those of one direction may be noted a little after an answer to them.
    pub(super) fn moved(&mut self, now: Instant, direction: Direction, bytes: usize) {
        let later = self.recent.iter().rev().take_while(|(at, ..)| *at > now).count();
        let place = self.recent.len() - later;
        let before = place.checked_sub(1).map_or(self.began, |before| self.recent[before].0);
        let idle = now.saturating_duration_since(before);
        self.reads += 1;
        match direction {
            Direction::In => {
                self.received += bytes as u64;
                self.last_received = self.last_received.max(Some(now));
                match self.unconfirmed {
                    // Sent after this had come: no answer to it, and the idle time before it was shorter than it seemed.
                    Some((at, longest)) if at > now => {
                        self.unconfirmed = Some((at, longest.min(at.saturating_duration_since(now))));
                    }
                    _ => self.confirm(),
                }
                self.survive(now, idle);
            }
            Direction::Out => {
                self.sent += bytes as u64;
                self.last_sent = self.last_sent.max(Some(now));
                if self.unconfirmed.is_none_or(|(_, longest)| idle > longest) {
                    self.unconfirmed = Some((now, idle));
                }
            }
        }
        self.recent.insert(place, (now, direction, u32::try_from(bytes).unwrap_or(u32::MAX)));
        if self.recent.len() > REMEMBERED {
            self.recent.pop_front();
        }
    }

    /// Everything that was sent is acknowledged: the path outlived the idle time before it.
    pub(super) fn confirm(&mut self) {
        if let Some((at, idle)) = self.unconfirmed.take() {
            self.survive(at, idle);
        }
    }

    fn survive(&mut self, at: Instant, idle: Duration) {
        if idle <= PAUSE {
            return;
        }
        self.last_survived = Some(match self.last_survived {
            // Two ends so near to each other are of one idle time.
            Some((before, known)) if at.max(before) - at.min(before) <= PAUSE => (at.min(before), idle.min(known)),
            before => {
                self.survived = self.survived.max(before.map(|(_, idle)| idle).unwrap_or_default());
                (at, idle)
            }
        });
    }

    /// Returns the longest idle time that was survived; the bytes that ended it are no part of the exchange that goes
    /// on until `end`.
    pub(super) fn survived(&self, end: Instant) -> Duration {
        let began = self.last_exchange(end).map(|last| end.checked_sub(last.lasted).unwrap_or(self.began));
        let last = self.last_survived.filter(|(at, _)| began.is_none_or(|began| *at < began));
        self.survived.max(last.map(|(_, idle)| idle).unwrap_or_default())
    }

    /// Returns the time at which the server was last heard, apart from an exchange of at most `last_words` that goes on until the end: it may
    /// be the news of an end that had come long before.
    pub(super) fn last_heard(&self, end: Instant, last_words: Duration) -> Instant {
        let heard = self.last_received.unwrap_or(self.began);
        let exchange = self.last_exchange(end).filter(|last| last.lasted <= last_words);
        exchange
            .and_then(|last| end.checked_sub(last.lasted + last.idle_before))
            .map_or(heard, |before| before.min(heard))
    }

    /// Returns the time at which a byte was last carried, either way.
    pub(super) fn last_moved(&self) -> Instant {
        self.last_received.max(self.last_sent).unwrap_or(self.began)
    }

    /// Returns the time at which the client first sent data after this moment, as far as it is remembered.
    pub(super) fn first_sent_after(&self, moment: Instant) -> Option<Instant> {
        let mut sent = self.recent.iter().filter(|(_, direction, _)| *direction == Direction::Out);
        sent.find(|(at, ..)| *at > moment).map(|(at, ..)| *at)
    }

    /// The exchange that went on until the end: who began it, for how long it went on, and after how much idle time.
    pub(super) fn last_exchange(&self, end: Instant) -> Option<LastExchange> {
        let mut later = end;
        let of_exchange = self.recent.iter().rev().take_while(|(at, ..)| {
            let belongs = later.saturating_duration_since(*at) <= PAUSE;
            later = *at;
            belongs
        });
        let count = of_exchange.count();
        let at = self.recent.len() - count;
        let (began, by, _) = *self.recent.get(at)?;
        let before = match at.checked_sub(1).and_then(|before| self.recent.get(before)) {
            Some((before, ..)) => *before,
            // Older reads are no longer remembered: it goes on for longer than that.
            None if self.reads > REMEMBERED as u64 => began,
            None => self.began,
        };
        let lasted = end.saturating_duration_since(began);
        Some(LastExchange { by, lasted, idle_before: began.saturating_duration_since(before) })
    }

    /// The data that the client sent since the server's last bytes: how many packets, since when, and whether they are all of one length.
    pub(super) fn unanswered(&self) -> Option<(u32, Instant, bool)> {
        let since = self.recent.iter().rev().take_while(|(_, direction, _)| *direction == Direction::Out);
        let packets: Vec<_> = since.collect();
        let (first, _, length) = packets.last()?;
        let alike = packets.iter().all(|(.., other)| other == length);
        Some((u32::try_from(packets.len()).unwrap_or(u32::MAX), *first, alike))
    }

    /// The last reads, in seconds before `end`.
    pub(super) fn recent(&self, end: Instant) -> Vec<Moved> {
        let moved = |(at, direction, bytes): &(Instant, Direction, u32)| {
            let before = end.saturating_duration_since(*at).as_secs_f64();
            Moved((before * 1000.0).round() / 1000.0, *direction, *bytes)
        };
        self.recent.iter().map(moved).collect()
    }
}

/// A pause between two exchanges: within one, both sides answer within a round trip and a process's time.
const PAUSE: Duration = Duration::from_secs(2);

/// The exchange before an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastExchange {
    /// The party that sent its first bytes.
    pub(super) by: Direction,
    /// The time that it went on.
    pub(super) lasted: Duration,
    /// The idle time before it.
    pub(super) idle_before: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    const IN: Direction = Direction::In;
    const OUT: Direction = Direction::Out;

    /// A flow on which these things moved at these seconds, and its beginning.
    fn flow(moves: &[(f64, Direction)]) -> (Flow, Instant) {
        let began = Instant::now();
        let mut flow = Flow::new(began);
        for (at, direction) in moves {
            flow.moved(began + Duration::from_secs_f64(*at), *direction, 100);
        }
        (flow, began)
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_idle_time_is_survived_once_the_server_is_heard_after_it() {
        let survived = |moves: &[(f64, Direction)]| {
            let (flow, began) = flow(moves);
            flow.survived(began + s(100))
        };
        assert_eq!(survived(&[(1.0, OUT), (2.0, IN), (60.0, IN)]), s(58));
        assert_eq!(survived(&[(1.0, OUT), (2.0, IN), (60.0, OUT)]), s(0));
        assert_eq!(survived(&[(1.0, OUT), (2.0, IN), (60.0, OUT), (61.0, IN)]), s(58));
        assert_eq!(survived(&[(2.0, IN), (60.0, IN), (90.0, IN)]), s(58));
        let (mut acknowledged, began) = flow(&[(2.0, IN), (60.0, OUT), (90.0, OUT)]);
        acknowledged.confirm();
        assert_eq!(acknowledged.survived(began + s(100)), s(58));
    }

    #[test]
    fn the_exchange_that_ends_a_session_shows_no_survival() {
        let (flow, began) = flow(&[(1.0, OUT), (2.0, IN), (30.0, IN), (90.0, IN), (90.1, OUT)]);
        assert_eq!(flow.survived(began + s(91)), s(28));
        assert_eq!(flow.survived(began + s(99)), s(60));
    }

    #[test]
    fn the_last_exchange_is_told_from_what_was_before() {
        let last = |moves: &[(f64, Direction)], end| {
            let (flow, began) = flow(moves);
            flow.last_exchange(began + s(end)).map(|last| (last.by, last.lasted.as_secs(), last.idle_before))
        };
        // A shell that leaves by itself, one that is told to, and a session that ends in silence.
        assert_eq!(last(&[(1.0, OUT), (2.0, IN), (62.0, IN), (62.5, OUT)], 63), Some((IN, 1, s(60))));
        assert_eq!(last(&[(2.0, IN), (62.0, OUT), (62.5, IN)], 63), Some((OUT, 1, s(60))));
        assert_eq!(last(&[(2.0, IN), (3.0, OUT)], 63), None);
        assert_eq!(last(&[(1.0, IN)], 2), Some((IN, 1, s(1))));
        let busy: Vec<_> = (0..300).map(|at| (f64::from(at), OUT)).collect();
        assert_eq!(last(&busy, 300).map(|(by, _, idle_before)| (by, idle_before)), Some((OUT, s(0))));
    }

    #[test]
    fn keepalives_that_nobody_answers_are_counted_and_known_by_their_length() {
        let (mut flow, began) = flow(&[(1.0, OUT), (2.0, IN), (10.0, OUT), (20.0, OUT)]);
        assert_eq!(flow.unanswered(), Some((2, began + s(10), true)));
        flow.moved(began + s(21), OUT, 7);
        assert_eq!(flow.unanswered(), Some((3, began + s(10), false)));
        flow.moved(began + s(22), IN, 7);
        assert_eq!(flow.unanswered(), None);
    }

    #[test]
    fn an_answer_that_is_told_before_what_it_is_for_comes_after_it() {
        let (flow, began) = flow(&[(2.0, IN), (62.1, OUT), (62.0, IN)]);
        let last = flow.last_exchange(began + s(63)).unwrap();
        assert_eq!((last.by, last.idle_before), (IN, s(60)));
    }

    #[test]
    fn an_answer_that_is_told_before_what_it_is_for_is_no_survival_of_the_idle_time_that_ends_with_both() {
        for moves in [[(62.1, OUT), (62.0, IN)], [(62.1, IN), (62.0, OUT)]] {
            let (mut flow, began) = flow(&[&[(1.0, OUT), (2.0, IN)], &moves[..], &[(62.2, IN)]].concat());
            assert_eq!(flow.survived(began + s(63)), s(0), "{moves:?}");
            flow.moved(began + s(80), IN, 1);
            assert_eq!(flow.survived(began + s(81)), s(60), "{moves:?}");
        }
    }

    #[test]
    fn the_last_words_of_a_session_do_not_count_as_hearing_the_server() {
        let (mut slept, began) = flow(&[(1.0, OUT), (2.0, IN), (28.0, IN), (28.1, OUT)]);
        assert_eq!(slept.last_heard(began + s(29), s(5)), began + s(2));
        assert_eq!(slept.last_heard(began + s(58), s(5)), began + s(28));
        (29..40).for_each(|at| slept.moved(began + s(at), IN, 1));
        assert_eq!(slept.last_heard(began + s(40), s(5)), began + s(39));
        // Keepalives without an answer are not heard.
        let (silent, began) = flow(&[(1.0, OUT), (2.0, IN), (12.0, OUT), (22.0, OUT)]);
        assert_eq!(silent.last_heard(began + s(22), s(5)), began + s(2));
        let (new, began) = flow(&[]);
        assert_eq!(new.last_heard(began + s(3), s(5)), began);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut flow, began) = flow(&[]);
        for at in 0..10_000_u32 {
            flow.moved(began + Duration::from_millis(at.into()), OUT, 1);
        }
        assert_eq!((flow.recent.len(), flow.sent, flow.reads), (REMEMBERED, 10_000, 10_000));
        assert_eq!(
            flow.first_sent_after(began + Duration::from_millis(9_990)),
            Some(began + Duration::from_millis(9_991))
        );
    }
}
