//! The causes that show when a session ends.

use super::{Cause, Fix, Match, Severity, Side, testimony};
use crate::base::text::seconds;
use crate::facts::certainty::Certainty;
use crate::facts::connection::Ran;
use crate::facts::exit::Facts;
use crate::facts::{Check, Evidence};

/// The causes that show when a session ends.
pub static CAUSES: &[Cause] = &[HANGS, BY_SIGNAL, WITHOUT_STATUS, STATUS_ALTERED, OUTPUT_LOST];

const HANGS: Cause = Cause {
    code: "exit-hangs",
    stage: Check::Exit,
    title: "The session hangs after the command has ended",
    severity: Severity::Critical,
    explanation: "The command's exit status arrived, but the server did not close the channel. sshd closes it when every process \
        that holds the command's output has ended. A background process that inherited it, for example one started by \
        a start-up file, keeps the session open.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Start the background COMMAND with all three streams redirected",
            snippet: Some("nohup COMMAND </dev/null >/dev/null 2>&1 &"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Find what the start-up files of this account leave running",
            snippet: Some(
                "ps -u {user} -o pid,ppid,lstart,args; grep -nE '&[[:space:]]*$' ~{user}/.bashrc ~{user}/.profile ~{user}/.zshenv",
            ),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "ssh does not return after the remote command has ended",
        "hangs on exit",
        "hangs on logout",
        "hangs at exit",
    ],
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
    ..Cause::NEW
};

const SERVER_SAW: Fix = Fix {
    side: Side::Server,
    summary: "Read the kernel's and sshd's log of that moment: out of memory, a limit, a session's end",
    snippet: Some(
        "journalctl -k --since -10min | grep -iE 'oom|killed'; journalctl -u ssh -u sshd --since -10min | grep -iE 'signal|session'",
    ),
    ..Fix::LOOK
};

