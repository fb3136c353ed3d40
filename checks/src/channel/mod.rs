//! A session channel, a harmless command in it that prints a mark, and what else the connection may be used for.

mod capabilities;
mod causes;
mod probes;
mod sftp;

use russh::Channel;
use russh::client::Msg;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::connection::{Connection, GaveUp, Manner, Opened, Patience, Ran, Running};
use crate::evidence::{self, Step};
use crate::examination::Examination;
use crate::nonce::nonce;
use crate::target::Limits;
use crate::text::{self, bytes, seconds, shown_bytes};
use crate::trial::{self, Marks};

pub use capabilities::{Capabilities, Outcome, Sessions};
pub use causes::CAUSES;
pub use sftp::Sftp;

/// Bytes of each output that are kept: more than start-up files print.
pub(crate) const KEPT: usize = 64 * 1024;

/// How our command begins.
const OURS: &str = "exec sh -c";

/// What was seen.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// What became of the command.
    pub ran: Ran,
    /// The mark came back.
    pub mark_seen: bool,
    /// Output before or after the mark, escaped.
    pub other_output: Option<String>,
    /// Standard error, escaped.
    pub stderr: Option<String>,
    /// Our command itself came back in an output, unrun.
    #[serde(default)]
    pub quoted_back: bool,
    /// The server's words on the connection's end, if it ended.
    pub ending: Option<Manner>,
    /// What the connection may be used for.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// What was seen without ssh's marks (IPQoS), where the session stopped as they were set.
    #[serde(default)]
    pub marks: Option<Marks>,
}

impl evidence::Facts for Facts {
    fn summary(&self) -> String {
        let ran = &self.ran;
        if let Some((code, text)) = &ran.refused {
            return format!("channel refused: {} (reason {code})", shown_bytes(text.as_bytes()));
        }
        let Some(open_ms) = ran.open_ms else { return "no channel could be opened".to_owned() };
        let opened = format!("channel open in {}", seconds(open_ms / 1000.0));
        let other = format!("{} of other output", bytes(ran.stdout_bytes as f64));
        match (ran.accepted, self.mark_seen, ran.status) {
            (Some(false), ..) => format!("{opened}, command refused"),
            (_, true, _) => format!("{opened}, a command's first output after {}", seconds(ran.duration_ms / 1000.0)),
            (_, false, Some(status)) => format!("{opened}, the command did not run: {}", text::status(status)),
            (_, false, None) if ran.stdout_bytes > 0 => format!("{opened}, {other}"),
            (_, false, None) => format!("{opened}, no output of the command"),
        }
    }
}

/// The one command that channel, transfer and exit share, since starting one may be slow (a shell's start-up files): it prints a mark,
/// sends back `stored` bytes when it has them all, then what it is sent as it comes, and at the end of its input prints
/// [`exit::OUTPUT`](crate::exit::OUTPUT) bytes and ends with [`exit::STATUS`](crate::exit::STATUS).
#[must_use]
pub fn command(mark: &str, stored: usize) -> String {
    let (blocks, status) = (crate::exit::OUTPUT / 1024, crate::exit::STATUS);
    format!(
        "{OURS} 'echo {mark}; head -c {stored} | tail -c {stored}; cat; dd if=/dev/zero bs=1024 count={blocks} 2>/dev/null; exit {status}'"
    )
}

/// Starts that command on the connection that auth left, and waits for its mark.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    exam.runs_commands = Err("no command runs: see channel");
    let (Some(connection), Some(login)) = (&exam.connection, &exam.login) else {
        return Step::Skipped("there is no login: see auth".into());
    };
    let Some((mut facts, running, further)) = exam.stop.race(Box::pin(start(connection, &exam.limits))).await else {
        return Step::Skipped("interrupted".into());
    };
    // Nothing of the session came, and the command was not accepted: since the login only the marks were new on this connection, and
    // whatever was accepted came over it with them. A connection that has ended may have been a login that the server took back, and
    // is not repeated.
    let silent = facts.ran.gave_up == Some(GaveUp::Silence) && facts.ending.is_none();
    if silent && facts.ran.accepted.is_none() && facts.ran.stdout_bytes == 0 {
        facts.marks = exam.stop.race(Box::pin(trial::unmarked(connection, login))).await.flatten();
    }
    if facts.ended_before_any_channel() {
        exam.login = None;
    }
    // Only where our command ran: whatever is forced on the account would run for sftp once more.
    match further {
        Some(session) if facts.mark_seen => {
            exam.sftp = Some(tokio::spawn(probes::ask_for_sftp(session)));
        }
        Some(session) => probes::close(Opened::Open(session)).await,
        None => {}
    }
    exam.runs_commands = match running {
        Some(_) => Ok(()),
        None if facts.mark_seen => Err("the server has no POSIX shell for our command"),
        None => exam.runs_commands,
    };
    exam.running = running;
    if facts.mark_seen { Step::Passed(facts) } else { Step::Failed(facts) }
}

