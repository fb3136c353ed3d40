//! A bounded amount of data to the server and back, compared byte by byte.

mod alignment;
mod depth;
pub(crate) mod returned;

use std::time::Duration;

use super::channel::NO_COMMAND;
use super::context::Context;
use super::handles::LoggedIn;
use super::retest::{Exchange, sizes};
use crate::base::limits::Patience;
use crate::base::nonce::{noise, seed};
use crate::base::target::Route;
use crate::base::text::sanitize_bytes;
use crate::facts::Step;
use crate::facts::connection::{GaveUp, Ran};
use crate::facts::retest::Retest;
use crate::facts::tcp::TcpInfo;
use crate::facts::transfer::{Echo, Facts, Inserted};
use crate::ssh::connection::Connection;
use crate::ssh::login::Login;
use crate::ssh::run::Running;
use returned::returned;

/// Sends data through the command that channel left, which sends it back.
pub async fn check(ctx: &Context, logged_in: Option<&mut LoggedIn>) -> Step<Facts> {
    let Some(logged_in) = logged_in else { return Step::Skipped(NO_COMMAND.into()) };
    let (Some(connection), Some(running)) = (&logged_in.connection, &mut logged_in.running) else {
        return Step::Skipped(logged_in.runs_commands.err().unwrap_or(NO_COMMAND).into());
    };
    let (patience, deep) = (ctx.limits.patience(), ctx.limits.deep);
    let moved = Box::pin(moved(connection, running, ctx.limits.transfer_bytes, patience, deep));
    let Some((whole, mut facts)) = ctx.stop.race(moved).await else {
        return Step::Skipped("interrupted".into());
    };
    if whole {
        return Step::Passed(facts);
    }
    let silent = facts.ran.gave_up == Some(GaveUp::Silence) && facts.first_difference.is_none();
    if let (true, Some(login)) = (silent && facts.ending.is_none(), &logged_in.login) {
        let arms = ctx.stop.race(Box::pin(sizes(login, facts.tcp))).await.unwrap_or_default();
        facts.arms = arms;
    }
    // What is still on its way would be taken for the output of the end.
    if let Some(running) = logged_in.running.take() {
        running.close().await;
    }
    Step::Failed(facts)
}

/// The transfer and what follows it on the same command; true where all of it came back.
pub(crate) async fn moved(
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

/// A few bytes, one after the other: at least three, and more while that costs next to nothing.
pub(crate) async fn echo(
    connection: &Connection,
    running: &mut Running,
    patience: Patience,
    inserted: &mut Vec<Inserted>,
) -> Option<Echo> {
    /// ASCII's ACK, which no text has.
    const BYTE: u8 = 0x06;
    const MAX_ROUND_TRIPS: usize = 10;
    const MIN_ROUND_TRIPS: usize = 3;
    const BUDGET_MS: f64 = 20.0;
    let mut times = Vec::new();
    while times.len() < MIN_ROUND_TRIPS || times.len() < MAX_ROUND_TRIPS && times.iter().sum::<f64>() < BUDGET_MS {
        let came = |ran: &Ran| ran.stdout.contains(&BYTE);
        let ran = running.exchange(vec![BYTE], patience, connection.watch(), came).await;
        let text: Vec<u8> = ran.stdout.iter().copied().filter(|byte| *byte != BYTE).collect();
        if !text.is_empty() {
            inserted.push(Inserted { at: times.len() as u64, text: sanitize_bytes(&text) });
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

pub(crate) fn compression(connection: &Connection) -> Option<String> {
    connection.observations().read().negotiated.as_ref().map(|agreed| agreed.compression.clone())
}

/// The same with less data in packets of other sizes: one login of small ones, and where that passes four more; 23 s at most.
async fn sizes(login: &Login, stalled: Option<TcpInfo>) -> Vec<Retest> {
    /// Many full-size packets each way, and little to move in small ones.
    const BYTES: usize = 64 * 1024;
    /// How long the first login and its transfer may take, each.
    const DEADLINE: Duration = Duration::from_secs(5);
    if !matches!(login.route, Route::Direct(_)) || !login.repeatable() || login.budget.left() == 0 {
        return Vec::new();
    }
    let exchange = Exchange::Data { login: login.clone(), count: BYTES };
    let small = sizes::small(&exchange, DEADLINE).await;
    let further = sizes::narrow(&exchange, &small, stalled.map(|tcp| tcp.path_mtu), None).await;
    std::iter::once(small.arm).chain(further).collect()
}
