//! The least specific messages: bare time limits and ends.

use super::family::When::{After, Always, Before, Between, Exchanging, NoVersion, Seen};
use super::family::{Family, Writer, is};
use super::sftp::NO_SFTP;
use super::stages::OF_A_VERSION;
use crate::facts::Check;
use crate::facts::log::Event;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &[
            "TimeoutError",
            "PipeTimeout",
            "socket.timeout",
            "timed out",
            "execution expired",
            "* timeout",
            "session timed out",
            "connection timed out",
            ": connection timeout",
            "{error,timeout}",
            "timeout in waiting",
            "Timeout expired: <n> MILLISECONDS",
            "Failed to get operation result within specified timeout",
            "Timeout connecting to <host>",
            "Timeout waiting for SSH",
            "clogin error: Error: TIMEOUT reached",
            "CRITICAL - Socket timeout after <n> seconds",
        ],
        candidates: &[
            is("tcp-filtered", Before(Check::Tcp), "nothing answers"),
            is("handshake-no-banner", NoVersion, "the connection was accepted, and no version came"),
            is("handshake-kex-stalled", Exchanging, "the key exchange stops"),
            is("auth-disconnected", Between(Check::Handshake, Check::Auth), "the login stops"),
            is("session-start-hangs", After(Check::Auth), "the session does not start"),
            is(
                "session-start-hangs",
                Seen(&["/paramiko/channel.py", "in _wait_for_event", "chan.recv("]),
                "the connection was open, and the command or shell printed nothing",
            ),
            is("tcp-filtered", Always, "nothing answers: a firewall drops the packets, or the host is down"),
            is("handshake-no-banner", Always, "the connection is accepted, and no version comes"),
            is("auth-slow", Always, "the login takes longer than the client waits"),
            is("idle-silent-drop", Always, "the session was open, and idle"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Did not find mosh server startup message"],
        is_wrapper: true,
        candidates: &[
            is("session-command-missing", Always, "ssh HOST mosh-server --version fails: mosh is not installed there"),
            is("session-shell-exits", Always, "ssh HOST true fails too: the shell or a start-up file ends the session"),
            is("session-rc-output", Always, "a start-up file prints, or clears the screen, after mosh-server began"),
            is(
                "session-locale-missing",
                Always,
                "mosh-server wants a UTF-8 locale (LANG, LC_ALL), and the server has none",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["mosh: Did not find remote IP address"],
        is_wrapper: true,
        candidates: &[
            is(
                "config-proxy-command",
                Always,
                "ssh_config has a ProxyCommand or a ControlPath for the host, in place of mosh's own",
            ),
            is(
                "tcp-refused",
                Always,
                "sshd listens on another port: mosh's -p is that of UDP, and --ssh='ssh -p PORT' sets ssh's",
            ),
            is("jump-proxy-command-failed", Always, "the proxy that mosh gives ssh cannot connect either"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Nothing received from server on UDP port <port>",
            "mosh did not make a successful connection",
            "mosh did not make a successful connection to",
        ],
        is_named: true,
        candidates: &[
            is("path-udp-blocked", Always, "mosh-server runs there, and no packet reaches it or comes back"),
            is(
                "exit-by-signal",
                Always,
                "pgrep mosh-server on the server finds none: systemd ends what a login leaves (KillUserProcesses)",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["mosh: Last contact <n> seconds ago", "mosh: Last reply <n> seconds ago"],
        candidates: &[
            is("network-outage", Always, "it worked before: the network of this machine or of the server is down"),
            is("path-udp-blocked", Always, "it comes at the start of every session: a firewall drops UDP"),
            is("server-stalled", Always, "the server hangs, or was paused"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Connection closed", "Connection terminated", "connection lost"],
        unless: &[Event::CommandEnded, Event::ExitStatus],
        is_wrapper: true,
        candidates: &[
            is(
                "session-subsystem-missing",
                Always,
                "sftp or scp prints it, and ssh works: the server has no sftp-server",
            ),
            is("handshake-closed-before-banner", Always, "ssh -v shows no remote software version"),
            is("auth-disconnected", Always, "ssh -v shows that keys were exchanged, and no login"),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is("idle-closed", Always, "the session was open, and idle"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "hangs on exit",
            "hangs on logout",
            "hangs at exit",
            "ssh does not return after the remote command has ended",
        ],
        is_named: true,
        candidates: &[
            is(
                "exit-hangs",
                Always,
                "a process in the background, or a start-up file's, holds the session's output open",
            ),
            is(
                "config-master-shared",
                Always,
                "the command returns with -o ControlPath=none: the control master stays",
            ),
            is("idle-silent-drop", Always, "nothing typed is answered either: the connection is dead, and ~. ends it"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Session has been closed",
            "session is closing or closed",
            "Session is closed",
            "Session was closed",
            "connection.ConnectionException: Stream closed",
        ],
        candidates: &[
            is("handshake-closed-before-banner", Before(Check::Handshake), "it comes before the key exchange ends"),
            is("auth-disconnected", Between(Check::Handshake, Check::Auth), "it comes during the login"),
            is("idle-closed", After(Check::Auth), "the session was open, and idle"),
            is("handshake-closed-before-banner", Always, "it comes while the client connects"),
            is("auth-disconnected", Always, "it comes during the login"),
            is("idle-closed", Always, "the session was open, and idle"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["EOFError"],
        candidates: &[
            is(
                "session-subsystem-missing",
                Seen(&["paramiko/sftp.py", "sftp_client.py"]),
                "sftp was asked for, and the server closed the channel",
            ),
            is("handshake-closed-before-banner", Seen(OF_A_VERSION), "the server's version was waited for"),
            is("handshake-closed-before-banner", NoVersion, "it comes before the server's version"),
            is("handshake-kex-failed", Exchanging, "it comes during the key exchange"),
            is("auth-disconnected", Between(Check::Handshake, Check::Auth), "it comes during the login"),
            is("idle-closed", Always, "the session was open: the server or the path closed it"),
            is("handshake-closed-before-banner", Always, "it comes while the client connects"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "unable to start the sftp session",
            "couldn't initialise SFTP",
            "error receiving version packet from server",
            "unable to initialise SFTP",
            "sftp transfer mechanism failed on",
            "Received EOF while reading sftp packet",
            "did not receive SFTP response packet from server",
        ],
        is_wrapper: true,
        candidates: NO_SFTP,
        ..Family::NEW
    },
    Family {
        // The last words of a process of sshd, where no other text tells of its end.
        texts: &["fatal: <why>"],
        writer: Writer::Server,
        is_wrapper: true,
        candidates: &[
            is("session-shell-exits", After(Check::Auth), "it comes right after the login: sshd gives the session up"),
            is("auth-disconnected", Between(Check::Handshake, Check::Auth), "it comes during the login"),
            is("handshake-kex-failed", Exchanging, "it comes during the key exchange"),
            is("auth-disconnected", After(Check::Tcp), "a client had connected, and its connection ends so"),
            is("server-start-failed", Always, "nobody gets in: sshd ends as it starts"),
            is("auth-disconnected", Always, "only some connections end so"),
        ],
        ..Family::NEW
    },
];
