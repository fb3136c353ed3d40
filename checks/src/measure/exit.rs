//! A clean end: all output, the exit status, the channel's close, and nothing left behind.

use std::time::{Duration, Instant};

use super::context::Context;
use super::handles::LoggedIn;
use crate::base::elapsed::ms_since;
use crate::base::limits::Patience;
use crate::base::nonce::nonce;
use crate::base::text::sanitize_bytes;
use crate::facts::Step;
use crate::facts::connection::Ran;
use crate::facts::exit::Facts;
use crate::measure::channel::command::{self, OUTPUT, STATUS};
use crate::ssh::connection::Connection;
use crate::ssh::run::Running;

/// Bytes of output that are kept: all of it, and as much text of other processes.
const KEPT: usize = 2 * command::KEPT;

/// How long the server may take to close the connection after our goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// Ends a last command on the connection that auth left, and then the connection.
pub async fn check(ctx: &Context, logged_in: Option<LoggedIn>) -> Step<Facts> {
    let Some(LoggedIn { connection: Some(connection), login: Some(_), runs_commands, running, .. }) = logged_in else {
        return Step::Skipped("no connection is left: see the checks before".into());
    };
    if let Err(why) = runs_commands {
        connection.close(GOODBYE).await;
        return Step::Skipped(why.into());
    }
    let patience = ctx.limits.patience();
    // The command that channel started may have been closed meanwhile by whatever ends idle channels.
    let going_on = running.filter(|_| ctx.limits.idle.is_zero());
    let ended = async {
        let mut ran = Ran::default();
        let running = match going_on {
            Some(running) => Some(running),
            None => start_anew(&connection, patience, &mut ran).await,
        };
        if let Some(running) = running {
            running.finish(KEPT, patience, &mut ran).await;
        }
        let other_output = take_other_output(&mut ran);
        (ran, other_output)
    };
    let Some((ran, other_output)) = ctx.stop.race(ended).await else {
        connection.close(GOODBYE).await;
        return Step::Skipped("interrupted".into());
    };
    let again = if ctx.limits.deep && is_whole(&ran) {
        ctx.stop.race(Box::pin(again(&connection, patience))).await.unwrap_or_default()
    } else {
        Vec::new()
    };
    let ending = connection.ending().map(|ending| ending.manner);
    let goodbye = Instant::now();
    connection.close(GOODBYE).await;
    let goodbye_ms = ending.is_none().then(|| ms_since(goodbye));
    let whole = is_whole(&ran) && again.iter().all(is_whole);
    let facts = Facts { ran, again, other_output, written_bytes: OUTPUT, given_status: STATUS, ending, goodbye_ms };
    if whole { Step::Passed(facts) } else { Step::Failed(facts) }
}

/// Runs the command again and again, each to its end: output that is lost at the end is not lost every time.
pub(crate) async fn again(connection: &Connection, patience: Patience) -> Vec<Ran> {
    const TIMES: usize = 10;
    let mut runs = Vec::new();
    while runs.len() < TIMES {
        let mut ran = Ran::default();
        let Some(running) = start_anew(connection, patience, &mut ran).await else { break };
        running.finish(KEPT, patience, &mut ran).await;
        take_other_output(&mut ran);
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

fn is_whole(ran: &Ran) -> bool {
    ran.stdout_bytes == OUTPUT && ran.status == Some(STATUS) && ran.closed
}

/// Starts the command again, and takes its mark, and whatever start-up files print before it, out of its output.
async fn start_anew(connection: &Connection, patience: Patience, ran: &mut Ran) -> Option<Running> {
    let mark = nonce();
    let mut running = connection.start(&command::command(&mark, 0), patience, ran).await?;
    let line = format!("{mark}\n");
    running.read(command::KEPT, patience, ran, |ran| command::end_of(&ran.stdout, &line).is_some()).await;
    let before = command::end_of(&ran.stdout, &line).unwrap_or_default();
    ran.stdout.drain(..before);
    ran.stdout_bytes = ran.stdout_bytes.saturating_sub(before as u64);
    Some(running)
}
