//! The causes that show on the clock that all connections share: what happened to several of them at one moment.

mod flows;
mod resets;
mod restarted;
mod shared;
mod stalled;
mod state_lost;
mod unstable;

use super::Cause;

/// The causes that show on the common clock.
pub static CAUSES: &[Cause] = &[
    flows::SOME_FLOWS_DEAD,
    unstable::PATH_UNSTABLE,
    state_lost::STATE_LOST,
    resets::RANDOM_RESETS,
    stalled::SERVER_STALLED,
    restarted::SERVER_RESTARTED,
];

#[cfg(test)]
mod tests;
