//! Other services of an account where our command did not run: each on a channel of its own, and on a connection of its
//! own where the server ends one with its session.

use std::collections::VecDeque;
use std::time::Duration;

use russh::Channel;
use russh::client::Msg;

use crate::base::limits::Patience;
use crate::base::service::Service;
use crate::facts::channel::programs::Purpose;
use crate::facts::channel::words::finds_no_exec;
use crate::facts::channel::{Capability, Facts, Shell};
use crate::measure::context::Context;
use crate::measure::handles::LoggedIn;
use crate::ssh::channels::{ChannelKind, Opened};
use crate::ssh::connection::Connection;
use crate::ssh::sftp::SftpSession;

use super::attempt;
use super::command::names_first_word;
use super::{forwarding, shell};

/// The time in which an sftp server answers that needs no shell.
const SOON: Duration = Duration::from_secs(5);

/// A wish for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// A command that any shell, and the command line of many a device, has.
    Echo,
    Shell,
    Sftp,
    /// Forwarding, both ways.
    Forward,
}

/// Asks for what the account may be for; adds to the facts what was seen.
pub(super) async fn ask(ctx: &Context, logged_in: &mut LoggedIn, facts: &mut Facts) {
    const ONCE_MORE: &str = "our command did not run, and what runs in its place would run once more";
    for service in [&mut facts.capabilities.sftp, &mut facts.capabilities.shell] {
        *service = Capability::not_tested(ONCE_MORE);
    }
    let takes_forced_commands = logged_in.connection.as_ref().is_none_or(is_for_shells);
    let mut wishes = wishes(facts, takes_forced_commands, &ctx.limits.expected);
    while let Some(wish) = wishes.pop_front() {
        if ctx.stop.asked() || !logged_in.is_connected(ctx).await {
            return;
        }
        if !grant(ctx, logged_in, facts, wish).await && logged_in.is_connected(ctx).await {
            // The server ends a connection with its session, and did so at this moment.
            grant(ctx, logged_in, facts, wish).await;
        }
        // Where sftp is accepted, what is forced has run for it, and would run once more.
        let has_run_again =
            wish == Wish::Sftp && facts.ran.accepted == Some(true) && !facts.capabilities.sftp.is_refused();
        if facts.mark_seen || has_run_again && !facts.does_not_know_c() || facts.serves().contains(&Service::Sftp) {
            wishes.retain(|wish| *wish != Wish::Shell || ctx.limits.expected.contains(&Service::Shell));
        }
    }
}

/// Asks for one service; false where the connection ended before the answer.
async fn grant(ctx: &Context, logged_in: &mut LoggedIn, facts: &mut Facts, wish: Wish) -> bool {
    let patience = ctx.limits.patience();
    let Some(connection) = &logged_in.connection else { return false };
    if wish == Wish::Echo {
        // What the server said to our first command no longer matters then.
        if let Some(plain) = attempt::plain(connection, patience).await {
            // Except that an imitation of a shell said it.
            let said = facts.other_output.take().or_else(|| facts.stderr.take()).filter(|said| finds_no_exec(said));
            *facts = Facts { stderr: plain.stderr.clone().or(said), ..plain };
            return true;
        }
        return !connection.is_closed();
    }
    if wish == Wish::Forward {
        facts.capabilities.direct_tcpip = forwarding::direct_tcpip(connection, ctx.target.port, patience.silence).await;
        facts.capabilities.remote_forward = forwarding::remote_forward(connection, patience.silence).await;
        return !connection.is_closed();
    }
    let session = match session(ctx, logged_in, patience).await {
        Opened::Open(session) => session,
        Opened::Gone => return false,
        Opened::Refused(refused) => {
            let refused = Capability::refused(refused.code, &refused.text);
            match wish {
                Wish::Sftp => facts.capabilities.sftp = refused,
                _ => facts.capabilities.shell = refused,
            }
            return true;
        }
        Opened::Silent => return true,
    };
    let Some(connection) = &logged_in.connection else { return false };
    if wish == Wish::Sftp && (facts.fails_in_silence() || facts.waits_for_one_line()) {
        logged_in.sftp = sftp_on_terminal(session, connection, facts, patience).await;
        return facts.capabilities.sftp != Capability::of(None) || !connection.is_closed();
    }
    if wish == Wish::Sftp {
        // An sftp server that is started by the shell hangs as long as that, and sshd's own answers at once.
        let silence =
            if facts.hangs() || facts.goes_on_after_output() { patience.silence.min(SOON) } else { patience.silence };
        let patience = Patience { silence, ..patience };
        let (mut outcome, mut said, mut sftp) = SftpSession::begin(session, patience).await;
        let answered = outcome != Capability::of(None) || !connection.is_closed();
        let is_silent = said.as_ref().is_some_and(|said| said.is_silent);
        if (outcome.is_refused() || is_silent)
            && let Some(session) = first_session(ctx, logged_in, patience).await
        {
            (outcome, said, sftp) = SftpSession::begin(session, patience).await;
        }
        (facts.capabilities.sftp, facts.capabilities.sftp_said) = (outcome, said);
        logged_in.sftp = sftp;
        return answered;
    }
    let mut seen = started(session, patience).await;
    let is_refused = seen.ran.accepted == Some(false);
    if (is_refused || seen.is_silent())
        && let Some(session) = first_session(ctx, logged_in, patience).await
    {
        // One that says nothing may be slow: ssh would wait.
        seen = started(session, Patience { silence: patience.total, ..patience }).await;
    }
    let answered = !(seen.ran.connection_lost && seen.ran.stdout_bytes == 0);
    facts.capabilities.shell = shell::outcome(&seen);
    facts.capabilities.pty = Capability::of(seen.terminal);
    facts.shell = Some(Box::new(seen));
    answered
}

