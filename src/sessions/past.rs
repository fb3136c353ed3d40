//! The sessions that `tap` recorded: how they ended, and what their ends have in common.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use ssh_doctor_checks::base::text::{escaped, seconds};
use ssh_doctor_checks::causes::sessions::codes;
use ssh_doctor_checks::facts::connection::Manner;
use ssh_doctor_checks::facts::sessions::{Session, SessionEnd};

use super::args::{ListFormat, SessionsArgs};
use crate::diagnose::{Diagnosis, Verdict, diagnose};
use crate::journal::{History, folder, histories};
use crate::report::{Style, full, json};
use crate::terminal::{say, style};

/// Ends that are listed for each server, the last ones.
const LISTED: usize = 12;

/// Prints every server that has recorded sessions.
pub(super) fn run(args: &SessionsArgs) -> Result<Verdict> {
    let Some(folder) = folder("tap") else { bail!("there is no home folder: set HOME or XDG_STATE_HOME") };
    let recorded = histories(&folder, |_, _| true);
    let known: BTreeMap<_, _> = recorded.iter().filter(|(_, history)| !history.sessions.is_empty()).collect();
    if known.is_empty() {
        bail!("no session is recorded in {}: ssh-doctor tap records them (docs/tap.md)", folder.display());
    }
    let mut verdict = Verdict::Healthy;
    for (number, ((host, port), history)) in known.into_iter().enumerate() {
        let evidence = history.evidence(host, *port);
        let diagnosis = diagnose(&evidence);
        verdict = verdict.worse(diagnosis.verdict);
        let style = style(args.look.color);
        say(&match args.format {
            ListFormat::Json => {
                json::render(&evidence, &diagnosis, json::Shape { pretty: args.pretty, brief: false }) + "\n"
            }
            ListFormat::Text => {
                let gap = if number > 0 { "\n" } else { "" };
                format!("{gap}{}", server(host, *port, history, &diagnosis, style))
            }
        })?;
    }
    Ok(verdict)
}

fn server(host: &str, port: u16, history: &History, diagnosis: &Diagnosis, style: Style) -> String {
    let sessions = &history.sessions;
    let lost = sessions.iter().filter(|session| session.death().is_some()).count();
    let name = if port == 22 { escaped(host) } else { format!("{}:{port}", escaped(host)) };
    let count = if sessions.len() == 1 { "1 session".to_owned() } else { format!("{} sessions", sessions.len()) };
    let mut parts = vec![format!("{name}: {count} recorded, {lost} lost\n{}", ends(sessions, style))];
    parts.extend(full::findings(diagnosis, style));
    parts.join("\n\n") + "\n"
}

/// The last ends, one a line.
fn ends(sessions: &[Session], style: Style) -> String {
    let codes = codes(sessions);
    let rows: Vec<_> = sessions.iter().zip(codes).rev().take(LISTED).collect();
    let lines = rows.into_iter().rev().map(|(session, code)| {
        let age = session.age_s.map(seconds).unwrap_or_default();
        let code = code.map(|code| format!("  {code}")).unwrap_or_default();
        let when = session.seen_at.strftime("%Y-%m-%d %H:%M:%S");
        let line = format!("  {when}Z  age {age:>8}  idle {:>8}  {}{code}", seconds(session.quiet_s), end(session));
        style.safe(&line)
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn end(session: &Session) -> &'static str {
    match &session.end {
        SessionEnd::Open => "open",
        SessionEnd::ClosedHere { .. } => "ended  ",
        SessionEnd::Unknown => "not recorded to its end",
        SessionEnd::Died { manner: Manner::Silent, .. } => "no ACK ",
        SessionEnd::Died { manner: Manner::Reset, .. } => "RST    ",
        SessionEnd::Died { manner: Manner::Fin, .. } => "FIN    ",
        SessionEnd::Died { .. } => "failed ",
    }
}
