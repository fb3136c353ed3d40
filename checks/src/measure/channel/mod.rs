//! A session channel, a harmless command in it that prints a mark, and the other capabilities of the connection.
//!
//! The command comes first and alone: no probe can harm what it shows. What else the connection may be used for is asked for once nothing
//! depends on the connection any more (`complete`), or at once where our command does not run (`further`).

mod attempt;
pub(super) mod command;
mod forwarding;
mod further;
mod input;
mod opened;
mod probes;
mod settle;
pub(super) mod shell;

use super::context::Context;
use super::handles::LoggedIn;
use super::retest::marks;
use std::time::Duration;

use crate::base::service::Service;
use crate::facts::Step;
use crate::facts::channel::{Account, Capabilities, Capability, Facts};
use crate::facts::connection::{GaveUp, Manner};
use crate::ssh::connection::Connection;
use attempt::start;

const NO_LOGIN: &str = "there is no login: see auth";
/// The reason of later checks where the account does what it is there for, which is not to run commands.
pub(crate) const RESTRICTED: &str = "the account runs no commands: see channel";
/// The reason of later checks for not running commands.
pub(crate) const NO_COMMAND: &str = "no command runs: see channel";
/// The reason of later checks for an account without the programs that our command needs.
pub(crate) const NO_PROGRAMS: &str =
    "the account lacks programs that the test needs (head, tail, cat, dd, tr): see channel";

/// Starts that command on the connection that auth left, and waits for its mark; where it does not run, asks for other services.
pub async fn check(ctx: &Context, logged_in: Option<&mut LoggedIn>) -> Step<Facts> {
    let Some(logged_in) = logged_in else { return Step::Skipped(NO_LOGIN.into()) };
    logged_in.runs_commands = Err(NO_COMMAND);
    let (Some(connection), Some(login)) = (&logged_in.connection, &logged_in.login) else {
        return Step::Skipped(NO_LOGIN.into());
    };
    // Each direction shows its rate where all is stored before it comes back: not where that costs long round trips.
    let stored = if connection.is_far() { 0 } else { ctx.limits.transfer_bytes };
    logged_in.is_stored = stored > 0;
    let Some((mut facts, running)) = ctx.stop.race(Box::pin(start(connection, ctx, stored))).await else {
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
    let is_losing = facts.marks.as_ref().is_some_and(|marks| marks.marked_after.is_some_and(|tcp| tcp.is_losing()));
    if !facts.mark_seen && logged_in.login.is_some() && !is_losing {
        further::ask(ctx, logged_in, &mut facts).await;
    }
    logged_in.runs_commands = match (&running, facts.mark_seen) {
        (Some(_), _) => Ok(facts.lead),
        (None, true) if facts.on_terminal => Err("commands run on a terminal, which alters data: see channel"),
        (None, true) if facts.plain => {
            Err("a plain echo ran, and our own command did not (it needs sh and input): see channel")
        }
        (None, true) if facts.output_held => Err("the output of commands arrives only when they end: see channel"),
        (None, true) => Err("a command takes longer to start than it may (--timeout): see channel"),
        (None, false) if facts.account() == Account::Restricted => Err(RESTRICTED),
        _ => Err(NO_COMMAND),
    };
    // Our command prints zeros at the end of its input.
    logged_in.no_input = facts.mark_seen && !facts.plain && facts.ran.stdout.contains(&0);
    logged_in.serves_sftp = logged_in.sftp.is_some();
    logged_in.has_prompt = !facts.mark_seen && facts.shell_is_at_prompt() && !facts.asks_on_terminal();
    logged_in.is_imitation = facts.is_imitation();
    logged_in.running = running.filter(|_| !logged_in.no_input);
    if let Some(login) = &mut logged_in.login {
        login.took += Duration::from_secs_f64(facts.started_ms().unwrap_or_default().max(0.0) / 1000.0);
    }
    judged(facts, &ctx.limits.expected)
}

/// Asks the same beside a transfer, where round trips take long and the server is known to bear it.
pub(crate) async fn ask_beside(ctx: &Context, connection: &Connection) -> Option<Capabilities> {
    let needs_process = [Service::Shell, Service::Git].iter().any(|service| ctx.limits.expected.contains(service));
    if ctx.limits.deep || needs_process || !connection.is_far() {
        return None;
    }
    // These are robust.
    if !connection.names_itself(&["OpenSSH", "dropbear"]) {
        return None;
    }
    let asked = probes::ask_at_once(ctx, connection).await;
    // The main session took the place of one that was refused.
    let has_room =
        asked.sessions_at_once.as_ref().is_some_and(|sessions| sessions.refused.is_none() && !sessions.ended);
    has_room.then_some(asked)
}

/// Tests the other capabilities of the connection, unless they are known: last of all, for some servers cannot stand it.
pub(crate) async fn complete(ctx: &Context, logged_in: Option<&mut LoggedIn>, step: &mut Step<Facts>) {
    let (Some(logged_in), Step::Passed(facts) | Step::Failed(facts)) = (logged_in, &mut *step) else { return };
    facts.no_input = logged_in.no_input;
    facts.lacks = logged_in.lacks.map(Into::into);
    if ctx.stop.asked() || !facts.ran.is_answered() || !logged_in.is_connected(ctx).await {
        return;
    }
    let patience = logged_in.patience(&ctx.limits);
    let Some(connection) = &logged_in.connection else { return };
    if facts.mark_seen {
        let asked = match logged_in.asked.take() {
            Some(asked) => Some((*asked, None)),
            None => ctx.stop.race(Box::pin(probes::ask(ctx, connection, facts.lead))).await,
        };
        if let Some((capabilities, shell)) = asked {
            let exec = facts.capabilities.exec.clone();
            *facts.capabilities = Capabilities { session: Capability::Allowed, exec, ..capabilities };
            facts.shell = shell.map(Box::new);
        }
        let may = &facts.capabilities;
        // `restrict` refuses both; servers inside other programs have no terminals.
        let is_of_system = connection.names_itself(&["OpenSSH", "dropbear"]);
        if may.pty.is_refused() && !may.agent_forwarding.is_refused() && !facts.plain && is_of_system {
            let has_terminals = probes::has_terminals(connection, patience, facts.lead);
            facts.capabilities.has_terminals = ctx.stop.race(Box::pin(has_terminals)).await.flatten();
        }
        let is_silent = facts.capabilities.sftp_said.as_ref().is_some_and(|said| said.is_silent);
        if is_silent && !facts.plain && !facts.no_input && !facts.on_terminal {
            let early = input::arrives_early(connection, facts.lead, patience);
            facts.early_input = ctx.stop.race(Box::pin(early)).await.flatten();
        }
        return;
    }
    if facts.ran.refused.is_none() {
        let wait = ctx.limits.patience().silence;
        let asked = ctx.stop.race(forwarding::direct_tcpip(connection, ctx.target.port, wait)).await;
        facts.capabilities.direct_tcpip = asked.unwrap_or_default();
    }
    *step = judged(std::mem::take(facts), &ctx.limits.expected);
}

/// True if the account does what it is there for, as far as that shows: what is expected of it, or anything at all.
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
