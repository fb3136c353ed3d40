//! Programs that a session needs and that are not there.

use crate::base::text::status;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::channel::Facts;
use crate::facts::channel::words::finds_no_sh;

/// A shell's status for a command that it does not find (POSIX, Shell Command Language, 2.8.2).
const NOT_FOUND: u32 = 127;

pub(super) const COMMAND_MISSING: Cause = Cause {
    code: "session-command-missing",
    stage: Check::Channel,
    title: "The program is not found on the server (exit status 127)",
    severity: Severity::Critical,
    explanation: "The session ended with status 127, which a shell returns for a command that it does not find. \
        Programs that work over SSH start a counterpart on the server: rsync, scp, sftp-server, git-upload-pack, borg, \
        mosh-server. It is not installed there, or not in the PATH of sessions without a terminal, \
        which do not read .profile. rsync reports this as error code 12 or 127.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Check whether it is installed, and the PATH of a session without a terminal",
            snippet: Some("ssh {alias} 'echo $PATH; ls -l /usr/bin/rsync /usr/bin/scp /usr/bin/git-upload-pack'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Name the program's full path on the server: `rsync --rsync-path=PATH`, `git clone -u PATH`, `mosh --server=PATH`",
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Install it, or correct the forced command of the account or key",
            caution: Some("whoever logs in can run what is installed"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "Process exited with status 127",
        "command not found",
        "sh: <n>: <what>: not found",
        "sh: <what>: not found",
        "env: <what>: No such file or directory",
        "bash: line <n>: <what>: No such file or directory",
        "No such command",
        "rsync: command not found",
        "rsync: not found",
        "scp: command not found",
        "git-upload-pack: command not found",
        "remote command not found (code 127)",
        "error in rsync protocol data stream (code 12)",
        "bash: borg: command not found",
    ],
    hides: &["session-shell-exits", "session-forced-command"],
    judge: |evidence| {
        if let Some(found) = evidence.channel.passed().and_then(without_programs) {
            return Some(found);
        }
        let facts = evidence.channel.failed()?;
        let ran = &facts.ran;
        if ran.status != Some(NOT_FOUND) || !ran.closed || facts.mark_seen {
            return None;
        }
        let said = facts.words().find(|words| says_not_found(words))?;
        let end = format!("the session ended with {}", status(NOT_FOUND));
        Some(Match::new(Certainty::Certain, [format!("the server said \"{said}\""), end]))
    },
    ..Cause::NEW
};

pub(super) const OUTPUT_LOST: Cause = Cause {
    code: "session-output-lost",
    stage: Check::Channel,
    title: "Commands run, but nothing of their output arrives",
    severity: Severity::Critical,
    explanation: "The command was accepted, and ended at the end of its input with the status that our own command ends with: \
        it ran. Nothing that it printed arrived. A start-up file of the account's shell sends output elsewhere for \
        good (`exec >FILE`, `exec >/dev/null`), or a wrapper in front of commands does so for a log.\n\n\
        A forced command of another kind that reads all of its input, prints nothing and ends with the same status looks \
        alike: `ssh HOST 'exit 3'; echo $?` prints 3 where commands run.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "See whether commands run: this prints 3",
            snippet: Some("ssh {alias} 'exit 3'; echo $?"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Find what redirects output in the start-up files that the shell reads without a terminal too",
            snippet: Some(
                "grep -nE 'exec +[0-9&]*>' ~{user}/.bashrc ~{user}/.zshenv ~{user}/.cshrc ~{user}/.ssh/rc /etc/bash.bashrc /etc/zsh/zshenv",
            ),
            ..Fix::LOOK
        },
        super::hangs::ONLY_INTERACTIVE,
    ],
    symptoms: &[],
    hides: &["session-shell-exits"],
    judge: |evidence| {
        let facts = evidence.channel.failed().filter(|facts| facts.loses_output())?;
        let because = [
            "the command was accepted, and at the end of its input it ended with the status that ours ends with",
            "neither its own output nor what it was sent came back",
        ];
        let stderr = facts.stderr.as_ref().map(|said| format!("standard error said \"{said}\""));
        Some(Match::new(Certainty::Likely, because.map(ToOwned::to_owned).into_iter().chain(stderr)))
    },
    ..Cause::NEW
};

/// The account's shell runs what is built into it, and does not find `sh`: nothing that needs programs was measured.
fn without_programs(facts: &Facts) -> Option<Match> {
    if let Some(program) = facts.lacks.as_deref().filter(|_| facts.mark_seen) {
        let because = [
            format!("commands run, and {program} is not found, which the test needs"),
            "what needs it was not tested: transfer, exit".to_owned(),
        ];
        let found = Match::new(Certainty::Certain, because).at(Severity::Info);
        return Some(found.titled("The account lacks standard programs".to_owned()));
    }
    let said = facts.stderr.as_deref().filter(|_| facts.plain)?;
    finds_no_sh(said).then(|| {
        let because = [
            format!("the account's shell said \"{said}\", and ran a plain echo"),
            "transfer and exit were not tested, for they need sh, cat and dd".to_owned(),
        ];
        let found = Match::new(Certainty::Likely, because).at(Severity::Info);
        found.titled("The account's PATH has no standard programs".to_owned())
    })
}

fn says_not_found(words: &str) -> bool {
    let words = words.to_lowercase();
    ["not found", "no such file or directory", "unknown command"].iter().any(|said| words.contains(said))
}
