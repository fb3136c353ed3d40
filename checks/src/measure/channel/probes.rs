//! Asks what a connection may be used for, once nothing depends on it any more: the services first that are used most, and the request
//! last that ends connections of some servers. Under `--deep` also how many sessions it bears, and the account's shell.

use std::time::Duration;

use russh::Channel;
use russh::client::Msg;

use super::command::KEPT;
use super::forwarding::{self, CLOSED};
use super::opened::{close, opened};
use super::shell;
use crate::base::limits::Patience;
use crate::base::nonce::{nonce, seed};
use crate::base::service::Service;
use crate::base::text::sanitize;
use crate::facts::channel::{Capabilities, Capability, Lead, Sessions, Sftp, Shell};
use crate::measure::context::Context;
use crate::os::pause::timeout;
use crate::ssh::channels::{ChannelKind, Opened, answers};
use crate::ssh::connection::Connection;
use crate::ssh::keepalive::KeepaliveReply;
use crate::ssh::sftp::SftpSession;

/// A socket that is nowhere.
const NOWHERE: ChannelKind = ChannelKind::Streamlocal("/nonexistent/ssh-doctor");
/// Sessions that are opened at once: more than OpenSSH allows where nothing is set (MaxSessions, sshd_config(5)).
const MOST_SESSIONS: u32 = 16;
/// The time that the server may take to answer requests of a session; some servers never answer.
const ANSWERS: Duration = Duration::from_secs(2);

/// The time that a shell may take to its prompt: as long as a command that has run here, and more.
const PROMPT: Duration = Duration::from_secs(4);

/// The reason why the shell was not asked for.
const UNASKED_SHELL: &str = "it starts a process: --deep, or --expect shell";

/// Asks for everything, within a stage's time; gives also what the shell did where it was asked for.
pub(super) async fn ask(ctx: &Context, connection: &Connection, lead: Lead) -> (Capabilities, Option<Shell>) {
    let limits = &ctx.limits;
    let (patience, mut found, mut shell) = (limits.patience(), Capabilities::default(), None);
    // What is told by then is kept.
    let _ = timeout(patience.total, async {
        let answers_requests = settled(connection, patience).await;
        usual(ctx, connection, Pace::InTurns { answers_requests }, &mut found).await;
        // Before a shell: its session counts until the last of its processes is gone.
        if limits.deep {
            settle(connection, patience, answers_requests).await;
            found.sessions_at_once =
                count_sessions(connection, patience.silence).await.or(found.sessions_at_once.take());
        }
        let wants = |service| limits.expected.contains(&service);
        if limits.deep || wants(Service::Shell) {
            settle(connection, patience, answers_requests).await;
            shell = ask_for_shell(connection, patience, &mut found).await;
        }
        if wants(Service::Git) {
            found.git = look_for_git(connection, patience, lead).await;
        }
        // Some servers end the connection at it.
        settle(connection, patience, answers_requests).await;
        found.remote_forward = if answers_requests {
            forwarding::remote_forward(connection, patience.silence).await
        } else {
            Capability::not_tested("the server answers no global requests")
        };
    })
    .await;
    if shell.is_none() && found.shell == Capability::default() {
        found.shell = Capability::not_tested(UNASKED_SHELL);
    }
    (found, shell)
}

/// Asks for what needs no process at once, which saves round trips: only of servers that are known to bear it.
pub(super) async fn ask_at_once(ctx: &Context, connection: &Connection) -> Capabilities {
    let (patience, mut found) = (ctx.limits.patience(), Capabilities::default());
    let forward = forwarding::remote_forward(connection, patience.silence);
    let both = async { tokio::join!(forward, usual(ctx, connection, Pace::AtOnce, &mut found)).0 };
    let forward = timeout(patience.total, both).await;
    found.remote_forward = forward.unwrap_or_default();
    found.shell = Capability::not_tested(UNASKED_SHELL);
    found
}

