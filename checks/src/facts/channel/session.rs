//! The facts of a session channel: what became of the command, and of what was asked for beside it.

use serde::{Deserialize, Serialize};

use super::capabilities::Capabilities;
use super::words::NOT_RUN;
use crate::facts::connection::{Manner, Ran};
use crate::facts::retest::Marks;

/// The beginning of our command.
pub(crate) const OURS: &str = "exec sh -c";
/// The status that our command ends with: one that hardly anything else gives. curl, for one, gives most of those below.
pub(crate) const OUR_STATUS: u32 = 83;

/// The way a command has to begin for the server to run it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lead {
    /// `exec sh -c`: no shell is left waiting behind it.
    #[default]
    ExecSh,
    /// `sh -c`, where the server splits the command itself, or its shell may not replace itself.
    Sh,
}

impl Lead {
    /// The command that has POSIX's shell run this script, which has no single quotes.
    #[must_use]
    pub fn command(self, script: &str) -> String {
        let lead = match self {
            Self::ExecSh => OURS,
            Self::Sh => "sh -c",
        };
        format!("{lead} '{script}'")
    }
}

/// The observations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The outcome of the command.
    pub ran: Ran,
    /// The mark came back.
    pub mark_seen: bool,
    /// Output before or after the mark, escaped.
    pub other_output: Option<String>,
    /// Standard error, escaped.
    pub stderr: Option<String>,
    /// The way the command began that ran, or that did not.
    #[serde(default)]
    pub lead: Lead,
    /// The mark was printed by a plain `echo`: there is no POSIX shell for our command.
    #[serde(default)]
    pub plain: bool,
    /// The standard input of commands is a terminal, although none was asked for: a recorder of sessions gives them one.
    #[serde(default)]
    pub on_terminal: bool,
    /// Input that was sent as soon as a command was accepted came back from it; `null` where that was not tried, which is done where the
    /// sftp server does not answer.
    #[serde(default)]
    pub early_input: Option<bool>,
    /// Commands get no standard input: ours met its end at once.
    #[serde(default)]
    pub no_input: bool,
    /// The output of commands arrives only when they end: ours came as soon as its input had ended, and not before.
    #[serde(default)]
    pub output_held: bool,
    /// A program of our command that the account does not have, as in a root directory of its own; it was told when the command came to it.
    #[serde(default)]
    pub lacks: Option<String>,
    /// The reaction to input of the program that ran in place of our command, where it neither ended nor printed our
    /// mark.
    #[serde(default)]
    pub on_input: Option<Box<OnInput>>,
    /// The account's shell, where it was asked for.
    #[serde(default)]
    pub shell: Option<Box<Shell>>,
    /// The program that printed it, where its words are known (`facts::channel::programs`).
    #[serde(default)]
    pub program: Option<String>,
    /// Our command itself came back in an output, unrun.
    #[serde(default)]
    pub quoted_back: bool,
    /// The server's words on the connection's end, if it ended.
    pub ending: Option<Manner>,
    /// The capabilities of the connection.
    #[serde(default)]
    pub capabilities: Box<Capabilities>,
    /// Observations without ssh's DSCP marks (IPQoS), where the session stopped as they were set.
    #[serde(default)]
    pub marks: Option<Marks>,
}

/// The reaction to input of a program that had printed nothing, or had stopped in its output.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OnInput {
    /// It was sent a line, which has a shell print a mark.
    pub line_sent: bool,
    /// It printed that mark.
    pub line_answered: bool,
    /// The line was read by a forced shell, which has our command in SSH_ORIGINAL_COMMAND.
    pub forced: bool,
    /// It printed the mark of our own command then.
    pub own_mark: bool,
    /// Seconds to our mark from what was sent first, the line or the end of the input, less a round trip as far as that is known; `null` where
    /// it did not come.
    pub own_mark_after_s: Option<f64>,
    /// That mark came as soon as the input had ended, and not before.
    pub own_mark_at_end: bool,
    /// A line of ours came back in a message of another program, which read it and did not know it.
    pub line_quoted: bool,
    /// The line came through to our command: nothing before it had read it.
    pub line_passed_on: bool,
    /// The effect of SIGHUP after the line was answered; `null` where that was not sent, which is done as for `terminated`.
    pub hung_up: Option<HungUp>,
    /// The login that the shell belongs to which answered the line, by SSH_CONNECTION in its environment; `null` where it was not asked, or our own
    /// port is not known.
    pub login: Option<LoginOfShell>,
    /// It ended at the end of its input.
    pub closed: bool,
    /// It went on in silence, or to print, and SIGTERM ended it; `null` where that was not sent, which is done where the server is OpenSSH's: sshd
    /// passes no signal on to a forced command (session_signal_req in its session.c).
    pub terminated: Option<bool>,
    /// The exit status.
    pub status: Option<u32>,
    /// The text that it printed meanwhile, escaped.
    pub output: Option<String>,
    /// The text that it printed on standard error, escaped.
    pub stderr: Option<String>,
}

