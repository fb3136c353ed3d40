//! One probe: its allow-list check, its time limit and its result, which identical requests at the same time share.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use ssh_doctor_checks::base::ask::Nobody;
use ssh_doctor_checks::facts::Evidence;
use ssh_doctor_checks::measure::context::Context;
use ssh_doctor_checks::measure::progress::Progress;
use tokio::time::timeout_at;

use super::allow::AllowedAddresses;
use super::app::{App, Loaded};
use super::history::Entry;
use super::idle;
use super::metrics::Counters;
use super::modules::PreparedModule;
use super::result::{Answer, ProbeResult, Refusal};
use super::running::{Key, Pending};
use crate::plan::Planned;
use crate::report::json;
use crate::run::deadline::Deadline;
use crate::run::fleet::polite::{Place, way};

/// The part of the scrape timeout that is left for the response, the default of blackbox_exporter's --timeout-offset.
const SCRAPE_OFFSET: Duration = Duration::from_millis(500);

/// The shortest timeout of a probe, regardless of the scrape timeout.
const MIN_TIMEOUT: Duration = Duration::from_millis(500);

/// The longest name of a target or a group, bytes.
const MAX_NAME_BYTES: usize = 512;

/// The parameters of a probe.
#[derive(Debug, Clone)]
pub(super) struct ProbeRequest {
    pub(super) module: Arc<PreparedModule>,
    pub(super) target: String,
    pub(super) group: Option<String>,
    /// X-Prometheus-Scrape-Timeout-Seconds, where the client sent it.
    pub(super) scrape_timeout: Option<Duration>,
    /// Never answered with an earlier result.
    pub(super) fresh: bool,
}

impl ProbeRequest {
    fn key(&self) -> Key {
        (self.module.name.clone(), self.target.clone(), self.group.clone())
    }

    /// Returns the time limit: the scrape timeout less the offset, at most the module's timeout.
    fn timeout(&self) -> Duration {
        let scrape = self.scrape_timeout.map(|timeout| timeout.saturating_sub(SCRAPE_OFFSET).max(MIN_TIMEOUT));
        scrape.map_or(self.module.timeout(), |scrape| scrape.min(self.module.timeout()))
    }

    /// Returns the configured `min_interval`, or half the scrape timeout, which is at most half the scrape interval.
    fn min_interval(&self, loaded: &Loaded) -> Duration {
        let configured = loaded.config.min_interval.map(|interval| interval.0);
        configured.unwrap_or_else(|| self.scrape_timeout.unwrap_or_default() / 2)
    }
}

/// Returns the result of a new probe, of one that is running, or of one that ended within `min_interval`.
pub(super) async fn answer(app: &Arc<App>, request: &ProbeRequest) -> Answer {
    let (began, loaded) = (Instant::now(), app.loaded());
    check(&loaded, request).inspect_err(|_| Counters::count(&app.counters.refused))?;
    let until = began + request.timeout() + SCRAPE_OFFSET / 2;
    let mut answer = join_or_start(app, &loaded, request, began);
    match timeout_at(until.into(), answer.wait_for(Option::is_some)).await {
        Ok(Ok(answer)) => answer.clone().unwrap_or_else(|| Err(Refusal::Busy("the probe was lost".to_owned()))),
        Ok(Err(_)) => Err(Refusal::Busy("the probe failed with an internal error; please report it".to_owned())),
        Err(_) => {
            Ok(Arc::new(ProbeResult::cut_off(&request.target, "waiting for the same probe of an earlier request")))
        }
    }
}

/// Refuses parameters that cannot be used or are not allowed, before anything is resolved or started.
fn check(loaded: &Loaded, request: &ProbeRequest) -> Result<(), Refusal> {
    let bad = |why: String| Err(Refusal::Bad(why));
    if request.target.len() > MAX_NAME_BYTES || request.group.as_ref().is_some_and(|group| group.len() > MAX_NAME_BYTES)
    {
        return bad(format!("a target or group has at most {MAX_NAME_BYTES} bytes"));
    }
    let (user, host, port) = match crate::plan::parts(&request.module.with_port(&request.target)) {
        Ok(parts) => parts,
        Err(error) => return bad(format!("{error:#}")),
    };
    if user.is_some() {
        return bad("the login name is set in the module, not in the target".to_owned());
    }
    loaded.allow.check_target(&host, port).map_err(Refusal::Forbidden)
}

