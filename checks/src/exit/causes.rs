//! The causes that show when a session ends.

use crate::cause::{Cause, Certainty, Fix, Match, Severity, Side};
use crate::evidence::Check;
use crate::text::seconds;

/// The causes that show when a session ends.
pub static CAUSES: &[Cause] = &[HANGS, OUTPUT_LOST];

const HANGS: Cause = Cause {
    code: "exit-hangs",
    stage: Check::Exit,
    title: "The command has ended and the session does not",
    severity: Severity::Critical,
    explanation: "The exit status of the command arrived, and the server did not close the channel. sshd closes it when every process that holds the command's output \
        has ended: a process in the background that inherited it (started from a start-up file, for example) keeps the session open.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Start background processes with all three streams redirected",
            snippet: Some("nohup <command> </dev/null >/dev/null 2>&1 &"),
            ..Fix::NEW
        },
        Fix {
            side: Side::Server,
            summary: "Find what the start-up files of this account leave running",
            snippet: Some(
                "ps -u {user} -o pid,ppid,lstart,args; grep -nE '&[[:space:]]*$' ~{user}/.bashrc ~{user}/.profile ~{user}/.zshenv",
            ),
            ..Fix::NEW
        },
    ],
    symptoms: &["ssh does not return after the remote command has ended"],
    hides: &["exit-output-lost"],
    judge: |evidence| {
        let facts = evidence.exit.failed()?;
        let status = facts.ran.status?;
        (!facts.ran.closed && facts.ran.gave_up.is_some()).then(|| {
            Match::new(
                Certainty::Certain,
                [format!(
                    "status {status} arrived, and the channel was still open after {}",
                    seconds(facts.ran.duration_ms / 1000.0)
                )],
            )
        })
    },
};

const OUTPUT_LOST: Cause = Cause {
    code: "exit-output-lost",
    stage: Check::Exit,
    title: "The last of a command's output does not arrive",
    severity: Severity::Critical,
    explanation: "The channel was closed in good order, and less output arrived than the command had written. Servers and libraries that close the channel before \
        the output is drained lose its end; scripts then see a short result and a good exit status.",
    fixes: &[
        Fix { side: Side::Server, summary: "Upgrade the SSH server", snippet: Some("ssh -V; sshd -V"), ..Fix::NEW },
        Fix {
            side: Side::Client,
            summary: "Until then, let the command wait a moment after its last output",
            snippet: Some("ssh {alias} '<command>; status=$?; sleep 1; exit $status'"),
            ..Fix::NEW
        },
    ],
    symptoms: &["output of the remote command is cut off at the end"],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.exit.failed()?;
        let ran = &facts.ran;
        (ran.closed && ran.status == Some(facts.given_status) && ran.stdout_bytes < facts.written_bytes).then(|| {
            Match::new(
                Certainty::Certain,
                [format!(
                    "{} of {} bytes arrived before the server closed the channel",
                    ran.stdout_bytes, facts.written_bytes
                )],
            )
        })
    },
};

#[cfg(test)]
mod tests {
    use super::super::Facts;
    use super::*;
    use crate::connection::{GaveUp, Ran};
    use crate::evidence::{Evidence, Step, Timed};

    #[test]
    fn a_held_channel_and_a_cut_output_are_told_apart() {
        let fired = |ran| {
            let facts = Facts { ran, written_bytes: 65_536, given_status: 7, ..Facts::default() };
            let exit = Timed { step: Step::Failed(facts), duration_ms: 1.0 };
            let evidence = Evidence { exit, ..Evidence::unexamined() };
            CAUSES.iter().filter(|cause| (cause.judge)(&evidence).is_some()).map(|cause| cause.code).collect::<Vec<_>>()
        };
        let hung = Ran { status: Some(7), stdout_bytes: 65_536, gave_up: Some(GaveUp::Silence), ..Ran::default() };
        assert_eq!(fired(hung), ["exit-hangs"]);
        let cut = Ran { status: Some(7), stdout_bytes: 32_768, closed: true, ..Ran::default() };
        assert_eq!(fired(cut), ["exit-output-lost"]);
        assert!(fired(Ran { connection_lost: true, ..Ran::default() }).is_empty());
    }
}
