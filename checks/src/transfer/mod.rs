//! A bounded amount of data to the server and back, compared byte by byte.

mod causes;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::connection::{Manner, Ran};
use crate::evidence::{self, Step};
use crate::examination::Examination;
use crate::nonce::{noise, seed};
use crate::socket::TcpInfo;
use crate::text::{bytes, seconds, shown_bytes};

pub use causes::CAUSES;

/// Status with which a shell reports that it knows no such command (POSIX.1-2024, 2.9.1.4).
const NO_SUCH_COMMAND: u32 = 127;

/// What was seen.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Bytes sent, and wanted back.
    pub sent_bytes: u64,
    /// Bytes that came back.
    pub returned_bytes: u64,
    /// SHA-256 of what was sent.
    pub sent_sha256: String,
    /// SHA-256 of what came back.
    pub returned_sha256: String,
    /// Where what came back first differs from what was sent; `null` where it does not.
    pub first_difference: Option<u64>,
    /// Bytes per second, there and back.
    pub rate: Option<f64>,
    /// What became of the command that returns the data.
    pub ran: Ran,
    /// How the connection ended, if it did.
    pub ending: Option<Manner>,
    /// The kernel's view at the end.
    pub tcp: Option<TcpInfo>,
    /// Standard error, escaped.
    pub stderr: Option<String>,
}

impl evidence::Facts for Facts {
    fn summary(&self) -> String {
        let moved = format!("{} of {} came back", bytes(self.returned_bytes as f64), bytes(self.sent_bytes as f64));
        let took = seconds(self.ran.duration_ms / 1000.0);
        match (self.first_difference, self.rate) {
            (Some(at), _) => format!("{moved}, different from byte {at} on"),
            (None, Some(rate)) if self.returned_bytes == self.sent_bytes => {
                format!("{} there and back in {took}, {}/s, unaltered", bytes(self.sent_bytes as f64), bytes(rate))
            }
            _ => format!("{moved} in {took}"),
        }
    }
}

/// Sends data through `cat` on the connection that auth left.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    let (Some(connection), Some(_)) = (&exam.connection, &exam.login) else {
        return Step::Skipped("there is no login: see auth".into());
    };
    if !exam.runs_commands {
        return Step::Skipped("the server runs no command of ours: see channel".into());
    }
    let sent = noise(seed(), exam.limits.transfer_bytes);
    let running = connection.run("cat", sent.clone(), sent.len() + 1, exam.limits.patience());
    let Some(ran) = exam.stop.race(running).await else {
        return Step::Skipped("interrupted".into());
    };
    if ran.status == Some(NO_SUCH_COMMAND) {
        return Step::Skipped("the server has no `cat` to send the data back".into());
    }
    let whole = ran.stdout == sent;
    let facts = Facts {
        sent_bytes: sent.len() as u64,
        returned_bytes: ran.stdout_bytes,
        sent_sha256: hex(&Sha256::digest(&sent)),
        returned_sha256: hex(&Sha256::digest(&ran.stdout)),
        first_difference: ran.stdout.iter().zip(&sent).position(|(back, there)| back != there).map(|at| at as u64),
        rate: whole.then(|| 2.0 * sent.len() as f64 / (ran.duration_ms / 1000.0)),
        ending: connection.ending().map(|ending| ending.manner),
        tcp: connection.socket().and_then(crate::socket::Socket::tcp_info),
        stderr: (!ran.stderr.is_empty()).then(|| shown_bytes(&ran.stderr)),
        ran,
    };
    if whole { Step::Passed(facts) } else { Step::Failed(facts) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
