//! The summary of a `watch` journal: the losses, and what they have in common.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};
use ssh_doctor_checks::base::text::{escaped, seconds};
use ssh_doctor_checks::facts::journal::{Event, Record};

use super::args::WatchArgs;
use super::coverage::Coverage;
use crate::diagnose::{Verdict, diagnose};
use crate::journal::{History, Journal, by_server, read};
use crate::report::{Style, ends, full, json};
use crate::sessions::ListFormat;
use crate::terminal::{reason, say, style};

/// Prints what a journal holds; of its last writer alone with `last_run`.
pub(super) fn print(file: &Path, args: &WatchArgs, last_run: bool) -> Result<Verdict> {
    let name = file.display();
    let mut journal = read(file).map_err(|error| anyhow::anyhow!("{name} cannot be read: {}", reason(&error)))?;
    if last_run {
        let begins = journal.records.iter().rposition(|record| matches!(record.event, Event::Started(_)));
        journal.records.drain(..begins.unwrap_or_default());
    }
    let Some(started) = journal.records.iter().rev().find_map(|record| match &record.event {
        Event::Started(started) => Some(started.clone()),
        _ => None,
    }) else {
        bail!("{name} is no journal of ssh-doctor watch");
    };
    let server = (started.host.clone(), started.port);
    let mut history = by_server(&journal).remove(&server).unwrap_or_default();
    if let Some(since) = args.since {
        let since = oldest(since).context("--since goes too far back")?;
        history.sessions.retain(|session| session.seen_at >= since);
        journal.records.retain(|record| record.at >= since);
    }
    let evidence = history.evidence(&server.0, server.1);
    let diagnosis = diagnose(&evidence);
    let style = style(args.color.color);
    say(&match args.format {
        ListFormat::Json => {
            json::render(&evidence, &diagnosis, json::Shape { pretty: args.pretty, brief: false }) + "\n"
        }
        ListFormat::Text => {
            let mut parts = vec![head(&server, &journal, &history, style)];
            parts.extend(full::findings(&diagnosis, style));
            parts.join("\n\n") + "\n"
        }
    })?;
    Ok(diagnosis.verdict)
}

fn oldest(since: Duration) -> Option<Timestamp> {
    Timestamp::now().checked_sub(SignedDuration::try_from(since).ok()?).ok()
}

/// The time that it was watched, how many sessions were held and lost, and the last losses.
fn head((host, port): &(String, u16), journal: &Journal, history: &History, style: Style) -> String {
    // Between the first record and the rest nothing was read.
    let covered = journal.records.get(usize::from(journal.shortened)..).unwrap_or_default();
    let Coverage { watched_s, unwatched_s, gaps } = Coverage::of(covered);
    let name = if *port == 22 { escaped(host) } else { format!("{}:{port}", escaped(host)) };
    let gap = match gaps {
        0 => String::new(),
        1 => format!(" (and not for {} in between)", seconds(unwatched_s)),
        _ => format!(" (and not for {} in between, {gaps} gaps)", seconds(unwatched_s)),
    };
    let lost: Vec<_> = history.sessions.iter().filter(|session| ends::is_loss(session)).cloned().collect();
    let held = history.sessions.len();
    let line = format!("{name}: watched for {}{gap}, {held} sessions held, {} lost", seconds(watched_s), lost.len());
    let survived = interruptions(&journal.records);
    let more = survived
        .iter()
        .copied()
        .reduce(f64::max)
        .map(|longest| format!(", {} interruptions survived (the longest {})", survived.len(), seconds(longest)));
    let line = line + &more.unwrap_or_default();
    let mut parts = vec![style.wrapped("", "  ", &line)];
    parts.extend((!lost.is_empty()).then(|| ends::lines(&lost, &history.sessions, style)));
    if let (true, Some(oldest)) = (journal.shortened, covered.first()) {
        parts.push(format!("  records before {} are left out: the journal is longer than 16 MiB", oldest.at));
    }
    if journal.unreadable > 0 {
        parts.push(format!("  {} lines of the journal cannot be read", journal.unreadable));
    }
    parts.join("\n")
}

/// Returns the seconds without an acknowledgement, for each interruption that ended.
fn interruptions(records: &[Record]) -> Vec<f64> {
    let recovered = records.iter().filter_map(|record| match &record.event {
        Event::Recovered(recovered) => Some(recovered.after_s),
        _ => None,
    });
    recovered.collect()
}
