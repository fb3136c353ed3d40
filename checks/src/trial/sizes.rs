//! Does the size of packets decide: small ones first, and where they pass, the control and the sizes between.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Arm, Exchange, Outcome, Shape, Tried};
use crate::tap::Watch;

/// What every IPv4 host takes (RFC 1122 section 3.3.3: packets of 576 bytes), so that no path may lose it.
const SMALL: u32 = 536;
/// The largest segment of the smallest packets that every IPv6 link carries whole (RFC 8200 section 5: 1280 bytes).
const LEAST_V6: u32 = 1280 - HEADERS_V6;
/// IP and TCP header without options, by IPv4 (RFC 791, RFC 9293).
pub(super) const HEADERS_V4: u32 = 40;
/// The same by IPv6 (RFC 8200).
pub(super) const HEADERS_V6: u32 = 60;
/// What a plain-text packet adds to its payload at least: lengths and padding (RFC 4253 section 6).
const FRAME: u32 = 9;
/// Between the beginnings of two connections.
const SPACING: Duration = Duration::from_millis(200);
/// How long an arm is waited for at most: by then a lost packet was sent again three times or more.
const LONGEST: Duration = Duration::from_secs(5);
/// How long one is waited for at least.
const SHORTEST: Duration = Duration::from_millis(2500);

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

/// The exchange with the smallest packets.
pub(crate) async fn small(exchange: &Exchange, deadline: Duration) -> Tried {
    exchange.once(Shape { segment: Some(SMALL), short_offer: false }, None, deadline).await
}

/// What followed where the small packets passed: once more as the user does it, a short offer where keys are exchanged,
/// and three sizes between `SMALL` and the largest packet that is known to have been sent.
///
/// At most five connections, begun 200 ms apart and waited for 5 s at most each; those of a key exchange are no more at a
/// time than `Limits::handshakes`, so all of it ends within 11 s.
pub(crate) async fn narrow(exchange: &Exchange, first: &Tried, largest: Option<u32>) -> Vec<Arm> {
    if first.arm.outcome != Outcome::Through {
        return Vec::new();
    }
    let deadline = Duration::from_secs_f64(first.arm.ms * 4.0 / 1000.0).clamp(SHORTEST, LONGEST);
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
    let (exchange, few) = (Arc::new(exchange.clone()), Arc::new(first.server_offer.clone()));
    let mut running = JoinSet::new();
    for (order, shape) in (0u32..).zip(shapes) {
        let (exchange, few) = (exchange.clone(), few.clone());
        running.spawn(async move {
            tokio::time::sleep_until((began + SPACING * order).into()).await;
            (order, exchange.once(shape, few.as_ref().as_ref(), deadline).await.arm)
        });
    }
    let mut arms = running.join_all().await;
    arms.sort_by_key(|(order, _)| *order);
    arms.into_iter().map(|(_, arm)| arm).collect()
}

/// Three segment sizes up to `largest` in steps of 4 bytes, from above `smallest`, or from itself where it is not known to pass.
fn between(smallest: u32, largest: u32, with_smallest: bool) -> impl Iterator<Item = u32> {
    let (room, parts) = (largest.saturating_sub(smallest), if with_smallest { 3 } else { 4 });
    let steps = if with_smallest { 0..3 } else { 1..4 };
    steps.map(move |step| (smallest + room * step / parts) & !3).filter(move |size| *size > SMALL && *size < largest)
}

#[cfg(test)]
mod tests {
    use super::between;

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
