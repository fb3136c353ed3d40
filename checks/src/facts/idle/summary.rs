//! The idle test in one line.

use std::collections::BTreeSet;

use super::reading::KeepaliveSetting;
use super::{Arm, Facts, Holds, Moves, StretchEnd};
use crate::base::text::seconds;
use crate::facts;

impl facts::Facts for Facts {
    /// The test says itself what it knows.
    fn outlive_the_stop(&self) -> bool {
        true
    }

    fn shown(&self) -> serde_json::Value {
        self.with_conclusions()
    }

    fn summary(&self) -> String {
        if let Some(incident) = self.incidents.first() {
            return format!("not measured: {}", incident.words());
        }
        if !self.sessions.is_empty() {
            let lost = self.sessions.iter().filter(|session| session.death().is_some()).count();
            return format!("{} recorded sessions, {lost} lost", self.sessions.len());
        }
        let timeout = self.timeout();
        let survived = timeout.survived_s.map_or_else(
            || "no idle time survived".to_owned(),
            |survived| format!("idle {} survived", seconds(survived)),
        );
        let cut_short = if self.complete { "" } else { "; ended early" };
        let cut_short = format!("{}{cut_short}", self.by_chance());
        let lasting = self.outages.iter().any(|outage| outage.ended_s.is_none());
        match (timeout.died_s, self.manner().map(|manner| manner.code())) {
            _ if lasting => format!("{survived}, then the path was cut"),
            (Some(died), Some(manner)) => {
                if let Some(longest) = self.lived_longer().map(|arm| arm.lasted_s).max_by(f64::total_cmp) {
                    let (died, longest) = (seconds(died), seconds(longest));
                    return format!(
                        "one session died after {died} idle ({manner}), another survived {longest}{cut_short}"
                    );
                }
                let proof = match self.keepalive() {
                    _ if self.own_holds() == Some(true) => "; the user's own keepalive held".to_owned(),
                    KeepaliveSetting { interval_s: Some(interval), verified: Some(true), .. } => {
                        format!("; keepalive every {} held", seconds(f64::from(interval)))
                    }
                    KeepaliveSetting { verified: Some(false), .. } => "; keepalives did not help".to_owned(),
                    _ => String::new(),
                };
                format!("{survived}, {} died ({manner}){proof}{cut_short}", seconds(died))
            }
            _ => format!("{survived}{}{}{cut_short}", self.survivors(), self.fallen_short()),
        }
    }
}

impl Facts {
    /// Describes the part of the requested idle time that was tested, if it was less than requested and no session ended.
    #[must_use]
    pub fn reached(&self) -> Option<String> {
        let timeout = self.timeout();
        let (asked, reached) = (seconds(self.longest_s), seconds(timeout.survived_s.unwrap_or_default()));
        let all = timeout.died_s.is_some() || !self.falls_short();
        (!all).then(|| format!("idle time tested to {reached} of {asked}{}", self.interruptions()))
    }

    /// Describes the sessions that were reset at random.
    fn by_chance(&self) -> String {
        match self.random_resets.len() {
            0 => String::new(),
            1 => "; 1 session was reset at random".to_owned(),
            count => format!("; {count} sessions were reset at random"),
        }
    }

    /// True if less than what was asked for was survived.
    fn falls_short(&self) -> bool {
        self.timeout().survived_s.unwrap_or_default() + 1.0 < self.longest_s * 0.95
    }

    fn interruptions(&self) -> String {
        match self.outages.iter().filter(|outage| outage.ended_s.is_some()).count() {
            0 => String::new(),
            1 => ": 1 interruption".to_owned(),
            count => format!(": {count} interruptions"),
        }
    }

    /// Describes the requested idle time, where less was tested.
    fn fallen_short(&self) -> String {
        if !self.falls_short() {
            return String::new();
        }
        format!("; not tested to {}{}", seconds(self.longest_s), self.interruptions())
    }

    /// Describes the number and kinds of sessions that survived idle time.
    fn survivors(&self) -> String {
        let survived = |arm: &&Arm| arm.moves == Moves::Nothing && matches!(arm.end, StretchEnd::Alive { .. });
        let kinds: BTreeSet<_> = self.arms.iter().filter(survived).map(|arm| kind(arm.holds)).collect();
        let sessions = match self.idle_survivors() {
            0 => return String::new(),
            1 => "1 session".to_owned(),
            sessions => format!("{sessions} sessions"),
        };
        format!(" by {sessions} ({})", kinds.into_iter().collect::<Vec<_>>().join(", "))
    }
}

fn kind(holds: Holds) -> &'static str {
    match holds {
        Holds::Command => "command",
        Holds::Shell | Holds::Prompt => "shell",
        Holds::Sftp => "sftp",
        Holds::Nothing => "no channel",
    }
}
