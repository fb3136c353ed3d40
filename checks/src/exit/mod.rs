//! A clean end: all output, the exit status, the channel's close, and nothing left behind.

mod causes;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::connection::{Manner, Ran};
use crate::evidence::{self, Step};
use crate::examination::Examination;
use crate::text::seconds;

pub use causes::CAUSES;

/// Output of the last command, bytes: more than one packet, so that a cut at the end would show.
const OUTPUT: u64 = 64 * 1024;
/// The status that the last command ends with: one that nothing else gives.
const STATUS: u32 = 7;
/// How long the server may take to close the connection after our goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// What was seen.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Facts {
    /// What became of the command that writes and then ends with a status.
    pub ran: Ran,
    /// Bytes of output that it wrote.
    pub written_bytes: u64,
    /// The status that it ended with.
    pub given_status: u32,
    /// How the connection ended before our goodbye, if it did.
    pub ending: Option<Manner>,
    /// Milliseconds from our goodbye to the end of the connection.
    pub goodbye_ms: Option<f64>,
}

impl evidence::Facts for Facts {
    fn summary(&self) -> String {
        let ran = &self.ran;
        let status = match (ran.status, &ran.signal) {
            (Some(status), _) => format!("status {status}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "no status".to_owned(),
        };
        let output = format!("{} of {} bytes of output", ran.stdout_bytes, self.written_bytes);
        match self.goodbye_ms {
            Some(ms) if ran.closed => {
                format!("{output}, {status}, closed in {}", seconds((ran.duration_ms + ms) / 1000.0))
            }
            _ if ran.closed => format!("{output}, {status}, channel closed"),
            _ => format!("{output}, {status}, the channel was not closed"),
        }
    }
}

/// Ends a last command on the connection that auth left, and then the connection.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    let (Some(connection), Some(_)) = (exam.connection.take(), &exam.login) else {
        return Step::Skipped("there is no login: see auth".into());
    };
    if !exam.runs_commands {
        connection.close(GOODBYE).await;
        return Step::Skipped("the server runs no command of ours: see channel".into());
    }
    let command = format!("exec sh -c 'dd if=/dev/zero bs=1024 count={} 2>/dev/null; exit {STATUS}'", OUTPUT / 1024);
    let running = connection.run(&command, Vec::new(), 0, exam.limits.patience());
    let Some(ran) = exam.stop.race(running).await else {
        connection.close(GOODBYE).await;
        return Step::Skipped("interrupted".into());
    };
    let ending = connection.ending().map(|ending| ending.manner);
    let goodbye = Instant::now();
    connection.close(GOODBYE).await;
    let goodbye_ms = ending.is_none().then(|| goodbye.elapsed().as_secs_f64() * 1000.0);
    let whole = ran.stdout_bytes == OUTPUT && ran.status == Some(STATUS) && ran.closed;
    let facts = Facts { ran, written_bytes: OUTPUT, given_status: STATUS, ending, goodbye_ms };
    if whole { Step::Passed(facts) } else { Step::Failed(facts) }
}
