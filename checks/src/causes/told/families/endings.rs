//! Ends of sessions after a silence, and those that the server or a proxy makes.

use super::closed::CLOSED;
use super::family::When::{
    After, Always, Between, Exchanging, InLine, JustBegun, Reason, ReasonAfter, RequestPending, Seen, SoonAfterLogin,
};
use super::family::{Family, Writer, is};
use super::stages::{OF_A_KEY_EXCHANGE, OF_A_LOGIN};
use crate::facts::Check;
use crate::facts::log::Event;

/// Steps of a client in a server's log that wants to log in, or has.
const OF_A_CLIENT: &[Event] = &[
    Event::UnknownUser,
    Event::LoginRefused,
    Event::MethodTried,
    Event::PartialSuccess,
    Event::LoggedIn,
    Event::ChildStarted,
    Event::SessionBegun,
    Event::RequestSent,
    Event::RequestGranted,
    Event::ChannelFreed,
    Event::DisconnectReceived,
    Event::DisconnectSent,
    Event::KeepaliveTimeout,
];

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &["closed due to inactivity", "terminated due to inactivity", "closed because of inactivity"],
        writer: Writer::Anyone,
        candidates: &[
            is("idle-closed", Always, "the server or a proxy closes idle connections"),
            is("idle-server-inactivity", Always, "the server counts what is typed, and keepalives do not help"),
            is("idle-shell-timeout", Always, "the shell ends itself at its prompt (TMOUT)"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Read from remote host <host>: Connection timed out",
            "Read from remote host <host>: Operation timed out",
            "client_loop: send disconnect: Connection timed out",
            "packet_write_wait: Connection to <address> port <port>: Connection timed out",
            "Read error from remote host <address> port <port>: Connection timed out",
            "Read error from remote host <address>: Connection timed out",
            "read ETIMEDOUT",
            "client_loop: send disconnect: Operation timed out",
            "read error: Connection timed out",
            "Blocking operation timed out",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is(
                "idle-silent-drop",
                Always,
                "the session was idle before: a firewall or NAT on the path dropped it, and nothing came back",
            ),
            is("network-outage", Always, "the network was down for minutes (VPN, Wi-Fi, sleep)"),
            is("server-stalled", Always, "the server hangs, or was paused"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Timeout, server <host> not responding",
            "Timeout, server not responding",
            "Keepalive timeout",
            "Keepalive timed out",
            "Timeout, server not responding.",
            "Did not receive any keep-alive response",
            "Net::SSH::Timeout",
            "Server not responding to keepalive",
            "no reply to keepalive",
            "keepalive: timeout",
            "KeepaliveTimeout",
            "heartbeat requests without reply",
            "Missed last <n> heartbeats",
        ],
        candidates: &[
            is(
                "network-outage",
                Always,
                "the network was down for longer than the keepalives allow (VPN, Wi-Fi, sleep)",
            ),
            is(
                "idle-silent-drop",
                Always,
                "it comes after an idle time only: the keepalive interval is longer than the timer on the path",
            ),
            is("server-stalled", Always, "the server is overloaded, paused, or hangs on a disk"),
            is("path-state-lost", Always, "all sessions over this path died together, and new ones work"),
            is("path-unstable", Always, "sessions freeze at times, and go on by themselves"),
            is("tcp-lossy", Always, "typing lags: the path loses packets"),
        ],
        ..Family::NEW
    },
    // A write fails after the end, which another line may tell.
    Family {
        texts: &[
            "client_loop: send disconnect: Broken pipe",
            "packet_write_wait: Connection to <address> port <port>: Broken pipe",
            "packet_write_wait: Connection to <address>: Broken pipe",
            "Write failed: Broken pipe",
            "Transport endpoint is not connected",
            "Server connection dropped",
            "packet_write_wait: <text>Broken pipe",
            "SSH session not active",
            "JSchException: session is down",
            "TransportException: <text>: session is down",
            "Read from remote host <host>: <why>",
            "client_loop: send disconnect: <why>",
            "SSH connection closed",
            "Connection is closed: SSH",
            "Socket is closed",
            "Session is not connected.",
            "JSchException: session is not available",
            "*** closed stream",
            "IOError: closed stream",
            "(IOError: closed stream)",
            "(IOError): <text>closed stream",
            "Exception while executing on host <host>: closed stream",
            "Not connected to server",
            "Broken pipe",
            "EPIPE",
            "Socket connection to SSH server was lost",
            "There was a problem while talking to <host>",
            "SSH could not read data",
            "SSH could not write data",
            "russh::Error: SendError",
            "Channel send error",
        ],
        unless: &[Event::ExitStatus],
        candidates: &[
            is("path-dscp-dropped", SoonAfterLogin(3), "it comes as the session starts, and not with -o IPQoS=none"),
            is("handshake-closed-before-banner", Exchanging, "it comes before the login"),
            is("transfer-truncated", InLine(&["kB/s ", "MB/s ", "GB/s "]), "it comes in the middle of a transfer"),
            is("idle-silent-drop", After(Check::Channel), "the session was idle for minutes"),
            is(
                "session-chroot-failed",
                Seen(&["Couldn't read packet: Connection reset by peer"]),
                "sftp ends so at once: sshd's log says bad ownership or modes for chroot directory",
            ),
            is(
                "idle-silent-drop",
                Always,
                "the session was idle for minutes: a firewall or NAT on the path dropped it",
            ),
            is("path-address-changed", Always, "the address of this machine changed in between (VPN, Wi-Fi)"),
            is("session-client-suspended", Always, "this machine slept in between"),
            is("network-outage", Always, "the network was down for a while, and came back"),
            is("path-state-lost", Always, "all sessions over this path died together, and new ones work"),
            is("idle-reset", Always, "it comes at the first key after an idle time"),
            is("session-lifetime-limit", Always, "it comes at a fixed age of the session, busy or idle"),
            is("server-restarted", Always, "all sessions of the server end at one moment"),
            is("path-dscp-dropped", Always, "it comes right after the login, and not with -o IPQoS=none"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Connection to <host> closed by remote host",
            "closed by the remote host",
            "Connection has been unexpectedly closed",
            "failed to send packet header: EOF",
            "failed to send packet: EOF",
            "Disconnected from remote host",
            "Lost connection with the server",
            "Lost connection to SSH server",
            "SSH connection lost",
            "Connection lost.",
        ],
        candidates: &[
            is("channel-closed-early", SoonAfterLogin(2), "it comes as the session opens"),
            is("session-pam-refused", JustBegun, "it comes right after the login: PAM, or a limit of the account"),
            is("idle-closed", Always, "the session was idle: the server or a proxy closes idle connections"),
            is(
                "idle-closed-by-proxy",
                Always,
                "a load balancer or proxy is on the path, and the idle time is a round number",
            ),
            is("session-lifetime-limit", Always, "it comes at a fixed age of the session, busy or idle"),
            is("server-restarted", Always, "all sessions of the server end at one moment"),
            is("session-pam-refused", Always, "it comes right after the login"),
            is("idle-unused-connection-timeout", Always, "it is a forwarding without a session (-N)"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Received disconnect from <address> port <port>:<code>: <why>",
            "Received disconnect from <address>: <code>: <why>",
            "Received disconnect: <why>",
            "ssh: disconnect, reason <n>: <why>",
            "Remote side sent disconnect message",
            "Disconnect received",
            "Received SSH_MSG_DISCONNECT: <n>:<why>",
            "SSH2_MSG_DISCONNECT received",
            "Net::SSH::Disconnect",
            "disconnected: <text> (<n>)",
            "Peer sent DISCONNECT message (reason code",
            "SSH_MSG_DISCONNECT: <n> <why>",
        ],
        candidates: &[
            is(
                "rekey-failed",
                ReasonAfter(3, Check::Auth),
                "the number of its reason is that of a failed key exchange",
            ),
            is("handshake-kex-failed", Reason(3), "the number of its reason is that of a failed key exchange"),
            is("transfer-corrupted", ReasonAfter(5, Check::Auth), "the number of its reason is that of a wrong MAC"),
            is("handshake-mac-mismatch", Reason(5), "the number of its reason is that of a wrong MAC"),
            is("auth-disconnected", Seen(OF_A_LOGIN), "the login was under way: its library's frames say so"),
            is(
                "handshake-kex-failed",
                Seen(OF_A_KEY_EXCHANGE),
                "keys were being exchanged: its library's frames say so",
            ),
            is("handshake-kex-failed", Exchanging, "it comes during the key exchange"),
            is("auth-disconnected", Between(Check::Handshake, Check::Auth), "it comes during the login"),
            is("channel-closed-early", RequestPending, "it comes as a command or subsystem is asked for"),
            is("idle-server-disconnect", After(Check::Auth), "the session was idle"),
            is("session-limit", Reason(12), "the number of its reason is that of too many connections"),
            is("idle-server-disconnect", Always, "the session was open, and idle"),
            is("auth-disconnected", Always, "it comes during the login"),
            is("session-lifetime-limit", Always, "it comes at a fixed age of the session"),
            is(
                "handshake-protocol-violation",
                Seen(&["disconnected: <text> (2)", "ssh: disconnect, reason 2:", "port <port>:2: "]),
                "the number of its reason is that of a protocol error: the server does not accept what the client sent",
            ),
        ],
        ..Family::NEW
    },
    // sshd since 7.5, which names the user of a client that has asked to log in, and marks the lines of the login itself.
    Family {
        texts: &["Connection closed by <address> port <port>"],
        writer: Writer::Server,
        unless: OF_A_CLIENT,
        is_wrapper: true,
        candidates: &[
            is(
                "handshake-probed",
                Always,
                "nobody had asked to log in: a scanner, or the check of a monitor or balancer",
            ),
            is("path-mtu-blackhole", Always, "real clients end so: they stop in the key exchange"),
        ],
        ..Family::NEW
    },
    // The words of ssh itself about the end come before those of a program around it.
    Family {
        texts: &["connection closed by remote host"],
        unless: &[Event::CommandEnded, Event::ExitStatus],
        candidates: CLOSED,
        ..Family::NEW
    },
];
