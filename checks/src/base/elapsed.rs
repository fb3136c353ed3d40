//! Times as facts hold them.

use std::time::Instant;

/// The time since `began`, milliseconds.
#[must_use]
pub fn ms_since(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}
