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
    title: "The login shell leaves by itself when nothing is typed",
    severity: Severity::Critical,
    explanation: "A login shell on a terminal ended by itself at its prompt, with an exit status, while sessions that ran a command went on just as silent. That is the shell's own \
        limit: TMOUT in bash, ksh and zsh, autologout in tcsh. It counts what is typed, so no keepalive helps; programs that run in the shell are not ended.\n\n\
        TMOUT is often set for all users and made read-only as a policy: its owner decides.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "See the limit and who sets it",
            snippet: Some(
                "ssh -t {alias} 'echo TMOUT=$TMOUT; grep -rn TMOUT /etc/profile /etc/profile.d /etc/bash.bashrc ~/.profile ~/.bash_profile ~/.bashrc 2>/dev/null'",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Where the policy allows, take the limit away for this account",
            file: Some("~/.profile"),
            snippet: Some("unset TMOUT"),
            caution: Some("has no effect where the variable is read-only"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["timed out waiting for input: auto-logout", "auto-logout", "Connection to closed."],
    hides: &[],
    corroborated_by: &[testimony::tmout],
    judge: |evidence| {
        let facts = evidence.idle_deaths()?;
        let shell = facts.arms.iter().find(|arm| arm.is_left_by_shell())?;
        let (how, _) = shell.death()?;
        let commands_died = facts.arms.iter().any(|arm| {
            arm.holds == Holds::Command
                && matches!(arm.death(), Some((Manner::ExitStatus { .. } | Manner::ChannelClose, _)))
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
    title: "The server ends sessions on a terminal when nothing is typed, and no keepalive prevents it",
    severity: Severity::Critical,
    explanation: "The session with a login shell on a terminal was ended, its whole connection with it, while sessions that ran a command without a terminal were silent for longer and \
        lived. So no timer of the path did it, and nothing that counts packets: somebody counts what is typed. systemd-logind does so where StopIdleSessionSec is set (systemd 252 and \
        later), by the time at which the terminal was last used, and so do scripts and bastions that end idle users. A keepalive of either side types nothing.\n\n\
        We held one such session: a process that was ended by hand at that moment looks the same. The server's log tells.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "See whether systemd-logind ends idle sessions, and what was logged at that minute",
            snippet: Some(
                "systemd-analyze cat-config systemd/logind.conf | grep -i StopIdleSessionSec; journalctl -u systemd-logind -u ssh -u sshd --since -30min | tail -n 30",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Where the policy allows, let logind end no idle sessions",
            file: Some("/etc/systemd/logind.conf.d/idle.conf"),
            snippet: Some("[Login]\nStopIdleSessionSec=infinity"),
            caution: Some("often a policy: its owner decides; takes effect with systemctl restart systemd-logind"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Run long work without a terminal",
            snippet: Some("ssh -T {alias} COMMAND"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["Connection to closed by remote host.", "Connection to closed."],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.idle_deaths()?;
        let ended = |manner: &Manner| manner.is_of_connection();
        let terminal = facts.arms.iter().find(|arm| {
            arm.holds == Holds::Shell && matches!(arm.death(), Some((how, Sign::BeforeProbe)) if ended(how))
        })?;
        let (how, _) = terminal.death()?;
        let plain = facts.arms.iter().filter(|arm| arm.moves == Moves::Nothing && arm.holds == Holds::Command);
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
