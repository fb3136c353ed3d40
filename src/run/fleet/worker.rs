//! The examination of one target of many, and the threads that do it.

use std::sync::Arc;

use anyhow::Result;
use ssh_doctor_checks::base::ask::Nobody;
use ssh_doctor_checks::base::stop::Stop;
use ssh_doctor_checks::base::text::escaped;
use ssh_doctor_checks::facts::Evidence;
use ssh_doctor_checks::measure::context;
use ssh_doctor_checks::measure::progress::Progress;
use tokio::runtime::Builder;
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::{JoinSet, LocalSet, spawn_local};
use tokio::time::timeout_at;

use super::super::deadline::Deadline;
use super::jobs::processors;
use super::polite::{Place, Places, Rate, way};
use super::summary::TargetOutcome;
use crate::cli::{Format, Output};
use crate::diagnose::diagnose_for;
use crate::plan::{Plan, Planned};
use crate::report::prometheus::Figures;
use crate::report::{Style, full, json, line, text};
use crate::targets::Entry;

/// The state that all targets share.
pub(super) struct Shared {
    pub(super) plan: Plan,
    pub(super) output: Output,
    pub(super) style: Style,
    pub(super) shape: json::Shape,
    /// Whole reports as text, not a line each.
    pub(super) details: bool,
    /// True if the reports are kept as JSON besides.
    pub(super) keeps_json: bool,
    pub(super) stop: Stop,
    pub(super) deadline: Option<Deadline>,
    pub(super) places: Places,
    pub(super) rate: Option<Rate>,
}

/// The rest of one target once its evidence is judged.
pub(super) struct Done {
    /// `None` where the run was ended before its turn.
    pub(super) outcome: Option<TargetOutcome>,
    /// The report as it is printed; empty where it is printed later, with the others.
    pub(super) text: String,
    /// The report as it is kept.
    pub(super) json: Option<String>,
    pub(super) figures: Option<Figures>,
}

/// Starts a thread for each processor; together they examine this many targets at a time until the queue ends.
pub(super) fn start(
    shared: &Arc<Shared>,
    jobs: usize,
    entries: mpsc::Receiver<Entry>,
    results: &mpsc::Sender<Done>,
) -> Result<()> {
    let (entries, slots) = (Arc::new(Mutex::new(entries)), Arc::new(Semaphore::new(jobs)));
    for number in 0..processors().min(jobs) {
        let worker =
            Worker { shared: shared.clone(), entries: entries.clone(), slots: slots.clone(), results: results.clone() };
        // An examination mostly waits, and its task need not move between threads.
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let body = move || LocalSet::new().block_on(&runtime, worker.work());
        std::thread::Builder::new().name(format!("worker-{number}")).spawn(body)?;
    }
    Ok(())
}

struct Worker {
    shared: Arc<Shared>,
    entries: Arc<Mutex<mpsc::Receiver<Entry>>>,
    slots: Arc<Semaphore>,
    results: mpsc::Sender<Done>,
}

impl Worker {
    async fn work(self) {
        let (shared, stop) = (&self.shared, &self.shared.stop);
        let mut running = JoinSet::new();
        loop {
            let Some(Ok(slot)) = stop.race(self.slots.clone().acquire_owned()).await else { break };
            let next = stop.race(async { self.entries.lock().await.recv().await }).await;
            let Some(Some(entry)) = next else { break };
            if let Some(rate) = &shared.rate
                && stop.race(rate.turn()).await.is_none()
            {
                self.leave().await;
                break;
            }
            let (shared, results) = (shared.clone(), self.results.clone());
            running.spawn_local(async move {
                let done = examined(shared, entry).await;
                // Nobody takes it where the reports cannot be written, and then nothing more is examined.
                let _ = results.send(done).await;
                drop(slot);
            });
            while running.try_join_next().is_some() {}
        }
        if stop.asked() {
            let mut entries = self.entries.lock().await;
            entries.close();
            while entries.recv().await.is_some() {
                self.leave().await;
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Counts a target that is not examined.
    async fn leave(&self) {
        let left = Done { outcome: None, text: String::new(), json: None, figures: None };
        let _ = self.results.send(left).await;
    }
}

/// One target's report. A fault of our own ends its examination, not the run.
async fn examined(shared: Arc<Shared>, entry: Entry) -> Done {
    let (mine, input, labels) = (shared.clone(), entry.input.clone(), entry.labels.clone());
    let mut evidence = match spawn_local(async move { mine.evidence(&entry).await }).await {
        Ok(evidence) => evidence,
        Err(fault) => Evidence::unusable(&input, format!("internal error: {fault}; please report it")),
    };
    evidence.target.labels = labels;
    shared.report(&evidence)
}

impl Shared {
    async fn evidence(&self, entry: &Entry) -> Evidence {
        let Entry { input, fault, .. } = entry;
        if let Some(fault) = fault {
            return Evidence::unusable(input, fault.clone());
        }
        let Some(deadline) = self.deadline else { return self.whole(input).await };
        timeout_at(deadline.hard.into(), self.whole(input)).await.unwrap_or_else(|_| {
            let mut evidence = Evidence::unusable(input, "the deadline passed".to_owned());
            evidence.timed_out = true;
            evidence
        })
    }

    async fn whole(&self, input: &str) -> Evidence {
        let Planned { target, limits, .. } = match self.plan.resolve(input).await {
            Ok(planned) => planned,
            Err(error) => return Evidence::unusable(input, format!("{error:#}")),
        };
        let _way = match way(&target).map(Place::Way) {
            Some(way) => Some(self.places.take(vec![way]).await),
            None => None,
        };
        let mut ctx = context::Context::new(target, limits, Progress::default(), self.stop.clone(), Arc::new(Nobody));
        ctx.admission = Some(Arc::new(self.places.clone()));
        let evidence = Box::pin(ssh_doctor_checks::examine(ctx, &self.plan.checks)).await;
        self.places.penalties.note(&evidence);
        evidence
    }

    fn report(&self, evidence: &Evidence) -> Done {
        let diagnosis = diagnose_for(self.output.client, evidence);
        let json = || json::render(evidence, &diagnosis, self.shape);
        let kept = self.keeps_json.then(json);
        let mut figures = None;
        let mut printed = match self.output.format {
            Format::Json => kept.clone().unwrap_or_else(json),
            Format::Text if self.details && self.output.verbose > 0 => full::render(evidence, &diagnosis, &self.style),
            Format::Text if self.details => text::render(evidence, &diagnosis, &self.style),
            Format::Text => line::render(evidence, &diagnosis, &self.style),
            Format::Nagios | Format::Html => String::new(),
            Format::Prometheus => {
                figures = Some(Figures::of(evidence, &diagnosis, Some(&escaped(&evidence.target.input))));
                String::new()
            }
        };
        if !printed.is_empty() {
            printed.push('\n');
        }
        Done { outcome: Some(TargetOutcome::of(evidence, &diagnosis)), text: printed, json: kept, figures }
    }
}
