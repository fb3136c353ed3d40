//! The hop that drops idle connections, as the sessions that were refreshed up to one hop each tell it together. Pure.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::arm::{Arm, Holds, Moves, SessionKind, StretchEnd, Times};
use crate::facts::connection::Manner;
use crate::facts::path::Path;

/// Hops that are looked for; the Internet's longest paths have fewer than 40.
pub(crate) const MAX_HOPS: u8 = 30;

/// The silence of a session at the hop that kills may be shorter than one of ours by as much as its last packet took to get there, and by
/// what a busy machine adds to our times, seconds.
const SHORTER_S: f64 = 1.0;

/// Silences that are planned alike differ by less, seconds; no timer is as sharp.
const PLANNED_ALIKE_S: f64 = 0.05;

/// The results of sessions that nothing refreshed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bare {
    /// The longest idle time survived, seconds.
    pub survived_s: Option<f64>,
    /// The shortest that killed one, seconds.
    pub died_s: Option<f64>,
    /// True if that one died silently.
    pub silently: bool,
}

/// The outcome of one session that was refreshed up to a hop.
#[derive(Debug, Clone, PartialEq)]
pub struct TtlProbe {
    /// The hop.
    pub hop: u8,
    /// True if its keepalives went all the way: the hop is the server.
    pub whole: bool,
    /// The channel that the session held.
    pub holds: Holds,
    /// Seconds between two TCP keepalives.
    pub interval_s: u32,
    /// Seconds without a byte either way; TCP keepalives carry none.
    pub lasted_s: f64,
    /// The age of the connection at its end.
    pub age_s: f64,
    /// The time for which nothing had moved in its channel at its end, seconds; `null` without a channel.
    pub channel_quiet_s: Option<f64>,
    /// Bytes that the server sent by itself meanwhile.
    pub heard_bytes: u64,
    /// True if keepalives were answered until the end; `null` where the system does not tell, or after too short a time.
    pub answered: Option<bool>,
    /// Its end.
    pub end: StretchEnd,
}

impl TtlProbe {
    /// Returns the result of a session with TCP keepalives, `furthest` being the hop that unlimited ones reach; `None`
    /// for another arm.
    #[must_use]
    pub fn of(arm: &Arm, furthest: u8) -> Option<Self> {
        (arm.moves == Moves::TcpKeepalive).then(|| Self {
            hop: arm.hop.unwrap_or(furthest),
            whole: arm.hop.is_none(),
            holds: arm.holds,
            interval_s: arm.interval_s.unwrap_or_default(),
            lasted_s: arm.lasted_s,
            age_s: arm.age_s,
            channel_quiet_s: arm.channel_quiet_s,
            heard_bytes: arm.heard_bytes,
            answered: arm.answered,
            end: arm.end.clone(),
        })
    }

    /// True if it died of something else than the timer: so short a silence is survived, or the timer ends sessions silently.
    pub(crate) fn ended_otherwise(&self, bare: Bare) -> bool {
        // Where some die of less than others survive, the timer is uneven, and the shortest death counts.
        let harmless_s = bare.survived_s.unwrap_or_default().min(bare.died_s.unwrap_or(f64::INFINITY));
        match &self.end {
            StretchEnd::Died { manner, .. } => {
                self.lasted_s < harmless_s - SHORTER_S || bare.silently && *manner != Manner::Silent
            }
            _ => false,
        }
    }

    /// Returns it as an arm of the idle test, for that session, begun `started_s` seconds after the test.
    #[must_use]
    pub fn arm(&self, session: u32, started_s: f64) -> Arm {
        let times = Times { started_s, lasted_s: self.lasted_s, age_s: self.age_s };
        Arm {
            holds: self.holds,
            hop: (!self.whole).then_some(self.hop),
            interval_s: Some(self.interval_s),
            ended_s: Some(started_s + self.age_s),
            channel_quiet_s: self.channel_quiet_s,
            heard_bytes: self.heard_bytes,
            answered: self.answered,
            ..Arm::new(session, SessionKind::HopProbe, Moves::TcpKeepalive, times, self.end.clone())
        }
    }
}

