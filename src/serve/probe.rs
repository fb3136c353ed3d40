//! One probe: who may be asked, in what time; and those that ask the same at the same time share the answer.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use ssh_doctor_checks::base::ask::Nobody;
use ssh_doctor_checks::facts::Evidence;
use ssh_doctor_checks::measure::examination::Examination;
use ssh_doctor_checks::measure::progress::Progress;
use tokio::sync::watch;
use tokio::time::timeout_at;

use super::allow::Gate;
use super::app::{App, Loaded};
use super::history::Entry;
use super::idle;
use super::metrics::Counters;
use super::modules::Ready;
use crate::diagnose::{Diagnosis, diagnose};
use crate::plan::Planned;
use crate::report::json;
use crate::report::prometheus::Figures;
use crate::run::deadline::Deadline;
use crate::run::fleet::polite::{Place, way};

/// The time that is kept back from the scrape's timeout for the answer's way, as blackbox_exporter does.
const OFFSET: Duration = Duration::from_millis(500);

/// The shortest time of a probe.
const SHORTEST: Duration = Duration::from_millis(500);

/// The longest name of a target or a group, bytes.
const LONGEST: usize = 512;

/// What a request asks for.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) module: Arc<Ready>,
    pub(super) target: String,
    pub(super) group: Option<String>,
    /// The scrape's timeout, where it says one.
    pub(super) scrape_timeout: Option<Duration>,
    /// Whether a result of a moment ago will do.
    pub(super) fresh: bool,
}

/// Why there is no result.
#[derive(Debug, Clone)]
pub(super) enum Refusal {
    /// The request cannot be understood.
    Bad(String),
    /// The target is not on the allow-list.
    Forbidden(String),
    /// Too much is running.
    Busy(String),
}

/// A result.
#[derive(Debug)]
pub(super) struct Probed {
    pub(super) evidence: Evidence,
    pub(super) diagnosis: Diagnosis,
    /// The path group of its idle result.
    group: Option<String>,
    ended: Instant,
}

type Answer = Result<Arc<Probed>, Refusal>;

/// The probes that are running, and those that ended a moment ago.
#[derive(Debug, Default)]
pub(super) struct Flights(HashMap<Key, watch::Receiver<Option<Answer>>>);

/// What makes two probes the same.
type Key = (String, String, Option<String>);

impl Question {
    fn key(&self) -> Key {
        (self.module.name.clone(), self.target.clone(), self.group.clone())
    }

    /// The whole time: the scrape's less what the answer takes, at most the module's.
    fn time(&self) -> Duration {
        let scrape = self.scrape_timeout.map(|timeout| timeout.saturating_sub(OFFSET).max(SHORTEST));
        scrape.map_or(self.module.timeout(), |scrape| scrape.min(self.module.timeout()))
    }
}

impl Probed {
    /// The figures of the result, with those of the idle test of its path.
    pub(super) fn figures(&self, app: &App, question: &Question) -> Figures {
        let figures = Figures::of(&self.evidence, &self.diagnosis, None);
        let measured = self.group.as_ref().and_then(|group| app.idle.result(&question.module.name, group));
        match measured {
            Some(one) => figures.with_idle(one.survived_s, one.died_s, one.interval_s, one.at_unix, one.samples),
            None => figures,
        }
    }
}

/// The result of a probe: a new one, that of a probe which is running, or of one that ended within `min_interval`.
pub(super) async fn answer(app: &Arc<App>, question: &Question) -> Answer {
    let (began, loaded) = (Instant::now(), app.loaded());
    check(&loaded, question).inspect_err(|_| Counters::count(&app.counters.refused))?;
    let until = began + question.time() + OFFSET / 2;
    let mut flight = join(app, &loaded, question, began);
    let landed = timeout_at(until.into(), flight.wait_for(Option::is_some)).await;
    match landed {
        Ok(Ok(answer)) => answer.clone().unwrap_or_else(|| Err(Refusal::Busy("the probe was lost".to_owned()))),
        Ok(Err(_)) => Err(Refusal::Busy("the probe failed with an internal error; please report it".to_owned())),
        Err(_) => Err(Refusal::Busy("the probe that is running for another request did not end in time".to_owned())),
    }
}

/// Refuses what may not be asked, before anything is looked up or started for it.
fn check(loaded: &Loaded, question: &Question) -> Result<(), Refusal> {
    let bad = |why: String| Err(Refusal::Bad(why));
    if question.target.len() > LONGEST || question.group.as_ref().is_some_and(|group| group.len() > LONGEST) {
        return bad(format!("a target or group has at most {LONGEST} bytes"));
    }
    let (user, host, port) = match crate::plan::parts(&question.module.with_port(&question.target)) {
        Ok(parts) => parts,
        Err(error) => return bad(format!("{error:#}")),
    };
    if user.is_some() {
        return bad("the login name belongs into the module, not into the target".to_owned());
    }
    let forbidden = |why: String| Refusal::Forbidden(why);
    loaded.allow.name(&host).map_err(forbidden)?;
    port.map_or(Ok(()), |port| loaded.allow.port(port)).map_err(forbidden)
}

