//! The commands, from the arguments to the exit status.

pub(crate) mod deadline;
pub(crate) mod fleet;
mod one;
mod output;
pub(crate) mod penalties;
pub(crate) mod runtime;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use nix::sys::signal::{SigSet, Signal};
use ssh_doctor_checks::causes::told::Known;
use ssh_doctor_checks::facts::{Check, Evidence, Step};

use crate::cli::{
    CheckArgs, Command, DemoArgs, Format, Output, SchemaOf, completion_script, known_hosts, man_page, man_pages,
    misread_targets,
};
use crate::diagnose::{Verdict, diagnose_for};
use crate::plan::{Circumstances, Plan};
use crate::record::Words;
use crate::report::json;
use crate::targets::Source;
use crate::terminal::{person_present, reason, remark, say, style};
use crate::{compare, demo, explain, record, serve, sessions, tap, watch};
use deadline::Deadline;
use one::{Keep, Runner};
use output::{Sink, makes_sense, rendered};

/// Does what was asked; an error is our own misuse or misfortune, never the target's.
pub fn run(command: Command) -> Result<Verdict> {
    let began = Instant::now();
    // A file that may not grow (`ulimit -f`) is an error of the write, not our end.
    SigSet::from(Signal::SIGXFSZ).thread_block()?;
    match command {
        Command::Check(args) => runtime::of_one_thread()?.block_on(check(&args, began)),
        Command::Demo(args) => runtime::of_one_thread()?.block_on(demonstrate(&args)),
        Command::Explain { what, output } => explain_it(&what, &output),
        Command::Causes(look) => answer(&explain::list(&style(look.color))),
        Command::Diagnose { file, max_age, output } => judge_again(&file, max_age, &output),
        Command::Report { file, html, mut output } => {
            if html {
                output.format = Format::Html;
            }
            judge_again(&file, None, &output)
        }
        Command::Compare(args) => compare::run(&args),
        Command::Sessions(args) => sessions::run(&args),
        Command::Serve(args) => serve::serve(&args),
        Command::Tap(args) => tap::run(&args),
        Command::Watch(args) => runtime::of_one_thread()?.block_on(watch::run(&args)),
        Command::Schema { of } => answer(&match of {
            SchemaOf::Report => json::schema(),
            SchemaOf::Sessions => sessions::schema(),
        }),
        Command::Completions { shell: Some(shell), .. } => answer(&completion_script(shell)),
        Command::Completions { .. } => answer(&known_hosts().into_iter().collect::<Vec<_>>().join(
            "
",
        )),
        Command::Man { all: Some(folder), .. } => install_man_pages(&folder),
        Command::Man { command, .. } => answer(&man_page(command.as_deref())?),
    }
}

async fn check(args: &CheckArgs, began: Instant) -> Result<Verdict> {
    makes_sense(&args.output)?;
    if let Some(misread) = misread_targets(&args.targets, |word| known_hosts().contains(word)) {
        bail!("{misread}");
    }
    let source = Source::open(&args.targets, args.many.list.as_deref())?;
    let several = args.targets.len() > 1 || args.many.list.is_some();
    let whole = args.deadline.or((args.output.format == Format::Nagios).then_some(deadline::OF_PLUGINS));
    let deadline = whole.map(|whole| Deadline::of(began, whole));
    let stage = deadline.map(|deadline| deadline.stage());
    let is_for_metrics = args.output.format == Format::Prometheus;
    let plan = Plan::new(args, Circumstances { person: person_present(), several, stage, is_for_metrics })?;
    if several || args.many.resume.is_some() {
        return fleet::examine_all(args, plan, source, deadline).await;
    }
    let runner = Runner::open(args.running.quiet, args.output.verbose, &args.output, deadline)?;
    let mut sink = Sink::open(args.output.file.as_deref(), args.output.format)?;
    let input = args.targets.first().map(String::as_str).unwrap_or_default();
    let keep = Keep {
        record: args.record.as_deref(),
        bundle: args.bundle.as_deref(),
        words: if args.record_plain { Words::Plain } else { Words::Anonymous },
        is_told: !args.running.quiet,
    };
    let verdict = runner.see(&plan, input, Some(&keep), &mut sink).await?;
    sink.close()?;
    Ok(verdict)
}

