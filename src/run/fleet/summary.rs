//! The summary of a run of many targets: the number that are well, and each cause with its targets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use ssh_doctor_checks::base::text::{sanitize, seconds};
use ssh_doctor_checks::causes::Severity;
use ssh_doctor_checks::facts::{CheckView, Evidence, Step};

use super::fold::fold;
use crate::diagnose::{Diagnosis, Verdict};
use crate::report::Style;
use crate::report::style::Ink;
use crate::targets::Earlier;

/// The names that are kept of the targets with one cause.
const NAMES: usize = 500;

/// The most causes that are counted separately: each jump host makes causes of its own.
const GROUPS: usize = 1000;

/// The folded names that are printed of them.
const PRINTED: usize = 12;

/// The verdicts, worst first.
const VERDICTS: [Verdict; 4] = [Verdict::Broken, Verdict::Inconclusive, Verdict::Degraded, Verdict::Healthy];

/// The outcome of one target, in brief.
#[derive(Debug, Clone)]
pub(super) struct TargetOutcome {
    pub(super) name: String,
    pub(super) verdict: Verdict,
    pub(super) reason: Option<Reason>,
    /// The message for this target in particular, where no cause was found.
    detail: Option<String>,
    pub(super) address: Option<IpAddr>,
}

/// The reason for a target's verdict: a cause, or a step that could not be done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reason {
    severity: Severity,
    /// The cause's code, or the check that could not be done.
    code: String,
    /// The jump host at which it shows.
    hop: Option<String>,
    title: String,
}

/// All outcomes, counted. Its size depends on the number of causes, not of targets.
#[derive(Debug, Default)]
pub(super) struct Summary {
    verdicts: [u64; 4],
    groups: BTreeMap<Reason, Group>,
    /// Reports of an earlier run (`--resume`).
    pub(super) earlier: u64,
    /// Targets that were not examined.
    pub(super) left: u64,
    /// True if more may be left that were not counted.
    pub(super) more_left: bool,
}

#[derive(Debug, Default)]
struct Group {
    count: u64,
    names: BTreeSet<String>,
    /// The message for the first one.
    detail: Option<String>,
    network: Option<Network>,
    /// True if some of them have no address.
    without_address: bool,
}

/// The smallest network that holds some addresses.
#[derive(Debug, Clone, Copy)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl TargetOutcome {
    /// Takes what a summary needs out of a report.
    pub(super) fn of(evidence: &Evidence, diagnosis: &Diagnosis) -> Self {
        let (reason, detail) = reason(evidence, diagnosis);
        let (name, address) = (evidence.target.input.clone(), evidence.address());
        Self { name, verdict: diagnosis.verdict, reason, detail, address }
    }
}

/// The reason, and the message for this target in particular where no cause was found.
fn reason(evidence: &Evidence, diagnosis: &Diagnosis) -> (Option<Reason>, Option<String>) {
    if diagnosis.verdict == Verdict::Healthy {
        return (None, None);
    }
    if let Some(found) = diagnosis.findings.first().filter(|found| found.severity != Severity::Info) {
        let (code, title) = (found.code.to_owned(), found.title.clone());
        return (
            Some(Reason { severity: found.severity, code, hop: found.hop.clone(), title: title.into_owned() }),
            None,
        );
    }
    let open = |code: &str, title: String| Reason { severity: Severity::Info, code: code.to_owned(), hop: None, title };
    if let Some(check) = evidence.cut_at() {
        let why = if evidence.timed_out { "the deadline passed" } else { "interrupted" };
        return (Some(open(check.name(), format!("{why} during the {} check", check.name()))), None);
    }
    let is_unfinished = |view: &CheckView| matches!(view.step, Step::Void(()) | Step::Error(_));
    match evidence.checks().into_iter().find(is_unfinished) {
        Some(view) => {
            (Some(open(view.check.name(), format!("no result of the {} check", view.check.name()))), Some(view.summary))
        }
        None => (Some(open("none", "nothing was tested".to_owned())), None),
    }
}

impl Summary {
    /// The summary of what an earlier run has examined.
    pub(super) fn of(earlier: &Earlier) -> Self {
        let mut summary = Self::default();
        earlier.verdicts.iter().for_each(|(verdict, count)| summary.count(*verdict, *count));
        summary.earlier = summary.total();
        summary
    }

    /// Counts one outcome.
    pub(super) fn add(&mut self, outcome: &TargetOutcome) {
        self.count(outcome.verdict, 1);
        let Some(reason) = &outcome.reason else { return };
        if let Some(group) = self.groups.get_mut(reason) {
            group.add(outcome);
        } else if self.groups.len() < GROUPS {
            self.groups.entry(reason.clone()).or_default().add(outcome);
        }
    }

    /// Counts outcomes of which no more than the verdict is known.
    fn count(&mut self, verdict: Verdict, count: u64) {
        for (known, sum) in VERDICTS.iter().zip(&mut self.verdicts) {
            if *known == verdict {
                *sum += count;
            }
        }
    }

