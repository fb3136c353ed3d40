//! Ends that every session has: they are complaints where it ran nothing.

use super::family::When::{Always, ShellFailed, SoonAfterLogin};
use super::family::{Family, is};
use crate::facts::log::Event;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &["debug1: Exit status 254"],
        candidates: &[
            is("session-pam-refused", ShellFailed(5), "it comes right after the login: sshd's own status"),
            is("session-shell-exits", ShellFailed(5), "sshd's log names no module of PAM: the shell ends so"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["debug1: Exit status <status>"],
        candidates: &[
            is(
                "session-shell-exits",
                ShellFailed(1),
                "it comes right after the login: the shell or a start-up file ends with an error",
            ),
            is("session-pam-refused", ShellFailed(1), "sshd's log names PAM, or a limit of the account"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Connection to <host> closed.", "Shared connection to <host> closed"],
        unless: &[Event::CommandEnded, Event::ExitStatus, Event::Transferred],
        is_an_end: true,
        candidates: &[
            is("session-shell-exits", SoonAfterLogin(2), "it comes as the session opens"),
            is("session-shell-exits", Always, "it comes right after the login: the shell or a start-up file ends"),
            is("idle-shell-timeout", Always, "the session was idle at a prompt: TMOUT"),
            is("idle-channel-timeout", Always, "the session was idle, keepalives or not: ChannelTimeout"),
            is("session-forced-command", Always, "the key or the account runs a command of its own"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Killed by signal <n>."],
        unless: &[Event::CommandEnded, Event::ExitStatus, Event::Transferred, Event::Succeeded],
        is_wrapper: true,
        is_an_end: true,
        candidates: &[
            is(
                "exit-by-signal",
                Always,
                "something on this machine ended ssh: a closed terminal (1), Ctrl-C (2), a time limit (15)",
            ),
            is(
                "jump-proxy-command-failed",
                Always,
                "no session opened: a ProxyCommand's or jump host's ssh prints it as it ends (else it is harmless)",
            ),
        ],
        ..Family::NEW
    },
];