/// Opens a session; the first one of another connection where that is refused: some servers serve one of each.
async fn session(ctx: &Context, logged_in: &mut LoggedIn, patience: Patience) -> Opened {
    let Some(connection) = &logged_in.connection else { return Opened::Gone };
    let [opened] = connection.open([ChannelKind::Session], patience.silence).await;
    if !matches!(opened, Opened::Refused(_)) || !logged_in.reconnect(ctx).await {
        return opened;
    }
    let Some(connection) = &logged_in.connection else { return opened };
    let [anew] = connection.open([ChannelKind::Session], patience.silence).await;
    anew
}

/// Asks for sftp, on a terminal where one is given: what failed without a word is forced, and may need a terminal, or it is the shell of an
/// account for sftp; and what waits for a line may ask for it there. It runs once more for both. Returns a session without a terminal where sftp is served.
async fn sftp_on_terminal(
    mut session: Channel<Msg>,
    connection: &Connection,
    facts: &mut Facts,
    patience: Patience,
) -> Option<SftpSession> {
    let terminal = shell::raw_terminal(&mut session, patience).await;
    let may = &mut facts.capabilities;
    if terminal != Some(true) {
        let sftp;
        (may.sftp, may.sftp_said, sftp) = SftpSession::begin(session, patience).await;
        return sftp;
    }
    let (sftp, shown);
    (may.sftp, may.sftp_said, sftp, shown) = SftpSession::begin_on_terminal(session, patience).await;
    if let Some(ran) = shown {
        let seen = Shell { terminal, ..shell::seen(ran) };
        (may.shell, may.pty) = (shell::outcome(&seen), Capability::of(terminal));
        facts.shell = Some(Box::new(seen));
    }
    // What waits for a line runs no third time.
    let is_forced_again = facts.waits_for_one_line();
    sftp?.end(patience).await;
    if is_forced_again { None } else { SftpSession::open(connection, patience).await }
}

/// Starts a shell in an open session, and lets it go.
async fn started(session: Channel<Msg>, patience: Patience) -> Shell {
    let (seen, running) = shell::open(session, patience).await;
    if let Some(running) = running {
        shell::leave(running).await;
    }
    seen
}

/// True if the server is one for accounts of a system, with shells, start-up files and forced commands, and serves any session as the first.
fn is_for_shells(connection: &Connection) -> bool {
    connection.names_itself(&["OpenSSH", "dropbear"])
}

/// Opens the first session of another connection: some servers serve one session of each, and refuse the requests of more or leave them
/// unanswered.
async fn first_session(ctx: &Context, logged_in: &mut LoggedIn, patience: Patience) -> Option<Channel<Msg>> {
    if logged_in.connection.as_ref().is_some_and(is_for_shells) || !logged_in.reconnect(ctx).await {
        return None;
    }
    match logged_in.connection.as_ref()?.open([ChannelKind::Session], patience.silence).await {
        [Opened::Open(session)] => Some(session),
        _ => None,
    }
}