    /// Returns the number of targets with a verdict.
    pub(super) fn with(&self, verdict: Verdict) -> u64 {
        VERDICTS.iter().zip(self.verdicts).find(|(known, _)| **known == verdict).map_or(0, |(_, sum)| sum)
    }

    /// Returns the number of targets with a report.
    pub(super) fn total(&self) -> u64 {
        self.verdicts.iter().sum()
    }

    /// Returns the worst verdict; a target that was not examined is unknown.
    pub(super) fn verdict(&self) -> Verdict {
        let found = VERDICTS.into_iter().filter(|verdict| self.with(*verdict) > 0);
        let left = if self.left > 0 || self.more_left { Verdict::Inconclusive } else { Verdict::Healthy };
        found.fold(left, Verdict::worse)
    }

    /// The summary for people: causes that many share first.
    pub(super) fn text(&self, took: Duration, note: Option<&str>, style: &Style) -> String {
        let mut parts = vec![style.wrapped("", "  ", &self.head(took))];
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(reason, group)| (reason.severity, std::cmp::Reverse(group.count)));
        parts.extend(groups.into_iter().map(|(reason, group)| group.text(reason, style)));
        if self.left > 0 || self.more_left {
            let more = if self.more_left { "at least " } else { "" };
            parts.push(style.wrapped("", "  ", &format!("Not examined: {more}{}", targets(self.left))));
        }
        parts.extend(note.map(|note| style.wrapped("", "  ", note)));
        parts.join("\n")
    }

    /// The counts in one line.
    fn head(&self, took: Duration) -> String {
        let counts = VERDICTS.iter().filter(|verdict| self.with(**verdict) > 0);
        let counts: Vec<_> = counts.map(|verdict| format!("{} {}", self.with(*verdict), verdict.name())).collect();
        let earlier = if self.earlier > 0 { format!(", {} of them earlier", self.earlier) } else { String::new() };
        let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
        format!("{}{earlier}{counts} ({})", targets(self.total()), seconds(took.as_secs_f64()))
    }
}

impl Group {
    fn add(&mut self, outcome: &TargetOutcome) {
        self.count += 1;
        if self.detail.is_none() {
            self.detail.clone_from(&outcome.detail);
        }
        if self.names.len() < NAMES {
            self.names.insert(outcome.name.clone());
        }
        match outcome.address {
            None => self.without_address = true,
            Some(address) => {
                self.network = Some(self.network.map_or_else(|| Network::of(address), |network| network.with(address)));
            }
        }
    }

    fn text(&self, reason: &Reason, style: &Style) -> String {
        let Reason { severity, code, hop, title } = reason;
        let ink = match severity {
            Severity::Critical => Ink::Bad,
            Severity::Warning => Ink::Care,
            Severity::Info => Ink::Strong,
        };
        let hop = hop.as_ref().map_or_else(String::new, |hop| format!(" at the jump host {}", sanitize(hop)));
        let head = style.paint(ink, &format!("{code} ({}){hop}", self.count));
        let network = self.network.filter(|network| !self.without_address && self.count > 1 && network.is_telling());
        let network =
            network.map_or_else(String::new, |network| format!(", all in {}/{}", network.address, network.bits));
        let detail = self.detail.as_ref().map_or_else(String::new, |detail| {
            let such = if self.count > 1 { ", such as" } else { "" };
            format!("{such}: {}", sanitize(detail))
        });
        let title = style.wrapped("  ", "  ", &format!("{}{detail}{network}", sanitize(title)));
        format!("\n{head}\n{title}\n{}", style.wrapped("  ", "    ", &self.names()))
    }

    fn names(&self) -> String {
        let folded = fold(&self.names);
        let mut names: Vec<_> = folded.iter().take(PRINTED).map(|name| sanitize(name)).collect();
        let kept = self.names.len() as u64;
        match (folded.len() > PRINTED, self.count - kept) {
            (false, 0) => {}
            (false, more) => names.push(format!("and {more} more")),
            (true, _) => names.push("and more".to_owned()),
        }
        names.join(", ")
    }
}

impl Network {
    fn of(address: IpAddr) -> Self {
        Self { address, bits: if address.is_ipv4() { 32 } else { 128 } }
    }

    /// The smallest network with a further address in it; of two families, none holds both.
    fn with(self, other: IpAddr) -> Self {
        let (address, common) = match (self.address, other) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let bits = (a.to_bits() ^ b.to_bits()).leading_zeros().min(self.bits);
                (IpAddr::V4((a.to_bits() & u32::MAX.checked_shl(32 - bits).unwrap_or(0)).into()), bits)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let bits = (a.to_bits() ^ b.to_bits()).leading_zeros().min(self.bits);
                (IpAddr::V6((a.to_bits() & u128::MAX.checked_shl(128 - bits).unwrap_or(0)).into()), bits)
            }
            _ => (self.address, 0),
        };
        Self { address, bits: common }
    }

    /// True if it is narrow enough to say something.
    fn is_telling(self) -> bool {
        self.bits >= if self.address.is_ipv4() { 12 } else { 32 }
    }
}

fn targets(count: u64) -> String {
    if count == 1 { "1 target".to_owned() } else { format!("{count} targets") }
}
