//! The connections to the hops at the moment when a session through them was found dead: which leg the silence kills.

use super::idle_session::verdict_deadline;
use super::patience;
use crate::facts::idle::HopState;
use crate::ssh::connection::{Connection, KeepaliveReply};

/// Asks the connection to each hop whether it is alive, first hop first; none where the session has no hops.
pub(super) async fn at_death(session: u32, inner: &Connection) -> Vec<HopState> {
    let mut states = Vec::new();
    let mut via = inner.via();
    while let Some(hop) = via {
        let connection = hop.connection();
        let answer = patience::keepalive(connection, verdict_deadline(connection)).await;
        states.push(HopState {
            session,
            hop: hop.name().to_owned(),
            answered: matches!(answer, KeepaliveReply::Alive(_)),
            manner: connection.ending().map(|ending| ending.manner),
        });
        via = connection.via();
    }
    states.reverse();
    states
}
