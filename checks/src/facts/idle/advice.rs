//! The keepalive to recommend for a silence that is proven to be lived through.

/// Keepalive intervals worth recommending, seconds: few, so that few sessions prove them all beside the ladder.
pub(crate) const INTERVALS: [u32; 6] = [1, 2, 5, 15, 60, 240];

/// The interval to recommend when `survived` seconds of silence are proven to be lived through.
///
/// A third of it below two minutes, so that two keepalives in a row may be lost; half of it above, where a lost segment has long
/// been sent again; rounded down to one of [`INTERVALS`].
pub(crate) fn interval(survived: f64) -> Option<u32> {
    let most = survived / if survived < 120.0 { 3.0 } else { 2.0 };
    INTERVALS.into_iter().rfind(|interval| f64::from(*interval) <= most)
}

/// `ServerAliveCountMax` for an interval: a peer counts as dead after two minutes or more, interval x (count + 1) in OpenSSH's client.
pub(crate) fn count_max(interval: u32) -> u32 {
    (120_u32.div_ceil(interval) - 1).max(3)
}

/// The longest recommendable interval, seconds, of the sessions that were kept at an interval for so many seconds, where that is longer
/// than `silence`; `survived` is the silence that is proven to be lived through.
pub(crate) fn proven(kept: impl Iterator<Item = (u32, f64)>, survived: f64, silence: f64) -> Option<u32> {
    let most = interval(survived)?;
    let recommendable = |interval: u32| interval <= most && f64::from(interval) * 10.0 > survived;
    kept.filter(|(interval, lasted)| recommendable(*interval) && *lasted > silence).map(|(interval, _)| interval).max()
}

#[cfg(test)]
mod tests {
    use super::{count_max, interval};

    #[test]
    fn the_advice_leaves_room_for_lost_keepalives() {
        assert_eq!([5.0, 27.0, 60.0, 340.0, 2.0].map(interval), [Some(1), Some(5), Some(15), Some(60), None]);
        assert_eq!([1, 15, 60, 240].map(count_max), [119, 7, 3, 3]);
    }
}
