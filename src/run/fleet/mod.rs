//! Many targets: read as they are needed, examined side by side and politely, reported as they are done, summed up at the end.
//!
//! A thread reads the list, one worker a processor examines, this task writes: bounded channels lie between them, so that memory does not
//! grow with the list.

mod feeder;
mod fold;
pub(crate) mod jobs;
pub(crate) mod polite;
mod summary;
mod worker;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::deadline::Deadline;
use super::output::{Sink, shape};
use crate::cli::{CheckArgs, Format};
use crate::diagnose::Verdict;
use crate::plan::Plan;
use crate::report::prometheus::{self, Figures};
use crate::report::{Style, json};
use crate::targets::{Earlier, Position, Reports, Source};
use crate::terminal::{LiveDisplay, Tally, remark, stderr_is_terminal, stop_on_signals, style};
use feeder::Fed;
use polite::{Places, Rate};
use summary::Summary;
use worker::{Done, Shared};

/// The interval at which the progress is drawn.
const FRAME: Duration = Duration::from_millis(200);

/// The time that the rest of a list may take to be counted once the run was ended.
const LAST_COUNT: Duration = Duration::from_secs(1);

/// The most targets of one exposition: a textfile collector and a scrape take all of it at once.
const EXPOSED: u64 = 5000;

/// Examines every target of the command line and the list.
pub(super) async fn examine_all(
    args: &CheckArgs,
    plan: Plan,
    source: Source,
    deadline: Option<Deadline>,
) -> Result<Verdict> {
    let output = &args.output;
    ensure!(output.format != Format::Html, "an HTML page holds one target: write one per target, with --output FILE");
    ensure!(output.format != Format::Nagios, "a plugin of Nagios examines one target; define a service for each");
    ensure!(!output.pretty, "--pretty is for one target; of several each report is one line");
    let board = LiveDisplay::new(args.running.quiet, output.look.color);
    let stop = stop_on_signals(board.clone())?;
    let stop = deadline.map_or(stop.clone(), |deadline| deadline.stop(&stop));
    let (reports, earlier) = match args.many.resume.as_deref() {
        Some(file) => opened(file)?,
        None => (None, Earlier::default()),
    };
    let mut run = Run {
        sink: Sink::open(output.file.as_deref(), output.format)?,
        board,
        reports,
        figures: Vec::new(),
        summary: Summary::of(&earlier),
        style: style(output.look.color),
        began: Instant::now(),
        position: source.position(),
        details: args.many.details,
    };
    let jobs = jobs::number(args.many.jobs, &plan);
    let shared = Arc::new(Shared {
        details: args.many.details,
        output: output.clone(),
        style: run.style,
        shape: json::Shape { pretty: false, ..shape(output) },
        keeps_json: run.reports.is_some(),
        stop: stop.clone(),
        deadline,
        places: Places::default(),
        rate: args.many.rate.map(Rate::of),
        plan,
    });
    let (queue, entries) = mpsc::channel(jobs);
    let fed = feeder::start(source, args.many.shard, earlier, queue, stop.clone())?;
    let (results, done) = mpsc::channel(4 * jobs);
    worker::start(&shared, jobs, entries, &results)?;
    drop(results);
    run.write_all(done).await?;
    // A reader may wait for a pipe that says nothing more.
    let told = async {
        stop.wait().await;
        sleep(LAST_COUNT).await;
    };
    let fed = tokio::select! {
        fed = fed => fed.unwrap_or_else(|_| Fed::lost()),
        () = told => Fed::lost(),
    };
    run.finish(args, &shared.plan, fed)
}

/// The file to continue, and its contents.
fn opened(file: &Path) -> Result<(Option<Reports>, Earlier)> {
    let (reports, earlier) = Reports::open(file)?;
    if earlier.torn > 0 {
        let name = file.display();
        remark(format_args!(
            "ssh-doctor: the last line of {name} was cut off and is taken out; its target is examined again"
        ));
    }
    Ok((Some(reports), earlier))
}

/// The writing end of the run.
struct Run {
    sink: Sink,
    board: LiveDisplay,
    reports: Option<Reports>,
    figures: Vec<Figures>,
    summary: Summary,
    style: Style,
    began: Instant,
    position: Position,
    details: bool,
}

impl Run {
    /// Writes every report as it comes.
    async fn write_all(&mut self, mut done: mpsc::Receiver<Done>) -> Result<()> {
        let mut frames = interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                one = done.recv() => match one {
                    Some(one) => self.write(one)?,
                    None => return Ok(()),
                },
                _ = frames.tick(), if self.board.is_live() => self.draw(),
            }
        }
    }

    fn write(&mut self, done: Done) -> Result<()> {
        let Done { outcome, text, json, figures } = done;
        let Some(outcome) = outcome else {
            self.summary.left += 1;
            return Ok(());
        };
        if self.details && self.summary.total() > self.summary.earlier {
            self.sink.write("\n")?;
        }
        self.summary.add(&outcome);
        if let (Some(reports), Some(json)) = (&mut self.reports, json) {
            reports.append(&json)?;
        }
        if let Some(figures) = figures {
            self.figures.push(figures);
            if self.figures.len() as u64 > EXPOSED {
                bail!("--format prometheus takes at most {EXPOSED} targets; use ssh-doctor serve, or --format json");
            }
        }
        if !text.is_empty() {
            if self.board.is_live() {
                self.board.wipe();
            }
            self.sink.write(&text)?;
        }
        Ok(())
    }

    fn draw(&self) {
        self.board.tally(&Tally {
            done: self.summary.total() - self.summary.earlier,
            broken: self.summary.with(Verdict::Broken),
            part: self.position.part(),
            took: self.began.elapsed(),
        });
    }

    /// Writes what comes last, and tells the verdict on all.
    fn finish(mut self, args: &CheckArgs, plan: &Plan, fed: Fed) -> Result<Verdict> {
        self.board.wipe();
        self.summary.left += fed.left;
        self.summary.more_left |= fed.more_left;
        if args.output.format == Format::Prometheus {
            self.sink.write(&prometheus::render(std::mem::take(&mut self.figures)))?;
        }
        let took = self.began.elapsed();
        let note = plan.idle_note(&args.scope);
        if args.output.format == Format::Text {
            let text = self.summary.text(took, note, &self.style);
            self.sink.write(&format!("\n{text}\n"))?;
        } else if !args.running.quiet && stderr_is_terminal() {
            remark(self.summary.text(took, note, &Style { color: false, ..self.style }));
        }
        self.sink.close()?;
        if let Some(reports) = self.reports {
            reports.close()?;
        }
        let mut verdict = self.summary.verdict();
        if let Some(error) = fed.error {
            remark(format_args!("ssh-doctor: {error:#}"));
            verdict = verdict.worse(Verdict::Inconclusive);
        }
        Ok(verdict)
    }
}
