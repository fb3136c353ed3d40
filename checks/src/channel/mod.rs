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
use crate::text::{self, seconds, shown_bytes};
use crate::trial::{self, Marks};

pub use capabilities::{Capabilities, Outcome, Sessions};
pub use causes::CAUSES;
pub use sftp::Sftp;

/// Bytes of each output that are kept: more than start-up files print.
pub(crate) const KEPT: usize = 64 * 1024;

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
        match (ran.accepted, self.mark_seen, ran.status) {
            (Some(false), ..) => format!("{opened}, command refused"),
            (_, true, _) => format!("{opened}, a command's first output after {}", seconds(ran.duration_ms / 1000.0)),
            (_, false, Some(status)) => format!("{opened}, the command did not run: {}", text::status(status)),
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
        "exec sh -c 'echo {mark}; head -c {stored} | tail -c {stored}; cat; dd if=/dev/zero bs=1024 count={blocks} 2>/dev/null; exit {status}'"
    )
}

/// Starts that command on the connection that auth left, and waits for its mark.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    let (Some(connection), Some(login)) = (&exam.connection, &exam.login) else {
        return Step::Skipped("there is no login: see auth".into());
    };
    let Some((mut facts, running, further)) = exam.stop.race(Box::pin(start(connection, &exam.limits))).await else {
        return Step::Skipped("interrupted".into());
    };
    // Nothing of the session came: since the login only the marks were new on this connection. A connection that has ended may have
    // been a login that the server took back, and is not repeated.
    let silent = facts.ran.gave_up == Some(GaveUp::Silence) && facts.ending.is_none();
    if silent && facts.ran.stdout_bytes == 0 {
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
    exam.runs_commands = running.is_some();
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
        return (Facts::of(ran, &mark, connection), None, None);
    };
    let read = running.read(KEPT, patience, &mut ran, |ran| contains(&ran.stdout, &mark));
    let ((), asked) = tokio::join!(read, timeout(patience.total, probes::ask(connection, patience)));
    let (mut capabilities, mut further) = asked.unwrap_or_default();
    capabilities.session = Outcome::Allowed;
    capabilities.exec = Outcome::of(ran.accepted);
    if limits.deep && ran.accepted.is_some() && !ran.connection_lost {
        if let Some(session) = further.take() {
            probes::close(Opened::Open(session)).await;
        }
        // What is told by then is kept.
        let _ = timeout(patience.total, probes::ask_for_more(connection, patience, &mut capabilities)).await;
    } else {
        capabilities.shell = Outcome::not_tested("it starts a process: --deep");
        capabilities.sftp = match &further {
            Some(_) => Outcome::not_tested("our command did not run, and what runs in its place would run once more"),
            None => Outcome::not_tested("no further session beside the others: --deep"),
        };
    }
    let facts = |ran, mark| Facts { capabilities, ..Facts::of(ran, mark, connection) };
    if contains(&ran.stdout, &mark) {
        return (facts(ran, &mark), Some(running), further);
    }
    match plain(connection, patience, &ran).await {
        Some((ran, mark)) => (facts(ran, &mark), None, further),
        None => (facts(ran, &mark), None, None),
    }
}

/// Where the server has no POSIX shell: a plain `echo` instead, which leaves nothing running.
async fn plain(connection: &Connection, patience: Patience, ran: &Ran) -> Option<(Ran, String)> {
    let other_shell = ran.status.is_some() && ran.closed;
    if !other_shell {
        return None;
    }
    let mark = nonce();
    let plain = connection.run(&format!("echo {mark}"), KEPT, patience).await;
    contains(&plain.stdout, &mark).then_some((plain, mark))
}

fn contains(output: &[u8], mark: &str) -> bool {
    end_of(output, mark).is_some()
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

    fn of(ran: Ran, mark: &str, connection: &Connection) -> Self {
        let other = String::from_utf8_lossy(&ran.stdout).replacen(mark, "", 1);
        Self {
            mark_seen: contains(&ran.stdout, mark),
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
}
