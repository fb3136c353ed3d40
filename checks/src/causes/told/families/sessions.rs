//! Ends of connections and sessions.

use super::family::When::{After, Always, Between, Exchanging, Seen, SoonAfterLogin};
use super::family::{Family, Writer, is};
use crate::facts::Check;
use crate::facts::log::Event;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &["fork/exec <file>: no such file or directory"],
        candidates: &[
            is("session-home-missing", Always, "the shell is there: Go reports a working folder that is missing so"),
            is("session-exec-failed", Always, "the account's shell is not installed"),
        ],
        ..Family::NEW
    },
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
            "client_loop: send disconnect: Connection reset by peer",
            "client_loop: send disconnect: Connection reset",
            "Read from remote host <host>: Connection reset by peer",
            "packet_write_wait: Connection to <address> port <port>: Connection reset by peer",
            "packet_write_poll: Connection to <address> port <port>: Connection reset by peer",
            "Network error: Software caused connection abort",
            "Socket error Event: <n> Error: 10053",
            "Socket error Event: <n> Error: 10054",
            "Software caused connection abort",
            "client not connected",
            "An established connection was aborted",
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
