//! A session held exactly as the user's own settings would hold it, beside those that are silent.

use serde::{Deserialize, Serialize};

use super::bracket::has_own_clock;
use super::{Arm, Facts, Holds, StretchEnd};
use crate::facts::connection::Manner;

/// The user's own keepalive, and the session that was held by it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnKeepalive {
    /// `ServerAliveInterval`, seconds; 0 means that ssh sends no keepalives.
    pub interval_s: u64,
    /// `ServerAliveCountMax`.
    pub count_max: u64,
    /// Idle time before the kernel's first TCP keepalive, seconds; `null` where `TCPKeepAlive` is off or ssh has no socket of its own.
    pub tcp_idle_s: Option<u64>,
    /// The session; `null` where nothing would have been sent on it, or none could be opened.
    pub session: Option<OwnSession>,
}

/// The session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnSession {
    /// From its opening until its last answer, or its end, seconds.
    pub lasted_s: f64,
    /// Keepalives that were answered.
    pub answered: u32,
    /// The longest time that an answer took, seconds.
    pub slowest_s: f64,
    /// Its end.
    pub end: OwnEnd,
}

/// The way the session ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum OwnEnd {
    /// It answered when the test was over.
    Alive,
    /// No answer came; ssh would wait for `ServerAliveCountMax` intervals, and then give it up.
    Unanswered,
    /// An answer came, later than ssh would have waited for it.
    Late,
    /// It ended by itself.
    Ended {
        /// The manner.
        manner: Manner,
    },
}

impl OwnKeepalive {
    /// True if something is sent on an idle session within `longest` seconds.
    #[must_use]
    pub fn sends_within(&self, longest: f64) -> bool {
        let within = |seconds: u64| seconds > 0 && (seconds as f64) < longest;
        within(self.interval_s) || self.tcp_idle_s.is_some_and(within)
    }

    /// The time that ssh waits for an answer to a keepalive, seconds.
    #[must_use]
    pub fn patience_s(&self) -> f64 {
        self.interval_s.saturating_mul(self.count_max) as f64
    }

    /// True if ssh ends every session on which the server says nothing for one interval: the first keepalive is one too many.
    #[must_use]
    pub fn gives_up_at_once(&self) -> bool {
        self.interval_s > 0 && self.count_max == 0
    }
}

impl Facts {
    /// True if a session with the user's own keepalive outlived the idle time that killed others; `None` where nothing was killed, or
    /// where that is not known.
    #[must_use]
    pub fn own_holds(&self) -> Option<bool> {
        let own = self.own.as_ref()?;
        let unheard = self.arms.iter().any(|arm| matches!(arm.end, StretchEnd::Unheard { .. }));
        // A terminal that has a clock of its own is no matter of a keepalive.
        let died = self.timeout().died_s.filter(|_| unheard || !self.deaths().is_empty())?;
        if !own.sends_within(died) || own.gives_up_at_once() {
            return Some(false);
        }
        let session = own.session.as_ref()?;
        match session.end {
            OwnEnd::Alive => (session.lasted_s > died).then_some(true),
            // An outage may have ended it too.
            _ => self.outages.is_empty().then_some(false),
        }
    }

    /// True if the user's own keepalive outlived all that ended other sessions: neither a terminal nor a connection without a channel
    /// was ended for a reason of its own.
    #[must_use]
    pub fn own_outlives_all(&self) -> bool {
        let apart = |arm: &Arm| has_own_clock(&self.arms, arm) || (arm.holds == Holds::Nothing && arm.hop.is_none());
        let others = self.arms.iter().any(|arm| arm.death().is_some() && apart(arm));
        self.own_holds() == Some(true) && !others
    }
}

#[cfg(test)]
mod tests {
    use super::{OwnEnd, OwnKeepalive, OwnSession};
    use crate::facts::connection::Manner;
    use crate::facts::idle::{Arm, Facts, Moves, Outage, Sign, StretchEnd};

    fn timer(own: OwnKeepalive) -> Facts {
        let died = StretchEnd::Died { manner: Manner::Silent, sign: Sign::AfterProbe, others_alive: true, tcp: None };
        let arms = vec![
            Arm::sample(Moves::Nothing, 18.0, StretchEnd::Alive { rtt_ms: 1.0 }),
            Arm::sample(Moves::Nothing, 20.0, died),
        ];
        Facts { arms, own: Some(own), ..Facts::default() }
    }

    fn own(interval_s: u64, lasted_s: f64, end: OwnEnd) -> OwnKeepalive {
        let session = OwnSession { lasted_s, answered: 4, slowest_s: 0.1, end };
        OwnKeepalive { interval_s, count_max: 3, tcp_idle_s: Some(7200), session: Some(session) }
    }

    #[test]
    fn a_session_that_outlived_the_timer_shows_that_the_keepalive_holds() {
        assert_eq!(timer(own(5, 31.0, OwnEnd::Alive)).own_holds(), Some(true));
        assert_eq!(timer(own(5, 12.0, OwnEnd::Alive)).own_holds(), None, "younger than the timer");
        assert_eq!(timer(own(5, 12.0, OwnEnd::Unanswered)).own_holds(), Some(false));
        let outage = Outage { started_s: 3.0, ended_s: Some(9.0) };
        let disturbed = Facts { outages: vec![outage], ..timer(own(5, 12.0, OwnEnd::Unanswered)) };
        assert_eq!(disturbed.own_holds(), None);
    }

    #[test]
    fn nothing_sent_before_the_timer_runs_out_cannot_hold() {
        for own in [
            OwnKeepalive { tcp_idle_s: Some(7200), ..OwnKeepalive::default() },
            OwnKeepalive { interval_s: 20, count_max: 3, ..OwnKeepalive::default() },
            OwnKeepalive { interval_s: 5, count_max: 0, ..OwnKeepalive::default() },
        ] {
            assert_eq!(timer(own).own_holds(), Some(false));
        }
        let quick_kernel = OwnKeepalive { tcp_idle_s: Some(10), ..own(0, 40.0, OwnEnd::Alive) };
        assert_eq!(timer(quick_kernel).own_holds(), Some(true));
    }

    #[test]
    fn where_nothing_died_there_is_nothing_to_hold() {
        let facts = Facts { own: Some(own(5, 31.0, OwnEnd::Alive)), ..Facts::default() };
        assert_eq!(facts.own_holds(), None);
    }
}
