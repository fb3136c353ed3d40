//! A bounded amount of data to the server and back, compared byte by byte.

mod causes;
mod depth;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::connection::{Connection, GaveUp, Manner, Patience, Ran, Running};
use crate::dial::Route;
use crate::evidence::{self, Step};
use crate::examination::Examination;
use crate::login::Login;
use crate::nonce::{noise, seed};
use crate::socket::TcpInfo;
use crate::text::{bytes, hex, seconds, shown, shown_bytes};
use crate::trial::{self, Arm, Exchange};

pub use causes::CAUSES;
pub use depth::Rekey;

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
    /// Bytes per second to the server: until the first byte came back, which the command sends when it has all of them.
    pub up_rate: Option<f64>,
    /// Bytes per second from the server: from the first byte to the last.
    pub down_rate: Option<f64>,
    /// A byte there and back through the channel.
    pub echo: Option<Echo>,
    /// The compression agreed on.
    pub compression: Option<String>,
    /// The key exchanges that we asked for (`--deep`).
    pub rekeys: Vec<Rekey>,
    /// Bytes per second of the longer transfer (`--deep`), both ways at once.
    pub deep_rate: Option<f64>,
    /// Milliseconds that more than a window of data took there and back for a command that left it unread for a second (`--deep`).
    pub unread_ms: Option<f64>,
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

/// The time of a byte there and back through the channel, milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Echo {
    /// How many bytes were sent, one after the other.
    pub samples: usize,
    /// The shortest.
    pub min_ms: f64,
    /// The median.
    pub median_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl evidence::Facts for Facts {
    fn summary(&self) -> String {
        let moved = format!("{} of {} came back", bytes(self.returned_bytes as f64), bytes(self.sent_bytes as f64));
        let took = seconds(self.ran.duration_ms / 1000.0);
        match (self.first_difference, self.rate) {
            (Some(at), _) => format!("{moved}, different from byte {at} on"),
            (None, Some(_)) if self.rekeys.iter().any(|rekey| rekey.ms.is_none()) => {
                format!("{moved}, and no new keys were agreed on")
            }
            (None, Some(rate)) if self.returned_bytes == self.sent_bytes => {
                let rates = match (self.up_rate, self.down_rate) {
                    (Some(up), Some(down)) => format!("{}/s up, {}/s down", bytes(up), bytes(down)),
                    _ => format!("{}/s", bytes(rate)),
                };
                let echo = self.echo.map(|echo| format!(", a byte in {}", seconds(echo.median_ms / 1000.0)));
                let compression = self.compression.as_deref().filter(|name| *name != "none");
                let compression = compression.map(|name| format!(", compressed ({})", shown(name)));
                format!(
                    "{} there and back unaltered, {rates}{}{}",
                    bytes(self.sent_bytes as f64),
                    echo.unwrap_or_default(),
                    compression.unwrap_or_default()
                )
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
    let (patience, deep) = (exam.limits.patience(), exam.limits.deep);
    let moved = Box::pin(moved(connection, running, exam.limits.transfer_bytes, patience, deep));
    let Some((whole, mut facts)) = exam.stop.race(moved).await else {
        return Step::Skipped("interrupted".into());
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

/// The transfer and what follows it on the same command; true where all of it came back.
async fn moved(
    connection: &Connection,
    running: &mut Running,
    count: usize,
    patience: Patience,
    deep: bool,
) -> (bool, Facts) {
    let sent = noise(seed(), count);
    let ran = running.exchange(sent.clone(), patience, connection.watch()).await;
    let mut facts = Facts { compression: compression(connection), ..Facts::of(connection, &sent, ran) };
    if facts.rate.is_none() {
        return (false, facts);
    }
    facts.tell_directions();
    facts.echo = echo(connection, running, patience).await;
    if !deep {
        return (true, facts);
    }
    let (rekeys, further) = depth::check(connection, running, patience).await;
    let rekeyed = rekeys.iter().all(|rekey| rekey.ms.is_some());
    facts.rekeys = rekeys;
    match further {
        Some(further) if further.rate.is_none() => {
            (false, Facts { rekeys: facts.rekeys, echo: facts.echo, compression: facts.compression, ..further })
        }
        further => {
            facts.deep_rate = further.and_then(|further| further.rate);
            if !rekeyed {
                return (false, facts);
            }
            match depth::unread(connection, patience).await {
                Some(unread) if unread.rate.is_none() => {
                    let Facts { echo, compression, rekeys, deep_rate, .. } = facts;
                    (false, Facts { echo, compression, rekeys, deep_rate, ..unread })
                }
                unread => {
                    facts.unread_ms = unread.map(|unread| unread.ran.duration_ms);
                    (true, facts)
                }
            }
        }
    }
}

/// A few bytes, one after the other: at least three, and more while that costs next to nothing.
async fn echo(connection: &Connection, running: &mut Running, patience: Patience) -> Option<Echo> {
    const MOST: usize = 10;
    const LEAST: usize = 3;
    const BUDGET_MS: f64 = 20.0;
    let mut times = Vec::new();
    while times.len() < LEAST || times.len() < MOST && times.iter().sum::<f64>() < BUDGET_MS {
        let ran = running.exchange(vec![b'.'], patience, connection.watch()).await;
        if ran.stdout_bytes != 1 {
            return None;
        }
        times.push(ran.duration_ms);
    }
    times.sort_by(f64::total_cmp);
    let (min, max) = (times.first()?, times.last()?);
    Some(Echo { samples: times.len(), min_ms: *min, median_ms: *times.get(times.len() / 2)?, max_ms: *max })
}

fn compression(connection: &Connection) -> Option<String> {
    connection.notes().read().negotiated.as_ref().map(|agreed| agreed.compression.clone())
}

impl Facts {
    /// What became of data sent to a command that returns it.
    fn of(connection: &Connection, sent: &[u8], ran: Ran) -> Self {
        let whole = ran.stdout == sent;
        Self {
            sent_bytes: sent.len() as u64,
            returned_bytes: ran.stdout_bytes,
            sent_sha256: hex(&Sha256::digest(sent)),
            returned_sha256: hex(&Sha256::digest(&ran.stdout)),
            first_difference: ran.stdout.iter().zip(sent).position(|(back, there)| back != there).map(|at| at as u64),
            rate: whole.then(|| 2.0 * sent.len() as f64 / (ran.duration_ms / 1000.0)),
            ending: connection.ending().map(|ending| ending.manner),
            tcp: connection.socket().and_then(crate::socket::Socket::tcp_info),
            stderr: (!ran.stderr.is_empty()).then(|| shown_bytes(&ran.stderr)),
            ran,
            ..Self::default()
        }
    }

    /// Tells the two directions apart, where the command has stored all before it sent the first byte back.
    fn tell_directions(&mut self) {
        // A server without head or tail says so, and returns the data as it comes.
        if self.stderr.is_some() {
            return;
        }
        let (count, total) = (self.sent_bytes as f64, self.ran.duration_ms);
        if let Some(first) = self.ran.first_output_ms.filter(|first| *first > 0.0 && total > *first) {
            self.up_rate = Some(count / (first / 1000.0));
            self.down_rate = Some(count / ((total - first) / 1000.0));
        }
    }
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
    let further = trial::narrow(&exchange, &small, stalled.map(|tcp| tcp.path_mtu), None).await;
    std::iter::once(small.arm).chain(further).collect()
}
