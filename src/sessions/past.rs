//! The sessions that `tap` recorded: their ends, and the common properties of those.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use ssh_doctor_checks::base::text::escaped;

use super::args::{ListFormat, SessionsArgs};
use crate::diagnose::{Diagnosis, Verdict, diagnose};
use crate::journal::{History, folder, histories};
use crate::report::{Style, ends, full, json};
use crate::terminal::{say, style};

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
    let mut parts = vec![format!("{name}: {count} recorded, {lost} lost\n{}", ends::lines(sessions, sessions, style))];
    parts.extend(full::findings(diagnosis, style));
    parts.join("\n\n") + "\n"
}
