//! The evidence by which suspects are distinguished.

use super::suspect::{Clock, SuspectEnding};
use crate::facts::Evidence;
use crate::facts::connection::Manner;
use crate::facts::idle::{Arm, Sign, Timeout};

/// The measurements that distinguish suspects.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The clock of the timer that ran out.
    pub clock: Clock,
    /// The longest that was survived and the shortest that killed.
    pub bracket: Timeout,
    /// The way the death came.
    pub ending: SuspectEnding,
    /// True if a session with TCP keepalives alone outlived the timer; `None` where that was not tried.
    pub tcp_keepalive_held: Option<bool>,
    /// True if the server's own data after such a silence came through; `None` where that was not tried.
    pub server_heard: Option<bool>,
    /// The server's version line.
    pub version: Option<&'a str>,
}

impl<'a> Seen<'a> {
    /// Returns what the idle test shows of the shortest fatal idle time.
    #[must_use]
    pub fn of(evidence: &'a Evidence) -> Option<Self> {
        let facts = evidence.idle.facts()?;
        let (manner, sign) = facts.deaths().first()?.death()?;
        Some(Self {
            clock: Clock::Idle,
            bracket: facts.timeout(),
            ending: SuspectEnding::of(manner, sign)?,
            tcp_keepalive_held: facts.tcp_keepalive_held(),
            server_heard: facts.server_heard(),
            version: version(evidence),
        })
    }

    /// Returns what a death at this age shows of sessions that carried data until then.
    #[must_use]
    pub fn of_age(evidence: &'a Evidence, arm: &Arm) -> Option<Self> {
        let (manner, sign) = arm.death()?;
        let heard_s = arm.age_s - f64::from(arm.interval_s?);
        Some(Self {
            clock: Clock::Age,
            bracket: Timeout { survived_s: Some(heard_s), died_s: Some(arm.age_s) },
            ending: SuspectEnding::of(manner, sign)?,
            tcp_keepalive_held: None,
            server_heard: None,
            version: version(evidence),
        })
    }
}

impl SuspectEnding {
    /// The ending that a manner and its first sign amount to; `None` for those that no middlebox can bring about.
    #[must_use]
    pub fn of(manner: &Manner, sign: Sign) -> Option<Self> {
        match (manner, sign) {
            (Manner::Silent, Sign::AfterProbe) => Some(Self::Silent),
            (Manner::Reset, Sign::AfterProbe) => Some(Self::ResetAfterPacket),
            (Manner::Reset, Sign::BeforeProbe) => Some(Self::ResetAtExpiry),
            (Manner::Fin, _) => Some(Self::Fin),
            _ => None,
        }
    }
}

fn version(evidence: &Evidence) -> Option<&str> {
    evidence.handshake.facts()?.version.as_deref()
}
