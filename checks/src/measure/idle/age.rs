//! All sessions ended at once, busy ones among them: was it their age, or the moment? Two more sessions of different age tell.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::held::Held;
use super::onlooker;
use super::session::{DATA_INTERVAL, Test};
use crate::base::text::seconds;
use crate::facts::idle::bracket::ended_moving;
use crate::facts::idle::{Arm, End, Facts, Holds, Moves, SECOND_ROUND, Sign, Speaker};
use crate::measure::progress::Progress;
use crate::ssh::connection::Answer;
use crate::ssh::ending::Ending;

/// Deaths within this time are one event, seconds.
const AT_ONCE_S: f64 = 4.0;
/// How much later than the first the second session starts, as a part of the age in question.
const LATER: f64 = 0.3;
/// How much older than the age in question a session has to become to disprove it.
const OLDER: f64 = 1.15;

/// The age at which all sessions ended, or their age when they ended at one moment, although something moved on one of them; `None` where
/// that is not so.
pub(super) fn mass_death(facts: &Facts) -> Option<f64> {
    let moving = ended_moving(facts)?;
    let silent_too = facts.arms.iter().any(|arm| arm.moves == Moves::Nothing && arm.death().is_some());
    let at_that_time = || facts.arms.iter().filter(|arm| arm.started_s < ended(moving) - AT_ONCE_S / 4.0);
    // A connection that carried the transfer, or took its time to be opened, is older than the others at the same moment.
    let all_at = |time: fn(&Arm) -> f64| {
        at_that_time().all(|arm| match &arm.end {
            End::Died { .. } => (time(arm) - time(moving)).abs() <= AT_ONCE_S,
            End::Alive { .. } | End::Unheard { .. } => time(arm) <= time(moving) + AT_ONCE_S,
            End::Void { .. } | End::Open => true,
        })
    };
    (silent_too && (all_at(ended) || all_at(|arm| arm.age_s))).then_some(moving.age_s)
}

/// Whether what two more sessions showed makes it something else than silence: where no session had data, only deaths do.
pub(super) fn is_explained(facts: &Facts) -> bool {
    let later = || facts.busy().filter(|arm| arm.session > SECOND_ROUND);
    ended_moving(facts).is_some_and(|arm| arm.moves == Moves::ChannelData) || later().any(|arm| arm.death().is_some())
}

fn ended(arm: &Arm) -> f64 {
    arm.started_s + arm.lasted_s
}

/// Holds two busy sessions, one started later than the other, until they are older than `age` seconds or have ended; tells the onlooker.
pub(super) async fn second_round(test: &Test, age: f64, progress: &Progress) -> Vec<Arm> {
    let until = Instant::now() + Duration::from_secs_f64(age * (OLDER + LATER));
    let phase = format!("all sessions ended at the age of {}; looking whether new ones do", seconds(age));
    tokio::select! {
        arms = two_ages(test, age) => arms,
        () = onlooker::tell(&test.board, progress, &phase, || Some(until)) => Vec::new(),
    }
}

async fn two_ages(test: &Test, age: f64) -> Vec<Arm> {
    let first = busy(test, 1, Duration::ZERO, age);
    let second = busy(test, 2, Duration::from_secs_f64(age * LATER), age);
    let (mut first, mut second) = tokio::join!(first, second);
    let outlived = |own: Option<f64>, other: Option<f64>| own.zip(other).is_some_and(|(own, other)| other > own + 1.0);
    let (first_end, second_end) = (first.as_ref().map(ended), second.as_ref().map(ended));
    for (arm, own, other) in [(&mut first, first_end, second_end), (&mut second, second_end, first_end)] {
        if let Some(Arm { end: End::Died { others_alive, .. }, .. }) = arm {
            *others_alive = outlived(own, other);
        }
    }
    first.into_iter().chain(second).collect()
}

