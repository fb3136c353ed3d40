//! A line or two that no rule understands: texts that have their words may have their cause.

use super::finding::{Told, in_a_log, quoted};
use super::known::Known;
use super::operations::is_in_earnest;
use crate::base::text::sanitize;
use crate::causes::{self, Match};
use crate::facts::certainty::Certainty;
use crate::facts::log::{Line, Log, Sighting};

/// What distinguishes a candidate from the others.
const SIGN: &str = "both texts mean the same";

/// Returns the causes of the known texts that are like a log of a line or two.
pub(super) fn by_likeness(log: &Log, known: &Known) -> Vec<Told> {
    let lines = lines(log);
    let Some(first) = lines.first().filter(|_| log.is_brief() && lines.iter().all(|line| is_in_earnest(line))) else {
        return Vec::new();
    };
    let text = lines.iter().map(|line| line.in_english()).collect::<Vec<_>>().join(" ");
    let alike = known.alike(&text).into_iter();
    let told = alike.filter_map(|alike| {
        let cause = causes::all().find(|cause| cause.code == alike.code)?;
        let like = format!("a text of this cause that is like it: {}", sanitize(alike.text));
        let found = Match {
            severity: in_a_log(cause),
            ..Match::new(Certainty::Possible, [quoted(&Sighting::of((*first).clone())), like])
        };
        Some(Told { cause, found, sign: Some(SIGN), connections: Vec::new() })
    });
    told.collect()
}

/// The lines of a log that are kept, in order.
fn lines(log: &Log) -> Vec<&Line> {
    let seen = log.connections.iter().flat_map(|connection| &connection.sightings).map(|seen| &seen.line);
    let mut lines: Vec<_> = log.unknown.iter().chain(seen).collect();
    lines.sort_by_key(|line| line.number);
    lines.dedup_by_key(|line| line.number);
    lines
}
