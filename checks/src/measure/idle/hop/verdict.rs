//! What the sessions say together: a pure judgement.

use super::Trial;
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::idle::{Doubt, End, Verdict};

/// Why no hop can be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untold {
    /// No session was silent for long enough, or each heard from the server.
    #[error("no session could tell: none was silent for long enough, or the server spoke by itself")]
    NothingTold,
    /// All lived, and no other session is known to have died of so long a silence.
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

/// Names the hop that forgets; `bare_died_s` is the silence in seconds that killed a session which nothing refreshed.
///
/// Never certain: a machine that looks at the time-to-live first shows one hop later, and one that sets it anew hides those behind it.
pub fn forgets(trials: &[Trial], bare_died_s: Option<f64>) -> Result<Verdict, Untold> {
    let Told { after, alive } = told(trials, bare_died_s);
    match (after, alive) {
        (None, Some(_)) => Err(Untold::NothingDied),
        (Some(_), None) if trials.iter().any(|trial| is_dead(trial) == Some(true)) => Err(Untold::AllDied),
        (_, None) => Err(Untold::NothingTold),
        (Some(after), Some(alive)) if after >= alive.hop => Err(Untold::Contradiction),
        (Some(after), Some(alive)) => {
            let is_tried = |hop: u8| trials.iter().any(|trial| trial.hop == hop);
            let doubt = match alive {
                _ if (after + 1..alive.hop).any(|hop| !is_tried(hop)) => Some(Doubt::Untried),
                _ if after + 1 < alive.hop => Some(Doubt::Mute),
                // One that should have died on the way and was answered came further than its hop.
                Trial { whole: false, answered: Some(true), .. } => Some(Doubt::CameFurther),
                _ => None,
            };
            Ok(Verdict { hop: alive.hop, after, certainty: Certainty::Likely, doubt: None }.doubted(doubt))
        }
    }
}

/// What the sessions that tell something say.
pub(super) struct Told<'a> {
    /// The furthest hop up to which refreshing was not enough.
    pub(super) after: Option<u8>,
    /// The nearest up to which it was.
    pub(super) alive: Option<&'a Trial>,
}

/// Leaves out what says nothing: sessions that the server spoke on, and lives through a silence that may have been too short.
pub(super) fn told(trials: &[Trial], bare_died_s: Option<f64>) -> Told<'_> {
    let dead = || trials.iter().filter(|trial| is_dead(trial) == Some(true));
    let killing = bare_died_s.or_else(|| dead().map(|trial| trial.lasted_s).reduce(f64::min));
    let long_enough = |trial: &&Trial| killing.is_none_or(|killing| trial.lasted_s >= killing);
    let alive = trials.iter().filter(|trial| is_dead(trial) == Some(false)).filter(long_enough);
    let after = dead().map(|trial| trial.hop).max().or(bare_died_s.map(|_| 0));
    Told { after, alive: alive.min_by_key(|trial| trial.hop) }
}

/// Whether the path killed the session; nothing where that cannot be told.
fn is_dead(trial: &Trial) -> Option<bool> {
    match &trial.end {
        _ if trial.heard_bytes > 0 => None,
        End::Alive { .. } => Some(false),
        End::Died { manner: Manner::Silent | Manner::Reset | Manner::Fin, .. } => Some(true),
        // The session's own end or our own kernel's, in which no timer has a part, or none that was seen.
        End::Died { .. } | End::Unheard { .. } | End::Void { .. } | End::Open => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::facts::idle::Sign;
    use crate::facts::path::Path;

    pub(in super::super) fn trial(hop: u8, alive: bool) -> Trial {
        let died = End::Died { manner: Manner::Silent, sign: Sign::AfterProbe, others_alive: true, tcp: None };
        Trial {
            hop,
            whole: false,
            interval_s: 1,
            lasted_s: 10.0,
            age_s: 11.0,
            channel_quiet_s: Some(10.5),
            heard_bytes: 0,
            answered: Some(false),
            end: if alive { End::Alive { rtt_ms: 1.0 } } else { died },
        }
    }

    fn trials(alive: &[(u8, bool)]) -> Vec<Trial> {
        alive.iter().map(|&(hop, alive)| trial(hop, alive)).collect()
    }

    #[test]
    fn the_nearest_hop_that_keeps_it_alive_forgets() {
        let seen = trials(&[(1, false), (2, false), (3, true), (4, true)]);
        let verdict = Verdict { hop: 3, after: 2, certainty: Certainty::Likely, doubt: None };
        assert_eq!(forgets(&seen, None), Ok(verdict));
        assert_eq!(forgets(&seen, Some(8.0)), Ok(verdict));
    }

    #[test]
    fn the_first_hop_needs_a_session_that_nothing_refreshed() {
        let seen = trials(&[(1, true), (2, true)]);
        let verdict = Verdict { hop: 1, after: 0, certainty: Certainty::Likely, doubt: None };
        assert_eq!(forgets(&seen, Some(8.0)), Ok(verdict));
        assert_eq!(forgets(&seen, None), Err(Untold::NothingDied));
        assert_eq!(forgets(&seen, Some(12.0)), Err(Untold::NothingTold), "all were shorter than what kills");
    }

    #[test]
    fn a_hop_that_was_not_tried_leaves_a_choice() {
        let verdict = forgets(&trials(&[(1, false), (4, true)]), None).unwrap();
        assert_eq!((verdict.hops(), verdict.certainty), (2..=4, Certainty::Possible));
        assert_eq!(verdict.doubt, Some(Doubt::Untried));
        assert!(verdict.words(&Path::default()).starts_with("one of the machines from hop 2 "));
    }

    #[test]
    fn what_does_not_fit_together_names_nobody() {
        assert_eq!(forgets(&trials(&[(1, false), (2, false)]), Some(8.0)), Err(Untold::AllDied));
        assert_eq!(forgets(&trials(&[(1, true), (2, false), (3, true)]), Some(8.0)), Err(Untold::Contradiction));
        assert_eq!(forgets(&[], Some(8.0)), Err(Untold::NothingTold));
    }

    #[test]
    fn a_session_that_the_server_spoke_on_tells_nothing() {
        let mut seen = trials(&[(1, false), (2, true), (3, true)]);
        seen[1].heard_bytes = 52;
        let verdict = forgets(&seen, None).unwrap();
        assert_eq!((verdict.hops(), verdict.certainty), (2..=3, Certainty::Possible));
        assert_eq!(verdict.doubt, Some(Doubt::Mute));
        for trial in &mut seen {
            trial.heard_bytes = 52;
        }
        assert_eq!(forgets(&seen, Some(8.0)), Err(Untold::NothingTold));
    }

    #[test]
    fn what_no_timer_ended_tells_nothing() {
        let mut seen = trials(&[(1, false), (2, true)]);
        for own in [Manner::ChannelClose, Manner::ExitStatus { status: 0 }, Manner::Errno { errno: 110 }] {
            let End::Died { manner, .. } = &mut seen[0].end else { panic!("it died") };
            *manner = own;
            assert_eq!(forgets(&seen, None), Err(Untold::NothingDied));
        }
    }

    #[test]
    fn an_answer_to_what_should_have_died_on_the_way_is_a_doubt() {
        let mut seen = trials(&[(1, false), (2, true)]);
        seen[1].answered = Some(true);
        assert_eq!(forgets(&seen, None).unwrap().doubt, Some(Doubt::CameFurther));
        seen[1].whole = true;
        assert_eq!(forgets(&seen, None).unwrap().certainty, Certainty::Likely);
    }
}
