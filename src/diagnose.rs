//! The step from evidence to a diagnosis: every cause's judge runs, consequences are hidden, fixes are filled in.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ssh_doctor_checks::causes::unexplained::is_unexplained;
use ssh_doctor_checks::causes::{Cause, FixKind, Match, Severity, Side, Testimony};
use ssh_doctor_checks::facts::certainty::Certainty;
use ssh_doctor_checks::facts::witness::Witness;
use ssh_doctor_checks::facts::{Check, CheckView, Evidence, Step, config};

use crate::clients::Client;
pub use crate::fixes::FilledFix;
use crate::fixes::fill;
pub use crate::suspected::Suspected;

/// The text that a fix for the network adds where known products fit.
const OWN_KNOB: &str = "; on a product that is named below, by its own setting";

/// The diagnosis of the evidence, root cause first.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// The verdict that the exit status follows from.
    pub verdict: Verdict,
    /// The check at which sessions or channels die.
    pub died_at: Option<Check>,
    /// The causes, root cause first; consequences of a named cause are left out.
    pub findings: Vec<Finding>,
}

/// The verdict on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing wrong was found in what was tested.
    Healthy,
    /// It works, with a problem that should be fixed.
    Degraded,
    /// Sessions or channels fail or cannot be opened.
    Broken,
    /// The examination could not decide.
    Inconclusive,
}

impl Verdict {
    /// The process's exit status.
    #[must_use]
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Degraded => 1,
            Self::Broken => 2,
            Self::Inconclusive => 3,
        }
    }

    /// The word for it in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Broken => "broken",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// Of several targets the worst counts, in the order broken, inconclusive, degraded, healthy.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let rank = |verdict| match verdict {
            Self::Healthy => 0,
            Self::Degraded => 1,
            Self::Inconclusive => 2,
            Self::Broken => 3,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// One cause as found in this run.
#[derive(Debug, Clone, JsonSchema, Serialize)]
pub struct Finding {
    /// The hop of a ProxyJump at which it shows; none for the target itself.
    pub hop: Option<String>,
    /// The catalogue's name for it.
    pub code: &'static str,
    /// The check at which it shows.
    pub stage: Check,
    /// The severity.
    pub severity: Severity,
    /// The certainty.
    pub certainty: Certainty,
    /// True if only what the title says is so sure, and its reason is one of several.
    pub reason_open: bool,
    /// The condition, without the figures of this run.
    pub title: Cow<'static, str>,
    /// The condition with this run's figures, for the first line of a report.
    #[serde(skip)]
    pub headline: Option<String>,
    /// The explanation: what happens, and how it is known.
    pub explanation: &'static str,
    /// The observed facts, the most important one first.
    pub because: Vec<String>,
    /// The fixes, then the next steps.
    pub fixes: Vec<FilledFix>,
    /// Known products that what was seen is consistent with; none of them is proven.
    pub suspects: Vec<Suspected>,
}

impl Finding {
    /// The finding without its explanation, its fixes and its suspects.
    #[must_use]
    pub fn brief(&self) -> Self {
        Self { explanation: "", fixes: Vec::new(), suspects: Vec::new(), ..self.clone() }
    }
}

/// Judges the evidence by the whole catalogue. Pure: the same evidence always gives the same diagnosis.
#[must_use]
pub fn diagnose(evidence: &Evidence) -> Diagnosis {
    diagnose_for(Client::Ssh, evidence)
}

/// Diagnoses, with the fix of the client's own side in its syntax.
#[must_use]
pub fn diagnose_for(client: Client, evidence: &Evidence) -> Diagnosis {
    diagnose_by(ssh_doctor_checks::causes::all(), client, evidence)
}

/// Judges the evidence by these causes alone; each hop by its own evidence.
#[must_use]
pub fn diagnose_by(causes: impl IntoIterator<Item = &'static Cause>, client: Client, evidence: &Evidence) -> Diagnosis {
    let causes: Vec<_> = causes.into_iter().collect();
    // A hop comes before what lies behind it.
    let mut findings: Vec<Finding> = Vec::new();
    for hop in &evidence.hops {
        let at_hop = findings_of(&causes, client, &hop.evidence);
        findings.extend(at_hop.into_iter().map(|found| Finding { hop: Some(hop.name.clone()), ..found }));
    }
    findings.extend(findings_of(&causes, client, evidence));
    let settled = evidence.witness.as_deref().is_some_and(Witness::logged_in);
    if settled {
        findings.iter_mut().filter(|found| found.hop.is_none() && found.stage <= Check::Auth).for_each(contradicted);
    }
    findings.sort_by_key(|found| found.severity);
    let way = || evidence.hops.iter().map(|hop| &hop.evidence).chain([evidence]);
    let withheld = way().any(|evidence| is_withheld(&causes, evidence));
    let mut checks: Vec<_> = way().flat_map(Evidence::checks).collect();
    // What ssh comes through works, whatever kept this examination from it.
    checks.retain(|view| !(settled && view.check <= Check::Auth && is_open(&view.step)));
    let died_at = died_at(&checks, &findings);
    let verdict = match verdict(&checks, &findings, died_at, evidence.interrupted) {
        Verdict::Broken if works_through_master(evidence, died_at) => Verdict::Degraded,
        // ssh could fail where this examination does not.
        Verdict::Healthy | Verdict::Degraded if is_undecided(evidence, settled) => Verdict::Inconclusive,
        Verdict::Healthy if withheld || is_interrupted_unexplained(evidence, &findings) => Verdict::Inconclusive,
        verdict => verdict,
    };
    Diagnosis { verdict, died_at, findings }
}

