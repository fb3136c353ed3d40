//! Stretches that ended by resets that depend neither on silence nor on age: they say nothing of an idle timer. Pure.

use super::age::ended;
use super::arm::{Arm, Moves, Sign, StretchEnd};
use super::bracket::data_alone_lives;
use crate::facts::connection::Manner;

/// Seconds between the time of a reset and that of the stretch which it ended: the first is noted by the one who looks at all connections.
const SAME_S: f64 = 0.5;
/// Two silences of a timer differ by less than this part of them, and this many seconds: some devices look once a second.
const SHARP: (f64, f64) = (0.02, 0.6);

/// For each of these stretches, whether one of the resets ended it that were seen at these times, seconds since the test began. What may as
/// well be a timer's is not among them: silences of one length that were ended, and none longer.
#[must_use]
pub fn ended_by_chance(arms: &[Arm], resets_s: &[f64]) -> Vec<bool> {
    // A server that ends whoever sends no data resets those whose keepalive it had not read (RFC 2525, 2.17).
    if resets_s.is_empty() || data_alone_lives(arms) {
        return vec![false; arms.len()];
    }
    let is_near = |arm: &Arm| resets_s.iter().any(|at| (at - ended(arm)).abs() < SAME_S);
    // Of the last one it may not have been seen that others went on.
    let is_one = |arm: &Arm| is_near(arm) || outlived(arms, arm);
    arms.iter().map(|arm| ended_by_itself(arm).is_some() && is_one(arm) && !is_repeated(arms, arm)).collect()
}

/// The manner in which a stretch was ended from elsewhere, without a word of ours.
pub(crate) fn ended_by_itself(arm: &Arm) -> Option<&Manner> {
    let (manner, sign) = arm.death()?;
    (sign == Sign::BeforeProbe && manner.is_of_connection()).then_some(manner)
}

/// True if another silent stretch was ended after as long, and none was silent for longer.
fn is_repeated(arms: &[Arm], arm: &Arm) -> bool {
    let is_as_long = |other: &&Arm| (other.quiet_s() - arm.quiet_s()).abs() < differ_s(arm);
    let mut repeated = silent_beside(arms, arm).filter(|other| ended_by_itself(other).is_some());
    arm.moves == Moves::Nothing && repeated.any(|other| is_as_long(&other)) && !outlived(arms, arm)
}

/// True if it was silent, and another stretch for longer than a timer could have it.
fn outlived(arms: &[Arm], arm: &Arm) -> bool {
    let is_longer = |other: &Arm| other.quiet_s() > arm.quiet_s() + differ_s(arm);
    let is_judged = |other: &Arm| !matches!(other.end, StretchEnd::Void { .. });
    arm.moves == Moves::Nothing && silent_beside(arms, arm).any(|other| is_longer(other) && is_judged(other))
}

fn silent_beside<'a>(arms: &'a [Arm], arm: &Arm) -> impl Iterator<Item = &'a Arm> {
    let session = arm.session;
    arms.iter().filter(move |other| other.moves == Moves::Nothing && other.session != session)
}

fn differ_s(arm: &Arm) -> f64 {
    arm.quiet_s() * SHARP.0 + SHARP.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn died(manner: Manner, sign: Sign) -> StretchEnd {
        StretchEnd::Died { manner, sign, others_alive: true, tcp: None }
    }

    fn reset(session: u32, moves: Moves, started_s: f64, lasted_s: f64) -> Arm {
        Arm { session, started_s, ..Arm::sample(moves, lasted_s, died(Manner::Reset, Sign::BeforeProbe)) }
    }

    fn alive(session: u32, lasted_s: f64) -> Arm {
        Arm { session, ..Arm::sample(Moves::Nothing, lasted_s, StretchEnd::Alive { rtt_ms: 1.0 }) }
    }

    #[test]
    fn what_ended_as_a_reset_was_seen_was_ended_by_it_and_the_timer_is_left() {
        let dropped = Arm { session: 3, ..Arm::sample(Moves::Nothing, 15.5, died(Manner::Silent, Sign::AfterProbe)) };
        let arms = [
            reset(1, Moves::Nothing, 2.0, 9.0),
            alive(2, 7.3),
            dropped,
            reset(4, Moves::Keepalive, 3.0, 13.0),
            reset(5, Moves::Nothing, 4.0, 15.2),
        ];
        assert_eq!(ended_by_chance(&arms, &[11.1, 15.8, 30.0]), [true, false, false, true, false]);
        assert_eq!(ended_by_chance(&arms, &[]), [false; 5]);
    }

    #[test]
    fn silences_of_one_length_that_were_ended_and_none_longer_are_a_timers() {
        let timer = || vec![reset(1, Moves::Nothing, 1.0, 14.0), reset(2, Moves::Nothing, 3.0, 14.1), alive(3, 10.3)];
        let resets = [15.0, 17.1, 20.0];
        let with = |more: Vec<Arm>| ended_by_chance(&timer().into_iter().chain(more).collect::<Vec<_>>(), &resets);
        assert_eq!(with(vec![reset(4, Moves::Keepalive, 2.0, 18.0)]), [false, false, false, true]);
        assert_eq!(with(vec![alive(4, 20.5)]), [true, true, false, false], "a silence that was longer was survived");
    }
}
