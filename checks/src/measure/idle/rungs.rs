//! The silences worth testing: a little longer than the round numbers that idle timers are set to.

use std::time::Duration;

/// The round numbers, seconds: the idle timers that products have by default, and steps between them where they are far apart.
const TIMERS: [u32; 30] = [
    2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 360, 450, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200,
    10800, 14400, 21600, 43200, 86400,
];
/// Timers that lie between two rungs and are worth telling from their neighbours, seconds: load balancers of 350 s, kernels of 2 h 4 min.
const BETWEEN: [u32; 2] = [350, 7440];
/// An answer is a race within this part of a timer, and within the time that an acknowledgement may be late.
pub(super) const RACE: (f64, f64) = (0.03, 0.25);
/// The interval of the session that has data, seconds: below the first rung.
pub(super) const DATA_INTERVAL: u32 = 2;
/// The interval of the session on which only the server sends, seconds: below the first rung.
pub(super) const SERVER_INTERVAL: u32 = 1;
/// The time that a line of the server may be late, beyond the round trip: the server's `sleep` and its shell take their time.
pub(super) const LATE_LINE: Duration = Duration::from_millis(1500);
/// The most by which one rung is longer than the one before, for few sessions.
const GENTLE: f64 = 1.3;

/// Rungs up to `longest` seconds, the last of them; `gentle` where there are too few sessions to narrow the bracket afterwards.
pub(super) fn rungs(longest: f64, gentle: bool) -> Vec<f64> {
    let mut rungs: Vec<f64> = Vec::new();
    for rung in TIMERS.into_iter().map(f64::from).map(past).take_while(|rung| *rung < 0.97 * longest).chain([longest]) {
        if let (Some(&last), true) = (rungs.last(), gentle) {
            let steps = ((rung / last).ln() / GENTLE.ln()).ceil();
            let mut step = 1.0;
            while step < steps {
                rungs.push(last * (rung / last).powf(step / steps));
                step += 1.0;
            }
        }
        rungs.push(rung);
    }
    rungs
}

/// Silences that tell most between one that was survived and one that was not, shortest first: quarters of the way, and just before
/// the timers in it.
pub(super) fn between(survived: f64, died: f64) -> Vec<f64> {
    let quarters = [0.25, 0.5, 0.75].into_iter().map(|part| survived + part * (died - survived));
    let timers = TIMERS.into_iter().chain(BETWEEN).map(|timer| f64::from(timer) * (1.0 - RACE.0));
    let inside = |point: &f64| *point > survived * 1.01 && *point < died * (1.0 - RACE.0);
    let mut points: Vec<f64> = quarters.chain(timers).filter(inside).collect();
    points.sort_by(f64::total_cmp);
    points
}

/// Returns a silence that is surely longer than a timer of this many seconds.
fn past(timer: f64) -> f64 {
    timer + (timer * RACE.0).max(RACE.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_rise_to_the_longest_and_lie_beyond_the_round_numbers() {
        let rungs = rungs(360.0, false);
        assert!((rungs[0] - 2.25).abs() < 1e-9 && (rungs[rungs.len() - 1] - 360.0).abs() < 1e-9);
        for pair in rungs.windows(2) {
            assert!(pair[0] < pair[1] && pair[1] / pair[0] < 2.4, "{pair:?}");
        }
        let racing = |rung: f64| TIMERS.into_iter().any(|timer| (rung / f64::from(timer) - 1.0).abs() < RACE.0 - 1e-9);
        assert!(!rungs[..rungs.len() - 1].iter().any(|rung| racing(*rung)));
        assert_eq!(super::rungs(1.0, false), [1.0]);
    }

    #[test]
    fn few_sessions_rise_gently() {
        for pair in rungs(3600.0, true).windows(2) {
            assert!(pair[1] / pair[0] < 1.31, "{pair:?}");
        }
    }

    #[test]
    fn what_lies_between_is_inside_and_rises() {
        let points = between(309.0, 371.0);
        assert!(points.is_sorted() && points.iter().all(|point| (309.0..371.0).contains(point)));
        // Load balancers of 350 s are told from those of 360 s.
        assert!(points.iter().any(|point| (point - 349.2).abs() < 0.1), "{points:?}");
    }
}
