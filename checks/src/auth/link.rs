//! Whether a login's connection is still there: the library's answers do not say (research: an empty list of methods).

use std::time::Duration;

use crate::connection::{Connection, Manner};

/// How long a dying connection may take to be seen as such.
const DYING: Duration = Duration::from_millis(500);
const GLANCE: Duration = Duration::from_millis(5);

/// How the connection ended, in words, after an answer without methods; none when the server itself gave that answer.
pub(super) async fn after_silence(connection: &Connection) -> Option<String> {
    let _ = tokio::time::timeout(DYING, async {
        while !(connection.is_closed() && connection.ending().is_some()) {
            tokio::time::sleep(GLANCE).await;
        }
    })
    .await;
    if !connection.is_closed() {
        return None;
    }
    match connection.ending().map(|ending| ending.manner) {
        // The library gives up when it knows none of the methods that can continue.
        Some(Manner::Protocol { error }) if error == russh::Error::NoAuthMethod.to_string() => None,
        Some(manner) => Some(manner.words()),
        None => Some("the connection ended".into()),
    }
}
