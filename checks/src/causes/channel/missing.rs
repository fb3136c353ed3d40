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

/// The account's shell runs what is built into it, and does not find `sh`: nothing that needs programs was measured.
fn without_programs(facts: &Facts) -> Option<Match> {
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