/// Returns the requests worth making. A forced command runs once more for each: there is one at most where a command
/// may be forced, and none where a program has done its work.
fn wishes(facts: &Facts, takes_forced_commands: bool, expected: &[Service]) -> VecDeque<Wish> {
    let ran = &facts.ran;
    let mut wishes = match facts.program().map(|program| program.purpose) {
        _ if ran.refused.is_some() => vec![Wish::Forward],
        // An sftp server reads its input, and may tell its settings on standard error.
        _ if facts.waits_with_output() && facts.other_output.is_none() && facts.ended_at_input() => vec![Wish::Sftp],
        // A menu, a prompt, or what does not stop to print.
        _ if facts.waits_with_output() => vec![],
        // Nothing ran.
        _ if ran.accepted == Some(false) || is_closed_unanswered(facts) => vec![Wish::Sftp, Wish::Shell],
        // The request itself was passed over, as servers do that were made for another one: a shell may be waited for as long in vain.
        _ if ran.accepted.is_none() && ran.gave_up.is_some() && !takes_forced_commands && !facts.runs_unanswered() => {
            vec![Wish::Sftp]
        }
        Some(Purpose::CommandLine) => vec![Wish::Echo, Wish::Shell, Wish::Sftp],
        Some(Purpose::Sftp | Purpose::Refusal | Purpose::Closed) => vec![Wish::Sftp],
        None if names_first_word(facts) => vec![Wish::Echo, Wish::Shell, Wish::Sftp],
        // What imitates a shell may know `echo`, and take `sh` for a shell that reads its input, whatever the arguments are.
        None if facts.only_reads_lines() && !facts.is_settled_by_signal() => vec![Wish::Echo],
        // The account's own shell is not in its place, or what is there is forced, and known to be a shell.
        None if facts.is_settled_by_signal() => vec![],
        // A prompt on a terminal tells an interpreter.
        None if facts.reads_its_own_language() => vec![Wish::Shell],
        // It may be forced all the same.
        None if facts.does_not_know_c() && takes_forced_commands => vec![Wish::Shell],
        None if facts.does_not_know_c() => vec![Wish::Sftp, Wish::Shell],
        // Our command reads its input, which a server built into a device may not end; it may show output at the end alone.
        None if facts.hangs() && !takes_forced_commands => vec![Wish::Echo, Wish::Sftp, Wish::Shell],
        // Such servers have no start-up files, and no forced commands.
        None if may_be_broken(facts) && !takes_forced_commands => vec![Wish::Sftp, Wish::Shell],
        None if may_be_broken(facts) => vec![Wish::Sftp],
        // A program has done its work; a terminal multiplexer would leave a session behind.
        Some(Purpose::Git | Purpose::Copying | Purpose::Terminal | Purpose::Full) | None => vec![],
    };
    for (service, wish) in [(Service::Sftp, Wish::Sftp), (Service::Shell, Wish::Shell)] {
        if expected.contains(&service) && !wishes.contains(&wish) && ran.refused.is_none() {
            wishes.push(wish);
        }
    }
    wishes.into()
}

/// True if the server closed the session without an answer, and nothing ran in it: some start a program before they answer.
fn is_closed_unanswered(facts: &Facts) -> bool {
    let ran = &facts.ran;
    ran.accepted.is_none() && ran.closed && ran.status.is_none() && facts.words().next().is_none()
}

/// True if an unknown program has failed, or says nothing: a start-up file may be broken that sftp does not read.
fn may_be_broken(facts: &Facts) -> bool {
    let ran = &facts.ran;
    // What speaks a protocol of its own fails at our line.
    let has_read_all = facts.on_input.as_ref().is_some_and(|seen| seen.closed && seen.status == Some(0));
    match (ran.closed, ran.status) {
        _ if facts.quoted_back => false,
        (true, status) => status != Some(0),
        (false, _) => ran.accepted == Some(true) && !has_read_all,
    }
}

#[cfg(test)]
mod tests {
    use super::{Wish, wishes};
    use crate::facts::channel::Facts;
    use crate::facts::connection::Ran;

    fn ended(accepted: Option<bool>, status: Option<u32>, said: Option<&str>) -> Facts {
        let ran = Ran { accepted, closed: true, status, ..Ran::default() };
        Facts { ran, stderr: said.map(Into::into), ..Facts::default() }
    }

    #[test]
    fn a_device_that_answers_before_it_accepts_is_asked_to_echo() {
        let all = [Wish::Echo, Wish::Shell, Wish::Sftp];
        let said = ended(None, None, Some("% Invalid input detected at '^' marker.\\n"));
        assert_eq!(wishes(&said, false, &[]), all);
        assert_eq!(wishes(&ended(None, None, None), false, &[]), [Wish::Sftp, Wish::Shell]);
    }

    #[test]
    fn what_may_be_forced_runs_once_more_at_most() {
        for said in ["Usage: deploy [options] ENV\\n", "deploy: invalid option -- 'c'\\nUsage: deploy [options] ENV\\n"]
        {
            assert_eq!(wishes(&ended(Some(true), Some(2), Some(said)), true, &[]).len(), 1, "{said}");
        }
    }
}