/// The hop that drops idle connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocatedHop {
    /// The nearest hop up to which a session had to be refreshed to stay alive.
    pub hop: u8,
    /// The furthest hop up to which that was not enough; 0 when only a session that nothing refreshed died.
    pub after: u8,
    /// The reason why it is only one of several; `null` where nothing but what every search leaves open stands against it.
    pub doubt: Option<Doubt>,
}

/// The reason why a hop is not more than possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// No session was refreshed up to some hop in between.
    #[error(
        "not every hop in between was tried: the test was ended first, or no more sessions were available (see --sessions)"
    )]
    Untried,
    /// Sessions refreshed up to the hops in between have nothing to tell.
    #[error(
        "sessions that were refreshed up to the hops in between told nothing: the server spoke on them, or they ended by themselves"
    )]
    Mute,
    /// A keepalive that should have expired on the way was answered.
    #[error(
        "a keepalive that should have ended there was answered: the path became shorter, or there are several routes of different length"
    )]
    CameFurther,
    /// Data that the server sends first comes through after the silence, and ours does not.
    #[error(
        "what the server says first comes through after the same silence, so that it is rather a firewall before the server whose inside \
         the server is, as those of clouds are"
    )]
    ServerRenews,
}

impl LocatedHop {
    /// The hops of which it is one.
    #[must_use]
    pub fn hops(&self) -> RangeInclusive<u8> {
        self.after + 1..=self.hop
    }

    /// Adds this doubt to a hop that had none.
    #[must_use]
    pub fn doubted(self, doubt: Option<Doubt>) -> Self {
        Self { doubt: self.doubt.or(doubt), ..self }
    }

    /// Describes the machine, and the doubt about it.
    #[must_use]
    pub fn words(&self, path: &Path) -> String {
        let machine = if self.hops().count() == 1 {
            path.words(self.hop)
        } else {
            let hops: Vec<String> = [self.after + 1, self.hop].iter().map(|hop| path.words(*hop)).collect();
            format!("one of the machines from {} to {}", hops[0], hops[1])
        };
        match self.doubt {
            Some(doubt) => format!("{machine}; {doubt}"),
            None => machine,
        }
    }
}

/// The reason why no hop can be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotLocated {
    /// No session was silent for long enough, or each heard from the server.
    #[error("no session could tell: none was silent for long enough, or the server spoke by itself")]
    NothingTold,
    /// All survived, and no other session is known to have died after so short a silence.
    #[error("nothing died: the silence was shorter than the timer")]
    NothingDied,
    /// None lived, not even one that was refreshed furthest.
    #[error(
        "no TCP keepalive prevented it: a proxy or the server itself counts something else, or the timer runs behind the furthest hop tried"
    )]
    AllDied,
    /// One that was refreshed further died, and one that was refreshed less lived.
    #[error("the sessions contradict each other: the path may change, or more than a timer ends them")]
    Contradiction,
}

/// Names the hop that drops idle connections; `bare` says what silence killed a session which nothing refreshed, and what did not.
///
/// Never certain: a machine that looks at the time-to-live first shows one hop later, and one that sets it anew hides those behind it.
pub fn locate(trials: &[TtlProbe], bare: Bare) -> Result<LocatedHop, NotLocated> {
    let Bounds { after, alive } = bounds(trials, bare);
    match (after, alive) {
        (None, Some(_)) => Err(NotLocated::NothingDied),
        (Some(_), None) if trials.iter().any(|trial| is_dead(trial, bare) == Some(true)) => Err(NotLocated::AllDied),
        (_, None) => Err(NotLocated::NothingTold),
        (Some(after), Some(alive)) if after >= alive.hop => Err(NotLocated::Contradiction),
        (Some(after), Some(alive)) => {
            let is_tried = |hop: u8| trials.iter().any(|trial| trial.hop == hop);
            let doubt = match alive {
                _ if (after + 1..alive.hop).any(|hop| !is_tried(hop)) => Some(Doubt::Untried),
                _ if after + 1 < alive.hop => Some(Doubt::Mute),
                // One that should have died on the way and was answered came further than its hop.
                TtlProbe { whole: false, answered: Some(true), .. } => Some(Doubt::CameFurther),
                _ => None,
            };
            Ok(LocatedHop { hop: alive.hop, after, doubt })
        }
    }
}

