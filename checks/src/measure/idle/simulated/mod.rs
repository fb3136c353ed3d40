//! Hundreds of examinations of paths that reset connections at random, have a timer, or both, without a network: what they may conclude, and
//! what they must find.

mod acts;
mod connection;
mod examination;
mod path;

use std::collections::BTreeMap;

use examination::{Examination, Found};
use path::{Expiry, PathModel, Place, Random};

use crate::causes;
use crate::facts::{Evidence, Step, Timed};

const LONGEST_S: f64 = 25.0;
/// The pauses between two resets: the lab's, shorter ones, and some that leave only a few resets to an examination.
const OFTEN: [(f64, f64); 2] = [(1.0, 3.0), (3.0, 5.0)];
const SELDOM: (f64, f64) = (2.0, 12.0);
const EXPIRIES: [Expiry; 3] = [Expiry::Forgotten, Expiry::Rejected, Expiry::Reset];

/// The causes that are named, in the catalogue's order.
fn named(found: &Found) -> Vec<&'static str> {
    let facts = found.facts.clone();
    let lived = facts.all_lived() || facts.own_outlives_all();
    let step = if lived { Step::Passed(facts) } else { Step::Failed(facts) };
    let idle = Timed { step, duration_ms: 1.0 };
    let evidence = Evidence { idle, timeline: Box::new(found.timeline.clone()), ..Evidence::unexamined() };
    let matched = causes::idle::CAUSES.iter().chain(causes::timeline::CAUSES);
    let matched: Vec<_> = matched.filter(|cause| (cause.judge)(&evidence).is_some()).collect();
    let hidden = |code: &str| matched.iter().any(|cause| cause.code != code && cause.hides.contains(&code));
    matched.iter().map(|cause| cause.code).filter(|code| !hidden(code)).collect()
}

fn blames_silence(codes: &[&str]) -> bool {
    codes.iter().any(|code| code.starts_with("idle-") || code.starts_with("session-"))
}

/// A timer between 5 s and 20 s, another one for each seed.
fn timer_s(seed: u64) -> f64 {
    Random(seed ^ 0x5eed).between((5.0, 20.0))
}

/// The causes named in so many examinations of a path, how often, and the first seed.
fn tally(trials: u64, path: impl Fn(u64) -> PathModel) -> BTreeMap<Vec<&'static str>, (usize, u64)> {
    let mut tally = BTreeMap::new();
    for seed in 0..trials {
        tally.entry(named(&Examination::of(path(seed), LONGEST_S, seed))).or_insert((0, seed)).0 += 1;
    }
    tally
}

#[test]
fn where_resets_at_random_are_shown_no_silence_is_blamed() {
    for pauses in OFTEN.into_iter().chain([SELDOM]) {
        for place in [Place::Direct, Place::BeforeHop, Place::BehindHop] {
            let path = PathModel { resets: Some(pauses), place, late_lines: 0.03, ..PathModel::PLAIN };
            let (mut shown, mut blamed) = (0, 0);
            for seed in 0..150 {
                let found = Examination::of(path, LONGEST_S, seed);
                let codes = named(&found);
                if found.timeline.random_resets().is_some() {
                    assert_eq!(codes, ["path-random-resets"], "{path:?}, seed {seed}");
                    shown += 1;
                } else if blames_silence(&codes) {
                    blamed += 1;
                }
            }
            assert!(shown > 120, "{shown}: {path:?}");
            // Two or three sessions that were reset, and silent all of them, may look like a timer's.
            assert!(blamed < 6, "{blamed}: {path:?}");
        }
    }
}

/// True if the timer was found: its bracket holds it, or ends with a session that was reset just before, and the keepalive is proven for it
/// if it is proven at all.
fn is_found(seen: &Found, timer_s: f64, code: &str) -> bool {
    let (timeout, keepalive) = (seen.facts.timeout(), seen.facts.keepalive());
    let is_in = timeout.survived_s.is_none_or(|survived_s| survived_s <= timer_s)
        && timeout.died_s.is_none_or(|died_s| died_s > timer_s - 1.0);
    let is_held = keepalive.interval_s.is_none_or(|interval| f64::from(interval) < timer_s);
    named(seen).contains(&code) && is_in && (is_held || keepalive.verified != Some(true))
}

#[test]
fn a_timer_beside_resets_at_random_is_found_and_measured() {
    for pauses in OFTEN.into_iter().chain([SELDOM]) {
        for expiry in EXPIRIES {
            let code = if expiry == Expiry::Forgotten { "idle-silent-drop" } else { "idle-reset" };
            let (mut found, mut wrong) = (0, 0);
            for seed in 0..100 {
                let timer_s = timer_s(seed);
                let path = PathModel { resets: Some(pauses), timer: Some((timer_s, expiry)), ..PathModel::PLAIN };
                let seen = Examination::of(path, LONGEST_S, seed);
                if is_found(&seen, timer_s, code) {
                    found += 1;
                } else if blames_silence(&named(&seen)) {
                    wrong += 1;
                }
            }
            // One that resets sessions itself differs from chance only by how alike the silences are that it ends.
            let least = if pauses == OFTEN[0] && expiry != Expiry::Forgotten { 50 } else { 80 };
            assert!(found >= least && wrong < 6, "{found} found, {wrong} wrong: {pauses:?}, {expiry:?}");
        }
    }
}

#[test]
fn a_timer_alone_is_found_every_time_and_a_path_that_does_nothing_has_none() {
    for expiry in EXPIRIES {
        let found = tally(100, |seed| PathModel { timer: Some((timer_s(seed), expiry)), ..PathModel::PLAIN });
        let code = if expiry == Expiry::Forgotten { "idle-silent-drop" } else { "idle-reset" };
        assert_eq!(found.keys().collect::<Vec<_>>(), [&[code, "idle-no-keepalive"]], "{found:?}");
    }
    let found = tally(100, |_| PathModel { late_lines: 0.03, ..PathModel::PLAIN });
    assert_eq!(found.keys().collect::<Vec<_>>(), [&[""; 0]], "{found:?}");
}
