//! Which hops to try next, and how often to refresh: a pure plan.

use std::time::Duration;

use super::Trial;
use super::verdict::{Told, told};
use crate::path::{Path, Place, Range};

/// Linux's shortest interval between TCP keepalives.
const SHORTEST: f64 = 1.0;
/// Far below 300 s, to which Linux's NAT shortens its timer once keepalives stay unanswered (`nf_conntrack_tcp_timeout_max_retrans`).
const LONGEST: f64 = 60.0;

/// How often to refresh when `survived_s` seconds of silence are known to be lived through; none below 2 s, where the kernel is too slow.
#[must_use]
pub fn interval(survived_s: f64) -> Option<Duration> {
    // Two keepalives in a row may be lost.
    let interval = (survived_s / 3.0).floor().clamp(SHORTEST, LONGEST);
    (survived_s >= 2.0 * SHORTEST).then(|| Duration::from_secs_f64(interval))
}

/// The hops of the next round, at most `sessions` of them; none when there is nothing more to learn.
///
/// Together they halve and halve again what may be the hop that forgets, counting a likely hop for several. The furthest hop that may be
/// it is always among them where two fit: when it is alive at the moment when others are not, the path is well.
#[must_use]
pub fn next(path: &Path, most: u8, sessions: usize, trials: &[Trial], bare_died_s: Option<f64>) -> Vec<u8> {
    let Told { after, alive } = told(trials, bare_died_s);
    let candidates = path.candidates(most);
    let Some(last) = alive.map(|trial| trial.hop).or(candidates.last().copied()) else { return Vec::new() };
    let is_tried = |hop: u8| trials.iter().any(|trial| trial.hop == hop);
    let open: Vec<u8> =
        candidates.iter().copied().filter(|&hop| hop > after.unwrap_or(0) && hop < last && !is_tried(hop)).collect();
    // Nothing lived at the furthest hop: what happens nearer says nothing more.
    if alive.is_none() && is_tried(last) || open.is_empty() && is_tried(last) {
        return Vec::new();
    }
    let mut hops = spread(path, &open, sessions.saturating_sub(1).max(usize::from(!open.is_empty())));
    if hops.len() < sessions {
        hops.push(last);
    }
    hops
}

/// Takes so many of the hops that what lies between two of them is equally likely.
fn spread(path: &Path, open: &[u8], count: usize) -> Vec<u8> {
    if open.len() <= count {
        return open.to_vec();
    }
    let total: usize = open.iter().map(|&hop| weight(path, hop)).sum();
    let (mut sum, mut taken) = (0, Vec::new());
    for &hop in open {
        sum += weight(path, hop);
        if taken.len() < count && sum * (count + 1) >= total * (taken.len() + 1) {
            taken.push(hop);
        }
    }
    taken
}

/// How much more likely than any other hop one is to hold a state: NAT is done at home, by the provider, and in front of the server.
fn weight(path: &Path, hop: u8) -> usize {
    let is_public = |hop| path.address(hop).map(|address| Range::of(address) == Range::Public);
    match Place::of(hop, path.distance.map(|distance| distance.hops)) {
        Place::Gateway => 8,
        Place::BeforeServer | Place::Server => 3,
        _ if is_public(hop) == Some(false) => 6,
        // The first with a public address may be the NAT itself.
        _ if hop > 1 && is_public(hop - 1) == Some(false) => 4,
        Place::Middle | Place::Unknown => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::{Verdict, forgets, tests::trial};
    use super::*;
    use crate::path::{Distance, Hop, Protocol};

    fn path(hops: u8) -> Path {
        let hop = |number| Hop { number, address: Some([192, 0, 2, number].into()), rtt_ms: Some(1.0) };
        Path { hops: (1..=hops).map(hop).collect(), distance: Some(Distance { hops, by: Protocol::Udp }) }
    }

    /// Plays a path whose hop `forgetful` forgets: the verdict and the number of rounds.
    fn play(path: &Path, forgetful: u8, sessions: usize) -> (Verdict, usize) {
        let mut trials = Vec::new();
        for round in 0..30 {
            let hops = next(path, 30, sessions, &trials, Some(8.0));
            assert!(hops.len() <= sessions, "{hops:?}");
            if hops.is_empty() {
                return (forgets(&trials, Some(8.0)).unwrap(), round);
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
        let first = next(&long, 30, 5, &[], Some(8.0));
        assert!(first.contains(&1) && first.contains(&2) && first.contains(&12), "{first:?}");
        for likely in [1, 2] {
            assert_eq!(play(&long, likely, 5).1, 1, "hop {likely} takes one round");
        }
    }

    #[test]
    fn each_round_has_a_session_that_should_live() {
        let seen = [trial(3, false), trial(6, true), trial(9, true)];
        let hops = next(&path(9), 30, 8, &seen, None);
        assert_eq!(hops, [4, 5, 6]);
    }

    #[test]
    fn what_no_keepalive_prevents_is_not_tried_again() {
        assert!(next(&path(4), 30, 8, &[trial(1, false), trial(4, false)], Some(8.0)).is_empty());
        assert!(next(&path(4), 30, 8, &[trial(2, true), trial(3, false), trial(4, true)], Some(8.0)).is_empty());
    }

    #[test]
    fn without_a_distance_the_last_session_comes_anywhere() {
        let mut unknown = path(3);
        unknown.distance = None;
        assert_eq!(next(&unknown, 30, 8, &[], None), [1, 2, 3, 4, 30]);
    }

    #[test]
    fn keepalives_come_three_times_within_what_is_survived() {
        assert_eq!(
            [1.9, 2.0, 5.5, 30.0, 350.0].map(interval),
            [None, Some(1), Some(1), Some(10), Some(60)].map(|s| s.map(Duration::from_secs))
        );
    }
}
