//! A clean end: all output, the exit status, the channel's close, and nothing left behind.

use std::time::{Duration, Instant};

use super::context::Context;
use super::handles::LoggedIn;
use crate::base::limits::Patience;
use crate::base::nonce::nonce;
use crate::base::service::Service;
use crate::base::text::sanitize_bytes;
use crate::facts::Step;
use crate::facts::channel::Lead;
use crate::facts::channel::words::lacks_program;
use crate::facts::connection::{GaveUp, Manner, Ran};
use crate::facts::exit::Facts;
use crate::measure::channel::NO_PROGRAMS;
use crate::measure::channel::command::{self, OUTPUT, STATUS};
use crate::ssh::connection::Connection;
use crate::ssh::keepalive::KeepaliveReply;
use crate::ssh::run::Running;
use crate::ssh::sftp::SftpSession;

/// Bytes of output that are kept: all of it, and as much text of other processes.
const KEPT: usize = 2 * command::KEPT;

/// The time that the server may take to close the connection after our goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// The reason why nothing is ended.
const LOST: &str = "no connection is left: see the checks before";

/// The reason where it would stall as the transfer did.
const STALLING: &str = "what fills packets is lost on its way: see transfer";

/// Ends a last command on the connection that auth left, or the sftp server where no command runs.
pub async fn check(ctx: &Context, logged_in: Option<&mut LoggedIn>) -> Step<Facts> {
    let Some(logged_in) = logged_in.filter(|logged_in| logged_in.login.is_some()) else {
        return Step::Skipped(LOST.into());
    };
    if logged_in.is_stalling {
        return Step::Skipped(STALLING.into());
    }
    match logged_in.runs_commands {
        Ok(lead) => of_command(ctx, logged_in, lead).await,
        Err(_) if logged_in.serves_sftp => of_sftp(ctx, logged_in).await,
        Err(why) => Step::Skipped(why.into()),
    }
}

async fn of_command(ctx: &Context, logged_in: &mut LoggedIn, lead: Lead) -> Step<Facts> {
    /// The number of times as long as a stage the last output may take in which something comes all the time: slow links do.
    const PROGRESSING: u32 = 3;
    let usual = logged_in.patience(&ctx.limits);
    let patience = Patience { total: (ctx.limits.patience().total * PROGRESSING).max(usual.silence), ..usual };
    // The command that channel started may have been closed meanwhile by whatever ends idle channels, or with its connection, by a server
    // that bears no further session on it.
    let stands = logged_in.connection.as_ref().is_some_and(|connection| !connection.is_closed());
    let going_on = logged_in.running.take().filter(|_| ctx.limits.idle.is_zero() && stands);
    let mut ran = Ran::default();
    let running = match going_on {
        Some(running) => Some(running),
        None => start_on_any((ctx, &mut *logged_in), lead, Reads::Input, patience, &mut ran).await,
    };
    let Some(connection) = &logged_in.connection else { return Step::Skipped(LOST.into()) };
    let Some(mut other_output) = ctx.stop.race(finish(connection, running, patience, &mut ran)).await else {
        return Step::Skipped("interrupted".into());
    };
    // Nothing followed the end of the input: the server may not pass it on, and a command that reads none ends all the same.
    let (mut reads, mut input_open) = (Reads::Input, false);
    if ran.gave_up == Some(GaveUp::Silence) && ran.stdout_bytes == 0 && ran.status.is_none() {
        let mut second = Ran::default();
        // An answer to what was sent after the end of the input: that end reached the server, and no output is under way.
        let arrived = match &logged_in.connection {
            Some(connection) => matches!(connection.keepalive(patience.silence).await, KeepaliveReply::Alive(_)),
            None => false,
        };
        // Alone on a connection of its own: what hangs on the first one may be in its way.
        let other = match logged_in.reconnect(ctx).await.then_some(logged_in.connection.as_ref()).flatten() {
            Some(connection) => {
                let running = start_anew(connection, lead, Reads::Nothing, patience, &mut second).await;
                ctx.stop.race(finish(connection, running, patience, &mut second)).await.flatten()
            }
            None => None,
        };
        // One that ended although its output did not all arrive tells as much.
        if second.closed && second.status == Some(STATUS) {
            (ran, other_output, reads, input_open) = (second, other, Reads::Nothing, arrived);
        }
    }
    if let Some(program) = lacked(logged_in, &ran) {
        logged_in.lacks = Some(program);
        return Step::Skipped(NO_PROGRAMS.into());
    }
    let Some(connection) = &logged_in.connection else { return Step::Skipped(LOST.into()) };
    let again = if ctx.limits.deep && (is_delivered(&ran) || logged_in.no_input) {
        ctx.stop.race(Box::pin(again(connection, lead, reads, patience))).await.unwrap_or_default()
    } else {
        Vec::new()
    };
    let ending = connection.ending().map(|ending| ending.manner);
    // One that had not even begun is slow to start, which is no matter of its end.
    let is_begun = |ran: &&Ran| ran.stdout_bytes > 0 || ran.gave_up.is_none() || ran.connection_lost;
    // A wrapper or a server may report another status, a signal or nothing for a command that worked: causes tell of it, and the check passes.
    let whole = is_delivered(&ran) && again.iter().filter(is_begun).all(is_delivered);
    let (written_bytes, given_status) = (OUTPUT, STATUS);
    let facts = Facts { ran, input_open, other_output, written_bytes, given_status, again, ending, ..Facts::default() };
    judged(whole, facts)
}

