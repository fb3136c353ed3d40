//! The causes that programs in a session name: its terminal, the type of it, its language, and a failure of their own.

use super::{Cause, Fix, Severity, Side};
use crate::facts::Check;

/// The causes that programs in a session name.
pub static CAUSES: &[Cause] = &[NO_TERMINAL, TERMINAL_UNKNOWN, LOCALE_MISSING, COMMAND_FAILED];

const COMMAND_FAILED: Cause = Cause {
    code: "exit-command-failed",
    stage: Check::Exit,
    title: "The remote command failed by itself: SSH carried it out",
    severity: Severity::Info,
    explanation: "The login worked, the server ran the command, and the command printed a complaint and ended with a status other \
        than 0. ssh passes that status on. What the command complains of is its own business: its arguments, its files, its \
        environment on the server. ssh's own failures have the status 255.\n\n\
        A command runs without a login shell there: its PATH, its variables and its terminal are other than at a prompt.\n\n\
        So do sftp, scp and git fail in a session that works, where the account may not read or write a file or folder, or the \
        path is wrong.",
    fixes: &[
        Fix { summary: "Run the command at a prompt of the account", snippet: Some("ssh -t {alias}"), ..Fix::LOOK },
        Fix {
            summary: "Compare the environment of a command with that of a prompt",
            snippet: Some("ssh {alias} env"),
            ..Fix::LOOK
        },
        Fix {
            summary: "Show owner and mode of a file or folder that is refused",
            snippet: Some("ssh {alias} ls -ld PATH"),
            caution: Some("replace PATH"),
            ..Fix::LOOK
        },
    ],
    ..Cause::NEW
};

const NO_TERMINAL: Cause = Cause {
    code: "session-no-terminal",
    stage: Check::Channel,
    title: "ssh requests no terminal: its standard input is not one",
    severity: Severity::Info,
    explanation: "A terminal was wanted (-t, RequestTTY), and ssh's standard input is a pipe, a file or nothing: in a script, in cron, \
        in CI, or behind another ssh without -t. The session works without one; programs that need one (sudo with a \
        password, vi, top) complain.",
    fixes: &[Fix {
        summary: "Force a terminal, if the program needs one",
        snippet: Some("ssh -tt {alias} COMMAND"),
        caution: Some("replace COMMAND; a terminal alters what programs exchange: not for scp, rsync, git or data"),
        ..Fix::CHANGE
    }],
    symptoms: &[
        "Pseudo-terminal will not be allocated because stdin is not a terminal",
        "sorry, you must have a tty to run sudo",
        "no tty present and no askpass program",
        "a terminal is required to read the password",
        "stdin: is not a tty",
        "the input device is not a TTY",
        "TERM environment variable not set",
        "No value for $TERM",
        "standard input: Inappropriate ioctl for device",
        "'standard input': Inappropriate ioctl for device",
        "tcgetattr: Inappropriate ioctl for device",
        "ttyname failed: Inappropriate ioctl for device",
        "cannot set terminal process group",
        "no job control in this shell",
        "Must be connected to a terminal",
        "open terminal failed: not a terminal",
        "top: failed tty get",
        "Output is not to a terminal",
        "must be run from a terminal",
        "Standard input is not a terminal",
        "Input is not from a terminal",
        "Please set a terminal type",
    ],
    ..Cause::NEW
};

const TERMINAL_UNKNOWN: Cause = Cause {
    code: "session-terminal-unknown",
    stage: Check::Channel,
    title: "The server does not know the terminal type (TERM)",
    severity: Severity::Warning,
    explanation: "ssh passes TERM on, and the server has no terminfo entry for it: a terminal such as kitty, Alacritty, Ghostty, foot \
        or tmux is newer than the server's list, or the list is a minimal one. Programs that draw on the screen (vi, top, less, \
        tmux, clear) refuse to start or draw wrongly. The connection itself works.",
    fixes: &[
        Fix {
            summary: "Copy the entry of this terminal into the account",
            snippet: Some("infocmp -x | ssh {alias} -- tic -x -"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Or pass a type that every server knows",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    SetEnv TERM=xterm-256color"),
            caution: Some("OpenSSH 8.7 and later; before that: TERM=xterm-256color ssh {alias}"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Or install the full list (Debian and Ubuntu)",
            snippet: Some("sudo apt-get install ncurses-term"),
            caution: Some("the terminal may be newer than this list too"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "unknown terminal type",
        "Error opening terminal: <name>",
        "unknown terminal \"<name>\"",
        "can't find terminal definition for <name>",
        "No entry for terminal type \"<name>\"",
        "missing or unsuitable terminal: <name>",
        "Cannot find terminfo entry for",
        "I don't know what type of terminal",
        "terminal is not fully functional",
        "terminals database is inaccessible",
        "Unknown terminal: <name>",
        "Terminal type <name> unknown",
    ],
    ..Cause::NEW
};

const LOCALE_MISSING: Cause = Cause {
    code: "session-locale-missing",
    stage: Check::Channel,
    title: "The server lacks the locale that the client passes on (LANG, LC_*)",
    severity: Severity::Warning,
    explanation: "ssh passes LANG and LC_* on (SendEnv), and the server has no such locale: programs warn and fall back to C, and \
        mosh, which needs UTF-8, does not start. macOS passes LC_CTYPE=UTF-8, which no other system knows. The connection \
        itself works.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Show which locales there are, and which one is wanted",
            snippet: Some("locale -a; locale"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Make the locale (Debian and Ubuntu)",
            snippet: Some("sudo locale-gen en_US.UTF-8"),
            caution: Some("replace en_US.UTF-8 by the locale in the message"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Or pass one that every current server has",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    SetEnv LC_ALL=C.UTF-8"),
            caution: Some("the server's AcceptEnv must name LC_*, as Debian's and Red Hat's do"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "setlocale: LC_<what>: cannot change locale",
        "perl: warning: Setting locale failed",
        "locale: Cannot set LC_<what> to default locale",
        "unsupported locale setting",
        "mosh requires a UTF-8 locale",
        "mosh-server needs a UTF-8 native locale to run",
        "needs a UTF-8 native locale to run",
        "can't set the locale; make sure $LC_* and $LANG are correct",
    ],
    ..Cause::NEW
};
