//! Does another key answer under the same name: further key exchanges, after which nothing is said.

use std::time::{Duration, Instant};

use super::known_hosts_match;
use crate::base::target::Route;
use crate::facts::handshake::Software;
use crate::facts::hostkey::{KnownHostsMarker, Other};
use crate::measure::context::Context;
use crate::os::pause::timeout;
use crate::ssh::{connect, dial, known_hosts};

/// The number of further connections where the user wants a deep look.
const DEEP: usize = 3;
/// The time that all of them may take, where [`Context::until`] leaves so much.
const PATIENCE: Duration = Duration::from_millis(1500);
/// The time that saying goodbye on one may take.
const GOODBYE: Duration = Duration::from_millis(100);

/// Returns the number of further connections to a server of this version. Each that brings no login costs its source a
/// penalty with OpenSSH 9.8 and later (PerSourcePenalties `noauth`), and fifteen of those shut ssh out: not without being
/// asked for.
pub(super) fn further(deep: bool, version: Option<&str>) -> usize {
    match (deep, Software::penalizes(version)) {
        (true, _) => DEEP,
        (false, true) => 0,
        (false, false) => 1,
    }
}

/// Returns the keys that answer on this many further connections; ends with the first that is not `first`.
pub(super) async fn answering(ctx: &Context, route: Route, first: &str, further: usize) -> Vec<Other> {
    let mut others = Vec::new();
    // A proxy command may be a login at a bastion: it is not repeated.
    if !matches!(route, Route::Direct(_)) {
        return others;
    }
    let patience = PATIENCE.min(ctx.until().saturating_duration_since(Instant::now()));
    let looking = async {
        let entries = known_hosts::look_up(&ctx.target).entries;
        while others.len() < further {
            let Ok(transport) = dial::open(&ctx.budget, &ctx.target, route, patience).await else { break };
            let Ok(connection) = connect::connect(transport, &ctx.target, patience).await.1 else { break };
            let key = connection.observations().read().server_key.clone();
            connection.close(GOODBYE).await;
            let Some(key) = key else { break };
            let other = Other {
                key_type: key.key_data().algorithm().as_str().to_owned(),
                fingerprint: key.fingerprint(),
                known: entries
                    .iter()
                    .any(|entry| entry.kind == KnownHostsMarker::Host && known_hosts_match::matches(&key, entry)),
            };
            let is_another = other.fingerprint != first;
            others.push(other);
            if is_another {
                break;
            }
        }
    };
    // What was seen until then counts.
    let _ = timeout(patience, looking).await;
    others
}

#[cfg(test)]
mod tests {
    use super::further;

    #[test]
    fn a_server_that_counts_connections_without_a_login_gets_no_more_of_them() {
        for (deep, version, connections) in [
            (false, Some("SSH-2.0-OpenSSH_10.0p2 Debian-7"), 0),
            (false, Some("SSH-2.0-OpenSSH_9.8"), 0),
            (false, Some("SSH-2.0-OpenSSH_9.2p1"), 1),
            (false, Some("SSH-2.0-dropbear_2022.83"), 1),
            (false, None, 1),
            (true, Some("SSH-2.0-OpenSSH_10.0p2"), 3),
        ] {
            assert_eq!(further(deep, version), connections, "{version:?}");
        }
    }
}
