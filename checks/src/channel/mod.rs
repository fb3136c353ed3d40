//! A session channel, a harmless command in it that prints a mark, its exit status and a clean close.

mod causes;

use serde::{Deserialize, Serialize};

use crate::connection::Ran;
use crate::evidence::{self, Step};
use crate::examination::Examination;
use crate::nonce::nonce;
use crate::text::{seconds, shown_bytes};

pub use causes::CAUSES;

/// Bytes of each output that are kept.
const KEPT: usize = 4096;

/// What was seen.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
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
    pub ending: Option<crate::connection::Manner>,
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
            (_, true, Some(0)) => format!("{opened}, command done in {}", seconds(ran.duration_ms / 1000.0)),
            (_, true, _) => format!("{opened}, command ran, its end did not arrive as it should"),
            (_, false, Some(status)) => format!("{opened}, the command did not run: status {status}"),
            (_, false, None) => format!("{opened}, no output of the command"),
        }
    }
}

/// Runs `echo` with a mark on the connection that auth left.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    let (Some(connection), Some(_)) = (&exam.connection, &exam.login) else {
        return Step::Skipped("there is no login: see auth".into());
    };
    let mark = nonce();
    let command = format!("echo {mark}");
    let running = connection.run(&command, Vec::new(), KEPT, exam.limits.patience());
    let Some(ran) = exam.stop.race(running).await else {
        return Step::Skipped("interrupted".into());
    };
    let output = String::from_utf8_lossy(&ran.stdout).into_owned();
    let mark_seen = output.contains(&mark);
    let other = output.replacen(&mark, "", 1);
    let facts = Facts {
        mark_seen,
        other_output: (!other.trim().is_empty()).then(|| shown_bytes(other.trim().as_bytes())),
        stderr: (!ran.stderr.is_empty()).then(|| shown_bytes(&ran.stderr)),
        ending: connection.ending().map(|ending| ending.manner),
        ran,
    };
    exam.runs_commands = mark_seen;
    if mark_seen && facts.ran.closed { Step::Passed(facts) } else { Step::Failed(facts) }
}
