//! What says least: programs that have ssh make their connection, and bare time limits.

use super::family::When::{After, Always, Before, Between, Exchanging, NoVersion};
use super::family::{Family, Writer, is};
use crate::facts::Check;
use crate::facts::log::Event;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &["SSH2_MSG_KEXINIT sent", "SSH_MSG_KEXINIT sent", "Outbound: Sending KEXINIT", "sending KEXINIT"],
        writer: Writer::Client,
        unless: &[Event::NewkeysReceived, Event::KexReplyAwaited],
        is_wrapper: false,
        is_named: false,
        candidates: &[
            is(
                "path-mtu-blackhole",
                Always,
                "a VPN or tunnel is on the path, and a shorter proposal gets further (-c aes128-ctr -m hmac-sha2-256)",
            ),
            is(
                "handshake-kex-stalled",
                Always,
                "short and long proposals stop alike: a hung server or an inspecting firewall",
            ),
            is("handshake-kex-failed", Always, "the connection is closed at once"),
        ],
    },
    Family {
        texts: &[
            "rsync error: unexplained error (code 255)",
            "exited with status 255",
            "exit status 255",
            "exit code 255",
            "Process exited with code 255",
            "non-zero return code 255",
            "returned non-zero exit status 255",
            "ssh exited with status 255",
            "ssh exited with error status 255",
            "ssh exited prematurely with status 255",
            "rc=255",
            "code 255",
        ],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: true,
        is_named: false,
        candidates: &[
            is("auth-key-rejected", Always, "ssh by hand prints Permission denied"),
            is("tcp-filtered", Always, "ssh by hand prints Connection timed out"),
            is("hostkey-unknown", Always, "ssh by hand asks about the host key"),
            is("idle-silent-drop", Always, "it comes in the middle of a session that was quiet"),
            is("exit-by-signal", Always, "the command was killed: ssh prints nothing then, and exits 255"),
            is(
                "idle-channel-timeout",
                Always,
                "the session was idle: ChannelTimeout closes it without a word, and ssh exits 255",
            ),
        ],
    },
    Family {
        texts: &[
            "error in rsync protocol data stream (code 12)",
            "rsync: connection unexpectedly closed",
            "code 12)",
            "connection unexpectedly closed (",
        ],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: true,
        is_named: false,
        candidates: &[
            is(
                "session-command-missing",
                Always,
                "ssh HOST rsync --version fails: rsync is not installed, or not on the PATH",
            ),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is("server-disk-full", Always, "the disk of the receiver is full"),
            is(
                "transfer-truncated",
                Always,
                "it comes in the middle of a transfer: the connection died, or rsync was killed there",
            ),
            is("session-restricted", Always, "the account runs other commands only"),
        ],
    },
    Family {
        texts: &[
            "fatal: Could not read from remote repository",
            "the remote end hung up unexpectedly",
            "ERROR: Permission to <what> denied to",
            "Repository not found",
        ],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: true,
        is_named: false,
        candidates: &[
            is("auth-key-rejected", Always, "ssh -T git@HOST prints Permission denied (publickey)"),
            is(
                "session-restricted",
                Always,
                "ssh -T git@HOST greets you: this key may not read the repository, or its name is wrong",
            ),
            is("hostkey-unknown", Always, "ssh -T git@HOST asks about the host key"),
            is(
                "tcp-filtered",
                Always,
                "ssh -T git@HOST times out: port 22 is filtered (ssh.github.com:443 and the like)",
            ),
        ],
    },
    Family {
        texts: &[
            "Failed to connect to the host via ssh: <why>",
            "UNREACHABLE! =>",
            "Could not establish connection to",
            "Failed to parse remote port from server output",
            "The process tried to write to a nonexistent pipe",
            "Resolver error:",
            "Remote host failed to connect",
        ],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: true,
        is_named: false,
        candidates: &[
            is("auth-key-rejected", Always, "ssh by hand prints Permission denied"),
            is("tcp-filtered", Always, "ssh by hand times out"),
            is("hostkey-changed", Always, "ssh by hand says that the host key has changed"),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is("channel-forwarding-prohibited", Always, "ssh works, and -L does not: AllowTcpForwarding"),
        ],
    },
    Family {
        texts: &[
            "TimeoutError",
            "timed out",
            "Authentication timeout.",
            "AuthenticationException: Authentication timeout",
            "execution expired",
            "session timed out",
            "connection timed out",
            "{error,timeout}",
            "Timeout opening channel",
            "timeout in waiting",
        ],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: false,
        is_named: false,
        candidates: &[
            is("tcp-filtered", Before(Check::Tcp), "nothing answers"),
            is("handshake-no-banner", NoVersion, "the connection was accepted, and no version came"),
            is("handshake-kex-stalled", Exchanging, "the key exchange stops"),
            is("auth-disconnected", Between(Check::Handshake, Check::Auth), "the login stops"),
            is("session-start-hangs", After(Check::Auth), "the session does not start"),
            is("tcp-filtered", Always, "nothing answers: a firewall drops the packets, or the host is down"),
            is("handshake-no-banner", Always, "the connection is accepted, and no version comes"),
            is("auth-slow", Always, "the login takes longer than the client waits"),
            is("idle-silent-drop", Always, "the session was open, and idle"),
        ],
    },
    Family {
        texts: &["Connection closed", "Connection terminated", "connection lost"],
        writer: Writer::Client,
        unless: &[Event::CommandEnded, Event::ExitStatus],
        is_wrapper: true,
        is_named: false,
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
    },
    Family {
        texts: &[
            "hangs on exit",
            "hangs on logout",
            "hangs at exit",
            "ssh does not return after the remote command has ended",
        ],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: false,
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
    },
];
