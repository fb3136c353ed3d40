//! The result of all arms together: the bracket of idle time, which traffic resets the timer, and who ends sessions.
//! Pure.

use serde::Serialize;

use super::arm::{Arm, Holds, Moves, SessionKind, Sign, Speaker, StretchEnd};
use crate::facts::connection::Manner;

/// The bracket of an idle timer, seconds of silence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Timeout {
    /// The longest idle time that was proven to be survived.
    pub survived_s: Option<f64>,
    /// The shortest silence that was proven to kill.
    pub died_s: Option<f64>,
}

/// TCP may acknowledge what it heard last so much later (TCP_DELACK_MAX of Linux): the path was silent for that much less.
pub(crate) const LATE_ACK_S: f64 = 0.2;

/// Seconds by which the side that ended a session may have seen its last byte before us: the one-way delay from there to us.
const EARLIER_S: f64 = 0.1;

/// The bracket that the silent arms prove, and the manner of the shortest death.
///
/// A terminal that has a clock of its own counts only where nothing else ended.
pub(crate) fn bracket(arms: &[Arm]) -> (Timeout, Option<Manner>) {
    let silent = || arms.iter().filter(|arm| arm.moves == Moves::Nothing);
    let unheard = silent().filter(|arm| matches!(arm.end, StretchEnd::Unheard { .. })).count() > 1;
    let shortest = |arms: Vec<&'_ Arm>| arms.into_iter().min_by(|a, b| a.quiet_s().total_cmp(&b.quiet_s())).cloned();
    let dead = |own_clock: bool| {
        shortest(silent().filter(|arm| arm.death().is_some() && has_own_clock(arms, arm) == own_clock).collect())
    };
    let lived_until = |died: f64, quiet: &dyn Fn(&Arm) -> f64, counts: &dyn Fn(&Arm) -> bool| {
        silent()
            .filter(|arm| matches!(arm.end, StretchEnd::Alive { .. }) && counts(arm))
            .map(quiet)
            .filter(|survived| *survived > 0.0 && *survived < died)
            .max_by(f64::total_cmp)
    };
    let of_packets = |arm: &Arm| arm.lasted_s - LATE_ACK_S;
    if let Some(first) = dead(false) {
        let by_itself = matches!(first.death(), Some((_, Sign::BeforeProbe)));
        let earlier = if by_itself { EARLIER_S } else { 0.0 };
        let died = first.quiet_s();
        // Where keepalives die too, only data in the channel counts, and only its quiet is the timer's.
        let of_channel = first.death().is_some_and(|(manner, _)| !manner.is_of_connection()) || data_alone_lives(arms);
        let survived_s = if of_channel {
            lived_until(
                first.channel_quiet_s.unwrap_or(died),
                &|arm| arm.channel_quiet_s.unwrap_or(arm.lasted_s),
                &|_| true,
            )
        } else {
            lived_until(died, &of_packets, &|_| true)
        };
        let died_s = Some(if of_channel { first.channel_quiet_s.unwrap_or(died) } else { died } + earlier);
        return (Timeout { survived_s, died_s }, first.death().map(|(manner, _)| manner.clone()));
    }
    if unheard {
        let died = shortest(silent().filter(|arm| matches!(arm.end, StretchEnd::Unheard { .. })).collect())
            .map(|arm| arm.lasted_s);
        let survived_s = lived_until(died.unwrap_or_default(), &of_packets, &|arm| arm.speaks_first == Speaker::Server);
        return (Timeout { survived_s, died_s: died }, Some(Manner::Silent));
    }
    if let Some(shell) = dead(true) {
        return (
            Timeout { survived_s: None, died_s: Some(shell.quiet_s()) },
            shell.death().map(|(manner, _)| manner.clone()),
        );
    }
    (Timeout { survived_s: lived_until(f64::INFINITY, &of_packets, &|_| true), died_s: None }, None)
}

/// True if a session was ended by the clock of its terminal: its shell left, or it was ended while one without a terminal was silent for as
/// long and lived.
pub(super) fn has_own_clock(arms: &[Arm], arm: &Arm) -> bool {
    let lived = |other: &Arm| {
        let is_plain = other.moves == Moves::Nothing && other.holds.is_plain();
        is_plain && matches!(other.end, StretchEnd::Alive { .. }) && other.lasted_s >= arm.quiet_s()
    };
    let is_ended = arm.holds == Holds::Shell && matches!(arm.death(), Some((_, Sign::BeforeProbe)));
    arm.is_left_by_shell() || is_ended && arms.iter().any(lived)
}

/// True if every session that was kept alive died all the same, although no other silence is as short as its interval, while the one
/// with data in its channel lived.
pub(crate) fn data_alone_lives(arms: &[Arm]) -> bool {
    let silent = arms.iter().filter(|arm| arm.moves == Moves::Nothing && arm.death().is_some());
    let Some(died) = silent.map(Arm::quiet_s).min_by(f64::total_cmp) else { return false };
    let held = || arms.iter().filter(|arm| arm.holds.is_plain());
    let kept = || held().filter(|arm| arm.moves == Moves::Keepalive).filter(|arm| refreshes(arms, arm, died));
    // Younger ones may yet be ended.
    let quiet = channel_quiet_at_death(arms).unwrap_or(died);
    let outlived = |arm: &Arm| matches!(arm.end, StretchEnd::Alive { .. }) && arm.lasted_s > quiet;
    let data = || held().filter(|arm| arm.moves == Moves::ChannelData);
    let data_died = data().any(|arm| arm.kind() != SessionKind::SecondRound && arm.death().is_some());
    let data_lives = data().any(|arm| matches!(arm.end, StretchEnd::Alive { .. })) && !data_died;
    let lack_kills = kept().any(|arm| arm.death().is_some()) && !kept().any(outlived);
    data_lives && lack_kills && !silence_is_survived(arms, quiet) && is_one_limit(arms)
}

