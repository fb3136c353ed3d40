//! A bounded amount of data to the server and back, compared byte by byte.

mod ahead;
mod alignment;
mod depth;
mod one_way;
pub(crate) mod returned;
mod sftp;

use std::mem::replace;
use std::time::Duration;

use super::channel::{NO_COMMAND, NO_PROGRAMS, ask_beside};
use super::context::Context;
use super::handles::LoggedIn;
use super::retest::{Exchange, leave, sizes};
use crate::base::limits::Patience;
use crate::base::target::Route;
use crate::base::text::sanitize_bytes;
use crate::facts::Step;
use crate::facts::channel::Lead;
use crate::facts::channel::words::lacks_program;
use crate::facts::connection::{GaveUp, Manner, Ran};
use crate::facts::exit;
use crate::facts::retest::Retest;
use crate::facts::tcp::TcpInfo;
use crate::facts::transfer::{Echo, Facts, Inserted};
use crate::ssh::connection::Connection;
use crate::ssh::login::Login;
use crate::ssh::run::Running;
use returned::{is_without_input, measured};

/// The reason why nothing is moved where a command has its output alone.
const NO_INPUT: &str = "the server gives commands no input";
/// The reason why a transfer tells nothing where a command waits for ever for its input, or for the end of it.
const INPUT_KEPT: &str = "the server does not pass the whole input of commands on to them";
/// The reason why nothing is moved where input has to be text.
const TEXT_ONLY: &str = "the server takes text only as input (UTF-8), and ended the connection at other data";

/// Sends data through the command that channel left, which sends it back.
pub async fn check(ctx: &Context, logged_in: Option<&mut LoggedIn>) -> Step<Facts> {
    let Some(logged_in) = logged_in else { return Step::Skipped(NO_COMMAND.into()) };
    if logged_in.sftp.is_some() {
        return over_sftp(ctx, logged_in).await;
    }
    if logged_in.no_input {
        return Step::Skipped(NO_INPUT.into());
    }
    let starting = logged_in.patience(&ctx.limits);
    let (Some(connection), Some(running)) = (&logged_in.connection, &mut logged_in.running) else {
        return Step::Skipped(logged_in.runs_commands.err().unwrap_or(NO_COMMAND).into());
    };
    let amount = (ctx.limits.transfer_bytes, logged_in.is_stored);
    let further = logged_in.runs_commands.ok().map(|lead| (lead, starting));
    let moved = moved(ctx, (connection, running), amount, further);
    let beside = ask_beside(ctx, connection);
    let both = Box::pin(async { tokio::join!(moved, beside) });
    let Some(((whole, mut facts), asked)) = ctx.stop.race(both).await else {
        return Step::Skipped("interrupted".into());
    };
    logged_in.asked = asked.map(Box::new);
    if whole {
        return Step::Passed(facts);
    }
    // A stall or an alteration of what does come back has another reason.
    let has_no_command = facts.returned_bytes == 0 || facts.ran.closed;
    if let Some(program) =
        facts.stderr.as_deref().and_then(|said| lacks_program(said, logged_in.is_imitation)).filter(|_| has_no_command)
    {
        (logged_in.running, logged_in.lacks) = (None, Some(program));
        logged_in.runs_commands = Err(NO_PROGRAMS);
        return Step::Skipped(NO_PROGRAMS.into());
    }
    if is_without_input(&facts) {
        (logged_in.running, logged_in.no_input) = (None, true);
        return Step::Skipped(NO_INPUT.into());
    }
    if facts.ending.as_ref().is_some_and(Manner::is_of_text) {
        (logged_in.running, logged_in.connection) = (None, None);
        logged_in.reconnect(ctx).await;
        return Step::Skipped(TEXT_ONLY.into());
    }
    let silent = facts.ran.gave_up == Some(GaveUp::Silence) && facts.first_difference.is_none();
    if let (true, Some(login)) = (silent && facts.ending.is_none(), &logged_in.login) {
        let arms = ctx.stop.race(Box::pin(sizes(login, facts.tcp))).await.unwrap_or_default();
        facts.arms = arms;
    }
    logged_in.is_stalling = facts.is_size_decisive();
    let is_losing = facts.tcp.is_some_and(|tcp| tcp.is_losing());
    // New keys that were not agreed on are suspected first; where they were, a server that moves data in turns is.
    if facts.rekeys.iter().any(|rekey| rekey.ms.is_none()) {
        suspect_rekey(ctx, logged_in, &mut facts).await;
    }
    if let (true, Ok(lead), Some(login)) = (facts.is_held_back(), logged_in.runs_commands, logged_in.login.clone()) {
        // Both ways together had moved more than the part that stalled.
        let count = usize::try_from(facts.sent_bytes).unwrap_or_default().max(ctx.limits.transfer_bytes);
        let each_way = Box::pin(one_way::each_way(&login, lead, count, ctx.limits.patience()));
        facts.one_way = ctx.stop.race(each_way).await.flatten();
    }
    if facts.without_rekey.is_none() && !facts.passes_each_way() {
        suspect_rekey(ctx, logged_in, &mut facts).await;
    }
    if logged_in.is_stalling || silent && is_losing || facts.one_way.is_some() || facts.fails_by_rekey() {
        // Whatever is asked on it would wait behind the data that does not come through, and the server would hold it for minutes.
        logged_in.running = None;
        if let Some(stuck) = logged_in.connection.take() {
            leave(stuck, false).await;
        }
        logged_in.reconnect(ctx).await;
    }
    // What is still on its way would be taken for the output of the end.
    if let Some(running) = logged_in.running.take() {
        running.close().await;
    }
    // What we forced, and ssh seldom does, is no failure of the transfer.
    if facts.passes_each_way() || facts.fails_by_rekey() { Step::Passed(facts) } else { failed(facts) }
}

