//! Sessions on a terminal that end when nothing is typed, while others go on.

use super::timer::outlived;
use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side, sessions, testimony};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::idle::{Holds, Moves, Sign, StretchEnd};

pub(super) const SHELL_TIMEOUT: Cause = Cause {
    code: "idle-shell-timeout",
    stage: Check::Idle,
    title: "The login shell exits when nothing is typed (TMOUT)",
    severity: Severity::Critical,
    explanation: "A login shell on a terminal exited by itself at its prompt, with an exit status, while sessions that ran a \
        command survived the same idle time. This is the shell's own limit: TMOUT in bash, ksh and zsh, autologout in \
        tcsh. It counts typed input, so no keepalive helps; programs running in the shell are not ended.\n\n\
        TMOUT is often set for all users and read-only, as a policy: its owner decides.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Show the limit, and the file that sets it",
            snippet: Some(
                "ssh -t {alias} 'echo TMOUT=$TMOUT; grep -rn TMOUT /etc/profile /etc/profile.d /etc/bash.bashrc ~/.profile ~/.bash_profile ~/.bashrc 2>/dev/null'",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "If the policy allows it, remove the limit for this account",
            file: Some("~/.profile"),
            snippet: Some("unset TMOUT"),
            caution: Some("it has no effect if the variable is read-only"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["timed out waiting for input: auto-logout", "auto-logout"],
    hides: &[],
    corroborated_by: &[testimony::tmout],
    judge: |evidence| {
        let facts = evidence.idle_deaths()?;
        let shell = facts.arms.iter().find(|arm| arm.is_left_by_shell())?;
        let (how, _) = shell.death()?;
        let commands_died = facts.arms.iter().any(|arm| {
            arm.holds.is_plain() && matches!(arm.death(), Some((Manner::ExitStatus { .. } | Manner::ChannelClose, _)))
        });
        (!commands_died && outlived(shell)).then(|| {
            Match::new(
                Certainty::Certain,
                [
                    format!("a login shell at its prompt ended after {}: {}", seconds(shell.lasted_s), how.words()),
                    "sessions that held a command instead of a shell went on".to_owned(),
                ],
            )
        })
    },
    judge_sessions: sessions::left_by_shell,
    ..Cause::NEW
};

pub(super) const TERMINAL_TIMEOUT: Cause = Cause {
    code: "idle-terminal-timeout",
    stage: Check::Idle,
    title: "The server ends idle terminal sessions; keepalives do not help",
    severity: Severity::Critical,
    explanation: "A session with a login shell on a terminal was ended with its whole connection, while sessions without a \
        terminal survived more idle time. So it is neither a timer in the path nor one that counts packets, but one \
        that counts typed input. systemd-logind does this if StopIdleSessionSec is set (systemd 252 and later), by the \
        terminal's last use, and so do scripts and bastions that end idle users. Keepalives do not count as input.\n\n\
        One such session was observed: a process ended by hand at that moment looks the same. The server's log shows \
        which it was.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Check whether systemd-logind ends idle sessions, and read the log of that minute",
            snippet: Some(
                "systemd-analyze cat-config systemd/logind.conf | grep -i StopIdleSessionSec; journalctl -u systemd-logind -u ssh -u sshd --since -30min | tail -n 30",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "If the policy allows it, disable logind's idle limit",
            file: Some("/etc/systemd/logind.conf.d/idle.conf"),
            snippet: Some("[Login]\nStopIdleSessionSec=infinity"),
            caution: Some("often a policy: its owner decides; apply it with systemctl restart systemd-logind"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Run a long COMMAND without a terminal",
            snippet: Some("ssh -T {alias} COMMAND"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["idle-timeout"],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.idle_deaths()?;
        // A server closes the connection: nothing was left unread on it, for which it would be reset.
        let ended = |manner: &Manner| manner.is_of_connection() && *manner != Manner::Reset;
        let terminal = facts.arms.iter().find(|arm| {
            arm.holds == Holds::Shell && matches!(arm.death(), Some((how, Sign::BeforeProbe)) if ended(how))
        })?;
        let (how, _) = terminal.death()?;
        let plain = facts.arms.iter().filter(|arm| arm.moves == Moves::Nothing && arm.holds.is_plain());
        let lived = plain.filter(|arm| matches!(arm.end, StretchEnd::Alive { .. })).map(|arm| arm.lasted_s);
        let longest = lived.max_by(f64::total_cmp).filter(|longest| *longest >= terminal.lasted_s)?;
        (facts.deaths().is_empty() && outlived(terminal)).then(|| {
            Match::new(
                Certainty::Likely,
                [
                    format!(
                        "a login shell at its prompt, on a terminal, was ended after {} by {}",
                        seconds(terminal.lasted_s),
                        how.words()
                    ),
                    format!("a session without a terminal was silent for {}, and answered", seconds(longest)),
                    "sessions that were kept alive went on, and a fresh login worked".to_owned(),
                ],
            )
        })
    },
    ..Cause::NEW
};