/// The flight of this question: one that is on its way or has just landed, or a new one.
fn join(app: &Arc<App>, loaded: &Arc<Loaded>, question: &Question, began: Instant) -> watch::Receiver<Option<Answer>> {
    let mut flights = app.flights.lock().unwrap_or_else(PoisonError::into_inner);
    let interval = loaded.config.min_interval.0;
    flights.0.retain(|_, flight| match (&*flight.borrow(), flight.has_changed().is_err()) {
        (Some(Ok(probed)), _) => probed.ended.elapsed() < interval,
        (Some(Err(_)), _) | (None, true) => false,
        (None, false) => true,
    });
    if let Some(flight) = flights.0.get(&question.key()) {
        let landed = flight.borrow().is_some();
        if !landed || !question.fresh {
            Counters::count(if landed { &app.counters.repeated } else { &app.counters.joined });
            return flight.clone();
        }
    }
    let (land, flight) = watch::channel(None);
    flights.0.insert(question.key(), flight.clone());
    let (app, loaded, question) = (app.clone(), loaded.clone(), question.clone());
    // It goes on when who asked goes away: the next one has the result at once.
    tokio::spawn(async move {
        app.in_flight.fetch_add(1, Ordering::Relaxed);
        let answer = fly(&app, &loaded, &question, began).await;
        app.in_flight.fetch_sub(1, Ordering::Relaxed);
        land.send_replace(Some(answer));
    });
    flight
}

async fn fly(app: &App, loaded: &Loaded, question: &Question, began: Instant) -> Answer {
    let Question { module, target, .. } = question;
    let deadline = Deadline::of(began, question.time());
    let Ok(Ok(_place)) = timeout_at(deadline.hard.into(), loaded.places.acquire()).await else {
        Counters::count(&app.counters.rejected_busy);
        return Err(Refusal::Busy(format!(
            "{} probes are running; raise max_probes or probe less",
            loaded.config.max_probes
        )));
    };
    let (evidence, group) = match timeout_at(deadline.hard.into(), examine(app, loaded, question, deadline)).await {
        Ok(examined) => examined?,
        Err(_) => {
            let mut evidence =
                Evidence::unusable(target, "the probe's time was over before the settings were read".to_owned());
            evidence.timed_out = true;
            (evidence, None)
        }
    };
    if evidence.timed_out {
        Counters::count(&app.counters.timed_out);
    }
    let diagnosis = diagnose(&evidence);
    app.counters.probe(&module.name, diagnosis.verdict);
    let shape = json::Shape { brief: true, pretty: false };
    let entry = Entry::of(&module.name, &evidence, &diagnosis);
    app.history().keep(target, entry, loaded.config.history, || json::render(&evidence, &diagnosis, shape));
    Ok(Arc::new(Probed { evidence, diagnosis, group, ended: Instant::now() }))
}

/// The examination, and the group of its path.
async fn examine(
    app: &App,
    loaded: &Loaded,
    question: &Question,
    deadline: Deadline,
) -> Result<(Evidence, Option<String>), Refusal> {
    let Question { module, target, group, .. } = question;
    let unusable = |error: &anyhow::Error| Ok((Evidence::unusable(target, format!("{error:#}")), None));
    let plan = match module.plans().await {
        Ok(plans) => plans.probe,
        Err(error) => return unusable(&error),
    };
    let mut planned = match plan.resolve(&module.with_port(target)).await {
        Ok(planned) => planned,
        Err(error) => return unusable(&error),
    };
    planned.bound_stages(deadline.stage(), "the probe's timeout");
    target.clone_into(&mut planned.target.input);
    let forbidden = |why| {
        Counters::count(&app.counters.refused);
        Refusal::Forbidden(why)
    };
    loaded.allow.port(planned.target.port).map_err(forbidden)?;
    let way = way(&planned.target);
    if way.is_some() {
        loaded.allow.unseen(&planned.target.host).map_err(forbidden)?;
    }
    let _turn = match way.map(Place::Way) {
        Some(way) => Some(app.places.take(vec![way]).await),
        None => None,
    };
    let gate = Gate::new(loaded.allow.clone());
    let Planned { target: resolved, limits } = &planned;
    let stop = deadline.stop(&app.stop);
    let mut exam = Examination::new(resolved.clone(), limits.clone(), Progress::default(), stop, Arc::new(Nobody));
    exam.admission = Some(gate.clone());
    let evidence = Box::pin(ssh_doctor_checks::examine(exam, &plan.checks)).await;
    if let Some(why) = gate.refused() {
        return Err(forbidden(why));
    }
    let Some(settings) = &module.settings.idle else { return Ok((evidence, None)) };
    let group = idle::group(settings, target, group.as_deref(), &planned, &evidence);
    if let Some(group) = &group {
        app.idle.join(&module.name, settings, group, target);
    }
    Ok((evidence, group))
}
