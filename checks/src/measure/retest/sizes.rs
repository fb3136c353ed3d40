//! Does the size of packets decide: small ones first, and where they pass, the control and the sizes between.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::{Exchange, Shape, Tried};
use crate::facts::retest::{HEADERS_V4, HEADERS_V6, Retest, RetestOutcome};
use crate::os::pause::timeout_at;
use crate::ssh::tap::Watch;

/// A segment size that every IPv4 host takes (RFC 1122 section 3.3.3: packets of 576 bytes), so that no path may drop
/// it.
const SMALL: u32 = 536;
/// The largest segment of the smallest packets that every IPv6 link carries whole (RFC 8200 section 5: 1280 bytes).
const LEAST_V6: u32 = 1280 - HEADERS_V6;

/// Bytes that a plain-text packet adds to its payload at least: lengths and padding (RFC 4253 section 6).
const FRAME: u32 = 9;
/// The time between the beginnings of two connections.
const SPACING: Duration = Duration::from_millis(150);
/// The time that an arm is waited for at most: by then a lost packet was sent again three times or more.
const LONGEST: Duration = Duration::from_secs(5);
/// The time that one is waited for at least, where there is time.
const SHORTEST: Duration = Duration::from_millis(2500);
/// The shortest time for the first one: it must not seem silent for want of time.
const ENOUGH: Duration = Duration::from_secs(1);
/// The time that an arm needs beside its waiting.
const CLOSING: Duration = Duration::from_millis(50);
/// The shortest silence that counts: on a short path a lost packet was retransmitted three times, after 0.2, 0.6 and
/// 1.4 s (the kernel's smallest retransmission timeout is 200 ms).
const PROOF: Duration = Duration::from_millis(1500);

/// Returns once the server has said its version and then nothing for `quiet`; where it never does, never.
pub(crate) async fn stalled(watch: &Watch, quiet: Duration) {
    loop {
        let left = {
            let seen = watch.seen();
            let since = seen.last_received.unwrap_or(seen.opened).elapsed();
            if seen.end.is_some() || (since >= quiet && seen.server.version.is_none()) {
                None
            } else {
                Some(quiet.saturating_sub(since))
            }
        };
        match left {
            Some(Duration::ZERO) => return,
            Some(left) => tokio::time::sleep(left).await,
            None => std::future::pending().await,
        }
    }
}

/// The exchange in other sizes: first with the smallest packets, and where those pass, what followed; all of it by `until`.
pub(crate) async fn sizes(exchange: &Exchange, until: Instant) -> Vec<Retest> {
    // What passes later than this leaves no time for the others.
    let left = until.saturating_duration_since(Instant::now() + PROOF / 2);
    if left < ENOUGH {
        return Vec::new();
    }
    let small = small(exchange, left).await;
    let further = narrow(exchange, &small, None, Some(until)).await;
    std::iter::once(small.arm).chain(further).collect()
}

/// The exchange with the smallest packets.
pub(crate) async fn small(exchange: &Exchange, deadline: Duration) -> Tried {
    exchange.once(Shape { segment: Some(SMALL), short_offer: false }, None, deadline).await
}

