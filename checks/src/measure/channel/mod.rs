//! A session channel, a harmless command in it that prints a mark, and what else the connection may be used for.

pub(super) mod command;
mod probes;

use russh::Channel;
use russh::client::Msg;
use tokio::task::JoinHandle;

use super::context::Context;
use super::handles::LoggedIn;
use super::retest::marks;
use crate::base::limits::{Limits, Patience};
use crate::base::nonce::nonce;
use crate::base::stop::Stop;
use crate::base::text::sanitize_bytes;
use crate::facts::Step;
use crate::facts::channel::{Capabilities, Capability, Facts};
use crate::facts::connection::{GaveUp, Ran};
use crate::os::pause::timeout;
use crate::ssh::channels::Opened;
use crate::ssh::connection::Connection;
use crate::ssh::run::Running;
use command::{KEPT, command, is_foreign_shell, is_printed, is_quoted};

const NO_LOGIN: &str = "there is no login: see auth";
/// The reason of later checks for not running commands.
pub(crate) const NO_COMMAND: &str = "no command runs: see channel";

/// Starts that command on the connection that auth left, and waits for its mark.
pub async fn check(ctx: &Context, logged_in: Option<&mut LoggedIn>) -> Step<Facts> {
    let Some(logged_in) = logged_in else { return Step::Skipped(NO_LOGIN.into()) };
    logged_in.runs_commands = Err(NO_COMMAND);
    let (Some(connection), Some(login)) = (&logged_in.connection, &logged_in.login) else {
        return Step::Skipped(NO_LOGIN.into());
    };
    let Some((mut facts, running, further)) = ctx.stop.race(Box::pin(start(connection, &ctx.limits))).await else {
        return Step::Skipped("interrupted".into());
    };
    // Nothing of the session came, and the command was not accepted: since the login only the marks were new on this connection, and
    // whatever was accepted came over it with them. A connection that has ended may have been a login that the server took back, and
    // is not repeated.
    let silent = facts.ran.gave_up == Some(GaveUp::Silence) && facts.ending.is_none();
    if silent && facts.ran.accepted.is_none() && facts.ran.stdout_bytes == 0 {
        facts.marks = ctx.stop.race(Box::pin(marks::unmarked(connection, login))).await.flatten();
    }
    if facts.ended_before_any_channel() {
        logged_in.login = None;
    }
    // Only where our command ran: whatever is forced on the account would run for sftp once more.
    match further {
        Some(session) if facts.mark_seen => {
            logged_in.sftp = Some(tokio::spawn(probes::ask_for_sftp(session)));
        }
        Some(session) => probes::close(Opened::Open(session)).await,
        None => {}
    }
    logged_in.runs_commands = match running {
        Some(_) => Ok(()),
        None if facts.mark_seen => Err("the server has no POSIX shell for our command"),
        None => logged_in.runs_commands,
    };
    logged_in.running = running;
    if facts.mark_seen { Step::Passed(facts) } else { Step::Failed(facts) }
}

/// Adds to the facts the answer to the wish for sftp, which came while transfer worked.
pub(crate) async fn add_sftp(asked: Option<JoinHandle<Capability>>, stop: &Stop, step: &mut Step<Facts>) {
    let (Some(asked), Step::Passed(facts)) = (asked, step) else { return };
    // The task itself ends within its deadlines.
    if let Some(Ok(outcome)) = stop.race(asked).await {
        facts.capabilities.sftp = outcome;
    }
}

