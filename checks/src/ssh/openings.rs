//! One connection out of several openings. Where the first one gets no answer, others are tried beside it from other ports: a path with
//! port-based load balancing may have a dead member. The first goes on meanwhile, and after another has won: its outcome is evidence.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

/// By then the first packet was sent three times (RFC 6298: again after 1 s and after 3 s).
pub(super) const UNANSWERED: Duration = Duration::from_millis(3300);
/// Further openings: where every other port leads to a dead member, one in a hundred and twenty-eight meets only that.
const FURTHER: u32 = 6;
/// Time between two of them.
const BETWEEN: Duration = Duration::from_millis(500);
/// The time for which an abandoned opening is watched: its first packet is sent for the fourth time after 7 s.
pub(super) const WATCHED: Duration = Duration::from_millis(7600);

/// The outcome of the openings.
pub(super) struct Opened<T, E> {
    pub(super) result: Result<T, E>,
    /// The number of further openings that were not needed, or failed.
    pub(super) spare: u32,
}

/// Opens one connection by `deadline` with `open`, which is told how much time each opening has; `another` opens a further one, as the nth to
/// last of them, unless it may not. `late` is the error where none opened in time.
pub(super) async fn first_of<T, E, Opening, Further>(
    deadline: Duration,
    open: impl FnOnce(Duration) -> Opening,
    mut another: impl FnMut(u32, Duration) -> Option<Further>,
    late: impl Fn() -> E,
) -> Opened<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
    Opening: Future<Output = Result<T, E>> + Send + 'static,
    Further: Future<Output = Result<T, E>> + Send + 'static,
{
    let began = Instant::now();
    let mut first = tokio::spawn(open(deadline.max(WATCHED)));
    tokio::select! {
        opened = &mut first => return Opened { result: opened.unwrap_or_else(|_| Err(late())), spare: 0 },
        () = sleep(UNANSWERED) => {}
    }
    let until = began + deadline;
    let (mut further, mut left, mut failed) = (JoinSet::new(), FURTHER, 0);
    loop {
        let time = until.saturating_duration_since(Instant::now());
        if left > 0
            && let Some(opening) = another(left, time)
        {
            further.spawn(opening);
        }
        left = left.saturating_sub(1);
        let result = tokio::select! {
            opened = &mut first => Some(opened.unwrap_or_else(|_| Err(late()))),
            Some(opened) = further.join_next() => {
                let opened = opened.ok().and_then(Result::ok);
                failed += u32::from(opened.is_none());
                opened.map(Ok)
            }
            () = sleep(BETWEEN), if left > 0 => None,
            () = sleep_until(until.into()) => Some(Err(late())),
        };
        if let Some(result) = result {
            return Opened { result, spare: failed + u32::try_from(further.len()).unwrap_or_default() };
        }
    }
}
