//! A timer that the user's own keepalive was seen to outlive.

use crate::base::text::seconds;
use crate::causes::{Match, Severity};
use crate::facts::Evidence;
use crate::facts::idle::Facts;

/// The finding as it concerns a user whose own keepalive was seen to outlive the timer: worth knowing, and no more.
pub(super) fn by_own_keepalive(evidence: &Evidence, facts: &Facts, mut found: Match) -> Match {
    let (Some(true), Some(own)) = (facts.own_holds(), &facts.own) else { return found };
    let Some(session) = &own.session else { return found };
    let lasted = seconds(session.lasted_s);
    let keepalive = match (own.interval_s, own.tcp_idle_s) {
        (0, Some(idle)) => format!("TCP keepalives, the first after {idle} s"),
        (interval, _) => format!("{interval} s keepalive ({})", evidence.settings.server_alive_from),
    };
    found.because.insert(0, format!("a session with your own {keepalive} was alive after {lasted}"));
    found.at(Severity::Info)
}
