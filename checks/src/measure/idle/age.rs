//! All sessions ended at once, busy ones among them: was it their age, or the moment? Two more sessions of different age tell.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::held::Held;
use super::onlooker;
use super::session::{DATA_INTERVAL, Test};
use crate::base::text::seconds;
use crate::facts::idle::age::ended;
use crate::facts::idle::{Arm, End, Holds, Moves, SessionKind, Sign, Speaker};
use crate::measure::progress::Progress;
use crate::ssh::connection::Answer;
use crate::ssh::ending::Ending;

/// Session numbers of the second round begin above this.
const SECOND_ROUND: u32 = 100;
/// How much later than the first the second session starts, as a part of the age in question.
const LATER: f64 = 0.3;
/// How much older than the age in question a session has to become to disprove it.
const OLDER: f64 = 1.15;

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
        kind: Some(SessionKind::SecondRound),
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
        answered: None,
        end,
    })
}
