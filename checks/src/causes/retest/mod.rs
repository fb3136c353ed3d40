//! The causes that lie in the path.

mod dscp;
mod mtu;
pub(super) mod shared;

use super::Cause;

/// The causes that lie in the path.
pub(crate) static CAUSES: &[Cause] = &[mtu::BLACK_HOLE, dscp::DROPPED];
