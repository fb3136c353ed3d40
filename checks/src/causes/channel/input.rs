//! Commands run, but their input does not reach them, is altered on the way, or never ends.

use super::shared::commands;
use crate::causes::software::is_openssh;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;

pub(super) const INPUT_LOST: Cause = Cause {
    code: "session-input-lost",
    stage: Check::Channel,
    title: "Commands run without working standard input",
    severity: Severity::Info,
    explanation: "Commands run and their output arrives. Either what is sent to their standard input does not reach \
        them (they meet its end at once), or its end does not (a command that reads to the end waits for ever). \
        Servers built into other programs often run commands this way: Erlang's ssh daemon with a function for \
        commands, libssh's example server. `ssh host command` works; `tar c . | ssh host tar x`, rsync, scp -O and Git \
        do not.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Transfer files by sftp, if the server has it",
            snippet: Some("sftp {alias}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "If input is needed, use a server that connects it, such as OpenSSH",
            caution: Some("whoever logs in can then run any command of the account"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["ssh hangs when input is piped into a remote command"],
    hides: &[],
    judge: |evidence| {
        let no_input = commands(evidence)?.no_input;
        let open = evidence.exit.facts().is_some_and(|facts| facts.input_open);
        let seen = match (no_input, open) {
            (true, _) => "our command met the end of its input at once, although the channel was open",
            (false, true) => "our command did not meet the end of its input, and one that reads none ended well",
            (false, false) => return None,
        };
        Some(Match::new(Certainty::Certain, [seen]))
    },
    ..Cause::NEW
};

pub(super) const INPUT_EATEN: Cause = Cause {
    code: "session-input-eaten",
    stage: Check::Channel,
    title: "A start-up file reads the input of commands, which breaks sftp",
    severity: Severity::Warning,
    explanation: "What is sent as soon as a command starts never reaches it; what is sent later does. A start-up file of the \
        account's shell (.bashrc, .zshenv, ~/.ssh/rc), or a wrapper in front of commands, reads standard input for a while: \
        `read -t`, or a program that takes all the input it finds, such as cat or another ssh. sftp, scp, rsync and Git \
        send at once and then wait for ever; `ssh host command` works.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Find what reads input in the start-up files that the shell reads without a terminal too",
            snippet: Some(
                "grep -nE '(^|[;&|[:space:]])(read|select|cat|dd|ssh) ' ~{user}/.bashrc ~{user}/.zshenv ~{user}/.cshrc ~{user}/.ssh/rc /etc/bash.bashrc /etc/zsh/zshenv",
            ),
            ..Fix::LOOK
        },
        super::hangs::ONLY_INTERACTIVE,
        Fix {
            side: Side::Server,
            summary: "Serve sftp without a shell",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("Subsystem sftp internal-sftp"),
            caution: Some("sftp reads ~/.ssh/rc all the same; replace the existing line"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[],
    hides: &["session-subsystem-missing"],
    judge: |evidence| {
        let facts = commands(evidence)?;
        let lost = facts.early_input == Some(false);
        let certainty = if is_openssh(evidence) { Certainty::Certain } else { Certainty::Likely };
        lost.then(|| {
            let because = [
                "input that was sent as soon as a command was accepted did not reach it",
                "the sftp server, whose first request is sent as early, did not answer",
            ];
            Match::new(certainty, because)
        })
    },
    ..Cause::NEW
};

pub(super) const ON_TERMINAL: Cause = Cause {
    code: "session-on-terminal",
    stage: Check::Channel,
    title: "Commands run on a terminal, which alters data (no sftp, rsync, Git)",
    severity: Severity::Warning,
    explanation: "No terminal was asked for, and commands run on one all the same: their lines end with CR LF. A recorder \
        of sessions (`script`, tlog), `expect`, `docker exec -t` or `su` with a terminal of its own stands between sshd \
        and the command. Shells and commands with text work. A terminal echoes its input, cuts long lines, and takes some \
        bytes for Ctrl-C and Ctrl-D: sftp, scp, rsync, Git and `tar` in a pipe do not work.",
    fixes: &[
        super::shared::SEE_FORCED,
        Fix {
            side: Side::Server,
            summary: "Record sessions with a terminal only: in the wrapper, run other commands directly",
            snippet: Some("test -t 0 || exec sh -c \"$SSH_ORIGINAL_COMMAND\""),
            caution: Some("commands without a terminal are then not recorded"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "See the difference: this must print 0a alone",
            snippet: Some("ssh {alias} echo | od -An -tx1"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[],
    hides: &["session-subsystem-missing", "session-rc-output"],
    judge: |evidence| {
        commands(evidence).filter(|facts| facts.on_terminal)?;
        let because = [
            "no terminal was asked for, and the standard input of commands is one (`test -t 0`)",
            "transfer and exit were not tested, for a terminal alters data and turns bytes into signals",
        ];
        Some(Match::new(Certainty::Certain, because))
    },
    ..Cause::NEW
};
