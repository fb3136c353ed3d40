//! All sessions ended at once, busy ones among them: was it their age, or the moment?

use super::{Arm, Facts, Holds, Moves, SessionKind, StretchEnd};
use crate::facts::connection::Manner;

/// Deaths within this time are one event, seconds.
const AT_ONCE_S: f64 = 4.0;

/// The session of the first round that was ended although something moved on it: data, or keepalives where no session had data.
pub(crate) fn ended_moving(facts: &Facts) -> Option<&Arm> {
    let has_data = facts.busy().any(|arm| arm.kind() != SessionKind::SecondRound);
    let moves = if has_data { Moves::ChannelData } else { Moves::Keepalive };
    facts.arms.iter().find(|arm| arm.moves == moves && arm.kind() != SessionKind::SecondRound && arm.death().is_some())
}

/// The age at which all sessions ended, or their age when they ended at one moment, although something moved on one of them; `None` where
/// that is not so.
pub(crate) fn mass_death(facts: &Facts) -> Option<f64> {
    let moving = ended_moving(facts)?;
    let silent_too = facts.arms.iter().any(|arm| arm.moves == Moves::Nothing && arm.death().is_some());
    let at_that_time = || facts.arms.iter().filter(|arm| arm.started_s < ended(moving) - AT_ONCE_S / 4.0);
    // A connection that carried the transfer, or took its time to be opened, is older than the others at the same moment.
    let all_at = |time: fn(&Arm) -> f64| {
        at_that_time().all(|arm| match &arm.end {
            StretchEnd::Died { .. } => (time(arm) - time(moving)).abs() <= AT_ONCE_S,
            StretchEnd::Alive { .. } | StretchEnd::Unheard { .. } => time(arm) <= time(moving) + AT_ONCE_S,
            StretchEnd::Void { .. } | StretchEnd::Open => true,
        })
    };
    (silent_too && (all_at(ended) || all_at(|arm| arm.age_s))).then_some(moving.age_s)
}

impl Facts {
    /// The age at which all connections ended although something moved on one of them, where none held a channel: sshd's
    /// UnusedConnectionTimeout does that, and ends no session that is in use. The first connection held one earlier, and may live on.
    #[must_use]
    pub fn age_without_channel(&self) -> Option<f64> {
        let held_none = self.arms.iter().all(|arm| arm.holds == Holds::Nothing);
        let in_order = |arm: &Arm| match arm.death() {
            Some((manner, _)) => matches!(manner, Manner::Fin | Manner::Disconnect { .. } | Manner::Reset),
            None => true,
        };
        let is_of_server = held_none && self.arms.iter().all(in_order);
        if is_of_server { one_age(self).or_else(|| mass_death(self)) } else { None }
    }
}

/// The age at which all connections but the first ended, one of them in spite of keepalives; `None` where that is not so.
fn one_age(facts: &Facts) -> Option<f64> {
    /// Ages that differ by less are one, seconds.
    const SAME_S: f64 = 1.0;
    let others = || facts.arms.iter().filter(|arm| arm.kind() != SessionKind::Main && arm.hop.is_none());
    let died = || others().filter(|arm| arm.death().is_some());
    let age_s = died().map(|arm| arm.age_s).reduce(f64::min)?;
    let at_one_age = others().all(|arm| arm.age_s <= age_s + SAME_S);
    let kept = died().any(|arm| arm.interval_s.is_some_and(|interval| f64::from(interval) < age_s / 2.0));
    (at_one_age && kept).then_some(age_s)
}

/// True if what two more sessions showed makes it something else than silence: where no session had data, only deaths do.
pub(crate) fn is_explained(facts: &Facts) -> bool {
    let later = || facts.busy().filter(|arm| arm.kind() == SessionKind::SecondRound);
    ended_moving(facts).is_some_and(|arm| arm.moves == Moves::ChannelData) || later().any(|arm| arm.death().is_some())
}

/// Returns the time at which an arm ended, seconds since the test began.
pub(crate) fn ended(arm: &Arm) -> f64 {
    arm.ended_s.unwrap_or(arm.started_s + arm.lasted_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::connection::Manner;
    use crate::facts::idle::Sign;

    /// A session begun at a moment that was ended at an age, older than its stretch by so much.
    fn ended_at(moves: Moves, started_s: f64, age_s: f64, older_s: f64) -> Arm {
        let end = StretchEnd::Died { manner: Manner::Fin, sign: Sign::BeforeProbe, others_alive: false, tcp: None };
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
        let lived = Arm { end: StretchEnd::Alive { rtt_ms: 1.0 }, ..ended_at(Moves::Keepalive, 0.0, 30.0, 0.0) };
        assert_eq!(age(vec![silent(0.5), busy, lived]), None);
        let silent_only = vec![
            silent(0.5),
            Arm { end: StretchEnd::Alive { rtt_ms: 1.0 }, ..ended_at(Moves::ChannelData, 0.0, 30.0, 0.0) },
        ];
        assert_eq!(age(silent_only), None);
    }

    #[test]
    fn connections_without_a_channel_end_at_one_age_whatever_moves_on_them() {
        let bare = |arm: Arm| Arm { holds: Holds::Nothing, ..arm };
        let main = Arm {
            kind: Some(SessionKind::Main),
            end: StretchEnd::Alive { rtt_ms: 1.0 },
            ..bare(ended_at(Moves::Keepalive, 0.0, 36.0, 0.0))
        };
        let silent = || Arm { interval_s: None, ..bare(ended_at(Moves::Nothing, 7.3, 20.1, 7.3)) };
        let kept = || bare(ended_at(Moves::Keepalive, 0.0, 20.2, 0.0));
        let age = |arms| Facts { arms, ..Facts::default() }.age_without_channel();
        assert_eq!(age(vec![main.clone(), silent(), kept()]), Some(20.1));
        let idle_longer = Arm { age_s: 24.0, ..silent() };
        assert_eq!(age(vec![main.clone(), idle_longer, kept()]), None);
        let holding = Arm { holds: Holds::Command, ..silent() };
        assert_eq!(age(vec![main.clone(), holding, kept()]), None);
        assert_eq!(age(vec![main, silent()]), None, "it may have been the silence");
    }

    #[test]
    fn few_sessions_ask_what_was_kept_alive_and_need_a_second_death() {
        let arms = || vec![ended_at(Moves::Nothing, 0.5, 13.0, 0.0), ended_at(Moves::Keepalive, 0.0, 13.5, 0.5)];
        assert_eq!(age(arms()), Some(13.5));
        let later =
            |end| Arm { kind: Some(SessionKind::SecondRound), end, ..ended_at(Moves::ChannelData, 20.0, 13.0, 0.0) };
        let with = |end| Facts { arms: [arms(), vec![later(end)]].concat(), ..Facts::default() };
        assert!(!is_explained(&with(StretchEnd::Alive { rtt_ms: 1.0 })));
        let died = StretchEnd::Died { manner: Manner::Fin, sign: Sign::BeforeProbe, others_alive: true, tcp: None };
        assert!(is_explained(&with(died)));
    }
}