/// Returns the findings of the causes for one host, root cause first, without those that another one accounts for.
fn findings_of(causes: &[&'static Cause], client: Client, evidence: &Evidence) -> Vec<Finding> {
    let mut matches: Vec<Matched> = causes.iter().filter_map(|cause| Matched::of(cause, evidence)).collect();
    matches.retain(|matched| !matched.may_be_ours(evidence));
    matches.sort_by_key(Matched::rank);
    let hidden = hidden(&matches);
    matches.retain(|matched| !hidden.contains(matched.cause.code));
    let unneeded = explained(&matches);
    matches.retain(|matched| !unneeded.contains(matched.cause.code));
    matches.into_iter().map(|matched| matched.finding(client, evidence)).collect()
}

/// True if a cause is withheld because a pause of this process may have produced it.
fn is_withheld(causes: &[&'static Cause], evidence: &Evidence) -> bool {
    !evidence.pauses.is_empty()
        && causes.iter().filter_map(|cause| Matched::of(cause, evidence)).any(|matched| matched.may_be_ours(evidence))
}

/// A cause whose judge recognised it.
struct Matched {
    cause: &'static Cause,
    found: Match,
    /// True if it explains sessions of its own: two such causes are no consequences of each other.
    of_sessions: bool,
}

impl Matched {
    fn of(cause: &'static Cause, evidence: &Evidence) -> Option<Self> {
        let found = (cause.judge)(evidence);
        let of_sessions = found.is_none();
        let found = found.or_else(|| (cause.judge_sessions)(evidence))?;
        let server = evidence.server.iter();
        let testimony =
            server.flat_map(|answers| cause.corroborated_by.iter().filter_map(|ask| ask(answers, evidence)));
        Some(Self { cause, found: testimony.fold(found, corroborated), of_sessions })
    }

    fn severity(&self) -> Severity {
        self.found.severity.unwrap_or(self.cause.severity)
    }

    /// True if it was seen in a check during which this process did not run for a while: that is our own fault.
    fn may_be_ours(&self, evidence: &Evidence) -> bool {
        self.severity() != Severity::Info && evidence.pause_in(self.cause.stage).is_some()
    }

    /// The worst first; among equals the earliest check, since what fails there fails all that follows.
    fn rank(&self) -> (Severity, Check, Certainty, Reverse<usize>) {
        (self.severity(), self.cause.stage, self.found.certainty, Reverse(self.found.because.len()))
    }

    /// True if this cause accounts for a failure at `check`.
    fn explains(&self, check: Check) -> bool {
        self.severity() == Severity::Critical && (self.cause.stage <= check || self.cause.strikes_anywhere)
    }

    fn finding(self, client: Client, evidence: &Evidence) -> Finding {
        let suspects: Vec<Suspected> = self.found.suspects.iter().copied().map(Suspected::from).collect();
        let mut fixes = fill(self.cause.fixes, &self.found.values, client, evidence, self.found.hop);
        if suspects.iter().any(|suspect| suspect.knob.is_some()) {
            for fix in fixes.iter_mut().filter(|fix| fix.side == Side::Network && fix.kind == FixKind::Change) {
                fix.summary.push_str(OWN_KNOB);
            }
        }
        // The other paragraphs say what the idle test did to find out.
        let whole = self.cause.explanation;
        let explanation = if self.of_sessions { whole.split("\n\n").next().unwrap_or(whole) } else { whole };
        Finding {
            hop: None,
            code: self.cause.code,
            stage: self.found.stage.unwrap_or(self.cause.stage),
            severity: self.severity(),
            certainty: self.found.certainty,
            reason_open: self.found.reason_open,
            title: self.found.title.map_or(Cow::Borrowed(self.cause.title), Cow::Owned),
            headline: self.found.headline,
            explanation,
            fixes,
            suspects,
            because: self.found.because,
        }
    }
}

/// The match, more or less certain by what the server said about it.
fn corroborated(mut found: Match, testimony: Testimony) -> Match {
    let line = match testimony {
        Testimony::Confirms(line) => {
            found.certainty = Certainty::Certain;
            found.reason_open = false;
            line
        }
        Testimony::Fits(line) => line,
        Testimony::Contradicts(line) => {
            found.certainty = found.certainty.max(Certainty::Likely);
            line
        }
    };
    found.because.push(line);
    found
}

/// The codes that a matched cause accounts for, directly or through others; two that hide each other leave the better ranked.
fn hidden(matches: &[Matched]) -> BTreeSet<&'static str> {
    let hides =
        |code: &str| matches.iter().find(|matched| matched.cause.code == code).map(|matched| matched.cause.hides);
    let mut hidden = BTreeSet::new();
    for Matched { cause, of_sessions, .. } in matches {
        if *of_sessions || hidden.contains(cause.code) {
            continue;
        }
        let mut waiting = cause.hides.to_vec();
        while let Some(code) = waiting.pop() {
            if code != cause.code && hidden.insert(code) {
                waiting.extend(hides(code).into_iter().flatten());
            }
        }
    }
    hidden
}

/// The stand-ins for a missing explanation that are not needed, because another cause explains the failure.
fn explained(matches: &[Matched]) -> BTreeSet<&'static str> {
    let stand_ins = matches.iter().enumerate().filter(|(_, matched)| is_unexplained(matched.cause));
    stand_ins
        .filter(|(at, stand_in)| {
            let others = matches.iter().enumerate().filter(|(other, _)| other != at);
            others.map(|(_, other)| other).any(|other| other.of_sessions || other.explains(stand_in.cause.stage))
        })
        .map(|(_, stand_in)| stand_in.cause.code)
        .collect()
}