/// Takes a failure back where the end of a session showed that the server keeps input to itself: the transfer stalled without a lost packet, and
/// a command that reads to the end of its input waits for ever, while one that reads none ends well. A path that swallows large packets does
/// not do that.
pub fn complete(transfer: &mut Step<Facts>, exit: &Step<exit::Facts>) {
    let is_open = matches!(exit, Step::Passed(facts) | Step::Failed(facts) if facts.input_open);
    let is_kept = |facts: &Facts| facts.is_held_back() && facts.first_difference.is_none();
    if matches!(transfer, Step::Failed(facts) if is_open && is_kept(facts)) {
        *transfer = Step::Skipped(INPUT_KEPT.into());
    }
}

/// Moves as much once more without new keys, where the transfer stalled after they were asked for in its middle, and where that passes, with
/// them: a path that stalls now and then does so beside them too.
async fn suspect_rekey(ctx: &Context, logged_in: &LoggedIn, facts: &mut Facts) {
    if let (true, Ok(lead), Some(login)) = (facts.stops_after_rekey(), logged_in.runs_commands, &logged_in.login) {
        let count = usize::try_from(facts.sent_bytes).unwrap_or_default();
        let anew = async |new_keys| {
            let anew = Box::pin(depth::anew(login, lead, count, new_keys, ctx.limits.patience()));
            ctx.stop.race(anew).await.flatten()
        };
        facts.without_rekey = anew(false).await;
        if facts.without_rekey == Some(true) {
            facts.with_rekey = anew(true).await;
        }
    }
}

/// Judges a failed transfer; data that our own library could not read is no fault of the server's.
fn failed(facts: Facts) -> Step<Facts> {
    match facts.ending.as_ref().and_then(Manner::unreadable) {
        Some(why) => Step::Error(why),
        None => Step::Failed(facts),
    }
}

/// Moves data by requests of sftp, where no command runs.
async fn over_sftp(ctx: &Context, logged_in: &mut LoggedIn) -> Step<Facts> {
    let (Some(connection), Some(session)) = (&logged_in.connection, &mut logged_in.sftp) else {
        return Step::Skipped("the connection was lost: see the checks before".into());
    };
    let moved = Box::pin(sftp::moved(connection, session, ctx.limits.patience()));
    match ctx.stop.race(moved).await {
        None => Step::Skipped("interrupted".into()),
        Some((true, facts)) => Step::Passed(facts),
        Some((false, facts)) => {
            logged_in.sftp = None;
            failed(facts)
        }
    }
}