/// The pace of the questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Each session has ended before the next question.
    InTurns { answers_requests: bool },
    /// The server is known to bear more at a time, and no round trip is spent on waiting.
    AtOnce,
}

/// Five channels at once, sftp in the first of them, and the requests of a session in the second.
async fn usual(ctx: &Context, connection: &Connection, pace: Pace, found: &mut Capabilities) {
    let patience = ctx.limits.patience();
    let wait = patience.silence;
    let kinds = [ChannelKind::Session, CLOSED, NOWHERE, ChannelKind::Session, ChannelKind::Session];
    let [first, tcp, socket, second, third] = connection.open(kinds, wait).await;
    for (open, session) in (0..).zip([&first, &second, &third]) {
        let counted = Sessions::with(open, session);
        found.sessions_at_once = counted.or(found.sessions_at_once.take());
        if !matches!(session, Opened::Open(_)) {
            break;
        }
    }
    found.streamlocal = match forwarding::unless_failed(&socket) {
        // sshd answers so whether this socket is missing or every socket is forbidden.
        Err((code, text)) => Capability::Untold { code, text },
        Ok(outcome) => outcome,
    };
    for opened in [socket, third] {
        close(opened).await;
    }
    let sftp = async {
        match first {
            Opened::Open(session) => speak_sftp(session, patience, pace).await,
            other => (opened(&other), None),
        }
    };
    let requests = async {
        match second {
            Opened::Open(session) => Some(requests(session, wait).await),
            _ => None,
        }
    };
    let ((outcome, said), answers) = tokio::join!(sftp, requests);
    (found.sftp, found.sftp_said) = (outcome, said);
    let answers = match answers {
        Some(answers) => answers,
        None => only_session(connection, patience, pace).await,
    };
    [found.pty, found.env, found.agent_forwarding, found.x11] = answers;
    found.direct_tcpip = forwarding::outcome(tcp, connection, ctx.target.port, wait).await;
}

/// The requests of a session where there can be only one at a time.
async fn only_session(connection: &Connection, patience: Patience, pace: Pace) -> [Capability; 4] {
    settle(connection, patience, !matches!(pace, Pace::InTurns { answers_requests: false })).await;
    match connection.open([ChannelKind::Session], patience.silence).await {
        [Opened::Open(session)] => requests(session, patience.silence).await,
        [_] => [(); 4].map(|()| Capability::not_tested("no further session could be opened")),
    }
}

/// Lets the server clear away closed channels: sshd counts them until it has gone through all that it has read. False where the
/// server does not answer such requests.
async fn settled(connection: &Connection, patience: Patience) -> bool {
    connection.keepalive(patience.silence.min(ANSWERS)).await != KeepaliveReply::Silent
}

/// Lets the server clear away closed channels, where it answers requests.
async fn settle(connection: &Connection, patience: Patience, answers_requests: bool) {
    if answers_requests {
        settled(connection, patience).await;
    }
}

/// Opens sessions until one is refused or the bound is met, and closes them.
async fn count_sessions(connection: &Connection, wait: Duration) -> Option<Sessions> {
    let mut held = Vec::new();
    loop {
        let [answer] = connection.open([ChannelKind::Session], wait).await;
        let open = u32::try_from(held.len()).unwrap_or(u32::MAX);
        let counted = Sessions::with(open, &answer);
        match answer {
            Opened::Open(session) if open + 1 < MOST_SESSIONS => held.push(session),
            last => {
                close(last).await;
                for session in held {
                    let _ = session.close().await;
                }
                return counted;
            }
        }
    }
}

impl Sessions {
    /// So many are open, and one more was asked for; nothing where no answer came.
    fn with(open: u32, answer: &Opened) -> Option<Self> {
        match answer {
            Opened::Open(_) => Some(Self { open: open + 1, ..Self::default() }),
            Opened::Refused(refused) => {
                Some(Self { open, refused: Some((refused.code, sanitize(&refused.text))), ..Self::default() })
            }
            Opened::Gone if open > 0 => Some(Self { open, ended: true, ..Self::default() }),
            Opened::Silent | Opened::Gone => None,
        }
    }
}

