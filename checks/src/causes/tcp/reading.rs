//! The connection attempts as the judges read them.

use crate::facts::tcp::{Attempt, ConnectOutcome, Facts};

/// The ways in which no connection comes about, the one nearest to the server first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ConnectFailure {
    /// A TCP reset came, or what this system cannot tell from one.
    Refused,
    /// A packet filter says no.
    Prohibited,
    /// Nothing comes back.
    Silent,
    /// A router, or this machine's neighbour discovery, reports that there is no route.
    Unreachable,
    /// This machine has no route, and sent nothing.
    NoRoute,
    /// Anything else.
    Other,
}

/// The way an attempt failed; `None` when it did not.
pub(super) fn kind(attempt: &Attempt) -> Option<ConnectFailure> {
    match &attempt.outcome {
        ConnectOutcome::Connected | ConnectOutcome::NotWaitedFor => None,
        ConnectOutcome::TimedOut => Some(ConnectFailure::Silent),
        ConnectOutcome::Failed { icmp: Some(icmp), .. } if icmp.is_policy() => Some(ConnectFailure::Prohibited),
        ConnectOutcome::Failed { errno, icmp, .. } => Some(match (errno.as_deref(), icmp) {
            (Some("ECONNREFUSED"), _) => ConnectFailure::Refused,
            (Some("EACCES" | "EPERM"), _) => ConnectFailure::Prohibited,
            (Some("ENETUNREACH" | "EHOSTUNREACH" | "EHOSTDOWN" | "ENONET"), Some(_)) => ConnectFailure::Unreachable,
            (Some("ENETUNREACH" | "EHOSTUNREACH" | "EHOSTDOWN" | "ENETDOWN"), None) => ConnectFailure::NoRoute,
            _ => ConnectFailure::Other,
        }),
    }
}

/// The failure that tells most, and whether every address failed so; a missing route for one family is normal
/// where the other family is tried too.
pub(super) fn telling(facts: &Facts) -> Option<(ConnectFailure, bool)> {
    let kinds: Vec<_> = facts.attempts.iter().filter_map(kind).collect();
    let most = *kinds.iter().min()?;
    Some((most, kinds.iter().all(|&kind| kind == most || kind == ConnectFailure::NoRoute)))
}