fn join_or_start(app: &Arc<App>, loaded: &Arc<Loaded>, request: &ProbeRequest, began: Instant) -> Pending {
    let mut running = app.running.lock().unwrap_or_else(PoisonError::into_inner);
    let min_interval = request.min_interval(loaded);
    if let Some(answer) = running.current(&request.key()) {
        let age = answer.borrow().as_ref().map(|ended| ended.as_ref().map_or(Duration::MAX, |result| result.age()));
        // A client with a long scrape timeout does not make others read old results.
        let shared = match age {
            None => Some(&app.counters.joined),
            Some(age) => (!request.fresh && age < min_interval).then_some(&app.counters.repeated),
        };
        if let Some(counter) = shared {
            Counters::count(counter);
            return answer;
        }
    }
    let (sender, answer) = running.start(request.key(), min_interval);
    let (app, loaded, request) = (app.clone(), loaded.clone(), request.clone());
    // The probe goes on when its client disconnects: the next request gets the result at once.
    tokio::spawn(async move {
        app.in_flight.fetch_add(1, Ordering::Relaxed);
        let answer = run(&app, &loaded, &request, began).await;
        app.in_flight.fetch_sub(1, Ordering::Relaxed);
        sender.send_replace(Some(answer));
    });
    answer
}

async fn run(app: &App, loaded: &Loaded, request: &ProbeRequest, began: Instant) -> Answer {
    let ProbeRequest { module, target, .. } = request;
    let deadline = Deadline::of(began, request.timeout());
    let Ok(Ok(_permit)) = timeout_at(deadline.hard.into(), loaded.permits.acquire()).await else {
        Counters::count(&app.counters.rejected_busy);
        let most = loaded.config.max_probes;
        return Err(Refusal::Busy(format!("{most} probes are running; raise max_probes or scrape fewer targets")));
    };
    let result = match timeout_at(deadline.hard.into(), examine(app, loaded, request, deadline)).await {
        Ok(examined) => {
            let (evidence, group) = examined?;
            ProbeResult::of(evidence, group)
        }
        Err(_) => ProbeResult::cut_off(&request.target, "examining the target"),
    };
    let ProbeResult { evidence, diagnosis, .. } = &result;
    if evidence.timed_out {
        Counters::count(&app.counters.timed_out);
    }
    app.counters.probe(&module.name, diagnosis.verdict);
    let shape = json::Shape { brief: true, pretty: false };
    let entry = Entry::of(&module.name, evidence, diagnosis);
    app.history().keep(target, entry, loaded.config.history, || json::render(evidence, diagnosis, shape));
    Ok(Arc::new(result))
}

/// Examines the target; returns the evidence and the group of its path.
async fn examine(
    app: &App,
    loaded: &Loaded,
    request: &ProbeRequest,
    deadline: Deadline,
) -> Result<(Evidence, Option<String>), Refusal> {
    let ProbeRequest { module, target, group, .. } = request;
    let unusable = |error: &anyhow::Error| Ok((Evidence::unusable(target, format!("{error:#}")), None));
    let plan = match module.plans().await {
        Ok(plans) => plans.probe,
        Err(error) => return unusable(&error),
    };
    let mut planned = match plan.resolve(&module.with_port(target)).await {
        Ok(planned) => planned,
        Err(error) => return unusable(&error),
    };
    planned.bound_stages(deadline.stage(), "the timeout of the probe");
    target.clone_into(&mut planned.target.input);
    let forbidden = |why| {
        Counters::count(&app.counters.refused);
        Refusal::Forbidden(why)
    };
    loaded.allow.check_port(planned.target.port).map_err(forbidden)?;
    let way = way(&planned.target);
    if way.is_some() {
        loaded.allow.check_unresolved(&planned.target.host).map_err(forbidden)?;
    }
    let _turn = match way.map(Place::Way) {
        Some(way) => Some(app.places.take(vec![way]).await),
        None => None,
    };
    let addresses = AllowedAddresses::new(loaded.allow.clone(), app.places.penalties.clone());
    let Planned { target: resolved, limits, .. } = &planned;
    let stop = deadline.stop(&app.stop);
    let mut context = Context::new(resolved.clone(), limits.clone(), Progress::default(), stop, Arc::new(Nobody));
    context.admission = Some(addresses.clone());
    let evidence = Box::pin(ssh_doctor_checks::examine(context, &plan.checks)).await;
    app.places.penalties.note(&evidence);
    if let Some(why) = addresses.refused() {
        return Err(forbidden(why));
    }
    let Some(settings) = &module.settings.idle else { return Ok((evidence, None)) };
    let group = idle::group(settings, target, group.as_deref(), &planned, &evidence);
    if let Some(group) = &group {
        app.idle.add_member(&module.name, settings, group, target);
    }
    Ok((evidence, group))
}