/// Asks for the account's shell on a terminal; returns its behaviour.
async fn ask_for_shell(connection: &Connection, patience: Patience, found: &mut Capabilities) -> Option<Shell> {
    let session = match connection.open([ChannelKind::Session], patience.silence).await {
        [Opened::Open(session)] => session,
        [other] => {
            found.shell = opened(&other);
            return None;
        }
    };
    let patience = Patience { silence: patience.silence.min(PROMPT), ..patience };
    let (seen, running) = shell::open(session, patience).await;
    if let Some(running) = running {
        shell::leave(running).await;
    }
    // Where commands run, a shell that stays without a prompt is one without a terminal.
    let stays = seen.ran.accepted == Some(true) && !seen.ran.closed && !seen.ran.connection_lost;
    found.shell = if stays { Capability::Allowed } else { shell::outcome(&seen) };
    Some(seen)
}

/// True if the program is there that `git clone` starts on a server.
async fn look_for_git(connection: &Connection, patience: Patience, lead: Lead) -> Option<bool> {
    const PROGRAM: &str = "git-upload-pack";
    let ran = connection.run(&lead.command(&format!("command -v {PROGRAM}")), KEPT, patience).await;
    ran.status.map(|status| status == 0 && String::from_utf8_lossy(&ran.stdout).contains(PROGRAM))
}

/// True if a command can open a terminal where commands run: opening `/dev/ptmx` takes one (pts(4)), and closing it gives it back. Old kernels open
/// it without a file system of terminals, which has a `ptmx` of its own. It is opened for reading, which creates no file where it is missing.
pub(super) async fn has_terminals(connection: &Connection, patience: Patience, lead: Lead) -> Option<bool> {
    let mark = nonce();
    let command = format!("[ -c /dev/pts/ptmx ] && [ -c /dev/ptmx ] && : </dev/ptmx && echo {mark}");
    let ran = connection.run(&lead.command(&command), KEPT, patience).await;
    ran.closed.then(|| String::from_utf8_lossy(&ran.stdout).contains(&mark))
}

/// Asks for a terminal, a variable, the agent and X11, one after the other without waiting; nothing is started.
async fn requests(mut session: Channel<Msg>, wait: Duration) -> [Capability; 4] {
    // X11 wants a cookie; no window can reach us, for every channel of the server is refused.
    let cookie = format!("{:016x}{:016x}", seed(), seed());
    let asked = async {
        session.request_pty(true, "xterm", 80, 24, 0, 0, &[]).await?;
        session.set_env(true, "LANG", "C.UTF-8").await?;
        session.agent_forward(true).await?;
        session.request_x11(true, true, "MIT-MAGIC-COOKIE-1", cookie, 0).await
    };
    let asked = asked.await;
    let told = if asked.is_ok() { answers(&mut session, 4, wait.min(ANSWERS)).await.0 } else { Vec::new() };
    let _ = session.close().await;
    match <[bool; 4]>::try_from(told) {
        Ok(all) => all.map(|answer| Capability::of(Some(answer))),
        // Some servers leave requests unanswered; which of them, an answer does not say.
        Err(_) => [(); 4].map(|()| Capability::not_tested("the server left requests unanswered")),
    }
}

/// Speaks to the sftp server, and ends the session in good order.
async fn speak_sftp(session: Channel<Msg>, patience: Patience, pace: Pace) -> (Capability, Option<Sftp>) {
    let (outcome, said, sftp) = SftpSession::begin(session, patience).await;
    match (sftp, pace) {
        (Some(sftp), Pace::InTurns { .. }) => drop(sftp.end(Patience { silence: ANSWERS, total: ANSWERS }).await),
        (Some(sftp), Pace::AtOnce) => sftp.leave().await,
        (None, _) => {}
    }
    (outcome, said)
}