/// The first check that failed, or the check at which the worst cause shows.
fn died_at(checks: &[CheckView], findings: &[Finding]) -> Option<Check> {
    let failed = checks.iter().find(|view| matches!(view.step, Step::Failed(()))).map(|view| view.check);
    let critical = findings.iter().find(|found| found.severity == Severity::Critical).map(|found| found.stage);
    failed.or(critical)
}

/// True if a check failed, or did not come to an end.
fn is_open(step: &Step<()>) -> bool {
    matches!(step, Step::Failed(()) | Step::Void(()) | Step::Error(_))
}

/// A finding about what ssh itself was seen to come through.
fn contradicted(found: &mut Finding) {
    if found.severity == Severity::Critical {
        found.severity = Severity::Warning;
        found.certainty = Certainty::Possible;
        found.because.push("your own ssh logs in all the same".to_owned());
    }
}

/// True if no new connection comes to a login, and ssh works all the same: it shares the one of a control master.
fn works_through_master(evidence: &Evidence, died_at: Option<Check>) -> bool {
    let is_shared = evidence.config.facts().is_some_and(config::Facts::shares_a_connection);
    is_shared && died_at.is_some_and(|check| check <= Check::Auth)
}

/// True if a setting that is not honoured could make ssh fail, and ssh itself was not seen to come through.
fn is_undecided(evidence: &Evidence, settled: bool) -> bool {
    let forwards = evidence.witness.as_deref().is_some_and(Witness::forwards);
    let through_master = evidence.config.facts().is_some_and(config::Facts::leaves_forwardings_open);
    through_master
        || (evidence.settings.beyond_login && !forwards)
        || (!settled && !evidence.settings.deciding.is_empty())
}

/// True if the idle test reached less than was asked for because of interruptions that no cause explains.
fn is_interrupted_unexplained(evidence: &Evidence, findings: &[Finding]) -> bool {
    let disturbed = evidence.idle.passed().filter(|facts| facts.reached().is_some() && !facts.outages.is_empty());
    disturbed.is_some() && !findings.iter().any(|found| found.stage == Check::Idle)
}

fn verdict(checks: &[CheckView], findings: &[Finding], died_at: Option<Check>, interrupted: bool) -> Verdict {
    let any = |is: fn(&Step<()>) -> bool| checks.iter().any(|view| is(&view.step));
    let ours = any(|step| matches!(step, Step::Void(()) | Step::Error(_)));
    let nothing_tested = !any(|step| matches!(step, Step::Passed(()) | Step::Failed(())));
    if died_at.is_some() {
        Verdict::Broken
    } else if ours || interrupted || nothing_tested {
        Verdict::Inconclusive
    } else if findings.iter().any(|found| found.severity == Severity::Warning) {
        Verdict::Degraded
    } else {
        Verdict::Healthy
    }
}
