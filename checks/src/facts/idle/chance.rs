//! Stretches that ended by resets that depend neither on silence nor on age: they say nothing of an idle timer. Pure.

use super::age::ended;
use super::arm::{Arm, Moves, Sign, StretchEnd};
use super::bracket::data_alone_lives;
use crate::facts::connection::Manner;

/// Two silences of a timer differ by less than this part of them, and this many seconds: some devices look once a second.
const SHARP: (f64, f64) = (0.02, 0.6);
/// Silences of one length that a timer has to end where connections are reset at random: two are as long by chance now and then.
const SHOWN: usize = 3;
/// As many where a session was ended on which something moved, or that others outlived by far, and nothing else speaks of resets at random.
const SUSPECTED: usize = 2;
/// Silent sessions that must have been silent for longer than one that was ended, for its end to be none of a timer's.
const SEVERAL: usize = 3;
/// Sessions that ended so near to each other may have ended at one moment, and those whose ages or times differ by no more for one reason;
/// seconds.
const ALIKE_S: f64 = 2.0;

/// For each of these stretches, whether something ended it that looks neither at silence nor at age; `resets_s` are the times at which such
/// resets were seen, seconds since the test began.
///
/// A timer ends every silent session that reaches its limit, spares none that is silent for longer, and ends no other. So where sessions on
/// which something moved were ended too, a silent one that was ended by itself counts as a timer's only if enough others were ended after as
/// long, and none was silent for longer.
#[must_use]
pub fn ended_by_chance(arms: &[Arm], resets_s: &[f64]) -> Vec<bool> {
    // A server that ends whoever sends no data resets those whose keepalive it had not read (RFC 2525, 2.17).
    if data_alone_lives(arms) {
        return vec![false; arms.len()];
    }
    let needed = needed(arms, resets_s);
    let is_one = |arm: &Arm| match (arm.death(), needed) {
        (Some((manner, Sign::BeforeProbe)), Some(needed)) => {
            // An end in order is a server's decision where no reset at random was seen.
            let may_be_one = if resets_s.is_empty() { *manner == Manner::Reset } else { manner.is_of_connection() };
            may_be_one && !is_repeated(arms, arm, needed)
        }
        (Some((Manner::Reset, Sign::AfterProbe)), _) => !resets_s.is_empty() && is_alone(arms, arm),
        _ => false,
    };
    arms.iter().map(is_one).collect()
}

/// The number of silences of one length that a timer has to end to be one; `None` where nothing but silence was seen to end sessions.
fn needed(arms: &[Arm], resets_s: &[f64]) -> Option<usize> {
    if !resets_s.is_empty() {
        return Some(SHOWN);
    }
    let is_moving = |arm: &&Arm| arm.moves != Moves::Nothing && arm.hop.is_none();
    // All at one moment or at one age have another name, and some timers heed only some packets.
    let is_near = |a: f64, b: f64| (a - b).abs() < ALIKE_S;
    let is_like = |arm: &Arm, other: &Arm| {
        let has_one_end = is_near(ended(arm), ended(other)) || is_near(arm.age_s, other.age_s);
        has_one_end || is_near(arm.lasted_s, other.lasted_s)
    };
    let is_reset = |arm: &&Arm| ended_by_itself(arm) == Some(&Manner::Reset);
    let silent = || arms.iter().filter(|arm| arm.moves == Moves::Nothing).filter(is_reset);
    let mut moving = arms.iter().filter(is_moving).filter(is_reset);
    let any = moving.any(|arm| !silent().any(|other| is_like(arm, other)));
    let is_short = |arm: &Arm| is_much_outlived(arms, arm) || is_below_a_timer(arms, arm);
    (any || silent().any(is_short)).then_some(SUSPECTED)
}

/// The manner in which a stretch was ended from elsewhere, without a word of ours.
pub(crate) fn ended_by_itself(arm: &Arm) -> Option<&Manner> {
    let (manner, sign) = arm.death()?;
    (sign == Sign::BeforeProbe && manner.is_of_connection()).then_some(manner)
}

