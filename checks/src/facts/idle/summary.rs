//! The one line in which a report sums the idle test up.

use super::Facts;
use super::reading::KeepaliveSetting;
use crate::base::text::seconds;
use crate::facts;

impl facts::Facts for Facts {
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
        let survived = timeout.survived_s.map(seconds);
        let lived =
            survived.map_or_else(|| "no silence was".to_owned(), |survived| format!("{survived} of silence was"));
        let cut_short = if self.complete { "" } else { "; ended early" };
        let lasting = self.outages.iter().any(|outage| outage.ended_s.is_none());
        match (timeout.died_s, self.manner().map(|manner| manner.code())) {
            _ if lasting => format!("{lived} lived through, then nothing came through any more"),
            (Some(died), Some(manner)) => {
                if let Some(longest) = self.lived_longer().map(|arm| arm.lasted_s).max_by(f64::total_cmp) {
                    let (died, longest) = (seconds(died), seconds(longest));
                    return format!(
                        "{died} of silence killed one session ({manner}), another lived through {longest}{cut_short}"
                    );
                }
                let proof = match self.keepalive() {
                    KeepaliveSetting { interval_s: Some(interval), verified: Some(true), .. } => {
                        format!("; a keepalive every {} held", seconds(f64::from(interval)))
                    }
                    KeepaliveSetting { verified: Some(false), .. } => "; keepalives did not help".to_owned(),
                    _ => String::new(),
                };
                format!("{lived} lived through, {} killed ({manner}){proof}{cut_short}", seconds(died))
            }
            _ => format!("{lived} lived through{cut_short}"),
        }
    }
}
