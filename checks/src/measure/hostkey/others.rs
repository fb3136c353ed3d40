//! Does another key answer under the same name: further key exchanges, after which nothing is said.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::known_hosts_match;
use crate::base::target::Route;
use crate::facts::hostkey::{KnownHostsMarker, Other};
use crate::measure::context::Context;
use crate::ssh::{connect, dial, known_hosts};

/// How many further connections; each costs a second of penalty with OpenSSH 9.8 and later (PerSourcePenalties `noauth`).
const FURTHER: usize = 3;
/// How long all of them may take, where [`Context::until`] leaves so much.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long saying goodbye on one may take.
const GOODBYE: Duration = Duration::from_millis(100);

/// The keys that answer on up to three further connections; ends with the first that is not `first`.
pub(super) async fn answering(ctx: &Context, route: Route, first: &str) -> Vec<Other> {
    let mut others = Vec::new();
    // A proxy command may be a login at a bastion: it is not repeated.
    if !matches!(route, Route::Direct(_)) {
        return others;
    }
    let patience = PATIENCE.min(ctx.until().saturating_duration_since(Instant::now()));
    let looking = async {
        let entries = known_hosts::look_up(&ctx.target).entries;
        while others.len() < FURTHER {
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