/// One session with data every two seconds, opened after `delay`.
async fn busy(test: &Test, number: u32, delay: Duration, age: f64) -> Option<Arm> {
    sleep(delay).await;
    let began = Instant::now();
    let mut held = Held::open(&test.login, test.mark.as_deref(), false, test.deadline).await.ok()?;
    test.board.started(held.pids);
    let mut ended = None;
    let mut last = None;
    while began.elapsed().as_secs_f64() < age * OLDER {
        match held.echo(&mut ended).await {
            Answer::Alive(rtt) => last = Some(rtt),
            Answer::Silent | Answer::Gone => break,
        }
        tokio::select! {
            () = sleep(Duration::from_secs(DATA_INTERVAL.into())) => {}
            event = held.event() => if let crate::measure::idle::held::Event::Ended(ending) = event {
                ended = Some(ending);
                break;
            }
        }
    }
    let over = ended.as_ref().map_or_else(Instant::now, |Ending { at, .. }| *at);
    let end = match (ended, last) {
        (Some(Ending { manner, .. }), _) => {
            End::Died { manner, sign: Sign::BeforeProbe, others_alive: false, tcp: None }
        }
        (None, Some(rtt)) => End::Alive { rtt_ms: rtt.as_secs_f64() * 1000.0 },
        (None, None) => End::Open,
    };
    held.close().await;
    let lasted_s = over.saturating_duration_since(began).as_secs_f64();
    Some(Arm {
        session: SECOND_ROUND + number,
        moves: Moves::ChannelData,
        holds: Holds::Command,
        speaks_first: Speaker::Client,
        hop: None,
        interval_s: Some(DATA_INTERVAL),
        started_s: test.board.since_start(began),
        lasted_s,
        age_s: lasted_s,
        channel_quiet_s: None,
        heard_bytes: 0,
        end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::connection::Manner;

    /// A session begun at a moment that was ended at an age, older than its stretch by so much.
    fn ended_at(moves: Moves, started_s: f64, age_s: f64, older_s: f64) -> Arm {
        let end = End::Died { manner: Manner::Fin, sign: Sign::BeforeProbe, others_alive: false, tcp: None };
        Arm { interval_s: Some(2), started_s, age_s, ..Arm::sample(moves, age_s - older_s, end) }
    }

    fn age(arms: Vec<Arm>) -> Option<f64> {
        mass_death(&Facts { arms, ..Facts::default() })
    }

    #[test]
    fn all_at_one_age_or_all_at_one_moment_is_no_silence() {
        let silent = |started| ended_at(Moves::Nothing, started, 18.0, 0.0);
        let busy = ended_at(Moves::ChannelData, 1.0, 18.0, 0.0);
        assert_eq!(age(vec![silent(0.5), busy.clone(), silent(9.0)]), Some(18.0), "opened one after the other");
        let transferred = ended_at(Moves::Keepalive, 0.0, 18.0, 7.0);
        assert_eq!(age(vec![silent(0.5), busy.clone(), transferred]), Some(18.0), "it is older than the test");
        let cut = ended_at(Moves::Keepalive, 0.0, 26.0, 7.0);
        assert_eq!(age(vec![silent(0.5), busy.clone(), cut]), Some(18.0), "all at one moment");
        let lived = Arm { end: End::Alive { rtt_ms: 1.0 }, ..ended_at(Moves::Keepalive, 0.0, 30.0, 0.0) };
        assert_eq!(age(vec![silent(0.5), busy, lived]), None);
        let silent_only =
            vec![silent(0.5), Arm { end: End::Alive { rtt_ms: 1.0 }, ..ended_at(Moves::ChannelData, 0.0, 30.0, 0.0) }];
        assert_eq!(age(silent_only), None);
    }

    #[test]
    fn few_sessions_ask_what_was_kept_alive_and_need_a_second_death() {
        let arms = || vec![ended_at(Moves::Nothing, 0.5, 13.0, 0.0), ended_at(Moves::Keepalive, 0.0, 13.5, 0.5)];
        assert_eq!(age(arms()), Some(13.5));
        let later = |end| Arm { session: SECOND_ROUND + 1, end, ..ended_at(Moves::ChannelData, 20.0, 13.0, 0.0) };
        let with = |end| Facts { arms: [arms(), vec![later(end)]].concat(), ..Facts::default() };
        assert!(!is_explained(&with(End::Alive { rtt_ms: 1.0 })));
        let died = End::Died { manner: Manner::Fin, sign: Sign::BeforeProbe, others_alive: true, tcp: None };
        assert!(is_explained(&with(died)));
    }
}
