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

/// The longest interval, seconds, that may be recommended and is proven by sessions that were kept at an interval for so many seconds, where
/// that is longer than `silence`; `survived` is the idle time that is proven to be survived. A longer interval proves a shorter one.
pub(crate) fn proven(kept: impl Iterator<Item = (u32, f64)>, survived: f64, silence: f64) -> Option<u32> {
    let most = interval(survived)?;
    let proves = |interval: u32| f64::from(interval) <= survived && f64::from(interval) * 10.0 > survived;
    let proving = kept.filter(|(interval, lasted)| proves(*interval) && *lasted > silence);
    proving.map(|(interval, _)| interval.min(most)).max()
}

#[cfg(test)]
mod tests {
    use super::{count_max, interval, proven};

    #[test]
    fn a_longer_interval_proves_a_shorter_one() {
        let of = |interval, lasted| proven([(interval, lasted)].into_iter(), 13.0, 15.0);
        assert_eq!([of(2, 20.0), of(5, 20.0)], [Some(2), Some(2)]);
        assert_eq!(
            [of(5, 14.0), of(15, 20.0), of(1, 20.0)],
            [None; 3],
            "too short a life, no idle time survived, too busy"
        );
    }

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
