//! Two more sessions, of different age, after all others had ended at once: they tell an age from a moment.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::idle_session::{Event, IdleSession};
use super::onlooker;
use super::rungs::DATA_INTERVAL;
use super::session::Test;
use crate::base::text::seconds;
use crate::facts::idle::age::ended;
use crate::facts::idle::{Arm, Moves, SessionKind, Sign, StretchEnd, Times};
use crate::measure::progress::Progress;
use crate::ssh::ending::Ending;
use crate::ssh::keepalive::KeepaliveReply;
use crate::ssh::recorder::Expect;

/// The delay of the second session after the first, as a fraction of the age in question.
const LATER: f64 = 0.3;
/// The factor by which a session must outlive the age in question to disprove it.
const OLDER: f64 = 1.15;

/// The place of the round in the run.
pub(super) struct Round<'a> {
    pub(super) test: &'a Test,
    /// The time at which the test began.
    pub(super) began: Instant,
    /// The first number that no session has.
    pub(super) number: u32,
    /// Takes the process numbers of what runs on the server.
    pub(super) started: &'a mpsc::UnboundedSender<(u32, u32)>,
}

impl Round<'_> {
    /// Holds two busy sessions, one started later than the other, until they are older than `age` seconds or have ended; tells the
    /// onlooker.
    pub(super) async fn hold(&self, age: f64, progress: &Progress) -> Vec<Arm> {
        let until = Instant::now() + Duration::from_secs_f64(age * (OLDER + LATER));
        let phase = format!("all sessions ended at the age of {}; looking whether new ones do", seconds(age));
        tokio::select! {
            arms = self.two_ages(age) => arms,
            () = onlooker::tell(self.began, progress, &phase, || Some(until)) => Vec::new(),
        }
    }

    async fn two_ages(&self, age: f64) -> Vec<Arm> {
        let first = self.busy(0, Duration::ZERO, age);
        let second = self.busy(1, Duration::from_secs_f64(age * LATER), age);
        let (mut first, mut second) = tokio::join!(first, second);
        let outlived =
            |own: Option<f64>, other: Option<f64>| own.zip(other).is_some_and(|(own, other)| other > own + 1.0);
        let (first_end, second_end) = (first.as_ref().map(ended), second.as_ref().map(ended));
        for (arm, own, other) in [(&mut first, first_end, second_end), (&mut second, second_end, first_end)] {
            if let Some(Arm { end: StretchEnd::Died { others_alive, .. }, .. }) = arm {
                *others_alive = outlived(own, other);
            }
        }
        first.into_iter().chain(second).collect()
    }

    /// One session with data every two seconds, opened after `delay`.
    async fn busy(&self, number: u32, delay: Duration, age: f64) -> Option<Arm> {
        sleep(delay).await;
        let Test { login, channel_use, deadline, .. } = self.test;
        let turn = login.budget.turn().await;
        let began = Instant::now();
        let mut session = IdleSession::open(login, channel_use, false, *deadline).await.ok()?;
        drop(turn);
        if let Some(pids) = session.pids {
            let _ = self.started.send(pids);
        }
        let every = Duration::from_secs(DATA_INTERVAL.into());
        session.connection().record().expect(Expect::Answers(Some(every)));
        let mut ended = None;
        let mut last = None;
        while began.elapsed().as_secs_f64() < age * OLDER {
            match session.echo(&mut ended).await {
                KeepaliveReply::Alive(rtt) => last = Some(rtt),
                KeepaliveReply::Silent | KeepaliveReply::Gone => break,
            }
            tokio::select! {
                () = sleep(every) => {}
                event = session.event() => if let Event::Ended(ending) = event {
                    ended = Some(ending);
                    break;
                }
            }
        }
        let over = ended.as_ref().map_or_else(Instant::now, |Ending { at, .. }| *at);
        let end = match (ended, last) {
            (Some(Ending { manner, .. }), _) => {
                StretchEnd::Died { manner, sign: Sign::BeforeProbe, others_alive: false, tcp: None }
            }
            (None, Some(rtt)) => StretchEnd::Alive { rtt_ms: rtt.as_secs_f64() * 1000.0 },
            (None, None) => StretchEnd::Open,
        };
        let holds = session.holds();
        session.close().await;
        let lasted_s = over.saturating_duration_since(began).as_secs_f64();
        let started_s = began.saturating_duration_since(self.began).as_secs_f64();
        let times = Times { started_s, lasted_s, age_s: lasted_s };
        let arm = Arm::new(self.number + number, SessionKind::SecondRound, Moves::ChannelData, times, end);
        Some(Arm { interval_s: Some(DATA_INTERVAL), holds, ..arm })
    }
}
