//! A session channel, and a harmless command in it that prints a mark.

mod causes;

use serde::{Deserialize, Serialize};

use crate::connection::{Connection, GaveUp, Manner, Patience, Ran, Running};
use crate::evidence::{self, Step};
use crate::examination::Examination;
use crate::nonce::nonce;
use crate::text::{seconds, shown_bytes};
use crate::trial::{self, Marks};

pub use causes::CAUSES;

/// Bytes of each output that are kept.
const KEPT: usize = 4096;

/// What was seen.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// What became of the command.
    pub ran: Ran,
    /// The mark came back.
    pub mark_seen: bool,
    /// Output before or after the mark, escaped.
    pub other_output: Option<String>,
    /// Standard error, escaped.
    pub stderr: Option<String>,
    /// The server's words on the connection's end, if it ended.
    pub ending: Option<Manner>,
    /// What was seen without ssh's marks (IPQoS), where the session stopped as they were set.
    #[serde(default)]
    pub marks: Option<Marks>,
}

impl evidence::Facts for Facts {
    fn summary(&self) -> String {
        let ran = &self.ran;
        if let Some((code, text)) = &ran.refused {
            return format!("channel refused: {} (reason {code})", shown_bytes(text.as_bytes()));
        }
        let Some(open_ms) = ran.open_ms else { return "no channel could be opened".to_owned() };
        let opened = format!("channel open in {}", seconds(open_ms / 1000.0));
        match (ran.accepted, self.mark_seen, ran.status) {
            (Some(false), ..) => format!("{opened}, command refused"),
            (_, true, _) => format!("{opened}, a command's first output after {}", seconds(ran.duration_ms / 1000.0)),
            (_, false, Some(status)) => format!("{opened}, the command did not run: status {status}"),
            (_, false, None) => format!("{opened}, no output of the command"),
        }
    }
}

/// The one command that channel, transfer and exit share, since starting one may be slow (a shell's start-up files): it prints a mark,
/// sends back what it is sent, and at the end of its input prints [`exit::OUTPUT`](crate::exit::OUTPUT) bytes and ends with
/// [`exit::STATUS`](crate::exit::STATUS).
#[must_use]
pub fn command(mark: &str) -> String {
    let (blocks, status) = (crate::exit::OUTPUT / 1024, crate::exit::STATUS);
    format!("exec sh -c 'echo {mark}; cat; dd if=/dev/zero bs=1024 count={blocks} 2>/dev/null; exit {status}'")
}

/// Starts that command on the connection that auth left, and waits for its mark.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    let (Some(connection), Some(login)) = (&exam.connection, &exam.login) else {
        return Step::Skipped("there is no login: see auth".into());
    };
    let patience = exam.limits.patience();
    let Some((mut facts, running)) = exam.stop.race(start(connection, patience)).await else {
        return Step::Skipped("interrupted".into());
    };
    // Nothing of the session came: since the login only the marks were new on this connection.
    let stopped = facts.ran.gave_up == Some(GaveUp::Silence) || facts.ran.connection_lost;
    if stopped && facts.ran.stdout_bytes == 0 {
        facts.marks = exam.stop.race(Box::pin(trial::unmarked(connection, login))).await.flatten();
    }
    exam.runs_commands = running.is_some();
    exam.running = running;
    if facts.mark_seen { Step::Passed(facts) } else { Step::Failed(facts) }
}

/// Starts the command; where the server has no POSIX shell, a plain `echo` instead, which leaves nothing running.
async fn start(connection: &Connection, patience: Patience) -> (Facts, Option<Running>) {
    let mark = nonce();
    let mut ran = Ran::default();
    let mut running = connection.start(&command(&mark), patience, &mut ran).await;
    if let Some(running) = &mut running {
        running.read(KEPT, patience, &mut ran, |ran| contains(&ran.stdout, &mark)).await;
    }
    if contains(&ran.stdout, &mark) {
        return (Facts::of(ran, &mark, connection), running);
    }
    let other_shell = ran.status.is_some() && ran.closed;
    if other_shell {
        let plain = connection.run(&format!("echo {mark}"), KEPT, patience).await;
        if contains(&plain.stdout, &mark) {
            return (Facts::of(plain, &mark, connection), None);
        }
    }
    (Facts::of(ran, &mark, connection), None)
}

fn contains(output: &[u8], mark: &str) -> bool {
    output.windows(mark.len()).any(|window| window == mark.as_bytes())
}

impl Facts {
    fn of(ran: Ran, mark: &str, connection: &Connection) -> Self {
        let other = String::from_utf8_lossy(&ran.stdout).replacen(mark, "", 1);
        Self {
            mark_seen: contains(&ran.stdout, mark),
            other_output: (!other.trim().is_empty()).then(|| shown_bytes(other.trim().as_bytes())),
            stderr: (!ran.stderr.is_empty()).then(|| shown_bytes(&ran.stderr)),
            ending: connection.ending().map(|ending| ending.manner),
            marks: None,
            ran,
        }
    }
}
