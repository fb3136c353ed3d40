//! A second look after a refusal: further connections on which we only listen.
//!
//! A refusal that comes before the version costs no process and no penalty (PerSourcePenalties count what an sshd child
//! reports), so that looking again makes nothing worse; a look that is let in ends the looking.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;
use tokio::time::{sleep, timeout};

use super::manner;
use crate::connection::Manner;
use crate::dial::{self, Route};
use crate::examination::Examination;
use crate::tap::Tap;
use crate::text::{shown, shown_bytes};

/// How many, at most, and what lies between them, where the server closed without a word.
const AFTER_SILENCE: (usize, Duration) = (3, Duration::from_millis(300));
/// The same where sshd said that it refuses: between its two numbers MaxStartups refuses by chance, and nine refusals in a row
/// are rare even where it refuses six of ten.
const AFTER_WORDS: (usize, Duration) = (8, Duration::from_millis(150));
/// How long a look waits for a word.
const PATIENCE: Duration = Duration::from_millis(700);

/// One further connection on which we said nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// When it was open, milliseconds since the check began.
    pub at_ms: f64,
    /// The identification string that came, escaped.
    pub version: Option<String>,
    /// The first bytes that came, escaped.
    pub first_bytes: Option<String>,
    /// How it ended, if it did while we listened.
    pub end: Option<Manner>,
    /// For how long we listened, milliseconds.
    pub ms: f64,
}

/// Looks again until a version comes, a few times at most, and not beyond [`Examination::until`]; `refused` is whether sshd
/// said so.
pub(super) async fn again(exam: &Examination, refused: bool, began: Instant) -> Vec<Look> {
    let until = exam.until();
    let (most, pause) = if refused { AFTER_WORDS } else { AFTER_SILENCE };
    let mut looks = Vec::new();
    // A proxy command may be a login at a bastion: it is not repeated.
    let Some(route @ Route::Direct(_)) = exam.route else { return looks };
    while looks.len() < most && exam.budget.left() > 0 {
        if exam.stop.race(sleep(pause)).await.is_none() || Instant::now() >= until {
            break;
        }
        let left = until - Instant::now();
        let Ok(transport) = dial::open(&exam.budget, &exam.target, route, left).await else { break };
        let opened = Instant::now();
        let (mut stream, watch) = Tap::new(transport);
        let patience = PATIENCE.min(until.saturating_duration_since(opened));
        // What came is in the watch, whether the reading ended or not.
        let _ = timeout(patience, stream.read(&mut [0; 1])).await;
        let seen = watch.seen();
        let first = &seen.server.first_bytes;
        let look = Look {
            at_ms: opened.duration_since(began).as_secs_f64() * 1000.0,
            version: seen.server.version.as_ref().map(|(version, _)| shown(version)),
            first_bytes: (!first.is_empty()).then(|| shown_bytes(first)),
            end: manner(&seen),
            ms: opened.elapsed().as_secs_f64() * 1000.0,
        };
        let is_enough = look.version.is_some() || look.end.is_none();
        looks.push(look);
        if is_enough {
            break;
        }
    }
    looks
}
