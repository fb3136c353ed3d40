//! All sessions ended at once, busy ones among them: was it their age, or the moment? Two more sessions of different age tell.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::facts::{Arm, End, Facts, Holds, Moves, Sign, Speaker};
use super::held::Held;
use super::session::{DATA_INTERVAL, Test};
use crate::connection::{Answer, Ending};

/// Deaths within this time are one event, seconds.
const AT_ONCE_S: f64 = 4.0;
/// How much later than the first the second session starts, as a part of the age in question.
const LATER: f64 = 0.3;
/// How much older than the age in question a session has to become to disprove it.
const OLDER: f64 = 1.15;

/// The age at which all sessions ended at once, although data moved on one of them; `None` where that is not so.
pub(super) fn mass_death(facts: &Facts) -> Option<f64> {
    let ended = |arm: &Arm| arm.started_s + arm.lasted_s;
    let busy = facts.arms.iter().find(|arm| arm.moves == Moves::ChannelData && arm.death().is_some())?;
    let silent_too = facts.arms.iter().any(|arm| arm.moves == Moves::Nothing && arm.death().is_some());
    let at_that_time = facts.arms.iter().filter(|arm| arm.started_s < ended(busy) - AT_ONCE_S / 4.0);
    let survivor = at_that_time.into_iter().any(|arm| match &arm.end {
        End::Died { .. } => (ended(arm) - ended(busy)).abs() > AT_ONCE_S,
        End::Alive { .. } | End::Unheard { .. } => ended(arm) > ended(busy) + AT_ONCE_S,
        End::Void { .. } | End::Open => false,
    });
    (silent_too && !survivor).then_some(busy.age_s)
}

/// Holds two busy sessions, one started later than the other, until they are older than `age` seconds or have ended.
pub(super) async fn second_round(test: &Test, age: f64) -> Vec<Arm> {
    let first = busy(test, 1, Duration::ZERO, age);
    let second = busy(test, 2, Duration::from_secs_f64(age * LATER), age);
    let (mut first, mut second) = tokio::join!(first, second);
    let ended = |arm: &Option<Arm>| arm.as_ref().map(|arm| arm.started_s + arm.lasted_s);
    let outlived = |own: Option<f64>, other: Option<f64>| own.zip(other).is_some_and(|(own, other)| other > own + 1.0);
    let (first_end, second_end) = (ended(&first), ended(&second));
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
            event = held.event() => if let super::held::Event::Ended(ending) = event {
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

/// Session numbers of the second round begin above this.
pub const SECOND_ROUND: u32 = 100;