/// The bounds that the conclusive sessions give.
pub(crate) struct Bounds<'a> {
    /// The furthest hop up to which refreshing was not enough.
    pub(crate) after: Option<u8>,
    /// The nearest up to which it was.
    pub(crate) alive: Option<&'a TtlProbe>,
}

/// Leaves out inconclusive results: sessions on which the server sent data, survivals of a silence that may have been
/// too short, and deaths after one that is harmless.
pub(crate) fn bounds(trials: &[TtlProbe], bare: Bare) -> Bounds<'_> {
    let dead = || trials.iter().filter(|trial| is_dead(trial, bare) == Some(true));
    let killing = bare.died_s.or_else(|| dead().map(|trial| trial.lasted_s).reduce(f64::min));
    let long_enough = |trial: &&TtlProbe| killing.is_none_or(|killing| trial.lasted_s >= killing - PLANNED_ALIKE_S);
    let alive = trials.iter().filter(|trial| is_dead(trial, bare) == Some(false)).filter(long_enough);
    let after = dead().map(|trial| trial.hop).max().or(bare.died_s.map(|_| 0));
    Bounds { after, alive: alive.min_by_key(|trial| trial.hop) }
}

/// True if the path's timer killed the session; `None` where that is not known.
fn is_dead(trial: &TtlProbe, bare: Bare) -> Option<bool> {
    match &trial.end {
        _ if trial.heard_bytes > 0 => None,
        StretchEnd::Alive { .. } => Some(false),
        _ if trial.ended_otherwise(bare) => None,
        StretchEnd::Died { manner: Manner::Silent | Manner::Reset | Manner::Fin, .. } => Some(true),
        // The session's own end or our own kernel's, in which no timer has a part, or none that was seen.
        StretchEnd::Died { .. } | StretchEnd::Unheard { .. } | StretchEnd::Void { .. } | StretchEnd::Open => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::facts::idle::Sign;
    use crate::facts::path::Path;

    pub(crate) fn trial(hop: u8, alive: bool) -> TtlProbe {
        let died = StretchEnd::Died { manner: Manner::Silent, sign: Sign::AfterProbe, others_alive: true, tcp: None };
        TtlProbe {
            hop,
            whole: false,
            holds: Holds::Command,
            interval_s: 1,
            lasted_s: 10.0,
            age_s: 11.0,
            channel_quiet_s: Some(10.5),
            heard_bytes: 0,
            answered: Some(false),
            end: if alive { StretchEnd::Alive { rtt_ms: 1.0 } } else { died },
        }
    }

    pub(crate) fn killed(died_s: f64) -> Bare {
        Bare { died_s: Some(died_s), ..Bare::default() }
    }

    fn trials(alive: &[(u8, bool)]) -> Vec<TtlProbe> {
        alive.iter().map(|&(hop, alive)| trial(hop, alive)).collect()
    }

    #[test]
    fn a_silence_a_millisecond_shorter_than_one_that_killed_is_as_long() {
        let seen = trials(&[(1, false), (2, true), (3, true)]);
        assert_eq!(locate(&seen, killed(10.001)).map(|found| (found.hops(), found.doubt)), Ok((2..=2, None)));
        assert_eq!(
            locate(&seen, killed(10.2)),
            Err(NotLocated::AllDied),
            "the survivors may have been silent for too short a time"
        );
    }

    #[test]
    fn the_nearest_hop_that_keeps_it_alive_forgets() {
        let seen = trials(&[(1, false), (2, false), (3, true), (4, true)]);
        let verdict = LocatedHop { hop: 3, after: 2, doubt: None };
        assert_eq!(locate(&seen, Bare::default()), Ok(verdict));
        assert_eq!(locate(&seen, killed(8.0)), Ok(verdict));
    }

    #[test]
    fn the_first_hop_needs_a_session_that_nothing_refreshed() {
        let seen = trials(&[(1, true), (2, true)]);
        let verdict = LocatedHop { hop: 1, after: 0, doubt: None };
        assert_eq!(locate(&seen, killed(8.0)), Ok(verdict));
        assert_eq!(locate(&seen, Bare::default()), Err(NotLocated::NothingDied));
        assert_eq!(locate(&seen, killed(12.0)), Err(NotLocated::NothingTold), "all were shorter than what kills");
    }

    #[test]
    fn a_hop_that_was_not_tried_leaves_a_choice() {
        let verdict = locate(&trials(&[(1, false), (4, true)]), Bare::default()).unwrap();
        assert_eq!((verdict.hops(), verdict.doubt), (2..=4, Some(Doubt::Untried)));
        assert!(verdict.words(&Path::default()).starts_with("one of the machines from hop 2 "));
    }

    #[test]
    fn what_does_not_fit_together_names_nobody() {
        assert_eq!(locate(&trials(&[(1, false), (2, false)]), killed(8.0)), Err(NotLocated::AllDied));
        assert_eq!(locate(&trials(&[(1, true), (2, false), (3, true)]), killed(8.0)), Err(NotLocated::Contradiction));
        assert_eq!(locate(&[], killed(8.0)), Err(NotLocated::NothingTold));
    }

    #[test]
    fn a_session_that_the_server_spoke_on_tells_nothing() {
        let mut seen = trials(&[(1, false), (2, true), (3, true)]);
        seen[1].heard_bytes = 52;
        let verdict = locate(&seen, Bare::default()).unwrap();
        assert_eq!((verdict.hops(), verdict.doubt), (2..=3, Some(Doubt::Mute)));
        for trial in &mut seen {
            trial.heard_bytes = 52;
        }
        assert_eq!(locate(&seen, killed(8.0)), Err(NotLocated::NothingTold));
    }

    #[test]
    fn what_no_timer_ended_tells_nothing() {
        let mut seen = trials(&[(1, false), (2, true)]);
        for own in [Manner::ChannelClose, Manner::ExitStatus { status: 0 }, Manner::Errno { errno: 110 }] {
            let StretchEnd::Died { manner, .. } = &mut seen[0].end else { panic!("it died") };
            *manner = own;
            assert_eq!(locate(&seen, Bare::default()), Err(NotLocated::NothingDied));
        }
    }

    #[test]
    fn what_ended_sooner_than_the_timer_tells_nothing() {
        let mut seen = trials(&[(1, false), (2, false), (3, true)]);
        let between = |survived_s| Bare { survived_s: Some(survived_s), ..killed(9.5) };
        seen[1].lasted_s = 5.0;
        let verdict = locate(&seen, between(8.5)).unwrap();
        assert_eq!((verdict.hops(), verdict.doubt), (2..=3, Some(Doubt::Mute)));
        assert_eq!(locate(&seen, between(5.5)).unwrap().hops(), 3..=3);
        let uneven = Bare { survived_s: Some(20.0), ..killed(5.5) };
        assert_eq!(locate(&seen, uneven).unwrap().hops(), 3..=3, "the shortest death counts");
    }

    #[test]
    fn what_was_reset_where_the_timer_kills_without_a_word_tells_nothing() {
        let mut seen = trials(&[(1, false), (2, false), (3, true)]);
        let StretchEnd::Died { manner, .. } = &mut seen[1].end else { panic!("it died") };
        *manner = Manner::Reset;
        assert_eq!(locate(&seen, killed(9.5)).unwrap().hops(), 3..=3, "it resets");
        assert_eq!(locate(&seen, Bare { silently: true, ..killed(9.5) }).unwrap().hops(), 2..=3);
    }

    #[test]
    fn an_answer_to_what_should_have_died_on_the_way_is_a_doubt() {
        let mut seen = trials(&[(1, false), (2, true)]);
        seen[1].answered = Some(true);
        assert_eq!(locate(&seen, Bare::default()).unwrap().doubt, Some(Doubt::CameFurther));
        seen[1].whole = true;
        assert_eq!(locate(&seen, Bare::default()).unwrap().doubt, None);
    }
}
