//! Helpers shared by the judges of the timeline.

use crate::base::text::{sanitize, seconds};
use crate::causes::{Fix, Side};
use crate::facts::{Check, Evidence, timeline::Event};

/// Sessions that end because the client gives up too early, and how they would not.
pub(super) const PATIENT_KEEPALIVE: Fix = Fix {
    side: Side::Client,
    summary: "Let ssh wait for longer than the longest interruption before it gives up",
    file: Some("~/.ssh/config"),
    snippet: Some("Host {alias}\n    ServerAliveInterval {interval}\n    ServerAliveCountMax {count_max}"),
    ..Fix::CHANGE
};

/// A short time until a dead session is noticed.
pub(super) const QUICK_KEEPALIVE: Fix = Fix {
    side: Side::Client,
    summary: "Let ssh notice a dead session within a minute instead of hanging",
    file: Some("~/.ssh/config"),
    snippet: Some("Host {alias}\n    ServerAliveInterval 15\n    ServerAliveCountMax 3"),
    caution: Some("it does not prevent the loss, only ends the wait"),
    ..Fix::CHANGE
};

/// The place of a leg on the way through jump hosts.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    /// There is no jump host.
    Direct,
    /// At this jump host, or on the way to it.
    At(String),
    /// Behind this jump host: at the server, or on the way to it.
    Behind(String),
}

impl Place {
    /// The place of a leg with so many hops before it.
    pub(super) fn of(evidence: &Evidence, leg: u8) -> Self {
        let name = |at: usize| evidence.hops.get(at).map(|hop| format!("the jump host {}", sanitize(&hop.name)));
        let leg = usize::from(leg);
        match (name(leg), leg.checked_sub(1).and_then(name)) {
            (Some(hop), _) => Self::At(hop),
            (None, Some(hop)) => Self::Behind(hop),
            (None, None) => Self::Direct,
        }
    }

    /// It in words after a noun: " to the jump host bastion".
    pub(super) fn words(&self) -> String {
        match self {
            Self::Direct => String::new(),
            Self::At(hop) => format!(" to {hop}"),
            Self::Behind(hop) => format!(" behind {hop}"),
        }
    }
}

/// Moments as a list, the first of them.
pub(super) fn moments(times: impl IntoIterator<Item = f64>) -> String {
    const SHOWN: usize = 8;
    let times: Vec<f64> = times.into_iter().collect();
    let shown: Vec<_> = times.iter().take(SHOWN).map(|at| seconds(*at)).collect();
    let more = times.len().saturating_sub(SHOWN);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// A number of things in words.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// The shortest and the longest of some lengths, seconds.
pub(super) fn range(lengths: &[f64]) -> String {
    let shortest = lengths.iter().copied().fold(f64::INFINITY, f64::min);
    let longest = lengths.iter().copied().fold(0.0, f64::max);
    if longest - shortest < 0.5 { seconds(longest) } else { format!("{} to {}", seconds(shortest), seconds(longest)) }
}

/// The period of moments that come regularly, seconds; `None` where they do not, or are too few.
pub(super) fn period(times: &[f64]) -> Option<f64> {
    let steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let count = f64::from(u32::try_from(steps.len()).ok().filter(|count| *count > 1)?);
    let mean = steps.iter().sum::<f64>() / count;
    steps.iter().all(|step| (step - mean).abs() < 0.1 * mean + 0.8).then_some(mean)
}

/// The check that was under way at a moment: they run one after the other.
pub(super) fn check_at(evidence: &Evidence, at_s: f64) -> Option<Check> {
    let mut end = 0.0;
    evidence.checks().iter().find_map(|view| {
        end += view.duration_ms / 1000.0;
        (at_s < end).then_some(view.check)
    })
}

/// True if a check failed that was under way during one of these events.
pub(super) fn hit_a_failed_check(evidence: &Evidence, events: &[Event]) -> Option<Check> {
    let mut start = 0.0;
    evidence.checks().iter().find_map(|view| {
        let end = start + view.duration_ms / 1000.0;
        let hit = events.iter().any(|event| event.from_s < end && event.until_s.is_none_or(|until| until > start));
        start = end;
        let failed = matches!(view.step, crate::facts::Step::Failed(()));
        (hit && failed && view.check != Check::Idle).then_some(view.check)
    })
}
