//! The account's shell on a terminal, as `ssh host` asks for it: until it stands at its prompt, and nothing is typed.

use std::time::Duration;

use crate::os::pause::timeout;
use russh::client::Msg;
use russh::{Channel, Pty};

use crate::base::limits::Patience;
use crate::base::text::sanitize_bytes;
use crate::facts::channel::words::ends_with_prompt;
use crate::facts::channel::{Capability, Shell};
use crate::facts::connection::{GaveUp, Ran};
use crate::ssh::channels::answers;
use crate::ssh::run::Running;

/// Bytes of output that are kept: banners of devices are long.
const KEPT: usize = 16 * 1024;
/// A shell that has said nothing for so long is at its prompt.
const SETTLED: Duration = Duration::from_millis(700);
/// The time that a request may wait for its answer.
const ANSWER: Duration = Duration::from_secs(5);

/// Asks for a terminal and the shell in an open session, and reads all it says at its start; leaves it running where it stays.
pub(crate) async fn open(mut session: Channel<Msg>, patience: Patience) -> (Shell, Option<Running>) {
    let wait = patience.silence.min(ANSWER);
    let (mut seen, mut ran) = (Shell::default(), Ran::default());
    if session.request_pty(true, "xterm", 80, 24, 0, 0, &[]).await.is_ok() {
        // Some servers start their command line as soon as the session is open.
        let (told, early) = answers(&mut session, 1, wait).await;
        seen.terminal = told.first().copied();
        (ran.stdout_bytes, ran.stdout) = (early.len() as u64, early);
    }
    if session.request_shell(true).await.is_err() {
        return (seen, None);
    }
    let mut running = Running::from(session);
    // Some devices do not answer the request, and start their command line.
    running.read(KEPT, patience, &mut ran, prompts).await;
    if !ran.is_over() {
        let settled = Patience { silence: SETTLED, ..patience };
        running.read(KEPT, settled, &mut ran, |_| false).await;
    }
    let seen = Shell { terminal: seen.terminal, ..self::seen(ran) };
    if seen.stays {
        return (seen, Some(running));
    }
    running.close().await;
    (seen, None)
}

/// The observations of a shell that ran so.
pub(super) fn seen(ran: Ran) -> Shell {
    Shell {
        stays: ran.gave_up == Some(GaveUp::Silence) && prompts(&ran),
        output: escaped(&ran.stdout),
        stderr: escaped(&ran.stderr),
        ran,
        ..Shell::default()
    }
}

/// True if something was printed, or a prompt stands on standard error, where a shell without a terminal has it (POSIX, Shell Command Language,
/// 2.5.3: PS1): complaints come before it.
fn prompts(ran: &Ran) -> bool {
    ran.stdout_bytes > 0 || escaped(&ran.stderr).as_deref().is_some_and(ends_with_prompt)
}

/// Asks for a terminal that passes all bytes on unaltered; `None` where no answer came.
pub(super) async fn raw_terminal(session: &mut Channel<Msg>, patience: Patience) -> Option<bool> {
    // RFC 4254 section 8.
    let off = [Pty::ISIG, Pty::ICANON, Pty::ECHO, Pty::IEXTEN, Pty::IXON, Pty::ICRNL, Pty::OPOST, Pty::ONLCR];
    session.request_pty(true, "xterm", 80, 24, 0, 0, &off.map(|mode| (mode, 0))).await.ok()?;
    answers(session, 1, patience.silence.min(ANSWER)).await.0.first().copied()
}

/// True if the shell may be used: one that ends at once, or prints nothing, is none to be used.
pub(crate) fn outcome(seen: &Shell) -> Capability {
    match seen.ran.accepted {
        _ if seen.stays => Capability::Allowed,
        Some(true) => Capability::not_tested("the shell was started, and ended or printed nothing"),
        accepted => Capability::of(accepted),
    }
}

/// Lets a shell go that nothing was typed in: as when a terminal is closed.
pub(crate) async fn leave(running: Running) {
    let _ = timeout(ANSWER, running.close()).await;
}

fn escaped(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let text = text.trim();
    (!text.is_empty()).then(|| sanitize_bytes(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::seen;
    use crate::facts::connection::{GaveUp, Ran};

    #[test]
    fn a_prompt_on_standard_error_is_one() {
        let on_stderr = |text: &[u8]| Ran { stderr: text.to_vec(), gave_up: Some(GaveUp::Silence), ..Ran::default() };
        assert!(seen(on_stderr(b"bash: no job control in this shell\nme@db:~$ ")).stays);
        assert!(!seen(on_stderr(b"stty: standard input: Inappropriate ioctl for device\n")).stays);
    }
}