const BY_SIGNAL: Cause = Cause {
    code: "exit-by-signal",
    stage: Check::Exit,
    title: "Commands are killed by a signal",
    severity: Severity::Critical,
    explanation: "The test command exits with a status of its own, but the server reported a signal (exit-signal, RFC 4254 \
        section 6.10). Something killed the command or its shell: the kernel when memory ran out, a limit of the \
        account (ulimit -t, a cgroup, a job killer), or a wrapper that runs the account's commands. Where all output \
        arrived all the same, it is a warning.\n\n\
        ssh prints nothing about it and exits with 255, as it also does when the connection or login failed, the \
        connection was lost, or the channel was closed without a status.",
    fixes: &[
        SERVER_SAW,
        Fix {
            side: Side::Server,
            summary: "Show the limits that a session of this account has",
            snippet: Some(
                "sudo -u {user} sh -c 'ulimit -a'; systemctl show user-$(id -u {user}).slice -p MemoryMax -p TasksMax",
            ),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "rtype exit-signal",
        "from signal",
        "Process exited with signal",
        "exited by signal <n>",
        "terminated by signal <name>",
    ],
    hides: &["exit-output-lost"],
    corroborated_by: &[testimony::out_of_memory],
    judge: |evidence| {
        let facts = of_command(evidence)?;
        let killed = runs(facts).find(|ran| ran.closed && ran.signal.is_some())?;
        let words = format!("instead of status {} came {}", facts.given_status, killed.end_words());
        let found = weighed(evidence, Match::new(Certainty::Certain, [words]));
        let works = evidence.exit.passed().is_some();
        Some(if works { found.titled("Commands work but end with a signal".to_owned()) } else { found })
    },
    ..Cause::NEW
};

const WITHOUT_STATUS: Cause = Cause {
    code: "exit-without-status",
    stage: Check::Exit,
    title: "Sessions end without an exit status",
    severity: Severity::Warning,
    explanation: "All output arrived and the channel was closed normally, but with neither an exit status nor a signal. ssh then \
        exits with 255 and prints nothing, so scripts mistake success for a lost connection. Servers and proxies that \
        drop the status do this always. sshd does it only when it closes the channel itself, as with ChannelTimeout.\n\n\
        ssh's 255 has many meanings: no connection, no login, a lost connection, a signal or a missing status.",
    fixes: &[
        SERVER_SAW,
        Fix {
            side: Side::Client,
            summary: "Let COMMAND print its status, and read that",
            snippet: Some("ssh {alias} 'COMMAND; echo status=$?'"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["without exit status or exit signal"],
    hides: &[],
    judge: |evidence| {
        let facts = of_command(evidence)?;
        let ran = runs(facts).find(|ran| {
            ran.closed && ran.status.is_none() && ran.signal.is_none() && ran.stdout_bytes == facts.written_bytes
        })?;
        let words = format!(
            "all {} bytes of output arrived, the channel was closed, and {} came",
            ran.stdout_bytes,
            ran.end_words()
        );
        Some(weighed(evidence, Match::new(Certainty::Certain, [words])))
    },
    ..Cause::NEW
};

const STATUS_ALTERED: Cause = Cause {
    code: "exit-status-altered",
    stage: Check::Exit,
    title: "Commands return the wrong exit status",
    severity: Severity::Warning,
    explanation: "All output arrived and the channel was closed normally, but with another exit status than the command's. A \
        wrapper around this account's commands (ForceCommand, command= on the key, a custom login shell) that returns \
        its own status does this, and so does a bastion. Scripts, rsync and Ansible then mistake failure for success, \
        or the reverse.\n\n\
        By convention 126 is a command that was found but not executable, 127 one that was not found, and 128 + n one \
        that was killed by signal n, as reported by the shell; 255 is ssh's own status for every failure.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Find what runs in place of commands",
            snippet: Some(
                "sshd -T -C user={user},host=localhost,addr=127.0.0.1 | grep -i forcecommand; grep -n command= ~{user}/.ssh/authorized_keys; getent passwd {user}",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Let the wrapper return the command's status: use this as its last line",
            file: Some("the wrapper"),
            snippet: Some("exec sh -c \"$SSH_ORIGINAL_COMMAND\""),
            caution: Some("only in a wrapper that allows any command: it runs whatever the client sends"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.exit.facts().filter(|facts| facts.of.is_none())?;
        let runs_functions = evidence.channel.facts().is_some_and(|facts| facts.no_input);
        let whole = |ran: &&Ran| ran.closed && ran.stdout_bytes == facts.written_bytes;
        let altered = runs(facts).filter(whole).find(|ran| ran.status.is_some_and(|own| own != facts.given_status))?;
        let words =
            format!("our command ended with status {}, and what came was {}", facts.given_status, altered.end_words());
        let found = Match::new(Certainty::Certain, [words]);
        let is_info = runs_functions && evidence.exit.failed().is_none();
        Some(if is_info { found.at(Severity::Info) } else { weighed(evidence, found) })
    },
    ..Cause::NEW
};

/// Returns the end of a command, unless the server gives commands no input: it runs them by a function of its own, and the status is that
/// function's.
fn of_command(evidence: &Evidence) -> Option<&Facts> {
    let is_functions = evidence.channel.facts().is_some_and(|facts| facts.no_input) && evidence.exit.failed().is_none();
    evidence.exit.facts().filter(|facts| facts.of.is_none() && !is_functions)
}

/// Returns the match as critical where the check failed, and as a warning where it passed: all output came, so commands work.
fn weighed(evidence: &Evidence, found: Match) -> Match {
    found.at(if evidence.exit.failed().is_some() { Severity::Critical } else { Severity::Warning })
}

/// The last command, and its repetitions.
fn runs(facts: &Facts) -> impl Iterator<Item = &Ran> {
    std::iter::once(&facts.ran).chain(&facts.again)
}

const OUTPUT_LOST: Cause = Cause {
    code: "exit-output-lost",
    stage: Check::Exit,
    title: "The end of a command's output is lost",
    severity: Severity::Critical,
    explanation: "The channel was closed normally, but less output arrived than the command had written. Servers and libraries \
        that close the channel before the output is drained lose its end. Scripts then see a short result and a \
        successful exit status.",
    fixes: &[
        Fix { side: Side::Server, summary: "Upgrade the SSH server", ..Fix::CHANGE },
        Fix { side: Side::Server, summary: "Show its version", snippet: Some("sshd -V"), ..Fix::LOOK },
        Fix {
            side: Side::Client,
            summary: "Until then, let COMMAND wait a moment after its last output",
            snippet: Some("ssh {alias} 'COMMAND; status=$?; sleep 1; exit $status'"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["output of the remote command is cut off at the end"],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.exit.failed()?;
        let lost: Vec<_> = runs(facts)
            .filter(|ran| {
                ran.closed && ran.status == Some(facts.given_status) && ran.stdout_bytes < facts.written_bytes
            })
            .collect();
        let shortest = lost.iter().map(|ran| ran.stdout_bytes).min()?;
        Some(Match::new(
            Certainty::Certain,
            [
                format!("{shortest} of {} bytes arrived before the server closed the channel", facts.written_bytes),
                format!("in {} of {} runs", lost.len(), 1 + facts.again.len()),
            ],
        ))
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::service::Service;
    use crate::facts::connection::GaveUp;
    use crate::facts::{Step, Timed, channel};

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
        let killed = Ran { signal: Some("KILL".into()), stdout_bytes: 65_536, closed: true, ..Ran::default() };
        assert_eq!(fired(killed), ["exit-by-signal"]);
        let untold = Ran { stdout_bytes: 65_536, closed: true, ..Ran::default() };
        assert_eq!(fired(untold), ["exit-without-status"]);
        let altered = Ran { status: Some(0), stdout_bytes: 65_536, closed: true, ..Ran::default() };
        assert_eq!(fired(altered), ["exit-status-altered"]);
        assert!(fired(Ran { connection_lost: true, ..Ran::default() }).is_empty());
    }

    #[test]
    fn commands_whose_output_is_cut_by_a_signal_do_not_work() {
        let killed = |stdout_bytes| Ran { signal: Some("KILL".into()), stdout_bytes, closed: true, ..Ran::default() };
        let judged = |step| {
            let evidence = Evidence { exit: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() };
            (BY_SIGNAL.judge)(&evidence).map(|found| (found.severity, found.title.is_some()))
        };
        let facts = |again| Facts { ran: killed(9), again, written_bytes: 9, given_status: 7, ..Facts::default() };
        assert_eq!(judged(Step::Failed(facts(vec![killed(5)]))), Some((Some(Severity::Critical), false)));
        assert_eq!(judged(Step::Passed(facts(vec![killed(9)]))), Some((Some(Severity::Warning), true)));
    }

    #[test]
    fn an_end_of_a_command_whose_output_came_breaks_nothing() {
        let judged = |ran: Ran, no_input: bool| {
            let facts = Facts { ran, written_bytes: 9, given_status: 7, ..Facts::default() };
            let channel = channel::Facts { mark_seen: true, no_input, ..channel::Facts::default() };
            let evidence = Evidence {
                exit: Timed { step: Step::Passed(facts), duration_ms: 1.0 },
                channel: Timed { step: Step::Passed(channel), duration_ms: 1.0 },
                ..Evidence::unexamined()
            };
            let found = CAUSES.iter().filter_map(|cause| Some((cause.code, (cause.judge)(&evidence)?.severity)));
            found.collect::<Vec<_>>()
        };
        let end = |status, signal: Option<&str>| Ran {
            status,
            signal: signal.map(Into::into),
            stdout_bytes: 9,
            closed: true,
            ..Ran::default()
        };
        let warning = Some(Severity::Warning);
        assert_eq!(judged(end(None, None), false), [("exit-without-status", warning)]);
        assert_eq!(judged(end(None, Some("KILL")), false), [("exit-by-signal", warning)]);
        assert_eq!(judged(end(Some(0), None), false), [("exit-status-altered", warning)]);
        assert_eq!(judged(end(Some(0), None), true), [("exit-status-altered", Some(Severity::Info))]);
        assert_eq!(judged(end(None, None), true), []);
        assert_eq!(judged(end(Some(7), None), false), []);
        let sftp = Facts { of: Some(Service::Sftp), ran: end(None, None), ..Facts::default() };
        let exit = Timed { step: Step::Passed(sftp), duration_ms: 1.0 };
        let evidence = Evidence { exit, ..Evidence::unexamined() };
        assert!(CAUSES.iter().all(|cause| (cause.judge)(&evidence).is_none()), "an sftp server has no status to keep");
    }
}
