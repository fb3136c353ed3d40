//! The weight of a cause among the others of a log.

use super::finding::Told;
use crate::causes::Severity;
use crate::facts::log::Log;

/// True if a cause that a line identifies leaves this one out where both are found, and was met by the same client, or by one whose
/// address is unknown.
pub(super) fn is_explained(log: &Log, told: &Told, all: &[Told]) -> bool {
    let peers = |one: &Told| -> Vec<&String> {
        one.connections.iter().flat_map(|at| &log.connections[*at].peers).map(|(address, _)| address).collect()
    };
    let own = peers(told);
    all.iter().any(|other| {
        let others = peers(other);
        let is_same_client = own.is_empty() || others.is_empty() || own.iter().any(|address| others.contains(address));
        let is_identified = other.sign.is_none() && severity(other) != Severity::Info;
        is_identified && other.cause.hides.contains(&told.cause.code) && is_same_client
    })
}

/// The severity of the gravest candidate for the same line: candidates stand in the order of their likelihood.
pub(super) fn gravest(told: &Told, all: &[Told]) -> Severity {
    let line = |one: &Told| one.sign.and(one.found.because.first().cloned());
    let own = line(told);
    let others = all.iter().filter(|other| own.is_some() && line(other) == own);
    others.map(severity).min().unwrap_or(severity(told))
}

/// The severity of a cause in a log.
pub(super) fn severity(told: &Told) -> Severity {
    told.found.severity.unwrap_or(told.cause.severity)
}
