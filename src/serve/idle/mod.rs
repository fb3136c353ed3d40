//! Idle tests in the background: the timer belongs to the path, so that a few targets of each path are measured now and then, and the
//! result is served for all of them.

mod state;
mod store;

use std::sync::Arc;
use std::time::Duration;

use ssh_doctor_checks::base::ask::Nobody;
use ssh_doctor_checks::facts::{Evidence, Step};
use ssh_doctor_checks::measure::examination::Examination;
use ssh_doctor_checks::measure::progress::Progress;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::allow::Gate;
use super::app::{App, Loaded};
use super::config::{GroupBy, Idle};
use super::metrics::{Counters, now_s};
use super::modules::Ready;
use crate::plan::Planned;
use crate::terminal::remark;
pub(super) use state::Measured;
pub(super) use store::{Job, Store};

/// How often it is looked whether a group is due.
const GLANCE: Duration = Duration::from_secs(1);

/// The name of the group that a target belongs to; none where it cannot be told.
pub(super) fn group(
    idle: &Idle,
    target: &str,
    parameter: Option<&str>,
    planned: &Planned,
    evidence: &Evidence,
) -> Option<String> {
    match idle.group_by {
        GroupBy::Target => Some(target.to_owned()),
        GroupBy::Parameter => Some(parameter.unwrap_or("default").to_owned()),
        GroupBy::Network => match planned.target.proxy.as_ref() {
            Some(proxy) => Some(format!("via {}", proxy.hops.first().map_or("a command", String::as_str))),
            None => evidence.address().map(store::network),
        },
    }
}

/// Measures groups as they are due, until the exporter stops.
pub(super) async fn run(app: Arc<App>) {
    let mut running = JoinSet::new();
    while !app.stop.asked() {
        while running.try_join_next().is_some() {}
        let loaded = app.loaded();
        for module in loaded.modules.values() {
            let Some(idle) = &module.settings.idle else { continue };
            while let Some(job) = app.idle.due(&module.name, idle) {
                running.spawn(measure(app.clone(), loaded.clone(), module.clone(), job));
            }
        }
        app.stop.race(sleep(GLANCE)).await;
    }
    running.shutdown().await;
}

/// Measures some targets of a group, and keeps the worst result of them.
async fn measure(app: Arc<App>, loaded: Arc<Loaded>, module: Arc<Ready>, job: Job) {
    let mut worst: Option<Measured> = None;
    for target in &job.targets {
        Counters::count(&app.counters.idle_tests);
        match one(&app, &loaded, &module, target).await {
            Ok(measured) => worst = Some(worst.map_or(measured.clone(), |worst| worst.worse(measured))),
            Err(why) => {
                Counters::count(&app.counters.idle_failures);
                if !app.stop.asked() {
                    remark(format_args!("ssh-doctor serve: no idle result of {target}: {why}"));
                }
            }
        }
    }
    if let Err(error) = app.idle.done(&job, worst, module.settings.idle.as_ref()) {
        remark(format_args!("ssh-doctor serve: {error:#}"));
    }
}

async fn one(app: &App, loaded: &Loaded, module: &Ready, target: &str) -> Result<Measured, String> {
    let plans = module.plans().await.map_err(|error| format!("{error:#}"))?;
    let plan = plans.idle.ok_or("the module has no idle test")?;
    let planned = plan.resolve(&module.with_port(target)).await.map_err(|error| format!("{error:#}"))?;
    let mut exam =
        Examination::new(planned.target, planned.limits, Progress::default(), app.stop.clone(), Arc::new(Nobody));
    exam.admission = Some(Gate::new(loaded.allow.clone()));
    let evidence = Box::pin(ssh_doctor_checks::examine(exam, &plan.checks)).await;
    let facts = evidence.idle.facts().filter(|facts| facts.complete && !evidence.interrupted);
    let Some(facts) = facts else {
        let failed = evidence.checks().into_iter().find(|view| !matches!(view.step, Step::Passed(())));
        return Err(
            failed.map_or("it was ended early".to_owned(), |view| format!("{}: {}", view.check.name(), view.summary))
        );
    };
    Ok(Measured {
        at_unix: now_s().round(),
        target: target.to_owned(),
        samples: 1,
        survived_s: facts.timeout().survived_s,
        died_s: facts.timeout().died_s,
        interval_s: facts.keepalive().interval_s,
        verified: facts.keepalive().verified,
    })
}
