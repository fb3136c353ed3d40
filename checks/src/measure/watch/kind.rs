//! The kinds of session that a watch holds side by side.

use std::time::Duration;

use crate::base::text::seconds;
use crate::facts::idle::advice;
use crate::facts::sessions::Traffic;

/// The time between two lines on the session with data: a loss shows within seconds.
const DATA: Duration = Duration::from_secs(4);
/// The longest wait for an answer after which a session counts as lost; a keepalive's own count bounds it further.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// A wait that no count of keepalives makes shorter.
const SHORTEST_WAIT: Duration = Duration::from_secs(10);

/// The traffic on a watched session, and the channel that it holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SessionType {
    /// A line of data in its channel and back, every few seconds.
    Data,
    /// SSH keepalives at an interval that outlives the path's timers.
    Keepalive {
        /// Between two of them.
        interval: Duration,
    },
    /// Nothing for longer and longer, then one SSH keepalive.
    Silent,
    /// A login shell at its prompt on a terminal; SSH keepalives keep its connection.
    Shell {
        /// Between two of them.
        interval: Duration,
    },
    /// SSH keepalives as the user's own ssh sends them.
    OwnKeepalive {
        /// `ServerAliveInterval`.
        interval: Duration,
        /// `ServerAliveCountMax`.
        count_max: u32,
    },
}

impl SessionType {
    /// Returns the traffic on it.
    #[must_use]
    pub fn traffic(self) -> Traffic {
        match self {
            Self::Data => Traffic::Data { interval_s: DATA.as_secs_f64() },
            Self::Silent => Traffic::Nothing,
            Self::Keepalive { interval } | Self::Shell { interval } | Self::OwnKeepalive { interval, .. } => {
                Traffic::Keepalive { interval_s: interval.as_secs_f64() }
            }
        }
    }

    /// Its name for people.
    #[must_use]
    pub fn label(self) -> String {
        let every = |interval: Duration| seconds(interval.as_secs_f64());
        match self {
            Self::Data => format!("data every {}", every(DATA)),
            Self::Keepalive { interval } => format!("keepalive every {}", every(interval)),
            Self::Silent => "silent".to_owned(),
            Self::Shell { .. } => "shell on a terminal".to_owned(),
            Self::OwnKeepalive { interval, .. } => format!("your keepalive, {}", every(interval)),
        }
    }

    /// Returns the time between two requests; `None` where the idle time is under test.
    pub(super) fn interval(self) -> Option<Duration> {
        match self {
            Self::Data => Some(DATA),
            Self::Silent => None,
            Self::Keepalive { interval } | Self::Shell { interval } | Self::OwnKeepalive { interval, .. } => {
                Some(interval)
            }
        }
    }

    /// The time that the first request without an answer is waited for: as ssh itself waits, and no longer than a minute.
    pub(super) fn patience(self) -> Duration {
        let count = |interval: Duration, count_max: u32| interval.saturating_mul(count_max);
        let wait = match self {
            Self::Data | Self::Silent => LONGEST_WAIT,
            Self::OwnKeepalive { interval, count_max } => count(interval, count_max),
            Self::Keepalive { interval } | Self::Shell { interval } => {
                let whole = u32::try_from(interval.as_secs()).unwrap_or(u32::MAX).max(1);
                count(interval, advice::count_max(whole, 0.0))
            }
        };
        wait.clamp(SHORTEST_WAIT, LONGEST_WAIT)
    }

    /// Returns the type with SSH keepalives no further apart than this where the watch itself chooses their interval.
    pub(super) fn within(self, most: Duration) -> Self {
        match self {
            Self::Keepalive { interval } => Self::Keepalive { interval: interval.min(most) },
            Self::Shell { interval } => Self::Shell { interval: interval.min(most) },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_session_counts_as_lost_when_its_own_ssh_would_give_it_up() {
        assert_eq!(SessionType::OwnKeepalive { interval: s(5), count_max: 3 }.patience(), s(15));
        assert_eq!(SessionType::OwnKeepalive { interval: s(300), count_max: 3 }.patience(), LONGEST_WAIT);
        assert_eq!(SessionType::OwnKeepalive { interval: s(1), count_max: 1 }.patience(), SHORTEST_WAIT);
        assert_eq!(SessionType::Data.patience(), LONGEST_WAIT);
    }

    #[test]
    fn only_intervals_of_our_own_choice_become_shorter() {
        assert_eq!(SessionType::Keepalive { interval: s(15) }.within(s(5)).interval(), Some(s(5)));
        let own = SessionType::OwnKeepalive { interval: s(60), count_max: 3 };
        assert_eq!(own.within(s(5)), own);
    }
}
