//! A bounded amount of data to the server and back, compared byte by byte.

mod causes;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::connection::{GaveUp, Manner, Ran};
use crate::dial::Route;
use crate::evidence::{self, Step};
use crate::examination::Examination;
use crate::login::Login;
use crate::nonce::{noise, seed};
use crate::socket::TcpInfo;
use crate::text::{bytes, hex, seconds, shown_bytes};
use crate::trial::{self, Arm, Exchange};

pub use causes::CAUSES;

/// What was seen.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
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
    /// Less of it on connections of their own in packets of other sizes, where this one stalled.
    #[serde(default)]
    pub arms: Vec<Arm>,
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

/// Sends data through the command that channel left, which sends it back.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    let (Some(connection), Some(running)) = (&exam.connection, &mut exam.running) else {
        return Step::Skipped("no command runs: see channel".into());
    };
    let sent = noise(seed(), exam.limits.transfer_bytes);
    let Some(ran) = exam.stop.race(running.exchange(sent.clone(), exam.limits.patience())).await else {
        return Step::Skipped("interrupted".into());
    };
    let whole = ran.stdout == sent;
    let mut facts = Facts {
        sent_bytes: sent.len() as u64,
        returned_bytes: ran.stdout_bytes,
        sent_sha256: hex(&Sha256::digest(&sent)),
        returned_sha256: hex(&Sha256::digest(&ran.stdout)),
        first_difference: ran.stdout.iter().zip(&sent).position(|(back, there)| back != there).map(|at| at as u64),
        rate: whole.then(|| 2.0 * sent.len() as f64 / (ran.duration_ms / 1000.0)),
        ending: connection.ending().map(|ending| ending.manner),
        tcp: connection.socket().and_then(crate::socket::Socket::tcp_info),
        stderr: (!ran.stderr.is_empty()).then(|| shown_bytes(&ran.stderr)),
        arms: Vec::new(),
        ran,
    };
    if whole {
        return Step::Passed(facts);
    }
    let silent = facts.ran.gave_up == Some(GaveUp::Silence) && facts.first_difference.is_none();
    if let (true, Some(login)) = (silent && facts.ending.is_none(), &exam.login) {
        let arms = exam.stop.race(Box::pin(sizes(login, facts.tcp))).await.unwrap_or_default();
        facts.arms = arms;
    }
    // What is still on its way would be taken for the output of the end.
    if let Some(running) = exam.running.take() {
        running.close().await;
    }
    Step::Failed(facts)
}

/// The same with less data in packets of other sizes: one login of small ones, and where that passes four more; 23 s at most.
async fn sizes(login: &Login, stalled: Option<TcpInfo>) -> Vec<Arm> {
    /// Many full-size packets each way, and little to move in small ones.
    const BYTES: usize = 64 * 1024;
    /// How long the first login and its transfer may take, each.
    const DEADLINE: Duration = Duration::from_secs(5);
    if !matches!(login.route, Route::Direct(_)) || !login.repeatable() || login.budget.left() == 0 {
        return Vec::new();
    }
    let exchange = Exchange::Data { login: login.clone(), count: BYTES };
    let small = trial::small(&exchange, DEADLINE).await;
    let further = trial::narrow(&exchange, &small, stalled.map(|tcp| tcp.path_mtu)).await;
    std::iter::once(small.arm).chain(further).collect()
}
