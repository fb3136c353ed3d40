//! What each command does, from the arguments to the exit status.

use std::collections::BTreeSet;

use std::path::Path;

use std::sync::Arc;

use anyhow::{Result, bail, ensure};

use ssh_doctor_checks::base::ask::{Ask, Nobody};
use ssh_doctor_checks::base::stop::Stop;
use ssh_doctor_checks::facts::{Check, Evidence};
use ssh_doctor_checks::measure::examination::Examination;

use crate::cli::{CheckArgs, Command, DemoArgs, Format, Output, command_to_complete, man_page};

use crate::diagnose::{Diagnosis, Verdict, diagnose_for};

use crate::plan::{Plan, Planned, plan};

use crate::report::{json, text};

use crate::terminal::{AtTerminal, Board, Onlooker, person_present, remark, say, stop_on_signals, style};

use crate::{demo, explain, record};

/// Does what was asked; an error is our own misuse or misfortune, never the target's.
pub fn run(command: Command) -> Result<Verdict> {
    match command {
        Command::Check(args) => runtime()?.block_on(check(&args)),
        Command::Demo(args) => runtime()?.block_on(demonstrate(&args)),
        Command::Explain { code, look } => {
            let Some(text) = explain::cause(&code, &style(look.color)) else {
                let hint = explain::suggest(&code).map(|known| format!("; you may mean {known}")).unwrap_or_default();
                bail!("no cause is called '{code}'{hint}; ssh-doctor causes lists them all");
            };
            answer(&text)
        }
        Command::Causes(look) => answer(&explain::list(&style(look.color))),
        Command::Diagnose { file, output } => {
            output_makes_sense(&output)?;
            let evidence = record::load(&file)?;
            let diagnosis = diagnose_for(output.client, &evidence);
            say(&rendered(&evidence, &diagnosis, &output))?;
            Ok(diagnosis.verdict)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command_to_complete(), "ssh-doctor", &mut script);
            answer(&String::from_utf8_lossy(&script))
        }
        Command::Man => answer(&man_page()?),
    }
}

async fn check(args: &CheckArgs) -> Result<Verdict> {
    output_makes_sense(&args.output)?;
    let Plan { targets, checks } = plan(args, person_present()).await?;
    let ward = Ward::open(args.running.quiet, args.verbose, &args.output)?;
    let mut verdict = Verdict::Healthy;
    for (number, planned) in targets.into_iter().enumerate() {
        if ward.stop.asked() {
            remark("ssh-doctor: the targets that are left were not examined");
            return Ok(verdict.worse(Verdict::Inconclusive));
        }
        if number > 0 && args.output.format == Format::Text {
            say("\n")?;
        }
        verdict = verdict.worse(ward.see(planned, &checks, args.record.as_deref()).await?);
    }
    Ok(verdict)
}

async fn demonstrate(args: &DemoArgs) -> Result<Verdict> {
    if args.list {
        return answer(&demo::list(&style(args.output.look.color)));
    }
    output_makes_sense(&args.output)?;
    let ward = Ward::open(args.running.quiet, 0, &args.output)?;
    let stage = demo::start(args.case.as_deref()).await?;
    if !args.running.quiet {
        remark(&stage.intro);
    }
    let planned = Planned { target: stage.target.clone(), limits: stage.limits.clone() };
    let verdict = ward.see(planned, &BTreeSet::from(Check::ALL), None).await;
    drop(stage);
    if !args.running.quiet {
        remark("\nNext: ssh-doctor check HOST, or another demo: ssh-doctor demo --list");
    }
    verdict
}

/// Where targets are examined one after the other, under the user's eyes.
struct Ward<'a> {
    board: Board,
    stop: Stop,
    verbose: u8,
    output: &'a Output,
}

impl<'a> Ward<'a> {
    fn open(quiet: bool, verbose: u8, output: &'a Output) -> Result<Self> {
        let board = Board::new(quiet, output.look.color);
        let stop = stop_on_signals(board.clone())?;
        Ok(Self { board, stop, verbose, output })
    }

    /// Examines one target and prints its report.
    async fn see(&self, planned: Planned, checks: &BTreeSet<Check>, keep: Option<&Path>) -> Result<Verdict> {
        if self.verbose > 0 {
            planned.describe(self.verbose).into_iter().for_each(remark);
        }
        let Planned { target, limits } = planned;
        let (onlooker, progress) = Onlooker::of(format!("Examining {}", target.input), &self.board, self.verbose);
        let ask: Arc<dyn Ask> = if target.credentials.can_ask {
            Arc::new(AtTerminal::new(self.board.clone(), self.stop.clone()))
        } else {
            Arc::new(Nobody)
        };
        let exam = Examination::new(target, limits, progress, self.stop.clone(), ask);
        let evidence = Box::pin(ssh_doctor_checks::examine(exam, checks)).await;
        onlooker.done().await;
        let diagnosis = diagnose_for(self.output.client, &evidence);
        say(&rendered(&evidence, &diagnosis, self.output))?;
        if let Some(Err(error)) = keep.map(|path| record::save(&evidence, path)) {
            remark(format_args!("ssh-doctor: the evidence was not kept: {error:#}"));
            return Ok(diagnosis.verdict.worse(Verdict::Inconclusive));
        }
        Ok(diagnosis.verdict)
    }
}

fn rendered(evidence: &Evidence, diagnosis: &Diagnosis, output: &Output) -> String {
    let mut report = match output.format {
        Format::Text => text::render(evidence, diagnosis, &style(output.look.color)),
        Format::Json => json::render(evidence, diagnosis, output.pretty),
    };
    if !report.ends_with('\n') {
        report.push('\n');
    }
    report
}

fn output_makes_sense(output: &Output) -> Result<()> {
    ensure!(output.format == Format::Json || !output.pretty, "--pretty indents JSON; add --format json or drop it");
    Ok(())
}

/// An answer that no target has a part in; it ends with a line end.
fn answer(text: &str) -> Result<Verdict> {
    say(&format!("{}\n", text.trim_end_matches('\n'))).map(|()| Verdict::Healthy)
}

/// One thread: an examination mostly waits.
fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
