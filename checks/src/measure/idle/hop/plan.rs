//! The next hops to try, and the refresh interval: a pure plan.

use std::time::Duration;

use crate::facts::idle::hop::{Bare, Bounds, TtlProbe, bounds};
use crate::facts::path::{Path, Place, Range};

/// Linux's shortest interval between TCP keepalives.
const SHORTEST: f64 = 1.0;
/// Far below 300 s, to which Linux's NAT shortens its timer once keepalives stay unanswered (`nf_conntrack_tcp_timeout_max_retrans`).
const LONGEST: f64 = 60.0;

/// Returns the refresh interval when `survived_s` seconds of silence are known to be survived; none below 2 s, where
/// the kernel is too slow.
#[must_use]
pub fn interval(survived_s: f64) -> Option<Duration> {
    // Two keepalives in a row may be lost.
    let interval = (survived_s / 3.0).floor().clamp(SHORTEST, LONGEST);
    (survived_s >= 2.0 * SHORTEST).then(|| Duration::from_secs_f64(interval))
}

/// The room for sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// In the next round.
    pub now: usize,
    /// In each later one.
    pub later: usize,
}

/// The hops of the next round, no more than there is room for; none when there is nothing more to learn.
///
/// They are chosen so that as few further rounds as possible are to be expected: a likely hop is separated from its neighbours at once. The
/// furthest hop that may forget is always among them where two fit: when it is alive at the moment when others are not, the path is well.
#[must_use]
pub fn next(path: &Path, most: u8, room: Room, trials: &[TtlProbe], bare: Bare) -> Vec<u8> {
    let Bounds { after, alive } = bounds(trials, bare);
    let candidates = path.candidates(most);
    let Some(last) = alive.map(|trial| trial.hop).or(candidates.last().copied()) else { return Vec::new() };
    let is_tried = |hop: u8| trials.iter().any(|trial| trial.hop == hop && !trial.ended_otherwise(bare));
    let after = after.unwrap_or(0);
    let open: Vec<u8> = candidates.iter().copied().filter(|&hop| hop > after && hop < last && !is_tried(hop)).collect();
    // Nothing lived at the furthest hop: what happens nearer says nothing more.
    if alive.is_none() && is_tried(last) || open.is_empty() && is_tried(last) {
        return Vec::new();
    }
    let count = room.now.saturating_sub(1).max(usize::from(!open.is_empty()));
    let mut hops = spread(path, &[&[after], &*open, &[last]].concat(), count, room.later);
    if hops.len() < room.now {
        hops.push(last);
    }
    hops
}

/// Chooses this many of the hops between the first bound and the last so that `later` sessions need the fewest further rounds.
fn spread(path: &Path, bounds: &[u8], count: usize, later: usize) -> Vec<u8> {
    let [first, open @ .., _] = bounds else { return Vec::new() };
    if open.len() <= count {
        return open.to_vec();
    }
    let rest = |from: u8, to: u8| {
        let weight: usize = (from + 1..=to).map(|hop| weight(path, hop)).sum();
        weight * (1000 * rounds(usize::from(to - from), later) + usize::from(to - from))
    };
    // For each bound, what the best choice of so many hops before it leaves up to there, and that choice.
    let mut best: Vec<_> = bounds.iter().map(|&to| (to > *first).then(|| (rest(*first, to), Vec::new()))).collect();
    for _ in 0..count {
        let with_one_more = |to: u8| {
            let before = bounds.iter().zip(&best).filter(|(by, _)| **by < to);
            let choices = before.filter_map(|(&by, known)| {
                let (left, hops) = known.as_ref()?;
                Some((left + rest(by, to), [hops, &[by][..]].concat()))
            });
            choices.min()
        };
        best = bounds.iter().map(|&to| with_one_more(to)).collect();
    }
    best.pop().flatten().map(|(_, hops)| hops).unwrap_or_default()
}

/// Returns the number of rounds that single out one of so many hops, when each divides them by the number of its
/// sessions.
fn rounds(hops: usize, sessions: usize) -> usize {
    let divided = std::iter::successors(Some(hops), |hops| Some(hops.div_ceil(sessions.max(2))));
    divided.take_while(|hops| *hops > 1).count()
}

