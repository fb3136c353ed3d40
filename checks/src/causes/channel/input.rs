//! Commands run, but their input does not reach them, or never ends.

use super::shared::commands;
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
