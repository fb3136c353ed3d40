//! Hundreds of examinations of paths that reset connections at random, have a timer, or both, without a network: what they may conclude
//! and what they have to find.

mod acts;
mod connection;
mod control;
mod examination;
mod path;

use examination::{Examination, Found};
use path::{Expiry, Gaps, PathModel, Place, Random};

use crate::facts::connection::Manner;
use crate::facts::idle::{Facts, Moves, StretchEnd};

const LONGEST_S: f64 = 25.0;
/// The pauses between two resets: the lab's, shorter ones, and some that leave only a few resets to an examination.
const OFTEN: [(f64, f64); 2] = [(1.0, 3.0), (3.0, 5.0)];
const SELDOM: (f64, f64) = (2.0, 12.0);
const EXPIRIES: [Expiry; 3] = [Expiry::Forgotten, Expiry::Rejected, Expiry::Reset];

/// The manner of the ends that a judge would have to blame on silence, where there are any.
fn blamed(found: &Found) -> Option<Manner> {
    found.facts.timeout().died_s.and(found.facts.manner())
}

/// The manner in which a timer ends sessions.
fn manner(expiry: Expiry) -> Manner {
    if expiry == Expiry::Forgotten { Manner::Silent } else { Manner::Reset }
}

/// A timer between 5 s and 20 s, another one for each seed.
fn timer_s(seed: u64) -> f64 {
    Random(seed ^ 0x5eed).between((5.0, 20.0))
}

#[test]
fn where_resets_at_random_are_shown_no_silence_is_blamed() {
    for pauses in OFTEN.into_iter().chain([SELDOM]) {
        for place in [Place::Direct, Place::BeforeHop, Place::BehindHop] {
            let path = PathModel { resets: Some(pauses), place, late_lines: 0.03, ..PathModel::PLAIN };
            let (mut shown, mut wrong) = (0, 0);
            for seed in 0..150 {
                let found = Examination::of(path, LONGEST_S, seed);
                if found.timeline.random_resets().is_some() {
                    let explained = found.facts.arms.iter().all(|arm| arm.death().is_none());
                    assert!(explained && blamed(&found).is_none(), "{path:?}, seed {seed}: {:#?}", found.facts.arms);
                    shown += 1;
                } else {
                    wrong += usize::from(blamed(&found).is_some());
                }
            }
            assert!(shown > 120, "{shown}: {path:?}");
            // Two or three sessions that were reset, and silent all of them, may look like a timer's; through a hop they end in order, as
            // a server ends them.
            let most = if place == Place::Direct { 5 } else { 20 };
            assert!(wrong <= most, "{wrong}: {path:?}");
        }
    }
}

/// True if the timer was found: its bracket holds it, or ends with a session that was reset just before, and the keepalive is proven for it
/// if it is proven at all.
fn is_found(seen: &Found, timer_s: f64, expiry: Expiry) -> bool {
    let (timeout, keepalive) = (seen.facts.timeout(), seen.facts.keepalive());
    let is_in = timeout.survived_s.is_none_or(|survived_s| survived_s <= timer_s)
        && timeout.died_s.is_none_or(|died_s| died_s > timer_s - 1.0);
    let is_held = keepalive.interval_s.is_none_or(|interval| f64::from(interval) < timer_s);
    blamed(seen) == Some(manner(expiry)) && is_in && (is_held || keepalive.verified != Some(true))
}

#[test]
fn a_timer_beside_resets_at_random_is_found_and_measured() {
    for pauses in OFTEN.into_iter().chain([SELDOM]) {
        for expiry in EXPIRIES {
            let (mut found, mut proven, mut wrong) = (0, 0, 0);
            for seed in 0..100 {
                let timer_s = timer_s(seed);
                let path = PathModel { resets: Some(pauses), timer: Some((timer_s, expiry)), ..PathModel::PLAIN };
                let seen = Examination::of(path, LONGEST_S, seed);
                if is_found(&seen, timer_s, expiry) {
                    found += 1;
                    proven += usize::from(seen.facts.keepalive().verified == Some(true));
                } else {
                    wrong += usize::from(blamed(&seen).is_some());
                }
            }
            // One that resets sessions itself differs from chance only by how alike the silences are that it ends.
            let least = if pauses == OFTEN[0] && expiry != Expiry::Forgotten { 50 } else { 80 };
            assert!(found >= least && wrong < 6, "{found} found, {wrong} wrong: {pauses:?}, {expiry:?}");
            // What resets at random ended tells nothing of how long a proof takes.
            let least = match pauses {
                _ if pauses == OFTEN[0] => 20,
                _ if pauses == OFTEN[1] => 75,
                _ => 88,
            };
            assert!(proven >= least, "{proven} of {found} proven: {pauses:?}, {expiry:?}");
        }
    }
}

