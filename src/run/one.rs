//! One target under the user's eyes: progress while it is examined, questions to them, the report.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use ssh_doctor_checks::base::ask::{Ask, Nobody};
use ssh_doctor_checks::base::stop::Stop;
use ssh_doctor_checks::base::text::seconds;
use ssh_doctor_checks::facts::{Check, Evidence};
use ssh_doctor_checks::measure::context;
use tokio::time::timeout_at;

use super::deadline::Deadline;
use super::output::{Sink, rendered};
use crate::cli::{Format, Output};
use crate::diagnose::{Verdict, diagnose_for};
use crate::plan::{Plan, Planned};
use crate::record;
use crate::terminal::{AtTerminal, LiveDisplay, Onlooker, remark, stop_on_signals};

/// The results of an examination that are kept beside its report.
pub(super) struct Keep<'a> {
    /// The file for the recording.
    pub(super) record: Option<&'a Path>,
    /// The file for the bundle.
    pub(super) bundle: Option<&'a Path>,
    pub(super) words: record::Words,
    /// True if to say what is in them.
    pub(super) is_told: bool,
}

/// Examines targets one after the other.
pub(super) struct Runner<'a> {
    board: LiveDisplay,
    stop: Stop,
    verbose: u8,
    output: &'a Output,
    deadline: Option<Deadline>,
}

impl<'a> Runner<'a> {
    /// Gets ready to draw progress and to be interrupted.
    pub(super) fn open(quiet: bool, verbose: u8, output: &'a Output, deadline: Option<Deadline>) -> Result<Self> {
        let quiet = quiet || output.format == Format::Nagios;
        let board = LiveDisplay::new(quiet, output.look.color);
        let stop = stop_on_signals(board.clone())?;
        let stop = deadline.map_or(stop.clone(), |deadline| deadline.stop(&stop));
        Ok(Self { board, stop, verbose, output, deadline })
    }

    /// Examines one target and writes its report.
    ///
    /// A target whose settings cannot be used has a report too in the formats for programs, beside the sentence for people.
    pub(super) async fn see(
        &self,
        plan: &Plan,
        input: &str,
        keep: Option<&Keep<'_>>,
        sink: &mut Sink,
    ) -> Result<Verdict> {
        let planned = self.within(plan.resolve(input)).await;
        let planned = planned.unwrap_or_else(|| Err(anyhow::anyhow!("{}", self.too_late("reading the settings"))));
        let evidence = match planned {
            Ok(planned) => {
                if let Some(refused) = planned.refused.as_ref().filter(|_| self.output.format != Format::Nagios) {
                    remark(format_args!("ssh-doctor: {refused}"));
                }
                self.examine(planned, &plan.checks).await
            }
            Err(error) if self.output.format == Format::Text => return Err(error),
            Err(error) => {
                if self.output.format != Format::Nagios {
                    remark(format_args!("ssh-doctor: {error:#}"));
                }
                let mut evidence = Evidence::unusable(input, format!("{error:#}"));
                evidence.timed_out = self.stop.timed_out();
                evidence
            }
        };
        self.tell(&evidence, keep, sink)
    }

    /// Examines one target.
    pub(super) async fn examine(&self, planned: Planned, checks: &BTreeSet<Check>) -> Evidence {
        if self.verbose > 0 {
            planned.describe(self.verbose).into_iter().for_each(remark);
        }
        let Planned { target, limits, .. } = planned;
        let is_told = self.output.format == Format::Text && !self.board.is_quiet();
        let title = format!("Examining {}", target.input);
        let (onlooker, progress) = Onlooker::of(title, &self.board, self.verbose, is_told);
        let ask: Arc<dyn Ask> = if target.credentials.can_ask {
            Arc::new(AtTerminal::new(self.board.clone(), self.stop.clone()))
        } else {
            Arc::new(Nobody)
        };
        let input = target.input.clone();
        let ctx = context::Context::new(target, limits, progress, self.stop.clone(), ask);
        let evidence = self.within(Box::pin(ssh_doctor_checks::examine(ctx, checks))).await;
        onlooker.done().await;
        evidence.unwrap_or_else(|| {
            let mut evidence = Evidence::unusable(&input, self.too_late("examining the target"));
            evidence.timed_out = true;
            evidence
        })
    }

    /// Writes the report, and keeps the evidence where it is to be kept.
    pub(super) fn tell(&self, evidence: &Evidence, keep: Option<&Keep<'_>>, sink: &mut Sink) -> Result<Verdict> {
        let diagnosis = diagnose_for(self.output.client, evidence);
        let kept = keep.map_or(Ok(()), |keep| self.keep(evidence, keep).context("the evidence was not kept"));
        if self.output.format == Format::Nagios {
            // A plugin has one status line and nothing on standard error.
            kept?;
            sink.write(&rendered(evidence, &diagnosis, self.output))?;
            return Ok(diagnosis.verdict);
        }
        sink.write(&rendered(evidence, &diagnosis, self.output))?;
        let Err(error) = kept else { return Ok(diagnosis.verdict) };
        remark(format_args!("ssh-doctor: {error:#}"));
        Ok(diagnosis.verdict.worse(Verdict::Inconclusive))
    }

    /// Writes the recording and the bundle, and says what is in them of other people's words.
    fn keep(&self, evidence: &Evidence, keep: &Keep<'_>) -> Result<()> {
        let recorded = keep.record.map(|path| (path, record::save(evidence, path, keep.words)));
        let bundled = keep.bundle.map(|path| (path, record::bundle(evidence, path, keep.words, self.output.client)));
        for (path, kept) in [recorded, bundled].into_iter().flatten() {
            let kept = kept?;
            if keep.is_told && self.output.format != Format::Nagios {
                let kept = if kept.is_empty() { "no words of others".to_owned() } else { kept.join(", ") };
                remark(format_args!("Written to {}; kept: {kept}", path.display()));
            }
        }
        Ok(())
    }

    /// The future's result, or nothing where the deadline passes first.
    async fn within<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        match self.deadline {
            None => Some(future.await),
            Some(deadline) => timeout_at(deadline.hard.into(), future).await.ok(),
        }
    }

    fn too_late(&self, doing: &str) -> String {
        let whole = self.deadline.map_or(0.0, |deadline| deadline.whole.as_secs_f64());
        format!("still {doing} when the {} of --deadline were over", seconds(whole))
    }
}
