//! The causes that show in the user's own ssh before any packet.

mod canonical;
mod client_missing;
mod control;
mod jump_loop;
mod keepalive;
mod programs;
mod refusal;
mod session;
mod shared;
mod start;

use super::Cause;
pub use start::says_it_cannot_start;

/// The causes that show in the user's own ssh before any packet.
pub static CAUSES: &[Cause] = &[
    refusal::INVALID,
    refusal::PERMISSIONS,
    refusal::MATCH_HANGS,
    start::CANNOT_START,
    start::NO_ACCOUNT,
    canonical::NO_CANONICAL_NAME,
    jump_loop::JUMP_LOOP,
    control::MASTER_DEAD,
    control::CONTROL_PATH,
    control::MASTER_SHARED,
    programs::PROXY_COMMAND,
    programs::PKCS11_MISSING,
    programs::AGENT_STALE,
    keepalive::INEFFECTIVE,
    keepalive::NO_PATIENCE,
    keepalive::TCP_ONLY,
    keepalive::SERVER_COUNT,
    keepalive::UNTYPED_TIMEOUT,
    session::TTY_FORCED,
    session::HOME_IGNORED,
    client_missing::CLIENT_MISSING,
];

#[cfg(test)]
mod samples {
    use super::CAUSES;
    use crate::causes::Match;
    use crate::facts::config::{Control, Facts};
    use crate::facts::{Evidence, Step, Timed};

    pub(super) fn evidence(facts: Facts) -> Evidence {
        let stops = facts.refusal.is_some() || facts.control.as_ref().is_some_and(Control::stops);
        let step = if stops { Step::Failed(facts) } else { Step::Passed(facts) };
        Evidence { config: Box::new(Timed { step, duration_ms: 1.0 }), ..Evidence::unexamined() }
    }

    pub(super) fn fired(facts: Facts) -> Vec<(&'static str, Match)> {
        let evidence = evidence(facts);
        CAUSES.iter().filter_map(|cause| Some((cause.code, (cause.judge)(&evidence)?))).collect()
    }

    pub(super) fn codes(facts: Facts) -> Vec<&'static str> {
        fired(facts).into_iter().map(|(code, _)| code).collect()
    }
}