#[test]
fn a_timer_alone_is_found_every_time_and_a_path_that_does_nothing_has_none() {
    for seed in 0..100 {
        for expiry in EXPIRIES {
            let path = PathModel { timer: Some((timer_s(seed), expiry)), ..PathModel::PLAIN };
            let seen = Examination::of(path, LONGEST_S, seed);
            let is_proven = seen.facts.keepalive().verified == Some(true);
            assert!(is_proven && is_found(&seen, timer_s(seed), expiry), "{path:?}, seed {seed}");
        }
        let path = PathModel { late_lines: 0.03, ..PathModel::PLAIN };
        let seen = Examination::of(path, LONGEST_S, seed).facts;
        assert!(seen.all_lived() && seen.timeout().survived_s > Some(LONGEST_S - 0.5), "seed {seed}: {:#?}", seen.arms);
    }
}

/// A path that is down again and again, from another moment on for each seed.
fn with_gaps((up, down): (f64, f64), load: f64, seed: u64) -> PathModel {
    let first = Random(seed ^ 0xfee1).between((0.0, up + down));
    PathModel { gaps: Some(Gaps { up, down, first }), load, ..PathModel::PLAIN }
}

#[test]
fn interruptions_never_shorten_the_test() {
    for gaps in [(7.0, 2.0), (5.0, 1.7), (12.0, 4.0), (20.0, 8.0)] {
        for load in [0.0, 0.3] {
            for seed in 0..24 {
                let seen = Examination::of(with_gaps(gaps, load, seed), 30.0, seed).facts;
                let survived_s = seen.timeout().survived_s;
                let is_whole = seen.complete && seen.all_lived() && survived_s > Some(29.5);
                assert!(is_whole, "{survived_s:?}, {gaps:?}, load {load}, seed {seed}: {:#?}", seen.arms);
            }
        }
    }
}

#[test]
fn a_timer_beside_interruptions_is_found_and_measured() {
    for gaps in [(7.0, 2.0), (12.0, 4.0), (15.0, 5.0), (20.0, 8.0)] {
        for load in [0.0, 0.3] {
            let (mut found, mut proven) = (0, 0);
            for seed in 0..24 {
                let timer_s = timer_s(seed);
                let path = PathModel { timer: Some((timer_s, Expiry::Forgotten)), ..with_gaps(gaps, load, seed) };
                let seen = Examination::of(path, LONGEST_S, seed);
                let is_found = is_found(&seen, timer_s, Expiry::Forgotten);
                found += usize::from(is_found);
                proven += usize::from(is_found && seen.facts.keepalive().verified == Some(true));
            }
            assert!(found == 24 && proven >= 23, "{found} found, {proven} proven: {gaps:?}, load {load}");
        }
    }
}

#[test]
fn a_timer_is_found_and_its_keepalive_proven_where_sessions_are_opened_a_few_at_a_time() {
    for seed in 0..100 {
        for expiry in EXPIRIES {
            let timer_s = Random(seed ^ 0x0b0e).between((5.0, 330.0));
            let path = PathModel { timer: Some((timer_s, expiry)), spread: true, ..PathModel::PLAIN };
            let seen = Examination::of(path, 360.0, seed);
            let is_proven = seen.facts.keepalive().verified == Some(true);
            assert!(is_proven && is_found(&seen, timer_s, expiry), "{path:?}, seed {seed}");
            assert!(is_judged(&seen.facts, Moves::TcpKeepalive) && is_judged(&seen.facts, Moves::ServerData), "{seed}");
            assert!(seen.timeline.until_s < timer_s + 205.0, "{} for {timer_s}", seen.timeline.until_s);
        }
        let path = PathModel { late_lines: 0.03, spread: true, ..PathModel::PLAIN };
        let seen = Examination::of(path, 360.0, seed);
        assert!(seen.facts.all_lived() && seen.facts.timeout().survived_s > Some(359.5), "seed {seed}");
        assert!(seen.timeline.until_s < 418.0, "{}", seen.timeline.until_s);
    }
}

/// True if a session on which this moved was judged.
fn is_judged(facts: &Facts, moves: Moves) -> bool {
    facts.arms.iter().any(|arm| arm.moves == moves && arm.end != StretchEnd::Open)
}
