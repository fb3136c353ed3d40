//! Programs that a session needs and that are not there.

use crate::base::text::{seconds, status};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::channel::Facts;
use crate::facts::channel::words::{finds_no_sh, says_not_found};
use crate::facts::{Check, Evidence, Step};

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
        if let Some(found) = evidence.channel.passed().and_then(|facts| without_programs(evidence, facts)) {
            return Some(found);
        }
        let facts = evidence.channel.failed()?;
        let ran = &facts.ran;
        if ran.status != Some(NOT_FOUND) || !ran.closed || facts.mark_seen || facts.is_imitation() {
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

pub(super) const OUTPUT_HELD: Cause = Cause {
    code: "session-output-held",
    stage: Check::Channel,
    title: "Output of commands arrives only when they end",
    severity: Severity::Warning,
    explanation: "The command ran, and its output came as soon as its input had ended, and not before. A wrapper in front of commands \
        (ForceCommand, command=, a login shell of its own) collects their output and prints it at the end, or passes it through a \
        program that does: `| sed`, `| tee` with a filter, subprocess.run with capture_output.\n\n\
        `ssh HOST COMMAND` works. Programs that answer while they read do not: sftp, rsync, scp, Git, and a shell without a terminal \
        wait for ever. Long commands show no progress.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "See whether output is held back: the first line must come 3 s before the second",
            snippet: Some("ssh {alias} 'echo first; sleep 3; echo second'"),
            ..Fix::LOOK
        },
        super::shared::SEE_FORCED,
        Fix {
            side: Side::Server,
            summary: "If the command is forced (ForceCommand, command=), let the wrapper run it directly: use this as its last line",
            file: Some("the wrapper"),
            snippet: Some(
                "[ -n \"$SSH_ORIGINAL_COMMAND\" ] && exec sh -c \"$SSH_ORIGINAL_COMMAND\"\nexec \"${SHELL:-/bin/sh}\" -l",
            ),
            caution: Some(
                "only in a wrapper that allows any command, for it runs whatever the client sends; keep a session open until a new one works",
            ),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "If the wrapper is the account's login shell, let it become the real one: use this as its last line",
            file: Some("the wrapper"),
            snippet: Some("exec /bin/sh \"$@\""),
            caution: Some("keep a session open until a new one works: a login shell that fails lets nobody in"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[],
    hides: &["session-subsystem-missing", "session-rc-output", "session-input-eaten"],
    judge: |evidence| {
        let facts = evidence.channel.facts().filter(|facts| facts.mark_seen && facts.output_held)?;
        let waited = seconds(facts.ran.duration_ms / 1000.0);
        let because = [
            format!("in {waited} no output came while the command's input was open"),
            "its output came as soon as the input had ended".to_owned(),
        ];
        Some(Match::new(Certainty::Likely, because))
    },
    ..Cause::NEW
};

/// The account's shell runs what is built into it, and does not find `sh`: nothing that needs programs was measured.
fn without_programs(evidence: &Evidence, facts: &Facts) -> Option<Match> {
    if let Some(program) = facts.lacks.as_deref().filter(|_| facts.mark_seen) {
        let is_transfer_skipped = matches!(evidence.transfer.step, Step::Skipped(_));
        let not_tested = if is_transfer_skipped { "transfer, exit" } else { "exit" };
        let because = [
            format!("commands run, and their shell does not find {program}, which the test needs"),
            format!("not tested, since it needs that: {not_tested}"),
        ];
        let found = Match::new(Certainty::Likely, because).at(Severity::Info);
        return Some(found.titled("The account lacks standard programs".to_owned()));
    }
    let said = facts.stderr.as_deref().filter(|_| facts.plain)?;
    let because = || {
        [
            format!("the account's shell said \"{said}\", and ran a plain echo"),
            "transfer and exit were not tested, for they need sh, cat and dd".to_owned(),
        ]
    };
    let found = |title: &str| Match::new(Certainty::Likely, because()).at(Severity::Info).titled(title.to_owned());
    if facts.is_imitation() {
        return Some(found("An imitation of a shell runs commands: it has no exec"));
    }
    finds_no_sh(said).then(|| found("The account's PATH has no standard programs"))
}