/// Adds to the facts the answer to the wish for sftp, which came while transfer worked.
pub(crate) async fn add_sftp(exam: &mut Examination, step: &mut Step<Facts>) {
    let (Some(asked), Step::Passed(facts)) = (exam.sftp.take(), step) else { return };
    // The task itself ends within its deadlines.
    if let Some(Ok(outcome)) = exam.stop.race(asked).await {
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
    capabilities.session = Outcome::Allowed;
    capabilities.exec = Outcome::of(ran.accepted);
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
        capabilities.shell = Outcome::not_tested(if limits.deep { ONCE_MORE } else { "it starts a process: --deep" });
        capabilities.sftp = match &further {
            Some(_) => Outcome::not_tested(ONCE_MORE),
            None => Outcome::not_tested("no further session beside the others: --deep"),
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

/// Whether a shell ended so that does not know the first word of our command, or may not use it. Another program, which is not to be
/// started twice, prints something else, or the whole command.
fn is_foreign_shell(ran: &Ran, mark: &str) -> bool {
    let names_it = String::from_utf8_lossy(&ran.stderr).contains("exec");
    ran.stdout.is_empty() && ran.status != Some(0) && names_it && !is_quoted(&ran.stderr, mark)
}

/// Whether the command printed its mark: on a line's end, where a program that quotes the command has more behind it or `echo` before it.
fn is_printed(output: &[u8], mark: &str) -> bool {
    let mut ends = output.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark.as_bytes());
    ends.any(|(at, _)| {
        let (before, behind) = (&output[..at], &output[at + mark.len()..]);
        (behind.starts_with(b"\n") || behind.starts_with(b"\r\n")) && !before.ends_with(b"echo ")
    })
}

/// Whether our command itself stands in an output, and not as a shell that traces commands (`set -x`) shows it.
fn is_quoted(output: &[u8], mark: &str) -> bool {
    let text = String::from_utf8_lossy(output);
    text.lines().any(|line| (line.contains(mark) || line.contains(OURS)) && !line.trim_start().starts_with('+'))
}

/// Where the mark ends in the output.
pub(crate) fn end_of(output: &[u8], mark: &str) -> Option<usize> {
    output.windows(mark.len()).position(|window| window == mark.as_bytes()).map(|at| at + mark.len())
}

impl Facts {
    /// Whether the connection ended between the login and the first channel: the server may have taken the login back, as sshd does
    /// when its two processes disagree on it, and has it in its log as a failed one.
    #[must_use]
    pub fn ended_before_any_channel(&self) -> bool {
        self.ran.connection_lost && self.ran.open_ms.is_none() && self.ran.refused.is_none()
    }
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
        other_output: (!other.trim().is_empty()).then(|| shown_bytes(other.trim().as_bytes())),
        stderr: (!ran.stderr.is_empty()).then(|| shown_bytes(&ran.stderr)),
        ending: connection.ending().map(|ending| ending.manner),
        capabilities: Capabilities {
            session: ran.refused.as_ref().map(|(code, text)| Outcome::refused(*code, text)).unwrap_or_default(),
            ..Capabilities::default()
        },
        marks: None,
        ran,
    }
}

#[cfg(test)]
mod tests {
    use super::{command, is_foreign_shell, is_printed, is_quoted};
    use crate::connection::Ran;

    #[test]
    fn a_mark_that_is_printed_is_told_from_one_that_is_quoted() {
        for printed in ["m4rk\n", "m4rk\r\n", "Welcome\nm4rk\n", "Welcome m4rk\nmore"] {
            assert!(is_printed(printed.as_bytes(), "m4rk"), "{printed}");
        }
        let quoted = format!("unknown command: '{}'\n", command("m4rk", 9));
        for unrun in ["m4rk", "unknown: echo m4rk\n", "unknown: 'echo m4rk'\n", &quoted] {
            assert!(!is_printed(unrun.as_bytes(), "m4rk"), "{unrun}");
        }
        assert!(is_quoted(quoted.as_bytes(), "m4rk"));
        assert!(!is_quoted(format!("+ {}\n", command("m4rk", 9)).as_bytes(), "m4rk"), "a trace of the shell");
    }

    #[test]
    fn only_a_shell_that_does_not_take_our_first_word_is_asked_again() {
        let ended = |status, stdout: &str, stderr: &str| {
            let ran = Ran { status: Some(status), stdout: stdout.into(), stderr: stderr.into(), ..Ran::default() };
            is_foreign_shell(&ran, "m4rk")
        };
        assert!(ended(1, "", "rbash: line 1: exec: restricted\n"));
        assert!(ended(1, "", "'exec' is not recognized as an internal or external command,\r\n"));
        assert!(!ended(1, "", ""));
        assert!(!ended(0, "", "rbash: line 1: exec: restricted\n"));
        assert!(!ended(1, "no", "exec"));
        assert!(!ended(1, "", &format!("fatal: unrecognized command '{}'\n", command("m4rk", 9))));
    }
}
