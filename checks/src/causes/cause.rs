//! The record of a cause, which feeds the report, `explain` and the catalogue page.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::suspects::Suspect;
use crate::facts::certainty::Certainty;
use crate::facts::server::ServerAnswers;
use crate::facts::{Check, Evidence};

/// A root cause: what is seen, what happens, how to fix it, and the judge that recognises it.
#[derive(Debug)]
pub struct Cause {
    /// Its name, never reused and never renamed.
    pub code: &'static str,
    /// The check at which it shows.
    pub stage: Check,
    /// One line, without the values of a particular run.
    pub title: &'static str,
    /// The severity, unless the match overrides it.
    pub severity: Severity,
    /// The mechanism and its evidence in a few sentences; paragraphs are separated by a blank line.
    pub explanation: &'static str,
    /// Fixes, best first, and next steps.
    pub fixes: &'static [Fix],
    /// Messages of other tools for this cause, without host names.
    pub symptoms: &'static [&'static str],
    /// Codes that are only its consequences, or less specific names for it.
    pub hides: &'static [&'static str],
    /// True where it can strike at any check, whichever it is listed under: it accounts for failures of earlier checks too.
    pub strikes_anywhere: bool,
    /// Evidence from the server's own settings, logs and kernel, where the server was asked.
    pub corroborated_by: &'static [Corroboration],
    /// Recognises it in the evidence; pure, and reads any check's facts.
    pub judge: fn(&Evidence) -> Option<Match>,
    /// Recognises it in sessions of real life (`tap`, `watch`, the socket table), each of which one cause explains at the most.
    pub judge_sessions: fn(&Evidence) -> Option<Match>,
}

impl Cause {
    /// A cause to be completed with struct update syntax: it strikes at its own check, and nothing corroborates it.
    pub const NEW: Self = Self {
        code: "",
        stage: Check::Dns,
        title: "",
        severity: Severity::Critical,
        explanation: "",
        fixes: &[],
        symptoms: &[],
        hides: &[],
        strikes_anywhere: false,
        corroborated_by: &[],
        judge: |_| None,
        judge_sessions: |_| None,
    };
}

/// Reads the server's answers for one cause; `None` where they do not touch on it.
pub type Corroboration = fn(&ServerAnswers, &Evidence) -> Option<Testimony>;

/// A statement of the server about a cause that was found from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Testimony {
    /// It is so.
    Confirms(String),
    /// It fits, and proves nothing.
    Fits(String),
    /// It is not so, or not only.
    Contradicts(String),
}

/// The severity of a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Sessions or channels fail or cannot be opened.
    Critical,
    /// It works, with a problem to fix.
    Warning,
    /// Worth knowing.
    Info,
}

/// A judge's verdict: how sure, and the observed facts that say so.
#[derive(Debug, Clone)]
pub struct Match {
    /// The certainty.
    pub certainty: Certainty,
    /// True if only what the title says is so sure: of its reasons, which the explanation names, several fit.
    pub reason_open: bool,
    /// A severity other than the cause's own.
    pub severity: Option<Severity>,
    /// The check at which it shows here, where that is not the cause's own.
    pub stage: Option<Check>,
    /// The condition with this run's figures, for the first line of a report: "login takes 16 s: ...".
    pub headline: Option<String>,
    /// Each observed fact, as a sentence; what a server sent is escaped.
    pub because: Vec<String>,
    /// Values for the placeholders in the fixes, beyond those of [`Fix::snippet`].
    pub values: Vec<(&'static str, String)>,
    /// Known products that what was seen is consistent with; none of them is proven.
    pub suspects: Vec<&'static Suspect>,
    /// A title with values of this run in place of the cause's own.
    pub title: Option<String>,
    /// The jump host that it happened at, by its number from the first: its software decides which fixes apply.
    pub hop: Option<u8>,
}

impl Match {
    /// A match of the given certainty, proven by these facts.
    pub fn new<S: Into<String>>(certainty: Certainty, because: impl IntoIterator<Item = S>) -> Self {
        Self {
            certainty,
            reason_open: false,
            severity: None,
            stage: None,
            headline: None,
            because: because.into_iter().map(Into::into).collect(),
            values: Vec::new(),
            suspects: Vec::new(),
            title: None,
            hop: None,
        }
    }

    /// Gives the match another severity than the cause's own.
    #[must_use]
    pub fn at(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }

    /// Shows the match at this check.
    #[must_use]
    pub fn shows_at(self, stage: Check) -> Self {
        Self { stage: Some(stage), ..self }
    }

    /// Puts this in the first line of a report.
    #[must_use]
    pub fn headline(self, headline: impl Into<String>) -> Self {
        Self { headline: Some(headline.into()), ..self }
    }

    /// Makes the match sure of what the title says, and of none of the reasons for it.
    #[must_use]
    pub fn reason_open(self) -> Self {
        Self { reason_open: true, ..self }
    }

    /// Adds a value for `{name}` in the fixes.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    /// Gives the match a title that names the observations of this run.
    #[must_use]
    pub fn titled(self, title: String) -> Self {
        Self { title: Some(title), ..self }
    }

    /// Places the match at the jump host of this number.
    #[must_use]
    pub fn at_hop(self, number: u8) -> Self {
        Self { hop: Some(number), ..self }
    }

    /// Adds known products that fit it, which the report offers with their knobs.
    #[must_use]
    pub fn suspecting(self, suspects: Vec<&'static Suspect>) -> Self {
        Self { suspects, ..self }
    }
}

/// The side that has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The user's own machine.
    Client,
    /// The SSH server.
    Server,
    /// Whatever lies between them.
    Network,
}

/// The kind of a fix: it gathers evidence, or it changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FixKind {
    /// Gathers evidence and changes nothing: the next step where the cause is not settled.
    Look,
    /// One deliberate act that changes something, with what to mind before it.
    Change,
}

/// One way to fix a cause, or to look further into it.
#[derive(Debug)]
pub struct Fix {
    /// The side that acts.
    pub side: Side,
    /// The kind: it looks, or it changes; a snippet never does both.
    pub kind: FixKind,
    /// True if it applies to what was seen.
    pub when: fn(&Evidence) -> bool,
    /// The change, in one sentence.
    pub summary: &'static str,
    /// The file that the snippet belongs in; `None` when the snippet is a command.
    pub file: Option<&'static str>,
    /// Text to paste. `{alias}` (what the user types after `ssh`; in a command with the flags that this run was given), `{host}`, `{port}`, `{user}`,
    /// `{known_as}` (the name that ssh looks for in known_hosts: `HostKeyAlias`, or the host with its port unless that is 22) and `{version}` (the
    /// server's identification string) are filled wherever they are known; other placeholders come from [`Match::values`], and a fix with one that is not filled is left out of the report.
    pub snippet: Option<&'static str>,
    /// The risk to consider before the change.
    pub caution: Option<&'static str>,
    /// True if this run tried it on its own connection, and whether it held.
    pub tried: fn(&Evidence) -> Option<bool>,
}

impl Fix {
    /// A step that only looks, to be completed with struct update syntax.
    pub const LOOK: Self = Self {
        side: Side::Client,
        kind: FixKind::Look,
        when: |_| true,
        summary: "",
        file: None,
        snippet: None,
        caution: None,
        tried: |_| None,
    };
    /// A step that changes something, to be completed with struct update syntax.
    pub const CHANGE: Self = Self { kind: FixKind::Change, ..Self::LOOK };
}
