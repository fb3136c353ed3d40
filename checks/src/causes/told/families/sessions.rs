//! Ends of connections and sessions.

use super::closed::BY_VOLUME;
use super::family::When::{Always, Between, Exchanging, Seen, SoonAfterLogin};
use super::family::{Family, Writer, is};
use crate::facts::Check;

/// Frames of SSH.NET in a session.
const SERVED: &[&str] =
    &["Renci.SshNet.Sftp.", "Renci.SshNet.SftpClient.", "Renci.SshNet.SshCommand.", "Renci.SshNet.ScpClient."];

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // The kernel names the process: of one connection, or of sshd itself.
        texts: &[
            "sshd[<pid>]: segfault at",
            "sshd-session[<pid>]: segfault at",
            "sshd[<pid>] general protection",
            "sshd-session[<pid>] general protection",
            "preauth child <n> <text>terminated abnormally",
            "session process <n> <text>terminated abnormally",
            "unpriv child crash for",
            "dropbear[<pid>]: segfault at",
            "dropbear[<pid>] general protection",
            "sending SIGSEGV to sshd",
            "sending SIGSEGV to dropbear",
            "Aiee, segfault! You should probably report this",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is("auth-disconnected", Always, "the process of one connection crashed: others still get in"),
            is("handshake-closed-before-banner", Always, "it crashes before it sends its version"),
            is("server-start-failed", Always, "nothing listens on the port any more: the process was sshd itself"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "sftp-server[<pid>]: segfault at",
            "sftp-server[<pid>] general protection",
            "sftp-server[<pid>] trap",
            "sftp-server[<pid>]: unhandled signal",
            "Killed process <pid> (sftp-server)",
            "sending SIGSEGV to sftp-server",
        ],
        writer: Writer::Anyone,
        is_named: true,
        candidates: &[
            is("session-subsystem-missing", Always, "sftp-server is there, and crashes: every sftp ends at once"),
            is("exit-by-signal", Always, "it comes in the middle of a transfer: the system ended the process"),
        ],
        ..Family::NEW
    },
    Family {
        // On Windows it follows the line that says why no process starts.
        texts: &["fork of unprivileged child failed"],
        writer: Writer::Anyone,
        is_named: true,
        candidates: &[
            is("session-process-limit", Always, "the server has no more processes or memory"),
            is("session-exec-failed", Always, "sshd was started on Windows by a user, and not as a service"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["fork/exec <file>: no such file or directory"],
        candidates: &[
            is("session-home-missing", Always, "the shell is there: Go reports a working folder that is missing so"),
            is("session-exec-failed", Always, "the account's shell is not installed"),
        ],
        ..Family::NEW
    },
    Family {
        // SSH.NET, where the server closes the connection.
        texts: &["An established connection was aborted"],
        candidates: &[
            is("handshake-kex-failed", Exchanging, "it comes during the key exchange"),
            is("auth-disconnected", Between(Check::Handshake, Check::Auth), "it comes during the login"),
            is(
                "handshake-closed-before-banner",
                Seen(&["Renci.SshNet.Session.Connect"]),
                "the stack trace is that of Connect: no session was open",
            ),
            is("idle-closed", Seen(SERVED), "the session was open: its library's frames say so"),
            is(
                "handshake-kex-failed",
                Always,
                "it comes as the program connects: an old library meets a server of today",
            ),
            is("handshake-closed-before-banner", Always, "it comes as the program connects, before any version"),
            is("idle-closed", Always, "the session was open, and idle"),
            is("idle-reset", Always, "it comes at the first action after an idle time"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "client_loop: send disconnect: Connection reset by peer",
            "client_loop: send disconnect: Connection reset",
            "Read from remote host <host>: Connection reset by peer",
            "packet_write_wait: Connection to <address> port <port>: Connection reset by peer",
            "packet_write_poll: Connection to <address> port <port>: Connection reset by peer",
            "Network error: Software caused connection abort",
            "Socket error Event: <n> Error: 10053",
            "Socket error Event: <n> Error: 10054",
            "Software caused connection abort",
            "Error: Software caused connection abort",
            "client not connected",
            "An established connection was aborted by the software in your host",
            "] read error: Connection reset by peer",
            "] write error: Connection reset by peer",
            "Read error from remote host <address> port <port>: Connection reset by peer",
            "Read error from remote host <address>: Connection reset by peer",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is("handshake-kex-failed", Exchanging, "it comes during the key exchange"),
            is("auth-disconnected", Between(Check::Handshake, Check::Auth), "it comes during the login"),
            is(
                "handshake-closed-before-banner",
                Seen(&["Renci.SshNet.Session.Connect"]),
                "the stack trace is that of Connect: no session was open",
            ),
            is("path-dscp-dropped", SoonAfterLogin(3), "it comes as the session starts, and not with -o IPQoS=none"),
            BY_VOLUME,
            is(
                "idle-reset",
                Always,
                "the session was idle: a firewall or NAT on the path dropped it and resets what follows",
            ),
            is("server-restarted", Always, "all sessions of the server end at one moment"),
            is("path-random-resets", Always, "it comes at any age of a session, busy or idle"),
            is("session-lifetime-limit", Always, "it comes at a fixed age of the session"),
            is("network-outage", Always, "the network of this machine changed (VPN, Wi-Fi, sleep)"),
        ],
        ..Family::NEW
    },
];
