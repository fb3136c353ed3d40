//! A session channel, a harmless command in it that prints a mark, and what else the connection may be used for.
//!
//! The command comes first and alone: no probe can harm what it shows. What else the connection may be used for is asked for once nothing
//! depends on the connection any more ([`complete`]), or at once where our command does not run ([`further`]).

pub(super) mod command;
mod further;
mod probes;
mod settle;
pub(super) mod shell;

use super::context::Context;
use super::handles::LoggedIn;
use super::retest::marks;
use crate::base::limits::{Limits, Patience};
use crate::base::nonce::nonce;
use crate::base::service::Service;
use crate::base::text::sanitize_bytes;
use crate::facts::Step;
use crate::facts::channel::programs::known;
use crate::facts::channel::{Account, Capabilities, Capability, Facts, Lead};
use crate::facts::connection::{GaveUp, Manner, Ran};
use crate::ssh::connection::Connection;
use crate::ssh::run::Running;
use command::{KEPT, command, is_foreign_shell, is_printed, is_quoted};

/// What stands for our command where it is quoted.
const SHORT: &str = "exec sh -c …";

const NO_LOGIN: &str = "there is no login: see auth";
/// The reason of later checks for not running commands.
pub(crate) const NO_COMMAND: &str = "no command runs: see channel";

