//! Asks what the connection may be used for: two round trips while the command starts, and one for sftp while transfer works; under
//! `--deep` also what is worth the wait for a process, since an sftp server and a shell take as long to start as a command.

use std::time::Duration;

use russh::Channel;
use russh::client::Msg;

use crate::base::limits::Patience;
use crate::base::nonce::seed;
use crate::base::text::{sanitize, sanitize_bytes};
use crate::facts::channel::{Capabilities, Capability, Sessions, Sftp};
use crate::facts::connection::Ran;
use crate::os::pause::timeout;
use crate::ssh::channels::{ChannelKind, Opened, answers};
use crate::ssh::connection::Connection;
use crate::ssh::run::Running;

/// A port of the server's loopback that nothing listens at (tcpmux): its kernel refuses where forwarding is allowed.
const CLOSED: ChannelKind = ChannelKind::DirectTcpip("127.0.0.1", 1);
/// A socket that is nowhere.
const NOWHERE: ChannelKind = ChannelKind::Streamlocal("/nonexistent/ssh-doctor");
/// SSH_OPEN_CONNECT_FAILED, RFC 4254 section 5.1.
const CONNECT_FAILED: u32 = 2;
/// Sessions that are opened at once: more than OpenSSH allows where nothing is set (MaxSessions, sshd_config(5)).
const MOST_SESSIONS: u32 = 16;
/// How long the server may take to answer requests of a session; some servers never answer.
pub(super) const ANSWERS: Duration = Duration::from_secs(2);
/// Bytes of the sftp server's outputs that are kept.
const KEPT: usize = 4096;

/// Asks for everything that starts no process; leaves a further session, where one may be had.
pub(super) async fn ask(connection: &Connection, patience: Patience) -> (Capabilities, Option<Channel<Msg>>) {
    let wait = patience.silence;
    let channels = async {
        let [session, tcp, socket, further] =
            connection.open([ChannelKind::Session, CLOSED, NOWHERE, ChannelKind::Session], wait).await;
        let two = Sessions::with(1, &session);
        let mut found = Capabilities {
            sessions_at_once: match session {
                Opened::Open(_) => Sessions::with(2, &further).or(two),
                _ => two,
            },
            direct_tcpip: connected(&tcp),
            streamlocal: match connected_unless_refused(&socket) {
                // sshd answers so whether this socket is missing or every socket is forbidden.
                Err((code, text)) => Capability::Untold { code, text },
                Ok(outcome) => outcome,
            },
            ..Capabilities::default()
        };
        for opened in [tcp, socket] {
            close(opened).await;
        }
        if let Opened::Open(session) = session {
            [found.pty, found.env, found.agent_forwarding, found.x11] = requests(session, wait).await;
        }
        let further = match further {
            Opened::Open(session) => Some(session),
            _ => None,
        };
        (found, further)
    };
    let ((found, further), back) = tokio::join!(channels, connection.forward_back(wait));
    (Capabilities { remote_forward: Capability::of(back), ..found }, further)
}

/// Asks for many sessions, and for what starts a process and with it perhaps the shell's start-up files, one after the other.
pub(super) async fn ask_for_more(connection: &Connection, patience: Patience, found: &mut Capabilities) {
    settled(connection, patience).await;
    found.sessions_at_once = count_sessions(connection, patience.silence).await;
    settled(connection, patience).await;
    found.shell = match connection.open([ChannelKind::Session], patience.silence).await {
        [Opened::Open(session)] => start_shell(session, patience).await,
        [other] => opened(&other),
    };
    settled(connection, patience).await;
    (found.sftp, found.sftp_said) = match connection.open([ChannelKind::Session], patience.silence).await {
        [Opened::Open(session)] => speak_sftp(session, patience).await,
        [other] => (opened(&other), None),
    };
}

/// Lets the server clear away closed channels: sshd counts them until it has gone through all that it has read.
async fn settled(connection: &Connection, patience: Patience) {
    let _ = connection.keepalive(patience.silence).await;
}

