//! Times as facts hold them.

use std::time::Instant;

/// The time since `began`, milliseconds.
#[must_use]
pub fn ms_since(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}

/// The time from one moment to a later one, seconds; 0 where it is not later.
#[must_use]
pub fn seconds_between(began: Instant, at: Instant) -> f64 {
    at.saturating_duration_since(began).as_secs_f64()
}