async fn demonstrate(args: &DemoArgs) -> Result<Verdict> {
    if args.list {
        return answer(&demo::list(&style(args.output.look.color)));
    }
    makes_sense(&args.output)?;
    let runner = Runner::open(args.running.quiet, args.output.verbose, &args.output, None)?;
    let mut sink = Sink::open(args.output.file.as_deref(), args.output.format)?;
    let stage = demo::start(args.case.as_deref()).await?;
    if !args.running.quiet {
        remark(&stage.intro);
    }
    let planned = crate::plan::Planned { target: stage.target.clone(), limits: stage.limits.clone(), refused: None };
    let evidence = runner.examine(planned, &Check::ALL.into()).await;
    let verdict = runner.tell(&evidence, None, &mut sink);
    drop(stage);
    let verdict = verdict?;
    sink.close()?;
    if !args.running.quiet {
        remark("Next: ssh-doctor check HOST, or another demo: ssh-doctor demo --list");
    }
    Ok(verdict)
}

/// Judges a recording; one that is older than `max_age` says nothing of today.
fn judge_again(file: &str, max_age: Option<Duration>, output: &Output) -> Result<Verdict> {
    makes_sense(output)?;
    let mut evidence = record::load(file)?;
    if let Some(max_age) = max_age {
        age_out(&mut evidence, max_age);
    }
    let diagnosis = diagnose_for(output.client, &evidence);
    let mut sink = Sink::open(output.file.as_deref(), output.format)?;
    sink.write(&rendered(&evidence, &diagnosis, output))?;
    sink.close()?;
    Ok(diagnosis.verdict)
}

/// Explains a cause, a text or a log.
fn explain_it(what: &[String], output: &Output) -> Result<Verdict> {
    makes_sense(output)?;
    let (input, name) = match explain::asked(what)? {
        explain::Asked::Code(code) => {
            return answer(&explain::cause::page(code, &style(output.look.color)).unwrap_or_default());
        }
        explain::Asked::Log { input, name } => (input, name),
    };
    let explained = explain::explained(input, &name, output.client, Known::all())?;
    let mut sink = Sink::open(output.file.as_deref(), output.format)?;
    sink.write(&match output.format {
        Format::Text => explain::render(&explained, &name, &style(output.look.color)) + "\n",
        _ => rendered(&explained.evidence, &explained.diagnosis, output),
    })?;
    sink.close()?;
    Ok(explained.diagnosis.verdict)
}

/// Leaves nothing to judge of evidence that is too old.
fn age_out(evidence: &mut Evidence, max_age: Duration) {
    let age = jiff::Timestamp::now().duration_since(evidence.started_at);
    let limit = jiff::SignedDuration::try_from(max_age).unwrap_or(jiff::SignedDuration::MAX);
    if age <= limit {
        return;
    }
    let words = |span: Duration| humantime::format_duration(Duration::from_secs(span.as_secs())).to_string();
    let age = words(age.unsigned_abs());
    let why =
        format!("the evidence is {age} old, more than the {} of --max-age; examine the target again", words(max_age));
    let old = std::mem::replace(evidence, Evidence::unexamined());
    evidence.dns.step = Step::Error(why);
    (evidence.target, evidence.settings) = (old.target, old.settings);
    (evidence.started_at, evidence.duration_ms, evidence.spent) = (old.started_at, old.duration_ms, old.spent);
}

/// Writes every man page into a folder, which is made where it is missing.
fn install_man_pages(folder: &Path) -> Result<Verdict> {
    fs::create_dir_all(folder)
        .map_err(|error| anyhow!("the folder {} cannot be made: {}", folder.display(), reason(&error)))?;
    for (name, page) in man_pages()? {
        let mut file = Sink::open(Some(&folder.join(name)), Format::Text)?;
        file.write(&page)?;
        file.close()?;
    }
    Ok(Verdict::Healthy)
}

/// An answer that no target has a part in; it ends with a line end.
fn answer(text: &str) -> Result<Verdict> {
    say(&format!("{}\n", text.trim_end_matches('\n'))).map(|()| Verdict::Healthy)
}
