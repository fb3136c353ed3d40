//! Helpers shared by the causes of a failed lookup.

use super::reading::{self, Failure};
use crate::causes::{Fix, Match, Side};
use crate::facts::Evidence;
use crate::facts::dns::lines;

pub(super) const LOOK_AGAIN: Fix = Fix {
    side: Side::Client,
    summary: "Query the name server directly",
    snippet: Some("dig @{server} {host}"),
    ..Fix::LOOK
};

/// The match for a lookup that failed in this way.
pub(super) fn found(evidence: &Evidence, wanted: Failure) -> Option<Match> {
    let (facts, failure, certainty) = reading::failure(evidence)?;
    let matched = (failure == wanted).then(|| Match::new(certainty, lines::lines(facts)))?;
    // That it fails or is silent does not say why.
    let open = matches!(failure, Failure::ServerFailed | Failure::Silence);
    let matched = if open { matched.reason_open() } else { matched };
    Some(match facts.name_servers.first() {
        Some(server) => matched.with("server", server.address.ip().to_string()),
        None => matched,
    })
}