/// Starts that command on the connection that auth left, and waits for its mark; where it does not run, asks for other services.
pub async fn check(ctx: &Context, logged_in: Option<&mut LoggedIn>) -> Step<Facts> {
    let Some(logged_in) = logged_in else { return Step::Skipped(NO_LOGIN.into()) };
    logged_in.runs_commands = Err(NO_COMMAND);
    let (Some(connection), Some(login)) = (&logged_in.connection, &logged_in.login) else {
        return Step::Skipped(NO_LOGIN.into());
    };
    let Some((mut facts, running)) = ctx.stop.race(Box::pin(start(connection, &ctx.limits))).await else {
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
    if !facts.mark_seen && logged_in.login.is_some() && facts.marks.is_none() {
        further::ask(ctx, logged_in, &mut facts).await;
    }
    logged_in.runs_commands = match (&running, facts.mark_seen) {
        (Some(_), _) => Ok(facts.lead),
        (None, true) => Err("the server has no POSIX shell for our command"),
        (None, false) if facts.account() == Account::Restricted => Err("the account runs no commands: see channel"),
        _ => Err(NO_COMMAND),
    };
    // Our command prints zeros at the end of its input.
    logged_in.no_input = facts.mark_seen && !facts.plain && facts.ran.stdout.contains(&0);
    logged_in.serves_sftp = logged_in.sftp.is_some();
    logged_in.running = running.filter(|_| !logged_in.no_input);
    judged(facts, &ctx.limits.expected)
}

/// Asks what else the connection may be used for: at the end of all, for some servers do not bear it.
pub(crate) async fn complete(ctx: &Context, logged_in: Option<&mut LoggedIn>, step: &mut Step<Facts>) {
    let (Some(logged_in), Step::Passed(facts) | Step::Failed(facts)) = (logged_in, &mut *step) else { return };
    facts.no_input = logged_in.no_input;
    if ctx.stop.asked() || !facts.ran.is_answered() || !logged_in.is_connected(ctx).await {
        return;
    }
    let Some(connection) = &logged_in.connection else { return };
    if facts.mark_seen {
        let asked = ctx.stop.race(Box::pin(probes::ask(connection, &ctx.limits, facts.lead))).await;
        if let Some((capabilities, shell)) = asked {
            let exec = Capability::of(facts.ran.accepted);
            facts.capabilities = Capabilities { session: Capability::Allowed, exec, ..capabilities };
            facts.shell = shell;
        }
        return;
    }
    let asked = ctx.stop.race(probes::direct_tcpip(connection, ctx.limits.patience().silence)).await;
    facts.capabilities.direct_tcpip = asked.unwrap_or_default();
    *step = judged(std::mem::take(facts), &ctx.limits.expected);
}

/// Whether the account does what it is there for, as far as that shows: what is expected of it, or anything at all.
fn is_as_expected(facts: &Facts, expected: &[Service]) -> bool {
    if facts.mark_seen {
        return true;
    }
    let serves = facts.serves();
    if !expected.is_empty() {
        return expected.iter().all(|service| serves.contains(service));
    }
    facts.account() != Account::Nothing
}

fn judged(facts: Facts, expected: &[Service]) -> Step<Facts> {
    match facts.ending.as_ref().and_then(Manner::unreadable) {
        _ if is_as_expected(&facts, expected) => Step::Passed(facts),
        // What our own library could not read is no fault of the server's.
        Some(why) => Step::Error(why),
        None => Step::Failed(facts),
    }
}

/// Starts the command; leaves it running where it printed its mark.
async fn start(connection: &Connection, limits: &Limits) -> (Facts, Option<Running>) {
    let patience = limits.patience();
    let lead = lead(connection);
    let (first, running) = attempt(connection, limits, lead).await;
    if running.is_some() || first.ending.is_some() || !is_foreign_shell(&first) {
        return (first, running);
    }
    if lead == Lead::ExecSh {
        let (second, running) = attempt(connection, limits, Lead::Sh).await;
        if running.is_some() {
            return (second, running);
        }
    }
    (plain(connection, patience).await.unwrap_or(first), None)
}

/// How a command begins: these servers have the account's shell run it. Others may split it themselves, and Apache MINA ends the
/// connection where it finds no program that is called `exec`.
fn lead(connection: &Connection) -> Lead {
    const BY_A_SHELL: [&str; 3] = ["OpenSSH", "dropbear", "tinyssh"];
    let seen = connection.watch().seen();
    let version = seen.server.version.as_ref().map(|(version, _)| version.as_str()).unwrap_or_default();
    if BY_A_SHELL.iter().any(|name| version.contains(name)) { Lead::ExecSh } else { Lead::Sh }
}

/// Starts the command that begins so.
async fn attempt(connection: &Connection, limits: &Limits, lead: Lead) -> (Facts, Option<Running>) {
    let (patience, mark) = (limits.patience(), nonce());
    let mut ran = Ran::default();
    let command = command(lead, &mark, limits.transfer_bytes);
    let seen = |ran| seen(ran, &mark, &command, connection);
    let Some(mut running) = connection.start(&command, patience, &mut ran).await else {
        return (Facts { lead, ..seen(ran) }, None);
    };
    // What comes behind so much other output is not kept.
    let enough = |ran: &Ran| is_printed(&ran.stdout, &mark) || ran.stdout.len() >= KEPT;
    running.read(KEPT, patience, &mut ran, enough).await;
    if is_printed(&ran.stdout, &mark) {
        return (Facts { lead, ..seen(ran) }, Some(running));
    }
    let on_input = settle::settle(running, &mut ran, &mark).await;
    (Facts { lead, on_input, ..seen(ran) }, None)
}

/// A plain `echo`, which the command lines of other systems have too; nothing where its mark does not come.
async fn plain(connection: &Connection, patience: Patience) -> Option<Facts> {
    let mark = nonce();
    let command = format!("echo {mark}");
    let ran = connection.run(&command, KEPT, patience).await;
    is_printed(&ran.stdout, &mark).then(|| Facts { plain: true, ..seen(ran, &mark, &command, connection) })
}

/// What became of a command that was to print `mark`.
fn seen(ran: Ran, mark: &str, command: &str, connection: &Connection) -> Facts {
    let mark_seen = is_printed(&ran.stdout, mark);
    let quoted_back = !mark_seen && [&ran.stdout, &ran.stderr].into_iter().any(|output| is_quoted(output, mark));
    let mut other = String::from_utf8_lossy(&ran.stdout).into_owned();
    if mark_seen {
        other = other.replacen(mark, "", 1);
        // The zeros that our own command prints at the end of its input, where that came at once.
        other.retain(|letter| letter != '\0');
    }
    let errors = String::from_utf8_lossy(&ran.stderr);
    // Where the whole of our command is quoted, what is said of it would be cut off.
    let escaped = |text: &str| sanitize_bytes(text.replace(command, SHORT).as_bytes());
    let program = [&other, &*errors].into_iter().find_map(|text| known(text)).filter(|_| !mark_seen);
    Facts {
        mark_seen,
        quoted_back,
        program: program.map(|program| program.name.to_owned()),
        other_output: (!other.trim().is_empty()).then(|| escaped(other.trim())),
        stderr: (!errors.is_empty()).then(|| escaped(&errors)),
        ending: connection.ending().map(|ending| ending.manner),
        capabilities: Capabilities {
            session: match &ran.refused {
                Some((code, text)) => Capability::refused(*code, text),
                None if ran.open_ms.is_some() => Capability::Allowed,
                None => Capability::default(),
            },
            exec: ran.accepted.map_or_else(Capability::default, |accepted| Capability::of(Some(accepted))),
            ..Capabilities::default()
        },
        ran,
        ..Facts::default()
    }
}
