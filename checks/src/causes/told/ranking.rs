//! The order of causes in a log of several connections, and how grave each is beside the others.

use std::cmp::Reverse;

use super::finding::Told;
use super::noise::{is_noise, is_of_one_module, is_rare};
use crate::causes::Severity;
use crate::facts::log::{Entry, Log, Part};

/// Sorts the causes of a log, the likeliest of the gravest kind first.
pub(super) fn rank(log: &Log, told: &mut [Told]) {
    if log.connections.len() <= 1 {
        return;
    }
    for one in told.iter_mut().filter(|one| is_noise(log, one) || is_of_one_module(log, one)) {
        one.found.severity = Some(Severity::Info);
    }
    for one in told.iter_mut().filter(|one| is_rare(log, one)) {
        one.found.severity = Some(Severity::Warning);
    }
    // Of two runs in one text, the one with its steps tells more than the one that shows its end alone.
    let is_step = |entry: &Entry| matches!(entry.event.place(), Some((_, Part::Step | Part::Passes)));
    let has_steps = |one: &Told| one.connections.iter().any(|at| log.connections[*at].entries.iter().any(is_step));
    let count = |one: &Told| one.connections.iter().map(|at| log.connections[*at].count).sum::<u64>();
    let explained: Vec<_> = told.iter().filter(|one| is_explained(log, one, told)).map(|one| one.cause.code).collect();
    let graves: Vec<_> = told.iter().map(|one| (one.cause.code, gravest(one, told))).collect();
    told.sort_by_key(|one| {
        let is_explained = explained.contains(&one.cause.code);
        let is_end_alone = one.sign.is_some() && !has_steps(one);
        let grave = graves.iter().find(|(code, _)| *code == one.cause.code).map_or(severity(one), |(_, grave)| *grave);
        let severity = if severity(one) == Severity::Info { Severity::Info } else { grave };
        (severity == Severity::Info, is_explained, one.found.certainty, is_end_alone, severity, Reverse(count(one)))
    });
}

/// True if a cause that a line identifies leaves this one out where both are found, and was met by the same client, or by one whose
/// address is unknown.
fn is_explained(log: &Log, told: &Told, all: &[Told]) -> bool {
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
fn gravest(told: &Told, all: &[Told]) -> Severity {
    let line = |one: &Told| one.sign.as_ref().and(one.found.because.first().cloned());
    let own = line(told);
    let others = all.iter().filter(|other| own.is_some() && line(other) == own);
    others.map(severity).min().unwrap_or(severity(told))
}

pub(super) fn severity(told: &Told) -> Severity {
    told.found.severity.unwrap_or(told.cause.severity)
}