/// The program that the last command did not find, where it ended without any output.
fn lacked(logged_in: &LoggedIn, ran: &Ran) -> Option<&'static str> {
    lacks_program(&sanitize_bytes(&ran.stderr), logged_in.is_imitation).filter(|_| ran.closed && ran.stdout_bytes == 0)
}

/// Judges the step; data that our own library could not read is no fault of the server's.
fn judged(well: bool, facts: Facts) -> Step<Facts> {
    match facts.ending.as_ref().and_then(Manner::unreadable) {
        _ if well => Step::Passed(facts),
        Some(why) => Step::Error(why),
        None => Step::Failed(facts),
    }
}

/// True if the last command reads its input to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    Input,
    Nothing,
}

/// Ends the input of a command, and reads until it has ended; returns other output that came with its own.
async fn finish(
    connection: &Connection,
    running: Option<Running>,
    patience: Patience,
    ran: &mut Ran,
) -> Option<String> {
    let mut running = running?;
    running.end_input(KEPT, patience, ran, |_| false).await;
    read_late(connection, &mut running, patience, ran).await;
    running.close().await;
    take_other_output(ran)
}

/// Reads on where output has stopped midway and a request is answered: what a slow line loses is sent again after longer each time, and the answer comes
/// behind it. Output that does not follow the answer is not on its way.
async fn read_late(connection: &Connection, running: &mut Running, patience: Patience, ran: &mut Ran) {
    /// The time that output may take to follow the answer.
    const BEHIND: Duration = Duration::from_secs(1);
    let began = Instant::now();
    while ran.gave_up == Some(GaveUp::Silence) && ran.stdout_bytes > 0 && began.elapsed() < patience.total {
        let before = ran.stdout_bytes;
        let answer = connection.keepalive(patience.silence * 2).await;
        if !matches!(answer, KeepaliveReply::Alive(_)) {
            return;
        }
        ran.gave_up = None;
        running.read(KEPT, Patience { silence: BEHIND, ..patience }, ran, |_| false).await;
        if ran.gave_up == Some(GaveUp::Silence) && ran.stdout_bytes > before {
            ran.gave_up = None;
            running.read(KEPT, patience, ran, |_| false).await;
        } else {
            return;
        }
    }
}

async fn of_sftp(ctx: &Context, logged_in: &mut LoggedIn) -> Step<Facts> {
    let patience = ctx.limits.patience();
    let going_on = logged_in.sftp.take();
    if !logged_in.is_connected(ctx).await {
        return Step::Skipped(LOST.into());
    }
    let sftp = match going_on {
        Some(sftp) => Some(sftp),
        None => match ctx.stop.race(open_sftp(ctx, logged_in, patience)).await {
            Some(sftp) => sftp,
            None => return Step::Skipped("interrupted".into()),
        },
    };
    let Some(connection) = &logged_in.connection else {
        return Step::Skipped(LOST.into());
    };
    let ended = async {
        match sftp {
            Some(sftp) => sftp.end(patience).await,
            None => Ran { connection_lost: connection.is_closed(), ..Ran::default() },
        }
    };
    let Some(ran) = ctx.stop.race(ended).await else { return Step::Skipped("interrupted".into()) };
    let ending = connection.ending().map(|ending| ending.manner);
    // Some servers leave the end of the session to the client.
    let closed =
        ran.closed || ran.gave_up.is_some() && connection.keepalive(patience.silence).await != KeepaliveReply::Gone;
    let facts = Facts { ran, of: Some(Service::Sftp), ending, ..Facts::default() };
    judged(closed, facts)
}