/// The transfer of so many bytes, all of them stored before they come back or not, and what follows it on that command and on a further one, which begins so
/// and is waited for so long; true where all of it came back.
async fn moved(
    ctx: &Context,
    (connection, running): (&Connection, &mut Running),
    (count, is_stored): (usize, bool),
    further: Option<(Lead, Patience)>,
) -> (bool, Facts) {
    let patience = ctx.limits.patience();
    let (facts, is_slow) = if is_stored {
        ahead::stored(connection, running, count, patience).await
    } else {
        (measured(connection, running, count, patience).await, false)
    };
    let mut facts = Facts { compression: connection.compression(), ..facts };
    if facts.rate.is_none() {
        return (false, facts);
    }
    if is_slow {
        // It waits for the rest; another one takes its place, where the server has room for two.
        let anew = match further {
            Some((lead, starting)) => ahead::streaming(connection, lead, starting).await,
            None => None,
        };
        let Some(anew) = anew else { return (true, facts) };
        replace(running, anew).close().await;
    }
    facts.echo = match facts.ran.first_output_ms {
        // Its first byte was alone, and text in front of it is no echo.
        Some(ms) if connection.is_far() && !is_stored && facts.inserted.iter().all(|text| text.at > 0) => {
            Some(Echo { samples: 1, min_ms: ms, median_ms: ms, max_ms: ms })
        }
        _ => echo(connection, running, patience, &mut facts.inserted).await,
    };
    let Some(further) = further.filter(|_| ctx.limits.deep) else { return (true, facts) };
    let (rekeys, more) = depth::check(connection, running, patience, facts.rate).await;
    let rekeyed = rekeys.iter().all(|rekey| rekey.ms.is_some());
    facts.rekeys = rekeys;
    if let Some(more) = more {
        if more.rate.is_none() {
            return (false, facts.and_failed(more));
        }
        facts.deep_rate = more.rate;
        facts.inserted.extend(more.inserted);
    }
    if !rekeyed {
        return (false, facts);
    }
    if let Some(unread) = depth::unread(connection, further, patience, facts.rate).await {
        if unread.rate.is_none() {
            return (false, facts.and_failed(unread));
        }
        facts.unread_ms = Some(unread.ran.duration_ms);
        facts.inserted.extend(unread.inserted);
    }
    (true, facts)
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
    const MAX_ROUND_TRIPS: usize = 10;
    const BUDGET_MS: f64 = 20.0;
    const LEAST: usize = 3;
    let mut times = Vec::new();
    while times.len() < LEAST || times.len() < MAX_ROUND_TRIPS && times.iter().sum::<f64>() < BUDGET_MS {
        let came = |ran: &Ran| ran.stdout.contains(&BYTE);
        let ran = running.exchange(vec![BYTE], patience, connection, came).await;
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

/// Moves less data in packets of other sizes: one login of small ones, and where that passes four more; 23 s at most.
async fn sizes(login: &Login, stalled: Option<TcpInfo>) -> Vec<Retest> {
    /// Many full-size packets each way, and little to move in small ones.
    const BYTES: usize = 64 * 1024;
    /// The time that the first login and its transfer may take, each.
    const DEADLINE: Duration = Duration::from_secs(5);
    if !matches!(login.route, Route::Direct(_)) || !login.repeatable() || login.budget.left() == 0 {
        return Vec::new();
    }
    let exchange = Exchange::Data { login: login.clone(), count: BYTES };
    let small = sizes::small(&exchange, DEADLINE).await;
    let further = sizes::narrow(&exchange, &small, stalled.map(|tcp| tcp.path_mtu), None).await;
    std::iter::once(small.arm).chain(further).collect()
}

#[cfg(test)]
mod tests {
    use super::{complete, exit};
    use crate::facts::Step;
    use crate::facts::connection::{GaveUp, Ran};
    use crate::facts::tcp::TcpInfo;
    use crate::facts::transfer::Facts;

    #[test]
    fn a_server_that_keeps_input_to_itself_is_no_stall_of_the_path() {
        let stalled = |tcp| {
            let ran = Ran { gave_up: Some(GaveUp::Silence), ..Ran::default() };
            Step::Failed(Facts { ran, sent_bytes: 65_536, tcp: Some(tcp), ..Facts::default() })
        };
        let ended = |input_open| Step::Passed(exit::Facts { input_open, ..exit::Facts::default() });
        let after = |mut transfer, exit| {
            complete(&mut transfer, &exit);
            matches!(transfer, Step::Skipped(_))
        };
        let lost = TcpInfo { unacked: 3, backoff: 2, retransmits: 2, ..TcpInfo::default() };
        assert!(after(stalled(TcpInfo::default()), ended(true)));
        assert!(!after(stalled(TcpInfo::default()), ended(false)), "a command met the end of its input");
        assert!(!after(stalled(lost), ended(true)), "packets were lost");
    }
}