/// The reaction to SIGHUP of what answered a line as a shell does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HungUp {
    /// The account's own shell ended, and with it the session.
    All,
    /// The account's own shell ended, and another one that it had started went on.
    ShellAlone,
    /// Nothing ended: the shell is forced, or behind a forced program; or it ignores the signal, or belongs to another user (`exec sudo -i`).
    Nothing,
}

/// The login of a shell that answers a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoginOfShell {
    /// Ours: its connection comes from our own port.
    Ours,
    /// One from another port: that of an inner host, or ours behind an address translation that changes ports.
    Another,
    /// None: the environment was made anew, as sudo and su make it.
    Unset,
}

/// Seconds within which a program that waits for a line continues once it comes; a later reaction may be a coincidence.
pub(crate) const AT_ONCE_S: f64 = 0.7;

impl OnInput {
    /// True if our command ran, and not for what was sent: it was slow, or waited for the end of the input.
    #[must_use]
    pub fn ran_later(&self) -> bool {
        let came_at_once = self.own_mark_after_s.is_some_and(|after_s| after_s <= AT_ONCE_S);
        self.own_mark && (self.line_passed_on || !came_at_once)
    }

    /// True if it ended at what it was sent, said so in words, and was no shell: it reads data of another kind.
    #[must_use]
    pub(super) fn rejects_input(&self) -> bool {
        let is_told = self.output.is_some() || self.stderr.is_some();
        let failed = self.status.is_some_and(|status| !NOT_RUN.contains(&status));
        self.closed && failed && is_told && !self.line_answered && !self.own_mark
    }
}

/// The account's shell on a terminal, to which nothing was typed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shell {
    /// True if the server gave a terminal; `null` where it did not answer.
    pub terminal: Option<bool>,
    /// The outcome of it.
    pub ran: Ran,
    /// It printed something and went on.
    pub stays: bool,
    /// The text that it printed, escaped.
    pub output: Option<String>,
    /// Standard error, escaped.
    pub stderr: Option<String>,
}

impl Shell {
    /// True if it was accepted and goes on without a word.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        let ran = &self.ran;
        ran.accepted == Some(true) && ran.gave_up.is_some() && ran.stdout_bytes == 0 && self.stderr.is_none()
    }
}

impl Facts {
    /// Milliseconds until our command ran, whatever start-up files had printed by then; until the first output of what ran in its place, or
    /// until the shell stood at its prompt, whichever took longer. Unknown where output is held back.
    #[must_use]
    pub fn started_ms(&self) -> Option<f64> {
        if self.mark_seen {
            return (!self.output_held).then_some(self.ran.duration_ms);
        }
        let prompt_ms = self.shell.as_ref().and_then(|shell| shell.ran.last_output_ms);
        [self.ran.first_output_ms, prompt_ms].into_iter().flatten().reduce(f64::max)
    }

    /// True if the connection ended between the login and the first channel: the server may have taken the login back, as sshd does
    /// when its two processes disagree on it, and has it in its log as a failed one.
    #[must_use]
    pub fn ended_before_any_channel(&self) -> bool {
        self.ran.connection_lost && self.ran.open_ms.is_none() && self.ran.refused.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_started_once_its_shell_stands_at_its_prompt() {
        let ran = |first_output_ms, last_output_ms| Ran { first_output_ms, last_output_ms, ..Ran::default() };
        let shell = Shell { ran: ran(Some(90.0), Some(12_000.0)), ..Shell::default() };
        let seen = Facts { ran: ran(None, None), shell: Some(Box::new(shell)), ..Facts::default() };
        assert_eq!(seen.started_ms(), Some(12_000.0));
        let greets = Facts { ran: ran(Some(14_000.0), None), ..seen };
        assert_eq!(greets.started_ms(), Some(14_000.0));
        assert_eq!(Facts::default().started_ms(), None);
    }
}
