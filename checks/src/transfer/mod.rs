//! A bounded amount of data to the server and back, compared byte by byte.

mod alignment;
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
use alignment::Alignment;

pub use causes::CAUSES;
pub use depth::Rekey;

/// What was seen.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Bytes sent, and wanted back.
    pub sent_bytes: u64,
    /// Bytes that came back, without text that was not sent.
    pub returned_bytes: u64,
    /// SHA-256 of what was sent.
    pub sent_sha256: String,
    /// SHA-256 of what came back.
    pub returned_sha256: String,
    /// Text that was not sent, and behind which what was sent went on.
    #[serde(default)]
    pub inserted: Vec<Inserted>,
    /// Where what came back differs from what was sent for the first time, text that was not sent aside; `null` where it does not.
    pub first_difference: Option<u64>,
    /// What stands there.
    #[serde(default)]
    pub difference: Option<Difference>,
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

/// Text that was not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inserted {
    /// How much of what was sent had come back before it, bytes.
    pub at: u64,
    /// The text, escaped.
    pub text: String,
}

/// What came back instead of what was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What was sent goes on behind it at its own place.
    pub in_place: bool,
    /// The first bytes that were sent there, hexadecimal.
    pub sent: String,
    /// The first bytes that came back there, hexadecimal.
    pub returned: String,
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
                let inserted = if self.inserted.is_empty() { "" } else { ", with other output in between" };
                format!(
                    "{} there and back unaltered{inserted}, {rates}{}{}",
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
        return Step::Skipped(exam.runs_commands.err().unwrap_or("no command runs: see channel").into());
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
    let facts = returned(connection, running, &sent, patience).await;
    let mut facts = Facts { compression: compression(connection), ..facts };
    if facts.rate.is_none() {
        return (false, facts);
    }
    facts.tell_directions();
    facts.echo = echo(connection, running, patience, &mut facts.inserted).await;
    if !deep {
        return (true, facts);
    }
    let (rekeys, further) = depth::check(connection, running, patience).await;
    let rekeyed = rekeys.iter().all(|rekey| rekey.ms.is_some());
    facts.rekeys = rekeys;
    if let Some(further) = further {
        if further.rate.is_none() {
            return (false, facts.and_failed(further));
        }
        facts.deep_rate = further.rate;
        facts.inserted.extend(further.inserted);
    }
    if !rekeyed {
        return (false, facts);
    }
    if let Some(unread) = depth::unread(connection, patience).await {
        if unread.rate.is_none() {
            return (false, facts.and_failed(unread));
        }
        facts.unread_ms = Some(unread.ran.duration_ms);
        facts.inserted.extend(unread.inserted);
    }
    (true, facts)
}

/// Sends this, and reads until all of it is back, whatever stands in between.
async fn returned(connection: &Connection, running: &mut Running, sent: &[u8], patience: Patience) -> Facts {
    let settled = |ran: &Ran| ran.stdout_bytes >= sent.len() as u64 && Alignment::of(sent, &ran.stdout).is_settled();
    let ran = running.exchange(sent.to_vec(), patience, connection.watch(), settled).await;
    compared(connection, sent, ran)
}

/// What became of data sent to a command that returns it.
fn compared(connection: &Connection, sent: &[u8], ran: Ran) -> Facts {
    let found = Alignment::of(sent, &ran.stdout).at_the_end(&ran.stdout);
    let inserted: usize = found.inserted.iter().map(|(_, text)| text.len()).sum();
    let whole = found.difference.is_none() && found.missing == 0;
    Facts {
        sent_bytes: sent.len() as u64,
        returned_bytes: ran.stdout_bytes.saturating_sub(inserted as u64),
        sent_sha256: hex(&Sha256::digest(sent)),
        returned_sha256: hex(&Sha256::digest(&ran.stdout)),
        inserted: found
            .inserted
            .iter()
            .map(|(at, text)| Inserted { at: *at as u64, text: shown_bytes(text) })
            .collect(),
        first_difference: found.difference.map(|difference| difference.at as u64),
        difference: found.difference.map(|difference| Difference {
            in_place: difference.in_place,
            sent: first_bytes(sent, difference.at),
            returned: first_bytes(&ran.stdout, difference.back_at),
        }),
        rate: whole.then(|| 2.0 * sent.len() as f64 / (ran.duration_ms / 1000.0)),
        ending: connection.ending().map(|ending| ending.manner),
        tcp: connection.socket().and_then(crate::socket::Socket::tcp_info),
        stderr: (!ran.stderr.is_empty()).then(|| shown_bytes(&ran.stderr)),
        ran,
        ..Facts::default()
    }
}

/// A few bytes, one after the other: at least three, and more while that costs next to nothing.
async fn echo(
    connection: &Connection,
    running: &mut Running,
    patience: Patience,
    inserted: &mut Vec<Inserted>,
) -> Option<Echo> {
    /// ASCII's ACK, which no text has.
    const BYTE: u8 = 0x06;
    const MOST: usize = 10;
    const LEAST: usize = 3;
    const BUDGET_MS: f64 = 20.0;
    let mut times = Vec::new();
    while times.len() < LEAST || times.len() < MOST && times.iter().sum::<f64>() < BUDGET_MS {
        let came = |ran: &Ran| ran.stdout.contains(&BYTE);
        let ran = running.exchange(vec![BYTE], patience, connection.watch(), came).await;
        let text: Vec<u8> = ran.stdout.iter().copied().filter(|byte| *byte != BYTE).collect();
        if !text.is_empty() {
            inserted.push(Inserted { at: times.len() as u64, text: shown_bytes(&text) });
        }
        if !came(&ran) {
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
    /// What a further transfer, which failed, was beside what is known from before.
    fn and_failed(self, further: Self) -> Self {
        let inserted = [self.inserted, further.inserted].concat();
        let Self { echo, compression, rekeys, deep_rate, .. } = self;
        Self { inserted, echo, compression, rekeys, deep_rate, ..further }
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

/// So few of them that they tell which bits were altered, and no more.
fn first_bytes(bytes: &[u8], from: usize) -> String {
    const SHOWN: usize = 8;
    hex(&bytes.iter().copied().skip(from).take(SHOWN).collect::<Vec<_>>())
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