/// True if it was silent, enough were ended after as long, this one among them, and none was silent for longer.
fn is_repeated(arms: &[Arm], arm: &Arm, needed: usize) -> bool {
    if arm.moves != Moves::Nothing || outlived(arms, arm) {
        return false;
    }
    let silent = arms.iter().filter(|other| other.moves == Moves::Nothing && ended_by_itself(other).is_some());
    let quiets: Vec<f64> = silent.map(Arm::quiet_s).collect();
    let (quiet_s, width_s) = (arm.quiet_s(), differ_s(arm));
    let within = |from_s: f64| quiets.iter().filter(|at_s| (from_s..=from_s + width_s).contains(at_s)).count();
    let froms = quiets.iter().copied().filter(|from_s| (quiet_s - width_s..=quiet_s).contains(from_s));
    let alike = froms.map(within).max().unwrap_or_default();
    // The more were ended after other silences, the more are as long by chance.
    let by_chance = (quiets.len() - alike) as f64 * width_s / quiet_s.max(width_s);
    alike as f64 >= needed as f64 + 2.0 * by_chance
}

/// True if no other silent session was dead when it was used.
fn is_alone(arms: &[Arm], arm: &Arm) -> bool {
    let is_dead = |other: &Arm| matches!(other.death(), Some((Manner::Reset | Manner::Silent, Sign::AfterProbe)));
    !silent_beside(arms, arm).any(is_dead)
}

/// True if it was silent, and another stretch for longer than a timer could have it.
fn outlived(arms: &[Arm], arm: &Arm) -> bool {
    let is_longer = |other: &Arm| other.quiet_s() > arm.quiet_s() + differ_s(arm);
    let is_judged = |other: &Arm| !matches!(other.end, StretchEnd::Void { .. });
    arm.moves == Moves::Nothing && silent_beside(arms, arm).any(|other| is_longer(other) && is_judged(other))
}

/// True if it was silent, and several others that were silent for much longer were not ended by themselves, one of them for longer than a table that is cleaned now and then may spare.
fn is_much_outlived(arms: &[Arm], arm: &Arm) -> bool {
    let is_judged = |other: &&Arm| !matches!(other.end, StretchEnd::Void { .. } | StretchEnd::Unheard { .. });
    let lived = silent_beside(arms, arm).filter(is_judged).filter(|other| ended_by_itself(other).is_none());
    let lived: Vec<f64> = lived.map(|other| other.lasted_s).collect();
    let quiet_s = arm.quiet_s();
    let longer = |limit_s: f64| lived.iter().filter(|lived_s| **lived_s > limit_s).count();
    arm.moves == Moves::Nothing && longer(quiet_s * 1.3 + 0.5) >= SEVERAL && longer(quiet_s * 2.0 + 2.0) > 0
}

