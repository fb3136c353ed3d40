//! The observed facts about sessions that share an explanation, as sentences.

use super::clusters::{median, spread};
use crate::base::text::{self, seconds};
use crate::facts::connection::Manner;
use crate::facts::idle::What;
use crate::facts::sessions::{Session, SessionEnd};

/// One sentence on how a session ended.
pub(super) fn ended(session: &Session) -> String {
    let idle = seconds(session.quiet_s);
    match &session.end {
        SessionEnd::Died { manner, unanswered_s: Some(unanswered), tcp, .. } => {
            let again = tcp.filter(|tcp| tcp.backoff > 0).map(|tcp| format!(", {} retransmissions", tcp.backoff));
            let how = match manner.code() {
                "silent" => format!("no ACK for {}", seconds(*unanswered)),
                _ => format!("{} after {}", manner.words(), seconds(*unanswered)),
            };
            format!(
                "after {idle} without a packet from the server, the next packet got: {how}{}",
                again.unwrap_or_default()
            )
        }
        SessionEnd::Died { manner: Manner::ExitStatus { status }, .. } => {
            format!("after {idle} at its prompt the login shell ended: {}", text::status(*status))
        }
        SessionEnd::Died { manner: Manner::ChannelClose, .. } => {
            format!("after {idle} without data the server closed the channel, and the connection stayed up")
        }
        SessionEnd::Died { manner, .. } => {
            let spoke = session.exchange.is_some_and(|exchange| exchange.by_server);
            let words = if spoke { ", right after the server had sent something" } else { "" };
            format!("after {idle} without traffic it was ended by {}{words}", manner.words())
        }
        SessionEnd::ClosedHere { unanswered: Some(unanswered) } => format!(
            "TCP acknowledged {} packets of one length, and the server answered none for {}",
            unanswered.packets,
            seconds(unanswered.for_s)
        ),
        SessionEnd::ClosedHere { unanswered: None } | SessionEnd::Open | SessionEnd::Unknown => {
            format!("after {idle} without input the server ended the session")
        }
    }
}

/// Describes the number of sessions, and how close their idle times are.
pub(super) fn same_idle(members: &[&Session]) -> Option<String> {
    let mut idle: Vec<f64> = members.iter().map(|session| session.quiet_s).collect();
    let center = median(&mut idle);
    (members.len() > 1).then(|| {
        format!(
            "{} sessions ended so, after idle times of {} (± {})",
            members.len(),
            seconds(center),
            seconds(spread(&idle, center))
        )
    })
}

/// Describes the number of sessions, and how close their ages are.
pub(super) fn same_age(members: &[&Session]) -> String {
    let mut ages: Vec<f64> = members.iter().filter_map(|session| session.age_s).collect();
    let center = median(&mut ages);
    format!("{} sessions ended at the age of {center:.0} s (± {:.0} s)", members.len(), spread(&ages, center).ceil())
}

/// The contrast: how long others were idle and lived.
pub(super) fn survived(longest_s: f64) -> Option<String> {
    (longest_s >= 1.0).then(|| format!("idle times of up to {} were survived", seconds(longest_s)))
}

/// Returns the evidence that excludes an outage.
pub(super) fn path_worked(session: &Session) -> Option<String> {
    if session.others.alive > 0 {
        let others = session.others.alive;
        let (sessions, were) = if others == 1 { ("session", "was") } else { ("sessions", "were") };
        return Some(format!("{others} other {sessions} to the same server {were} alive at that moment"));
    }
    let next = session.next.filter(|next| next.answered)?;
    Some(if next.after_s < 1.0 {
        "a new connection at that moment worked".to_owned()
    } else {
        format!("a new connection {} later worked", seconds(next.after_s))
    })
}

/// The events on this machine, as a sentence.
pub(super) fn of_machine(what: &What) -> String {
    match what {
        What::Suspended { clock_gap_s } | What::ClockJump { clock_gap_s } => {
            format!("this machine was suspended for {}", seconds(*clock_gap_s))
        }
        What::NotRun { late_s } => format!("this machine ran nothing for {}", seconds(*late_s)),
        What::AddressGone { from, to: Some(to) } => format!("this machine's address changed from {from} to {to}"),
        What::AddressGone { from, to: None } => format!("this machine lost its address {from}"),
        What::RouteMoved { from, to } => format!("the route to the server moved from address {from} to {to}"),
    }
}
