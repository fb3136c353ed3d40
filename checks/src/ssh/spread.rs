//! Connections spread over time, so that a firewall that limits new ones from an address lets the user in meanwhile.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// New connections from an address that usual firewalls let through within a window: `ufw limit` rejects the sixth.
const AT_ONCE: usize = 5;
/// Kept free among them for a connection that settles a doubt, which cannot wait.
const FOR_A_DOUBT: usize = 1;
/// That window of `ufw limit`, 30 s, and a second for clocks and late packets.
const WINDOW: Duration = Duration::from_secs(31);

/// The times at which connections were begun within the last window, oldest first.
#[derive(Debug, Default)]
pub(super) struct Starts(VecDeque<Instant>);

impl Starts {
    /// Notes a connection that begins.
    pub(super) fn note(&mut self, now: Instant) {
        self.forget(now);
        self.0.push_back(now);
    }

    /// The last one did not come as far as a server.
    pub(super) fn take_back(&mut self) {
        self.0.pop_back();
    }

    /// The time at which the next session may be opened; none if at once.
    pub(super) fn room_at(&mut self, now: Instant) -> Option<Instant> {
        self.forget(now);
        let over = self.0.len().checked_sub(AT_ONCE - FOR_A_DOUBT)?;
        self.0.get(over).map(|start| *start + WINDOW)
    }

    /// True if a connection may be opened now that settles a doubt.
    pub(super) fn has_room_for_a_doubt(&mut self, now: Instant) -> bool {
        self.forget(now);
        self.0.len() < AT_ONCE
    }

    fn forget(&mut self, now: Instant) {
        self.0.retain(|start| *start + WINDOW > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_sessions_come_at_once_and_four_in_each_window_after_it() {
        let (mut starts, began) = (Starts::default(), Instant::now());
        let mut now = began;
        let mut at = Vec::new();
        for _ in 0..12 {
            if let Some(room) = starts.room_at(now) {
                now = room;
            }
            assert!(starts.room_at(now).is_none() && starts.has_room_for_a_doubt(now));
            starts.note(now);
            at.push((now - began).as_secs());
            now += Duration::from_secs(1);
        }
        assert_eq!(at, [0, 1, 2, 3, 31, 32, 33, 34, 62, 63, 64, 65]);
    }

    #[test]
    fn a_doubt_takes_the_fifth_and_no_sixth() {
        let (mut starts, now) = (Starts::default(), Instant::now());
        (0..4).for_each(|_| starts.note(now));
        assert!(starts.has_room_for_a_doubt(now) && starts.room_at(now).is_some());
        starts.note(now);
        assert!(!starts.has_room_for_a_doubt(now));
        starts.take_back();
        assert!(starts.has_room_for_a_doubt(now));
        assert!(starts.room_at(now + WINDOW).is_none());
    }
}