/// Opens sftp on the connection that is left, or on another one: some servers serve the first session of each only.
async fn open_sftp(ctx: &Context, logged_in: &mut LoggedIn, patience: Patience) -> Option<SftpSession> {
    let here = SftpSession::open(logged_in.connection.as_ref()?, patience).await;
    if here.is_some() || !logged_in.reconnect(ctx).await {
        return here;
    }
    SftpSession::open(logged_in.connection.as_ref()?, patience).await
}

/// Ends the connection, and adds to the facts how long that took where it had not ended before.
pub(crate) async fn say_goodbye(logged_in: Option<LoggedIn>, step: &mut Step<Facts>) {
    let Some(connection) = logged_in.and_then(|logged_in| logged_in.connection) else { return };
    let (is_open, goodbye) = (connection.ending().is_none(), Instant::now());
    connection.close(GOODBYE).await;
    if let (true, Step::Passed(facts) | Step::Failed(facts)) = (is_open, step) {
        facts.goodbye_ms = Some(goodbye.elapsed().as_secs_f64() * 1000.0);
    }
}

/// Starts the command on the connection that is left, or on another one where the server has one session for each connection.
async fn start_on_any(
    (ctx, logged_in): (&Context, &mut LoggedIn),
    lead: Lead,
    reads: Reads,
    patience: Patience,
    ran: &mut Ran,
) -> Option<Running> {
    if !logged_in.is_connected(ctx).await {
        return None;
    }
    let running = start_anew(logged_in.connection.as_ref()?, lead, reads, patience, ran).await;
    if running.is_some() && !ran.is_refused() || !logged_in.reconnect(ctx).await {
        return running;
    }
    *ran = Ran::default();
    start_anew(logged_in.connection.as_ref()?, lead, reads, patience, ran).await
}

/// Runs the command again and again, each to its end: output that is lost at the end is not lost every time.
async fn again(connection: &Connection, lead: Lead, reads: Reads, patience: Patience) -> Vec<Ran> {
    const TIMES: usize = 10;
    /// No further one begins after so long: a slow link takes seconds for each.
    const BUDGET: Duration = Duration::from_secs(15);
    let (mut runs, began) = (Vec::new(), Instant::now());
    while runs.len() < TIMES && began.elapsed() < BUDGET {
        let mut ran = Ran::default();
        let Some(running) = start_anew(connection, lead, reads, patience, &mut ran).await else { break };
        finish(connection, Some(running), patience, &mut ran).await;
        // A server that bears no further session on a connection tells nothing of how sessions end.
        if ran.is_refused() {
            break;
        }
        let is_over = ran.connection_lost || ran.gave_up.is_some();
        runs.push(ran);
        if is_over {
            break;
        }
    }
    runs
}

/// Takes out what is not the command's own output, which is zeros, where that is whole without it.
fn take_other_output(ran: &mut Ran) -> Option<String> {
    let other: Vec<u8> = std::mem::take(&mut ran.stdout).into_iter().filter(|byte| *byte != 0).collect();
    if other.is_empty() || ran.stdout_bytes != OUTPUT + other.len() as u64 {
        return None;
    }
    ran.stdout_bytes = OUTPUT;
    Some(sanitize_bytes(&other))
}

/// True if all output arrived, and the server closed the channel.
fn is_delivered(ran: &Ran) -> bool {
    ran.stdout_bytes == OUTPUT && ran.closed
}

/// Starts the command again, and removes its mark, and the output of start-up files before it, from its output.
async fn start_anew(
    connection: &Connection,
    lead: Lead,
    reads: Reads,
    patience: Patience,
    ran: &mut Ran,
) -> Option<Running> {
    let mark = nonce();
    let command = match reads {
        Reads::Input => command::command(lead, &mark, 0),
        Reads::Nothing => command::without_input(lead, &mark),
    };
    let mut running = connection.start(&command, patience, ran).await?;
    let before = command::await_mark(&mut running, &mark, patience, ran).await.unwrap_or_default();
    ran.stdout.drain(..before);
    ran.stdout_bytes = ran.stdout_bytes.saturating_sub(before as u64);
    Some(running)
}
