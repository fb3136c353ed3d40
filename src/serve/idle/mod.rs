//! Idle tests in the background. An idle timeout is a property of the path, so a sample of the targets of each path is measured from time
//! to time, and the result is served for all of them.

pub(super) mod state;
pub(super) mod store;

use std::sync::Arc;
use std::time::Duration;

use ssh_doctor_checks::base::ask::Nobody;
use ssh_doctor_checks::facts::{Evidence, Step};
use ssh_doctor_checks::measure::context::Context;
use ssh_doctor_checks::measure::progress::Progress;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::allow::AllowedAddresses;
use super::app::{App, Loaded};
use super::config::{GroupBy, Idle};
use super::metrics::{Counters, now_s};
use super::modules::PreparedModule;
use crate::plan::Planned;
use crate::terminal::remark;
use state::Measured;
use store::Job;

/// The time between two checks for groups that are due.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Returns the group of a target; none if its address is not known.
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

/// Runs the idle tests that are due until the exporter stops.
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
        app.stop.race(sleep(POLL_INTERVAL)).await;
    }
    running.shutdown().await;
}

/// Measures the sample of a group and keeps its worst result.
async fn measure(app: Arc<App>, loaded: Arc<Loaded>, module: Arc<PreparedModule>, job: Job) {
    let mut worst: Option<Measured> = None;
    for target in &job.targets {
        Counters::count(&app.counters.idle_tests);
        match one(&app, &loaded, &module, target).await {
            Ok(measured) => worst = Some(worst.map_or(measured.clone(), |worst| worst.worse(measured))),
            Err(why) => {
                Counters::count(&app.counters.idle_failures);
                if !app.stop.asked() {
                    remark(format_args!("ssh-doctor serve: the idle test of {target} has no result: {why}"));
                }
            }
        }
    }
    if let Err(error) = app.idle.finish(&job, worst, module.settings.idle.as_ref()) {
        remark(format_args!("ssh-doctor serve: {error:#}"));
    }
}

async fn one(app: &App, loaded: &Loaded, module: &PreparedModule, target: &str) -> Result<Measured, String> {
    let plans = module.plans().await.map_err(|error| format!("{error:#}"))?;
    let plan = plans.idle.ok_or("the module has no idle test")?;
    let planned = plan.resolve(&module.with_port(target)).await.map_err(|error| format!("{error:#}"))?;
    loaded.allow.check_target(&planned.target.host, Some(planned.target.port))?;
    let mut context =
        Context::new(planned.target, planned.limits, Progress::default(), app.stop.clone(), Arc::new(Nobody));
    context.admission = Some(AllowedAddresses::new(loaded.allow.clone(), app.places.penalties.clone()));
    let evidence = Box::pin(ssh_doctor_checks::examine(context, &plan.checks)).await;
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
