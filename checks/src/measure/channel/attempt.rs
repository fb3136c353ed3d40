//! The first session: our command in the spelling that the server runs, or a plain `echo`.

use std::time::Duration;

use super::command::{KEPT, LONG, awaited, command, is_foreign_shell, is_printed, is_quoted};
use super::{input, settle};
use crate::base::limits::Patience;
use crate::base::nonce::nonce;
use crate::base::text::sanitize_bytes;
use crate::facts::channel::programs::known;
use crate::facts::channel::{Capabilities, Capability, Facts, Lead};
use crate::facts::connection::Ran;
use crate::measure::context::Context;
use crate::os::socket::Socket;
use crate::ssh::connection::Connection;
use crate::ssh::recorder::Expect;
use crate::ssh::run::Running;

/// The short form of our command in quotations.
const SHORT: &str = "exec sh -c …";

/// Types Ctrl-C, which ends a command on a terminal: the end of its input ends one read of one program there.
async fn interrupt(mut running: Running, patience: Patience) {
    const CTRL_C: u8 = 0x03;
    /// The time that programs take to end.
    const SOON: Patience = Patience { silence: Duration::from_secs(1), total: Duration::from_secs(2) };
    if running.write([CTRL_C], patience).await {
        running.read(0, SOON, &mut Ran::default(), |_| false).await;
    }
    running.close().await;
}

/// Starts the command that stores this many bytes; leaves it running where it printed its mark.
pub(super) async fn start(connection: &Connection, ctx: &Context, stored: usize) -> (Facts, Option<Running>) {
    let patience = ctx.limits.patience();
    let passes_signals = connection.passes_signals(&ctx.target.user);
    let attempt =
        async |lead, patience| attempt(connection, (stored, lead), patience, ctx.limits.stage, passes_signals).await;
    let lead = connection.usual_lead();
    let (first, running) = attempt(lead, patience).await;
    // It was awaited with its input ended.
    let longer = Patience { silence: ctx.limits.stage, total: ctx.limits.stage };
    let (first, running) = if first.is_slow() && longer.silence > patience.silence {
        attempt(lead, longer).await
    } else {
        (first, running)
    };
    if let Some(late) = ran_late(&first) {
        return (late, None);
    }
    if running.is_some() || first.ending.is_some() || !is_foreign_shell(&first) {
        return (first, running);
    }
    // The shell's words on our command tell why it did not run.
    let mut said = first.stderr.clone();
    if lead == Lead::ExecSh {
        let (second, running) = attempt(Lead::Sh, patience).await;
        if second.mark_seen {
            return (Facts { stderr: second.stderr.clone().or(said), ..second }, running);
        }
        said = said.into_iter().chain(second.stderr).reduce(|first, second| first + &second);
    }
    match plain(connection, patience).await {
        Some(plain) => (Facts { stderr: plain.stderr.clone().or(said), ..plain }, None),
        None => (first, None),
    }
}

/// The outcome of a command that ran after the wait for it was over, and not for what it was sent meanwhile: it is slow.
fn ran_late(facts: &Facts) -> Option<Facts> {
    let seen = facts.on_input.as_ref().filter(|seen| seen.line_passed_on && seen.ran_later())?;
    let after_ms = seen.own_mark_after_s? * 1000.0;
    let ran = Ran { gave_up: None, duration_ms: facts.ran.duration_ms + after_ms, ..facts.ran.clone() };
    Some(Facts { ran, mark_seen: true, output_held: seen.own_mark_at_end, on_input: None, ..facts.clone() })
}

/// Starts the command that begins so.
async fn attempt(
    connection: &Connection,
    (stored, lead): (usize, Lead),
    patience: Patience,
    stage: Duration,
    passes_signals: bool,
) -> (Facts, Option<Running>) {
    let mark = nonce();
    let mut ran = Ran::default();
    let command = command(lead, &mark, stored);
    let seen = |ran| seen(ran, &mark, &command, connection);
    let Some(mut running) = connection.start(&command, patience, &mut ran).await else {
        return (Facts { lead, ..seen(ran) }, None);
    };
    // Nothing is kept that comes behind so much other output.
    let mut is_awaited = awaited(&mark);
    let enough = |ran: &Ran| is_awaited(&ran.stdout) || ran.stdout.len().max(ran.stderr.len()) >= LONG;
    connection.record().expect(Expect::Line(Duration::ZERO));
    running.read(LONG, patience, &mut ran, enough).await;
    connection.record().expect(Expect::Answers(None));
    if is_printed(&ran.stdout, &mark) {
        let ends_as_on_terminal = String::from_utf8_lossy(&ran.stdout).contains(&format!("{mark}\r\n"));
        let on_terminal = ends_as_on_terminal && input::is_terminal(connection, lead, patience).await;
        let running = if on_terminal {
            interrupt(running, patience).await;
            None
        } else {
            Some(running)
        };
        return (Facts { lead, on_terminal, ..seen(ran) }, running);
    }
    let own_port = connection.socket().and_then(Socket::local_address).map(|own| own.port());
    let of_server = (passes_signals, own_port, connection.round_trip());
    let on_input = settle::settle(running, &mut ran, &mark, (patience, stage), of_server).await;
    (Facts { lead, on_input: on_input.map(Box::new), ..seen(ran) }, None)
}

/// A plain `echo`, which the command lines of other systems have too; nothing where its mark does not come.
pub(super) async fn plain(connection: &Connection, patience: Patience) -> Option<Facts> {
    let mark = nonce();
    let command = format!("echo {mark}");
    let ran = connection.run(&command, KEPT, patience).await;
    is_printed(&ran.stdout, &mark).then(|| Facts { plain: true, ..seen(ran, &mark, &command, connection) })
}

/// The outcome of a command that was to print `mark`.
fn seen(ran: Ran, mark: &str, command: &str, connection: &Connection) -> Facts {
    let mark_seen = is_printed(&ran.stdout, mark);
    let quoted_back = !mark_seen && [&ran.stdout, &ran.stderr].into_iter().any(|output| is_quoted(output, mark));
    let mut other = String::from_utf8_lossy(&ran.stdout).into_owned();
    if mark_seen {
        other = other.replacen(mark, "", 1);
        // The zeros that our own command prints at the end of its input, where that came at once.
        other.retain(|letter| letter != '\0');
    }
    other.truncate(other.floor_char_boundary(KEPT));
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
        capabilities: Box::new(Capabilities {
            session: match &ran.refused {
                Some((code, text)) => Capability::refused(*code, text),
                None if ran.open_ms.is_some() => Capability::Allowed,
                None => Capability::default(),
            },
            exec: exec(&ran, mark_seen),
            ..Capabilities::default()
        }),
        ran,
        ..Facts::default()
    }
}

/// The server's answer to the request for a command. A server that starts the command before it answers may send output first.
fn exec(ran: &Ran, mark_seen: bool) -> Capability {
    match ran.accepted {
        _ if mark_seen => Capability::Allowed,
        Some(accepted) => Capability::of(Some(accepted)),
        None => Capability::default(),
    }
}
