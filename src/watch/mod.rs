//! `ssh-doctor watch`: sessions of different kinds held for hours, every loss journalled, and the common properties of the losses.

mod args;
mod coverage;
mod summary;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use sd_notify::NotifyState;
use ssh_doctor_checks::base::ask::{Ask, Nobody};
use ssh_doctor_checks::base::stop::Stop;
use ssh_doctor_checks::base::text::sanitize;
use ssh_doctor_checks::facts::journal::{Event, NotConnected, Started, VERSION};
use ssh_doctor_checks::facts::sessions::SessionEnd;
use ssh_doctor_checks::facts::{Check, Evidence};
use ssh_doctor_checks::log_in;
use ssh_doctor_checks::measure::context::Context;
use ssh_doctor_checks::measure::handles::LoggedIn;
use ssh_doctor_checks::measure::watch::{Notice, SessionStatus, Stopped, WatchPlan, WatchedSession, hold};
use tokio::sync::mpsc;
use tokio::time::sleep;

pub use args::WatchArgs;

use crate::cli::CheckArgs;
use crate::diagnose::{Diagnosis, Verdict, diagnose};
use crate::journal::{Recorder, Sync, Writer, folder};
use crate::plan::{Circumstances, Plan, Planned};
use crate::report::{ends, full, json};
use crate::sessions::ListFormat;
use crate::terminal::{AtTerminal, LiveDisplay, Onlooker, person_present, remark, stop_on_signals, style};

/// The delay before an unreachable server is tried again in an unattended run.
const AGAIN: Duration = Duration::from_secs(30);
/// The time that the last records may take to reach the disk.
const RECORDED: Duration = Duration::from_secs(5);
/// The time that the sessions may take to end once the time is over.
const ENDING: Duration = Duration::from_secs(5);

/// Watches a target, or reports what a journal holds.
pub async fn run(args: &WatchArgs) -> Result<Verdict> {
    if let Some(file) = &args.summary {
        return summary::print(file, args, false);
    }
    let input = args.target.as_deref().unwrap_or_default();
    let check = CheckArgs::of(input, &args.ssh, args.password_file.clone())?;
    let plan = Plan::new(
        &check,
        Circumstances { person: person_present(), several: false, stage: None, is_for_metrics: false },
    )?;
    let planned = plan.resolve(input).await?;
    if let Some(refused) = &planned.refused {
        bail!("{refused}");
    }
    let path = journal_path(args, &planned)?;
    // A journal that cannot be written is known before anything is held.
    let writer = Writer::open(&path).context("the journal cannot be written")?;
    let display = LiveDisplay::new(args.quiet, args.color.color);
    let stop = stop_on_signals(display.clone())?;
    let stop = args.time.map_or(stop.clone(), |time| stop.by(Instant::now() + time, ENDING));
    let recorder = Recorder::start(move || Some(writer));
    recorder.record(started(args, &planned), Sync::Now);
    notify(&[NotifyState::Ready]);
    let watch = Watch { args, input, planned, display, stop, recorder, path };
    Box::pin(watch.run()).await
}

/// A watch that has begun.
struct Watch<'a> {
    args: &'a WatchArgs,
    input: &'a str,
    planned: Planned,
    display: LiveDisplay,
    stop: Stop,
    recorder: Recorder,
    path: PathBuf,
}