/// Starts the command, and asks meanwhile what else is allowed; leaves a further session.
async fn start(connection: &Connection, limits: &Limits) -> (Facts, Option<Running>, Option<Channel<Msg>>) {
    let patience = limits.patience();
    let mark = nonce();
    let mut ran = Ran::default();
    let Some(mut running) = connection.start(&command(&mark, limits.transfer_bytes), patience, &mut ran).await else {
        return (seen(ran, &mark, connection), None, None);
    };
    // What comes behind so much other output is not kept.
    let enough = |ran: &Ran| is_printed(&ran.stdout, &mark) || ran.stdout.len() >= KEPT;
    let read = running.read(KEPT, patience, &mut ran, enough);
    let ((), asked) = tokio::join!(read, timeout(patience.total, probes::ask(connection, patience)));
    let (mut capabilities, mut further) = asked.unwrap_or_default();
    capabilities.session = Capability::Allowed;
    capabilities.exec = Capability::of(ran.accepted);
    let (ran, mark, running) = if is_printed(&ran.stdout, &mark) {
        (ran, mark, Some(running))
    } else {
        leave(running, &mut ran).await;
        let plain = plain(connection, patience, &ran, &mark).await;
        let (ran, mark) = plain.unwrap_or((ran, mark));
        (ran, mark, None)
    };
    // Whatever is forced on the account would run for each of them once more.
    let only_ours = is_printed(&ran.stdout, &mark) || ran.accepted == Some(false);
    if limits.deep && only_ours && !ran.connection_lost {
        if let Some(session) = further.take() {
            probes::close(Opened::Open(session)).await;
        }
        // What is told by then is kept.
        let _ = timeout(patience.total, probes::ask_for_more(connection, patience, &mut capabilities)).await;
    } else {
        const ONCE_MORE: &str = "our command did not run, and what runs in its place would run once more";
        capabilities.shell =
            Capability::not_tested(if limits.deep { ONCE_MORE } else { "it starts a process: --deep" });
        capabilities.sftp = match &further {
            Some(_) => Capability::not_tested(ONCE_MORE),
            None => Capability::not_tested("no further session beside the others: --deep"),
        };
    }
    (Facts { capabilities, ..seen(ran, &mark, connection) }, running, further)
}

/// Ends what runs in our command's place, where it was accepted and has not ended itself.
async fn leave(running: Running, ran: &mut Ran) {
    if !ran.is_over() {
        ran.gave_up = Some(GaveUp::Total);
    }
    if ran.accepted == Some(true) && ran.gave_up.is_some() {
        running.close().await;
    }
}

/// Where the server has no POSIX shell: a plain `echo` instead, which leaves nothing running.
async fn plain(connection: &Connection, patience: Patience, ran: &Ran, mark: &str) -> Option<(Ran, String)> {
    let on_windows = || {
        let seen = connection.watch().seen();
        seen.server.version.as_ref().is_some_and(|(version, _)| version.contains("Windows"))
    };
    let has_ended = ran.closed && ran.status.is_some();
    if !has_ended || !is_foreign_shell(ran, mark) && !on_windows() {
        return None;
    }
    let mark = nonce();
    let plain = connection.run(&format!("echo {mark}"), KEPT, patience).await;
    is_printed(&plain.stdout, &mark).then_some((plain, mark))
}

/// What became of a command that was to print `mark`.
fn seen(ran: Ran, mark: &str, connection: &Connection) -> Facts {
    let mark_seen = is_printed(&ran.stdout, mark);
    let quoted_back = !mark_seen && [&ran.stdout, &ran.stderr].into_iter().any(|output| is_quoted(output, mark));
    let mut other = String::from_utf8_lossy(&ran.stdout).into_owned();
    if mark_seen {
        other = other.replacen(mark, "", 1);
    }
    Facts {
        mark_seen,
        quoted_back,
        other_output: (!other.trim().is_empty()).then(|| sanitize_bytes(other.trim().as_bytes())),
        stderr: (!ran.stderr.is_empty()).then(|| sanitize_bytes(&ran.stderr)),
        ending: connection.ending().map(|ending| ending.manner),
        capabilities: Capabilities {
            session: ran.refused.as_ref().map(|(code, text)| Capability::refused(*code, text)).unwrap_or_default(),
            ..Capabilities::default()
        },
        marks: None,
        ran,
    }
}