/// True if it was silent, and a timer ended several others, each after as long a silence and at its own moment, that were silent for longer.
fn is_below_a_timer(arms: &[Arm], arm: &Arm) -> bool {
    let ended_later = silent_beside(arms, arm).filter(|other| ended_by_itself(other).is_some());
    let longer: Vec<&Arm> = ended_later.filter(|other| other.quiet_s() > arm.quiet_s() + differ_s(arm)).collect();
    let spread = |values: &mut dyn Iterator<Item = f64>| {
        let (least, most) = values.fold((f64::INFINITY, 0.0_f64), |(least, most), it| (least.min(it), most.max(it)));
        most - least
    };
    // A table that is cleaned now and then ends them at one moment instead.
    let quiet_apart = spread(&mut longer.iter().map(|other| other.quiet_s()));
    let ended_apart = spread(&mut longer.iter().map(|other| ended(other)));
    longer.len() >= SEVERAL && quiet_apart < differ_s(arm) && quiet_apart * 2.0 < ended_apart
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
    fn what_was_ended_by_itself_beside_resets_at_random_is_no_timers_and_what_was_dead_when_used_is() {
        let dropped = Arm { session: 3, ..Arm::sample(Moves::Nothing, 15.5, died(Manner::Silent, Sign::AfterProbe)) };
        let arms = [
            reset(1, Moves::Nothing, 2.0, 9.0),
            alive(2, 7.3),
            dropped,
            reset(4, Moves::Keepalive, 3.0, 13.0),
            reset(5, Moves::Nothing, 4.0, 15.2),
        ];
        assert_eq!(ended_by_chance(&arms, &[11.1, 15.8, 30.0]), [true, false, false, true, true]);
        // A busy session alone that was ended makes one silence too few as well.
        assert_eq!(ended_by_chance(&arms, &[]), [true, false, false, true, true]);
        assert_eq!(ended_by_chance(&arms[..3], &[]), [false; 3]);
    }

    #[test]
    fn a_silence_that_several_others_survived_twice_over_was_ended_by_no_timer() {
        let ended = reset(1, Moves::Nothing, 2.0, 7.6);
        let with = |lived: &[f64]| {
            let lived = (2..).zip(lived).map(|(session, lived_s)| alive(session, *lived_s));
            ended_by_chance(&[ended.clone()].into_iter().chain(lived).collect::<Vec<_>>(), &[])[0]
        };
        assert!(with(&[11.0, 15.4, 21.0]));
        assert!(!with(&[11.0, 21.0]), "one or two may have been spared");
        assert!(!with(&[11.0, 12.0, 15.4]), "a table that is cleaned now and then spares some");
    }

    #[test]
    fn a_silence_shorter_than_those_that_a_timer_ended_was_ended_by_another_hand() {
        let with = |starts: [f64; 3], lasted: [f64; 3]| {
            let longer = std::iter::zip(starts, lasted).zip(2..);
            let longer = longer.map(|((started, lasted), session)| reset(session, Moves::Nothing, started, lasted));
            let arms: Vec<Arm> = [reset(1, Moves::Nothing, 3.0, 3.5)].into_iter().chain(longer).collect();
            ended_by_chance(&arms, &[])
        };
        assert_eq!(with([0.3, 0.6, 0.9], [6.7, 6.7, 6.71]), [true, false, false, false]);
        // All at one moment: a table that is cleaned now and then.
        assert_eq!(with([0.3, 0.6, 0.9], [6.7, 6.4, 6.1]), [false; 4]);
    }

    #[test]
    fn a_reset_that_came_just_as_a_session_was_used_tells_nothing_alone() {
        let asked =
            |session| Arm { session, ..Arm::sample(Moves::Nothing, 15.5, died(Manner::Reset, Sign::AfterProbe)) };
        let arms = [asked(1), asked(2), alive(3, 10.3)];
        assert_eq!(ended_by_chance(&arms, &[11.1, 15.8]), [false; 3]);
        assert_eq!(ended_by_chance(&arms[1..], &[11.1, 15.8]), [true, false]);
        assert_eq!(ended_by_chance(&arms[1..], &[]), [false; 2]);
    }

    #[test]
    fn silences_of_one_length_that_were_ended_and_none_longer_are_a_timers() {
        let timer = |most| (1..=most).map(|session| reset(session, Moves::Nothing, f64::from(session), 14.0));
        let resets = [15.0, 17.1, 20.0];
        let with = |most, more: Vec<Arm>| {
            let arms: Vec<Arm> = timer(most).chain([alive(8, 10.3)]).chain(more).collect();
            ended_by_chance(&arms, &resets)
        };
        let kept = || reset(9, Moves::Keepalive, 2.0, 25.0);
        assert_eq!(with(3, vec![kept()]), [false, false, false, false, true]);
        assert_eq!(with(2, vec![kept()]), [true, true, false, true], "two are as long by chance");
        let survived = with(3, vec![alive(9, 20.5)]);
        assert_eq!(
            survived,
            [true, true, true, false, false],
            "with a longer silence survived, a death proves no timer"
        );
    }
}