/// True if the sessions without data that were ended by themselves had been without data for as long: one limit ends them all.
fn is_one_limit(arms: &[Arm]) -> bool {
    /// The times may differ by this part and this many seconds: some servers look only now and then.
    const ALIKE: (f64, f64) = (0.15, 1.5);
    let is_without = |arm: &&Arm| matches!(arm.moves, Moves::Nothing | Moves::Keepalive) && arm.holds != Holds::Nothing;
    let ended = arms.iter().filter(is_without).filter(|arm| matches!(arm.death(), Some((_, Sign::BeforeProbe))));
    let quiets: Vec<f64> = ended.map(|arm| arm.channel_quiet_s.unwrap_or(arm.lasted_s)).collect();
    let (least, most) = (quiets.iter().copied().reduce(f64::min), quiets.iter().copied().reduce(f64::max));
    least.zip(most).is_none_or(|(least, most)| most < least * (1.0 + ALIKE.0) + ALIKE.1)
}

/// True if sessions without data survived much longer than this many seconds: then it is not the lack of data that ends others.
fn silence_is_survived(arms: &[Arm], quiet: f64) -> bool {
    let lived = arms.iter().filter(|arm| arm.moves == Moves::Nothing && arm.holds.is_plain());
    let lived = lived.filter(|arm| matches!(arm.end, StretchEnd::Alive { .. }));
    lived.map(|arm| arm.channel_quiet_s.unwrap_or(arm.lasted_s)).any(|lived| lived > quiet * 1.5 + 1.0)
}

/// True if something moved on a session more often than silence kills: at a shorter interval than what killed, or at one at
/// which data kept a session alive.
pub(crate) fn refreshes(arms: &[Arm], arm: &Arm, died_s: f64) -> bool {
    let data = arms.iter().filter(|arm| arm.moves == Moves::ChannelData && matches!(arm.end, StretchEnd::Alive { .. }));
    let enough = data.filter_map(|arm| arm.interval_s).max();
    arm.interval_s.is_some_and(|interval| f64::from(interval) < died_s || Some(interval) <= enough)
}

/// The shortest time without data in the channel after which a silent command was ended: longer than the silence of packets where the
/// session had survived another one before.
pub(crate) fn channel_quiet_at_death(arms: &[Arm]) -> Option<f64> {
    let silent = arms.iter().filter(|arm| arm.moves == Moves::Nothing && arm.holds.is_plain());
    silent.filter(|arm| arm.death().is_some()).filter_map(|arm| arm.channel_quiet_s).min_by(f64::total_cmp)
}

/// The time for which a session has to live before its keepalive counts as proven, beyond the silences, seconds: whatever ends sessions without
/// data in the channel, or ended one that was kept alive, has had the time to end this one too.
pub(crate) fn trial(arms: &[Arm]) -> f64 {
    let kept = arms.iter().filter(|arm| arm.moves == Moves::Keepalive && arm.holds.is_plain() && arm.death().is_some());
    let first = kept.map(|arm| arm.lasted_s).min_by(f64::total_cmp);
    channel_quiet_at_death(arms).unwrap_or_default().max(first.unwrap_or_default())
}

/// True if a session that held a channel died although it was kept alive at this interval or a shorter one: nothing is proven then. What
/// drops packets without a word ends none by a reset or a close.
pub(crate) fn died_kept(arms: &[Arm], interval: u32, killer: Option<&Manner>) -> bool {
    let may_be_killers = |manner: &Manner| killer != Some(&Manner::Silent) || *manner == Manner::Silent;
    arms.iter().any(|arm| {
        arm.moves == Moves::Keepalive
            && arm.holds != Holds::Nothing
            && arm.death().is_some_and(|(manner, _)| may_be_killers(manner))
            && arm.interval_s.is_some_and(|own| own <= interval)
    })
}

/// Returns the interval of the server's own packets: the longest quiet on a session on which it sent any.
pub(crate) fn server_speaks(arms: &[Arm]) -> Option<f64> {
    let heard = arms.iter().filter(|arm| {
        arm.moves == Moves::Nothing
            && arm.holds.is_plain()
            && arm.heard_bytes > 0
            && arm.speaks_first == Speaker::Client
    });
    let quiet =
        heard.filter(|arm| matches!(arm.end, StretchEnd::Alive { .. } | StretchEnd::Open)).map(|arm| arm.lasted_s);
    let quiet: Vec<f64> = quiet.collect();
    // One late word of a session's start is no rhythm.
    quiet.iter().copied().max_by(f64::total_cmp).filter(|_| quiet.len() > 1)
}