impl Watch<'_> {
    async fn run(self) -> Result<Verdict> {
        let (ctx, logged_in) = match Box::pin(self.log_in()).await {
            Ok(found) => found,
            Err(evidence) => return self.not_logged_in(&evidence),
        };
        let plan = WatchPlan { longest_idle: self.args.idle, keepalive: self.args.keepalive };
        let (sender, notices) = mpsc::unbounded_channel();
        let (stopped, ()) = tokio::join!(hold(&ctx, logged_in, plan, sender), self.listen(notices));
        notify(&[NotifyState::Stopping]);
        self.display.wipe();
        let Self { args, input, recorder, path, .. } = self;
        recorder.record(Event::Stopped, Sync::Now);
        recorder.finish(RECORDED);
        let verdict = summary::print(&path, args, true)?;
        if !args.quiet {
            remark(format_args!("ssh-doctor: the journal is {}", path.display()));
        }
        let Some(why) = why(stopped) else { return Ok(verdict) };
        remark(format_args!("ssh-doctor: {}: the watch has ended: {why}", sanitize(input)));
        Ok(verdict.worse(Verdict::Inconclusive))
    }

    /// Logs in once; an unattended run waits for a server that cannot be reached.
    async fn log_in(&self) -> Result<(Context, LoggedIn), Box<Evidence>> {
        let mut told = false;
        loop {
            let (onlooker, progress) = Onlooker::of(format!("Logging in to {}", self.input), &self.display, 0, false);
            let Planned { target, limits, .. } = &self.planned;
            let ask: Arc<dyn Ask> = if target.credentials.can_ask {
                Arc::new(AtTerminal::new(self.display.clone(), self.stop.clone()))
            } else {
                Arc::new(Nobody)
            };
            let mut limits = limits.clone();
            // Hours of it need more logins than a check, never more of them at a time.
            (limits.connections, limits.handshakes) = (u32::MAX, 2);
            let ctx = Context::new(target.clone(), limits, progress, self.stop.clone(), ask);
            let (evidence, logged_in) = log_in(&ctx).await;
            // The last end of the progress goes with it.
            let ctx = ctx.unobserved();
            onlooker.done().await;
            if let Some(logged_in) = logged_in {
                return Ok((ctx, logged_in));
            }
            let unreachable = matches!(diagnose(&evidence).died_at, Some(Check::Dns | Check::Tcp));
            if !unreachable || person_present() || self.stop.asked() {
                return Err(Box::new(evidence));
            }
            let why = diagnose(&evidence).findings.first().map(|finding| finding.title.to_string());
            if !std::mem::replace(&mut told, true) {
                let why = why.clone().unwrap_or_default();
                remark(format_args!("ssh-doctor: {}: no login yet, trying again: {why}", sanitize(self.input)));
            }
            let failed = NotConnected { failed: Vec::new(), resolve_error: None, reason: why };
            self.recorder.record(Event::NotConnected(failed), Sync::Now);
            notify(&[NotifyState::Watchdog]);
            if self.stop.race(sleep(AGAIN)).await.is_none() {
                return Err(Box::new(evidence));
            }
        }
    }

    /// Journals and shows what the watch tells, until it has ended.
    async fn listen(&self, mut notices: mpsc::UnboundedReceiver<Notice>) {
        let (began, mut failed) = (Instant::now(), false);
        while let Some(notice) = notices.recv().await {
            match notice {
                Notice::Record { event, now } => {
                    if !self.args.quiet && !self.display.is_live() {
                        line(&event).into_iter().for_each(remark);
                    }
                    self.recorder.record(*event, if now { Sync::Now } else { Sync::Later });
                }
                Notice::Sessions(sessions) => {
                    self.display.draw_watch(self.input, began.elapsed(), &sessions);
                    let status = status(&sessions);
                    notify(&[NotifyState::Watchdog, NotifyState::Status(&status)]);
                }
            }
            if self.recorder.has_failed() && !std::mem::replace(&mut failed, true) {
                remark("ssh-doctor: the journal cannot be written at the moment: the watch goes on, records are lost");
            }
        }
    }

    /// Returns the report on a target at which no login succeeds.
    fn not_logged_in(self, evidence: &Evidence) -> Result<Verdict> {
        self.display.wipe();
        self.recorder.record(Event::Stopped, Sync::Now);
        self.recorder.finish(RECORDED);
        let diagnosis = diagnose(evidence);
        crate::terminal::say(&match self.args.format {
            ListFormat::Json => rendered_json(evidence, &diagnosis, self.args.pretty),
            ListFormat::Text => full::render(evidence, &diagnosis, &style(self.args.color.color)) + "\n",
        })?;
        Ok(diagnosis.verdict)
    }
}

fn rendered_json(evidence: &Evidence, diagnosis: &Diagnosis, pretty: bool) -> String {
    json::render(evidence, diagnosis, json::Shape { pretty, brief: false }) + "\n"
}

/// The journal of this target: the one that was named, or its own in the folder of all of them.
fn journal_path(args: &WatchArgs, planned: &Planned) -> Result<PathBuf> {
    if let Some(path) = &args.journal {
        return Ok(path.clone());
    }
    let Some(folder) = folder("watch") else {
        bail!("there is no home folder for the journal: set HOME, or name a file with --journal");
    };
    let host: String =
        planned.target.host.chars().map(|c| if c.is_alphanumeric() || "-._".contains(c) { c } else { '_' }).collect();
    Ok(folder.join(format!("{host}-{}.jsonl", planned.target.port)))
}

fn started(args: &WatchArgs, planned: &Planned) -> Event {
    Event::Started(Started {
        journal: VERSION,
        command: "watch".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        host: planned.target.host.clone(),
        port: planned.target.port,
        holds: None,
        keep_alive_s: Some(args.keepalive.as_secs_f64()),
    })
}

/// The reason for an unexpected end of a watch.
fn why(stopped: Stopped) -> Option<&'static str> {
    match stopped {
        Stopped::Asked => None,
        Stopped::LoginRefused => Some("a login was refused that had worked; another one could lock the account"),
        Stopped::OtherHostKey => Some("the server shows another host key"),
        Stopped::NotRepeatable => Some("each login needs a person: use a key without a touch or a one-time password"),
    }
}

/// A line for readers of standard error, where it is no terminal.
fn line(event: &Event) -> Option<String> {
    match event {
        Event::Ended(ended) if !matches!(ended.facts.end, SessionEnd::ClosedHere { unanswered: None }) => {
            Some(format!("ssh-doctor: lost: {}", ends::words(&ended.facts)))
        }
        _ => None,
    }
}

fn status(sessions: &[WatchedSession]) -> String {
    let open = sessions.iter().filter(|session| matches!(session.status, SessionStatus::Open { .. })).count();
    let lost: u32 = sessions.iter().map(|session| session.lost).sum();
    format!("{open} of {} sessions open, {lost} lost so far", sessions.len())
}

/// Sends a state to systemd (sd_notify(3)); without it there is no socket to send it to.
fn notify(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}
