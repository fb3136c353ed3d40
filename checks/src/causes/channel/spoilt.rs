//! Causes that spoil sessions which the server opens: extra output, a limit, an early end, a root directory without a shell.

use super::shared::{SLOW_MS, TRY_SFTP, commands};
use crate::base::text::sanitize;
use crate::causes::shared::RELOAD;
use crate::causes::software::is_openssh;
use crate::causes::{Cause, Fix, Match, Severity, Side, testimony};
use crate::facts::certainty::Certainty;
use crate::facts::channel::{Facts, Sessions};
use crate::facts::connection::Manner;
use crate::facts::{Check, Evidence};

/// MaxSessions of sshd_config(5) where nothing else is set.
const USUAL_SESSIONS: u32 = 10;
/// Sessions of ours that have ended and may still count: a process of theirs lives on, such as a recorder.
const LINGERING: u32 = 2;
/// The longest packet that sftp takes; a first length beyond it is text (SFTP_MAX_MSG_LENGTH of OpenSSH).
const LONGEST_SFTP: u32 = 256 * 1024;

pub(super) const RC_OUTPUT: Cause = Cause {
    code: "session-rc-output",
    stage: Check::Channel,
    title: "Extra output in every command breaks sftp, scp and rsync",
    severity: Severity::Warning,
    explanation: "Other output came before or in the middle of our command's output. Sources are the account's start-up files \
        (.bashrc, .cshrc, .zshenv, ~/.ssh/rc, /etc/profile.d through BASH_ENV), a forced command's wrapper, or a \
        background process started by them. Commands work, but rsync, scp -O, Git and unison read the text as their \
        own protocol and fail. So does sftp if its server is started through the shell.\n\n\
        sftp prints such text as a number: it reads the first four letters as a length.",
    fixes: &[
        Fix {
            side: Side::Server,
            when: |evidence| !comes_later(evidence),
            summary: "Let start-up files print in interactive shells only: put this first in ~/.bashrc",
            file: Some("~/.bashrc"),
            snippet: Some("case $- in *i*) ;; *) return ;; esac"),
            caution: Some("lines below it no longer run for commands; set a PATH that they need above it"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Start background processes with their output redirected",
            snippet: Some("nohup COMMAND </dev/null >/dev/null 2>&1 &"),
            caution: Some("replace COMMAND by the one that the start-up file runs"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Show what is printed: this must print nothing",
            snippet: Some("ssh {alias} true | od -c | head"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Serve sftp without a shell",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("Subsystem sftp internal-sftp"),
            caution: Some("fixes sftp only; replace the existing line"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "couldn't initialise SFTP: packet too long",
        "Received message too long",
        "Ensure the remote shell produces no output",
        "is your shell clean?",
        "protocol error: bad line length character",
        "Received message is too long",
        "Unexpected input from server",
        "Garbage packet received",
    ],
    hides: &[],
    judge: |evidence| {
        let facts = commands(evidence)?;
        let printed = facts.other_output.as_ref().map(|text| format!("before our command's output came \"{text}\""));
        let between = evidence.transfer.facts().and_then(|facts| facts.inserted.first());
        let between = between.map(|text| {
            format!("in the middle of data that our command sent back came \"{}\", and behind it the rest", text.text)
        });
        let last = evidence.exit.facts().and_then(|facts| facts.other_output.as_ref());
        let last = last.map(|text| format!("with the last output of our command came \"{text}\""));
        let said = facts.capabilities.sftp_said.as_ref().filter(|said| said.not_found().is_none());
        let preceded = said.and_then(|said| {
            let text = printed_before(said.first_bytes.as_ref()?);
            let number = said.first_length.filter(|length| *length > LONGEST_SFTP)?;
            Some(format!("before the sftp server's first packet came \"{text}\": sftp prints \"Received message too long {number}\""))
        });
        let because: Vec<_> = [printed, between, last, preceded].into_iter().flatten().collect();
        (!because.is_empty()).then(|| Match::new(Certainty::Certain, because))
    },
    ..Cause::NEW
};

/// True where text came in the middle of data only: a process prints it in the background, not a file at the start.
fn comes_later(evidence: &Evidence) -> bool {
    let at_start = evidence.channel.facts().is_some_and(|facts| facts.other_output.is_some());
    !at_start && evidence.transfer.facts().is_some_and(|facts| !facts.inserted.is_empty())
}

/// The text up to the server's own first packet, whose length begins with a zero, and no more than a line of it.
fn printed_before(escaped: &str) -> String {
    const LINE: usize = 60;
    let text = escaped.split("\\u{0}").next().unwrap_or_default();
    let text = text.strip_suffix("\\n").unwrap_or(text);
    if text.chars().count() <= LINE { text.to_owned() } else { text.chars().take(LINE).chain(['…']).collect() }
}

pub(super) const MAX_SESSIONS: Cause = Cause {
    code: "channel-max-sessions",
    stage: Check::Channel,
    title: "The server limits sessions per connection (MaxSessions)",
    severity: Severity::Info,
    explanation: "Session channels above a number were refused while earlier ones were open. OpenSSH does so at MaxSessions \
        (default 10), with reason 2 and the text \"open failed\". Clients that share one connection (ControlMaster, \
        Ansible, remote editors, paramiko) are affected; with MaxSessions 1 no second session can be opened.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Allow more sessions on a connection",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("MaxSessions 10"),
            caution: Some(RELOAD),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Use a separate connection for each session",
            snippet: Some("ssh -o ControlPath=none {alias}"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "mux_client_request_session: session request failed: Session open refused by peer",
        "Session open refused by peer",
        "no more sessions",
    ],
    hides: &[],
    corroborated_by: &[testimony::max_sessions],
    judge: |evidence| {
        let facts = commands(evidence)?;
        let Sessions { open, refused, ended } = facts.capabilities.sessions_at_once.as_ref()?;
        // sshd counts a session that we closed until its start-up files are through.
        if *open > 1 && facts.started_ms().is_some_and(|ms| ms > SLOW_MS) {
            return None;
        }
        let what = match refused {
            Some((code, text)) => format!("another session was refused with reason {code}, \"{}\"", sanitize(text)),
            None if *ended => "the server ended the connection as another session was asked for".to_owned(),
            None => return None,
        };
        let found = Match::new(Certainty::Certain, [format!("with {open} open, {what}")]);
        match open {
            0 => None,
            fewer if *fewer + LINGERING >= USUAL_SESSIONS => None,
            // Others have a single session by their nature.
            1 if is_openssh(evidence) => Some(found.at(Severity::Warning)),
            _ => Some(found),
        }
    },
    ..Cause::NEW
};

pub(super) const CLOSED_EARLY: Cause = Cause {
    code: "channel-closed-early",
    stage: Check::Channel,
    title: "The server opens a session channel and closes it without an answer",
    severity: Severity::Critical,
    explanation: "The session channel was opened, and the server closed it before it answered the request to run a command. The \
        connection stayed up. No setting of OpenSSH does this. Bastions and appliances that end sessions by policy do, \
        and servers with an internal error.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Read what the server logged about this session",
            snippet: Some("journalctl -u ssh -u sshd --since -10min | grep -wF -e '{user}'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Check whether an interactive session works",
            snippet: Some("ssh -tt {alias}"),
            ..Fix::LOOK
        },
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.channel.failed()?;
        let ran = &facts.ran;
        (ran.open_ms.is_some()
            && ran.closed
            && !facts.was_started()
            && ran.accepted.is_none()
            && facts.ending.is_none())
        .then(|| Match::new(Certainty::Certain, ["the channel was closed before the command was accepted or refused"]))
    },
    ..Cause::NEW
};

pub(super) const CHROOT_FAILED: Cause = Cause {
    code: "session-chroot-failed",
    stage: Check::Channel,
    title: "sshd cannot use the account's root directory (ChrootDirectory)",
    severity: Severity::Critical,
    explanation: "sshd ends the connection right after the login if the ChrootDirectory, or a directory above it, is not owned \
        by root or is writable by others. In a ChrootDirectory without a shell, sessions end with \"No such file or \
        directory\": the account's shell, or a library that it needs, is missing there.\n\n\
        A crash of the login process also ends the connection right after the login, and so does a firewall that \
        resets packets with ssh's DSCP marking (there `ssh -o IPQoS=none` works). sshd's log names the reason. \
        Accounts for sftp only use ForceCommand internal-sftp, which needs no shell.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Show the account's root directory and shell",
            snippet: Some(
                "sshd -T -C user={user},host=localhost,addr=127.0.0.1 | grep -i chroot; getent passwd {user}",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Show who owns DIRECTORY and those above it: root alone may write to each",
            snippet: Some("ls -ld / DIRECTORY DIRECTORY/.."),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Make root the owner; the account writes to directories inside it",
            snippet: Some("sudo chown root:root DIRECTORY && sudo chmod 755 DIRECTORY"),
            caution: Some("replace DIRECTORY; the account can then no longer write to the top of it"),
            ..Fix::CHANGE
        },
        TRY_SFTP,
    ],
    symptoms: &[
        "fatal: safely_chroot:",
        "bad ownership or modes for chroot",
        "chroot(\"<file>\")",
        "Unable to chdir to chroot path",
        "chroot path <file> is not a directory",
        "chroot path does not begin at root",
        "server lacks privileges to chroot to ChrootDirectory",
        "/bin/bash: No such file or directory",
        "/bin/sh: No such file or directory",
    ],
    hides: &["session-shell-exits"],
    judge: |evidence| {
        let facts = evidence.channel.failed()?;
        if let Some(said) = facts.words().find(|words| NO_ROOT.iter().any(|said| words.contains(said))) {
            return Some(Match::new(Certainty::Certain, [format!("standard error said \"{said}\"")]));
        }
        if ends_after_login(evidence, facts) {
            let seen = "the server accepted the login, and ended the connection before a channel was open";
            return Some(Match::new(Certainty::Possible, [seen]));
        }
        let said = facts.missing_shell()?;
        Some(Match::new(Certainty::Likely, [format!("standard error said \"{said}\"")]))
    },
    ..Cause::NEW
};

/// The text that sshd says of a root directory that others than root may change, or that is not there (safely_chroot in its session.c).
const NO_ROOT: [&str; 2] = ["bad ownership or modes for chroot directory", "safely_chroot"];

/// True if OpenSSH ended the connection between the login and the first channel, as it does where it cannot enter an account's root
/// directory. To root it does so for another reason (PermitRootLogin), and prints this one in the session.
pub(crate) fn ends_after_login(evidence: &Evidence, facts: &Facts) -> bool {
    let at_once = facts.ended_before_any_channel() && matches!(facts.ending, Some(Manner::Fin | Manner::Reset));
    at_once && is_openssh(evidence) && evidence.target.user != "root"
}

#[cfg(test)]
mod tests {
    use crate::causes::channel::CAUSES;
    use crate::facts::channel::{Capabilities, Facts, Sessions, Sftp};
    use crate::facts::connection::Ran;
    use crate::facts::{Evidence, Step, Timed};

    fn fired(step: Step<Facts>) -> Vec<&'static str> {
        let evidence = Evidence { channel: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() };
        CAUSES.iter().filter(|cause| (cause.judge)(&evidence).is_some()).map(|cause| cause.code).collect()
    }

    fn passed(capabilities: Capabilities) -> Step<Facts> {
        Step::Passed(Facts { capabilities: Box::new(capabilities), mark_seen: true, ..Facts::default() })
    }

    #[test]
    fn text_before_the_command_or_before_sftp_is_the_same_cause() {
        let printed = Facts { other_output: Some("Welcome".into()), mark_seen: true, ..Facts::default() };
        assert_eq!(fired(Step::Passed(printed)), ["session-rc-output"]);
        let sftp_said = Some(Sftp::of(b"Welcome to db\n"));
        assert_eq!(fired(passed(Capabilities { sftp_said, ..Capabilities::default() })), ["session-rc-output"]);
        let sftp_said = Some(Sftp::of(&[0, 0, 0, 95, 2, 0, 0, 0, 3]));
        assert!(fired(passed(Capabilities { sftp_said, ..Capabilities::default() })).is_empty());
        assert_eq!(super::printed_before("Welcome\\n\\u{0}\\u{0}\\u{1}>"), "Welcome");
        assert_eq!(super::printed_before(&"x".repeat(300)).chars().count(), 61);
    }

    #[test]
    fn sessions_that_are_slow_to_start_are_not_counted() {
        let at = |open, duration_ms| {
            let sessions = Sessions { open, refused: Some((2, "open failed".to_owned())), ended: false };
            let capabilities = Capabilities { sessions_at_once: Some(sessions), ..Capabilities::default() };
            let Step::Passed(facts) = passed(capabilities) else { panic!("it passed") };
            // The start-up files greet at once.
            let ran = Ran { first_output_ms: Some(5.0), duration_ms, ..facts.ran.clone() };
            fired(Step::Passed(Facts { ran, ..facts }))
        };
        assert_eq!(
            (at(7, 11_000.0).contains(&"channel-max-sessions"), at(7, 50.0)),
            (false, vec!["channel-max-sessions"])
        );
        assert!(at(1, 11_000.0).contains(&"channel-max-sessions"), "the first command alone was open");
    }

    #[test]
    fn only_fewer_sessions_than_usual_are_worth_a_word() {
        let at = |open, refused: bool| {
            let refused = refused.then(|| (2, "open failed".to_owned()));
            fired(passed(Capabilities {
                sessions_at_once: Some(Sessions { open, refused, ended: false }),
                ..Capabilities::default()
            }))
        };
        assert_eq!(at(1, true), ["channel-max-sessions"]);
        assert_eq!(at(7, true), ["channel-max-sessions"]);
        assert!(at(8, true).is_empty() && at(10, true).is_empty() && at(24, false).is_empty());
    }

    #[test]
    fn an_early_close_and_a_missing_shell_are_told_from_a_shell_that_exits() {
        let ended = |accepted, status, stderr: Option<&str>| {
            let ran = Ran { open_ms: Some(1.0), accepted, closed: true, status, ..Ran::default() };
            fired(Step::Failed(Facts { ran, stderr: stderr.map(Into::into), ..Facts::default() }))
        };
        assert_eq!(ended(None, None, None), ["channel-closed-early"]);
        assert_eq!(
            ended(Some(true), Some(1), Some("/bin/sh: No such file or directory\\r\\n")),
            ["session-chroot-failed", "session-shell-exits"]
        );
        assert_eq!(
            ended(Some(true), Some(127), Some("sh: 1: exec: /x: No such file or directory\\n")),
            ["session-command-missing", "session-shell-exits"]
        );
    }
}
