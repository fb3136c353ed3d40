//! What the attempts say, for the judges.

use crate::facts::tcp::{Attempt, Facts, Outcome};

/// The ways in which no connection comes about, the one nearest to the server first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A TCP reset came, or what this system cannot tell from one.
    Refused,
    /// A packet filter says no.
    Prohibited,
    /// Nothing comes back.
    Silent,
    /// A router, or this machine's neighbour discovery, says that the way ends.
    Unreachable,
    /// This machine has no route, and sent nothing.
    NoRoute,
    /// Anything else.
    Other,
}

/// How an attempt failed; `None` when it did not.
pub(super) fn kind(attempt: &Attempt) -> Option<Kind> {
    match &attempt.outcome {
        Outcome::Connected | Outcome::NotWaitedFor => None,
        Outcome::TimedOut => Some(Kind::Silent),
        Outcome::Failed { icmp: Some(icmp), .. } if icmp.is_policy() => Some(Kind::Prohibited),
        Outcome::Failed { errno, icmp, .. } => Some(match (errno.as_deref(), icmp) {
            (Some("ECONNREFUSED"), _) => Kind::Refused,
            (Some("EACCES" | "EPERM"), _) => Kind::Prohibited,
            (Some("ENETUNREACH" | "EHOSTUNREACH" | "EHOSTDOWN" | "ENONET"), Some(_)) => Kind::Unreachable,
            (Some("ENETUNREACH" | "EHOSTUNREACH" | "EHOSTDOWN" | "ENETDOWN"), None) => Kind::NoRoute,
            _ => Kind::Other,
        }),
    }
}

/// The failure that tells most, and whether every address failed so; a missing route for one family is normal
/// where the other family is tried too.
pub(super) fn telling(facts: &Facts) -> Option<(Kind, bool)> {
    let kinds: Vec<_> = facts.attempts.iter().filter_map(kind).collect();
    let most = *kinds.iter().min()?;
    Some((most, kinds.iter().all(|&kind| kind == most || kind == Kind::NoRoute)))
}