/// Opens sessions beside the command's own until one is refused or the bound is met, and closes them.
async fn count_sessions(connection: &Connection, wait: Duration) -> Option<Sessions> {
    let mut held = Vec::new();
    loop {
        let [answer] = connection.open([ChannelKind::Session], wait).await;
        let open = u32::try_from(held.len() + 1).unwrap_or(u32::MAX);
        let counted = Sessions::with(open, &answer);
        match answer {
            Opened::Open(session) if open < MOST_SESSIONS => held.push(session),
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
            Opened::Open(_) => Some(Self { open: open + 1, refused: None }),
            Opened::Refused(refused) => Some(Self { open, refused: Some((refused.code, sanitize(&refused.text))) }),
            Opened::Silent | Opened::Gone => None,
        }
    }
}

/// Starts the account's own shell, without a terminal and without input, and lets it end.
async fn start_shell(mut session: Channel<Msg>, patience: Patience) -> Capability {
    if session.request_shell(true).await.is_err() {
        return Capability::of(None);
    }
    let answer = answers(&mut session, 1, patience.silence).await.first().copied();
    if answer == Some(true) {
        Running::from(session).finish(0, patience, &mut Ran::default()).await;
    } else {
        let _ = session.close().await;
    }
    Capability::of(answer)
}

/// Closes what is open; a word on a connection that is stuck or gone is not waited for.
pub(super) async fn close(opened: Opened) {
    if let Opened::Open(channel) = opened {
        let _ = timeout(ANSWERS, channel.close()).await;
    }
}

fn opened(answer: &Opened) -> Capability {
    match answer {
        Opened::Open(_) => Capability::Allowed,
        Opened::Refused(refused) => Capability::refused(refused.code, &refused.text),
        Opened::Silent | Opened::Gone => Capability::of(None),
    }
}

/// A connection that the server tried for us was allowed, whatever came of it.
fn connected(answer: &Opened) -> Capability {
    connected_unless_refused(answer).unwrap_or(Capability::Allowed)
}

/// As [`opened`]; the error is the code and text of a connection that failed.
fn connected_unless_refused(answer: &Opened) -> Result<Capability, (u32, String)> {
    match answer {
        Opened::Refused(refused) if refused.code == CONNECT_FAILED => Err((refused.code, sanitize(&refused.text))),
        other => Ok(opened(other)),
    }
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
    let told = if asked.is_ok() { answers(&mut session, 4, wait.min(ANSWERS)).await } else { Vec::new() };
    let _ = session.close().await;
    match <[bool; 4]>::try_from(told) {
        Ok(all) => all.map(|answer| Capability::of(Some(answer))),
        // Some servers leave requests unanswered; which of them, an answer does not say.
        Err(_) => [(); 4].map(|()| Capability::not_tested("the server left requests unanswered")),
    }
}

/// Asks for the sftp server without waiting for its start, and closes the session.
pub(super) async fn ask_for_sftp(mut session: Channel<Msg>) -> Capability {
    let answer = match timeout(ANSWERS, session.request_subsystem(true, "sftp")).await {
        Ok(Ok(())) => answers(&mut session, 1, ANSWERS).await.first().copied(),
        _ => None,
    };
    close(Opened::Open(session)).await;
    Capability::of(answer)
}

/// Starts the sftp server and reads its version.
async fn speak_sftp(session: Channel<Msg>, patience: Patience) -> (Capability, Option<Sftp>) {
    if session.request_subsystem(true, "sftp").await.is_err() {
        return (Capability::of(None), None);
    }
    let mut ran = Ran::default();
    let mut running = Running::from(session);
    // sshd opens the window only for what it has started: data sent before would wait for ever.
    running.read(KEPT, patience, &mut ran, |ran| ran.accepted.is_some()).await;
    if ran.accepted == Some(true) && running.write(INIT.as_slice(), patience).await {
        running.read(KEPT, patience, &mut ran, |ran| Sftp::is_told(&ran.stdout)).await;
    }
    let _ = running.into_channel().close().await;
    let said = Sftp {
        status: ran.status,
        stderr: (!ran.stderr.is_empty()).then(|| sanitize_bytes(&ran.stderr)),
        ..Sftp::of(&ran.stdout)
    };
    (Capability::of(ran.accepted), (ran.accepted == Some(true)).then_some(said))
}

/// SSH_FXP_INIT with version 3, the one that OpenSSH speaks (draft-ietf-secsh-filexfer-02 section 4).
pub(super) const INIT: [u8; 9] = [0, 0, 0, 5, 1, 0, 0, 0, 3];
