//! The causes that show at this check.

use crate::cause::Cause;

/// The causes that show at this check.
pub static CAUSES: &[Cause] = &[];