/// Returns how much more likely one hop is than any other to hold a state: NAT is done at home, by the provider, and in
/// front of the server.
fn weight(path: &Path, hop: u8) -> usize {
    let is_public = |hop| path.address(hop).map(|address| Range::of(address) == Range::Public);
    match Place::of(hop, path.distance.map(|distance| distance.hops)) {
        Place::Gateway => 8,
        // The last with a private address may be the NAT, and so may the first with a public one.
        _ if is_public(hop) == Some(false) && is_public(hop + 1) != Some(false) => 7,
        _ if is_public(hop) == Some(false) => 4,
        _ if hop > 1 && is_public(hop - 1) == Some(false) => 4,
        Place::BeforeServer | Place::Server => 4,
        Place::Middle | Place::Unknown => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::idle::LocatedHop;
    use crate::facts::idle::hop::locate;
    use crate::facts::idle::hop::tests::{killed, trial};
    use crate::facts::path::{Distance, Hop, Protocol};

    fn path(hops: u8) -> Path {
        let hop =
            |number| Hop { number, address: Some([192, 0, 2, number].into()), rtt_ms: Some(1.0), others: Vec::new() };
        Path { hops: (1..=hops).map(hop).collect(), distance: Some(Distance { hops, by: Protocol::Udp }) }
    }

    fn room(sessions: usize) -> Room {
        Room { now: sessions, later: sessions }
    }

    /// Simulates a path whose hop `forgetful` drops idle connections: the verdict and the number of rounds.
    fn play(path: &Path, forgetful: u8, sessions: usize) -> (LocatedHop, usize) {
        let mut trials = Vec::new();
        for round in 0..30 {
            let hops = next(path, 30, room(sessions), &trials, killed(8.0));
            assert!(hops.len() <= sessions, "{hops:?}");
            if hops.is_empty() {
                return (locate(&trials, killed(8.0)).unwrap(), round);
            }
            trials.extend(hops.into_iter().map(|hop| trial(hop, hop >= forgetful)));
        }
        panic!("no end");
    }

    #[test]
    fn every_hop_is_found_on_every_path_with_any_number_of_sessions() {
        for hops in 1..=16 {
            for (forgetful, sessions) in (1..=hops).flat_map(|hop| [1, 2, 3, 5, 16].map(|sessions| (hop, sessions))) {
                let (verdict, rounds) = play(&path(hops), forgetful, sessions);
                assert_eq!(verdict.hops(), forgetful..=forgetful, "{hops} hops, {sessions} sessions");
                assert!(sessions < 16 || rounds == 1, "{rounds} rounds");
                assert!(sessions < 5 || rounds <= 3, "{rounds} rounds for {hops} hops");
            }
        }
    }

    #[test]
    fn likely_hops_are_tried_first() {
        let mut long = path(12);
        long.hops[1].address = "100.64.0.1".parse().ok();
        let first = next(&long, 30, room(5), &[], killed(8.0));
        assert!(first.contains(&1) && first.contains(&2) && first.contains(&12), "{first:?}");
        for likely in [1, 2] {
            assert_eq!(play(&long, likely, 5).1, 1, "hop {likely} takes one round");
        }
    }

    #[test]
    fn a_first_round_of_few_sessions_leaves_no_more_than_a_second_of_many_tells() {
        let mut long = path(15);
        for (hop, address) in [(0, "192.168.1.1"), (1, "10.20.0.1"), (2, "100.64.0.1")] {
            long.hops[hop].address = address.parse().ok();
        }
        let first = next(&long, 30, Room { now: 5, later: 12 }, &[], Bare::default());
        assert_eq!(first, [1, 2, 3, 4, 15], "the home's router, the provider's NAT, and the first behind it");
        let nobody = next(&path(15), 30, Room { now: 5, later: 12 }, &[], Bare::default());
        assert_eq!(nobody, [1, 2, 13, 14, 15], "the first router, and what stands in front of the server");
        for forgetful in 5..15 {
            let mut seen: Vec<_> = first.iter().map(|&hop| trial(hop, hop >= forgetful)).collect();
            let second = next(&long, 30, Room { now: 12, later: 12 }, &seen, killed(8.0));
            assert!(second.len() <= 12, "{second:?}");
            seen.extend(second.into_iter().map(|hop| trial(hop, hop >= forgetful)));
            assert_eq!(locate(&seen, killed(8.0)).unwrap().hops(), forgetful..=forgetful);
        }
    }

    #[test]
    fn each_round_has_a_session_that_should_live() {
        let seen = [trial(3, false), trial(6, true), trial(9, true)];
        let hops = next(&path(9), 30, room(8), &seen, Bare::default());
        assert_eq!(hops, [4, 5, 6]);
    }

    #[test]
    fn what_no_keepalive_prevents_is_not_tried_again() {
        assert!(next(&path(4), 30, room(8), &[trial(1, false), trial(4, false)], killed(8.0)).is_empty());
        assert!(
            next(&path(4), 30, room(8), &[trial(2, true), trial(3, false), trial(4, true)], killed(8.0)).is_empty()
        );
    }

    #[test]
    fn a_hop_whose_session_ended_sooner_than_the_timer_is_tried_again() {
        let early = TtlProbe { lasted_s: 3.0, ..trial(2, false) };
        let bare = Bare { survived_s: Some(7.0), ..killed(8.0) };
        assert_eq!(next(&path(3), 30, room(8), &[trial(1, false), early, trial(3, true)], bare), [2, 3]);
    }

    #[test]
    fn without_a_distance_the_last_session_comes_anywhere() {
        let mut unknown = path(3);
        unknown.distance = None;
        assert_eq!(next(&unknown, 30, room(8), &[], Bare::default()), [1, 2, 3, 4, 30]);
    }

    #[test]
    fn keepalives_come_three_times_within_what_is_survived() {
        assert_eq!(
            [1.9, 2.0, 5.5, 30.0, 350.0].map(interval),
            [None, Some(1), Some(1), Some(10), Some(60)].map(|s| s.map(Duration::from_secs))
        );
    }
}