/// Runs the remaining arms where the small packets passed: one more like the user's own, a short offer where keys are
/// exchanged, and three sizes between `SMALL` and the largest packet known to have been sent.
///
/// At most five connections, begun 150 ms apart and waited for 5 s at most each; those of a key exchange are no more at a
/// time than `Limits::handshakes`, so all of it ends within 11 s, and by `until` where there is one: an arm that is not
/// through its time then is left out, and all of them where the time is too short to tell a lost packet from a slow one.
pub(crate) async fn narrow(
    exchange: &Exchange,
    first: &Tried,
    largest: Option<u32>,
    until: Option<Instant>,
) -> Vec<Retest> {
    if first.arm.outcome != RetestOutcome::Through {
        return Vec::new();
    }
    let sent = u32::try_from(first.message).unwrap_or_default().saturating_add(FRAME);
    let v6 = exchange.is_v6();
    let largest = largest.map_or(sent, |mtu| mtu.saturating_sub(if v6 { HEADERS_V6 } else { HEADERS_V4 }));
    // What lies below is only lost where the IPv6 path is broken altogether, which the least size tells.
    let smallest = if v6 { LEAST_V6 } else { SMALL };
    let mut shapes = vec![Shape::default()];
    if matches!(exchange, Exchange::Keys { .. }) {
        shapes.push(Shape { segment: None, short_offer: true });
    }
    shapes.extend(between(smallest, largest, v6).map(|segment| Shape { segment: Some(segment), short_offer: false }));
    let began = Instant::now();
    let starting = SPACING * u32::try_from(shapes.len() - 1).unwrap_or_default();
    let left = until.map(|until| until.saturating_duration_since(began + starting + CLOSING));
    let Some(deadline) = patience(Duration::from_secs_f64(first.arm.ms / 1000.0), left) else { return Vec::new() };
    let (exchange, few) = (Arc::new(exchange.clone()), Arc::new(first.server_offer.clone()));
    let mut running = JoinSet::new();
    for (order, shape) in (0u32..).zip(shapes) {
        let (exchange, few) = (exchange.clone(), few.clone());
        running.spawn(async move {
            sleep_until((began + SPACING * order).into()).await;
            let arm = exchange.once(shape, few.as_ref().as_ref(), deadline);
            let tried = match until {
                Some(until) => timeout_at(until, arm).await.ok()?,
                None => arm.await,
            };
            Some((order, tried.arm))
        });
    }
    let mut arms: Vec<_> = running.join_all().await.into_iter().flatten().collect();
    arms.sort_by_key(|(order, _)| *order);
    arms.into_iter().map(|(_, arm)| arm).collect()
}

/// The time that an arm is waited for, where one of small packets took `passed` and no more than `left` remains.
fn patience(passed: Duration, left: Option<Duration>) -> Option<Duration> {
    let wanted = (passed * 4).clamp(SHORTEST, LONGEST);
    let Some(left) = left else { return Some(wanted) };
    (left >= PROOF.max(passed * 3)).then(|| wanted.min(left))
}

/// Three segment sizes up to `largest` in steps of 4 bytes, from above `smallest`, or from itself where it is not known to pass.
fn between(smallest: u32, largest: u32, with_smallest: bool) -> impl Iterator<Item = u32> {
    let (room, parts) = (largest.saturating_sub(smallest), if with_smallest { 3 } else { 4 });
    let steps = if with_smallest { 0..3 } else { 1..4 };
    steps.map(move |step| (smallest + room * step / parts) & !3).filter(move |size| *size > SMALL && *size < largest)
}

#[cfg(test)]
mod tests {
    use super::{between, patience};
    use std::time::Duration;

    #[test]
    fn an_arm_has_time_to_be_told_from_a_slow_one_or_is_not_begun() {
        let ms = Duration::from_millis;
        assert_eq!(patience(ms(20), None), Some(ms(2500)));
        assert_eq!(patience(ms(900), None), Some(ms(3600)));
        assert_eq!(patience(ms(20), Some(ms(1800))), Some(ms(1800)));
        assert_eq!(patience(ms(20), Some(ms(1400))), None);
        assert_eq!(patience(ms(900), Some(ms(1800))), None, "three round trips' worth of a slow path");
    }

    #[test]
    fn the_sizes_lie_between_the_ends() {
        let v4 = |largest| between(super::SMALL, largest, false).collect::<Vec<_>>();
        assert_eq!(v4(1460), [764, 996, 1228]);
        assert!(v4(540).is_empty() && v4(0).is_empty());
        let v6 = |largest| between(super::LEAST_V6, largest, true).collect::<Vec<_>>();
        assert_eq!(v6(1440), [1220, 1292, 1364]);
        assert_eq!(v6(1500 - 60), v6(1440));
        assert!(v6(1000).is_empty());
    }
}
