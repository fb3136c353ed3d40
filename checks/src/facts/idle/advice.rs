//! The keepalive to recommend for a idle time that is proven to be survived.

/// Keepalive intervals worth recommending, seconds: few, so that few sessions prove them all beside the ladder.
pub(crate) const INTERVALS: [u32; 6] = [1, 2, 5, 15, 60, 240];

/// The interval to recommend when `survived` seconds of silence are proven to be survived.
///
/// A third of it below two minutes, so that two keepalives in a row may be lost; half of it above, where a lost segment has long
/// been sent again; rounded down to one of [`INTERVALS`].
pub(crate) fn interval(survived: f64) -> Option<u32> {
    let most = survived / if survived < 120.0 { 3.0 } else { 2.0 };
    INTERVALS.into_iter().rfind(|interval| f64::from(*interval) <= most)
}

/// `ServerAliveCountMax` for an interval where the path was interrupted for up to `longest_gap` seconds: a peer counts as dead after two
/// minutes or more, interval x (count + 1) in OpenSSH's client, and not before TCP has sent again after such a gap, which it may do as long
/// after it as it lasted.
pub(crate) fn count_max(interval: u32, longest_gap: f64) -> u32 {
    /// No gap comes near this many seconds; a damaged recording may.
    const LONGEST: f64 = 1e4;
    const MOST: u32 = 30_000;
    let counts = |seconds: f64| (seconds / f64::from(interval)).ceil();
    let needed = counts(120.0).max(counts(2.0 * longest_gap.clamp(0.0, LONGEST) + 5.0)) - 1.0;
    (3..MOST).find(|count| f64::from(*count) >= needed).unwrap_or(MOST)
}

/// The longest recommendable interval, seconds, of the sessions that were kept at an interval for so many seconds, where that is longer
/// than `silence`; `survived` is the idle time that is proven to be survived.
pub(crate) fn proven(kept: impl Iterator<Item = (u32, f64)>, survived: f64, silence: f64) -> Option<u32> {
    let most = interval(survived)?;
    let recommendable = |interval: u32| interval <= most && f64::from(interval) * 10.0 > survived;
    kept.filter(|(interval, lasted)| recommendable(*interval) && *lasted > silence).map(|(interval, _)| interval).max()
}

#[cfg(test)]
mod tests {
    use super::{count_max, interval};

    #[test]
    fn the_advice_outlives_the_longest_interruption() {
        assert_eq!(count_max(15, 8.0), 7, "two minutes are enough");
        assert_eq!(count_max(15, 70.0), 9, "TCP may send again only 140 s after the path went down");
    }

    #[test]
    fn the_advice_leaves_room_for_lost_keepalives() {
        assert_eq!([5.0, 27.0, 60.0, 340.0, 2.0].map(interval), [Some(1), Some(5), Some(15), Some(60), None]);
        assert_eq!([1, 15, 60, 240].map(|interval| count_max(interval, 0.0)), [119, 7, 3, 3]);
    }
}
