//! A second look after a refusal: further connections on which we only listen.
//!
//! A refusal that comes before the version costs no process and no penalty (PerSourcePenalties count what an sshd child
//! reports), so that looking again makes nothing worse; a look that is let in ends the looking.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::time::sleep;

use super::seen::manner;
use crate::base::elapsed::ms_since;
use crate::base::target::Route;
use crate::base::text::{sanitize, sanitize_bytes};
use crate::facts::handshake::Reconnect;
use crate::measure::context::Context;
use crate::os::pause::timeout;
use crate::ssh::dial;
use crate::ssh::tap::{Seen, Tap};

/// The number of reconnects and the pause before each.
struct Schedule {
    most: usize,
    pause: Duration,
}

const FEW_RECONNECTS: Schedule = Schedule { most: 3, pause: Duration::from_millis(300) };
/// For what may be MaxStartups: between its first and last number sshd refuses by chance, and nine refusals in a row are rare even at
/// a rate of six in ten.
const MANY_RECONNECTS: Schedule = Schedule { most: 8, pause: Duration::from_millis(150) };
/// The wait for the first bytes of one reconnect.
const PATIENCE: Duration = Duration::from_millis(700);

/// Returns the facts of a connection that was opened at `opened`, in a check that began at `began`.
pub(super) fn reconnect(seen: &Seen, began: Instant, opened: Instant) -> Reconnect {
    let first = &seen.server.first_bytes;
    Reconnect {
        at_ms: opened.duration_since(began).as_secs_f64() * 1000.0,
        version: seen.server.version.as_ref().map(|(version, _)| sanitize(version)),
        first_bytes: (!first.is_empty()).then(|| sanitize_bytes(first)),
        first_octets: first.iter().take(4).copied().collect(),
        end: manner(seen),
        ms: ms_since(opened),
    }
}

/// Looks again until a version comes, a few times at most, and not beyond [`Context::until`]; `doubtful` is whether chance
/// may decide.
pub(super) async fn again(ctx: &Context, route: Route, doubtful: bool, began: Instant) -> Vec<Reconnect> {
    let until = ctx.until();
    let Schedule { most, pause } = if doubtful { MANY_RECONNECTS } else { FEW_RECONNECTS };
    let mut reconnects = Vec::new();
    // A proxy command may be a login at a bastion: it is not repeated.
    if !matches!(route, Route::Direct(_)) {
        return reconnects;
    }
    while reconnects.len() < most && ctx.budget.left() > 0 {
        if ctx.stop.race(sleep(pause)).await.is_none() || Instant::now() >= until {
            break;
        }
        let left = until - Instant::now();
        let Ok(transport) = dial::open(&ctx.budget, &ctx.target, route, left).await else { break };
        let opened = Instant::now();
        let (mut stream, watch) = Tap::new(transport);
        let patience = PATIENCE.min(until.saturating_duration_since(opened));
        // What came is in the watch, whether the reading ended or not.
        let _ = timeout(patience, stream.read(&mut [0; 1])).await;
        let look = reconnect(&watch.seen(), began, opened);
        let is_enough = look.version.is_some() || look.end.is_none();
        reconnects.push(look);
        if is_enough {
            break;
        }
    }
    reconnects
}
