//! Connections that are closed or reset, where the step at which it happens decides.

use super::family::When::{
    After, Always, Before, Between, Exchanging, NoVersion, Recorded, Said, Seen, SoonAfterLogin,
};
use super::family::{Candidate, Family, is};
use super::stages::{OF_A_KEY_EXCHANGE, OF_A_LOGIN};
use crate::facts::Check;
use crate::facts::log::Event;

/// Somebody tells that it comes with the amount of data.
pub(super) const BY_VOLUME: Candidate = is(
    "path-random-resets",
    Said(&[
        "bytes are transferred",
        "rows are transferred",
        "of data is transferred",
        "lot of data",
        "lots of data",
        "lot of output",
        "lots of output",
        "large amount of",
    ]),
    "it comes with the amount of data, whatever the time: a device on the path, or an antivirus, cuts busy connections",
);

/// The causes of a connection that is closed without a reason.
pub(super) const CLOSED: &[Candidate] = &[
    is(
        "idle-closed",
        Seen(&["ssh/connection/session.rb", "get_sftp_packet()"]),
        "the session was open: its library's frames say so",
    ),
    is(
        "idle-closed",
        Seen(&["Expected SSH_FXP_", "-> NET_SFTP_", "-> SSH_FXP_"]),
        "the session was open: its library was transferring files",
    ),
    is("idle-closed", Seen(&[" MB bytes sent, ", " GB bytes sent, "]), "the session was open: borg had sent data"),
    is(
        "idle-closed",
        Seen(&["Expected SSH_FXP_STATUS", "Expected SSH_FXP_HANDLE", "Expected SSH_FXP_DATA", "NET_SFTP_STATUS"]),
        "the session was open: it served files over SFTP",
    ),
    is("auth-disconnected", Seen(OF_A_LOGIN), "the login was under way: its library's frames say so"),
    is("handshake-kex-failed", Seen(OF_A_KEY_EXCHANGE), "keys were being exchanged: its library's frames say so"),
    is(
        "auth-disconnected",
        Seen(&["Enter passphrase for key"]),
        "the login was under way: ssh had asked for a passphrase",
    ),
    is("handshake-closed-before-banner", NoVersion, "it comes before the server's version"),
    is("handshake-kex-failed", Exchanging, "it comes during the key exchange"),
    is(
        "auth-disconnected",
        Between(Check::Handshake, Check::Auth),
        "it comes during the login: LoginGraceTime, or a slow step on the server",
    ),
    is("idle-closed", After(Check::Channel), "it comes after a silence"),
    is("session-pam-refused", After(Check::Auth), "it comes right after the login: PAM, or the shell"),
    is("channel-closed-early", After(Check::Auth), "it comes as the session opens"),
    is(
        "auth-disconnected",
        Seen(&["wrote data to terminal:"]),
        "the login was under way: a password had been asked for",
    ),
    is("handshake-closed-before-banner", Always, "ssh -v shows no remote software version"),
    is("auth-disconnected", Always, "ssh -v shows that keys were exchanged"),
    is("handshake-max-startups", Always, "some attempts succeed"),
    is("idle-closed", Always, "the session was open, and idle"),
];

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // OpenSSH has another line before it where no version came: kex_exchange_identification, in old releases ssh_exchange_identification.
        texts: &["Connection closed by <address> port <port>"],
        unless: &[Event::CommandEnded, Event::ExitStatus],
        candidates: &[
            is("handshake-closed-before-banner", NoVersion, "it comes before the server's version"),
            is(
                "handshake-closed-before-banner",
                Seen(&["exchange_identification: Connection closed by remote host"]),
                "it comes before the server's version: the line before it says so",
            ),
            is("handshake-kex-failed", Exchanging, "it comes during the key exchange"),
            is(
                "auth-disconnected",
                Between(Check::Handshake, Check::Auth),
                "it comes during the login: LoginGraceTime, or a slow step on the server",
            ),
            is("idle-closed", After(Check::Channel), "it comes after a silence"),
            is("session-pam-refused", After(Check::Auth), "it comes right after the login: PAM, or the shell"),
            is("channel-closed-early", After(Check::Auth), "it comes as the session opens"),
            is("handshake-kex-failed", Recorded(Event::KexinitSent), "it comes during the key exchange"),
            is("auth-disconnected", Always, "ssh -v shows that keys were exchanged"),
            is(
                "auth-account-refused",
                Always,
                "the key or password was accepted, and the account's own rules refuse it (PAM, access.conf)",
            ),
            is(
                "handshake-closed-before-banner",
                Always,
                "the line before it begins with kex_exchange_identification or ssh_exchange_identification",
            ),
            is("handshake-max-startups", Always, "some attempts succeed"),
            is("handshake-kex-failed", Always, "ssh -v ends during the key exchange"),
            is("idle-closed", Always, "the session was open, and idle"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Connection closed by <address>",
            "Remote side unexpectedly closed network connection",
            "Server unexpectedly closed network connection",
            "Remote closed the connection",
            "Connection was closed cleanly",
            "ConnectionDone",
            "asyncssh.misc.ConnectionLost: Connection lost",
            "{error,\"Connection closed\"}",
            "Connection closed by foreign host",
            "Connection closing...Socket close",
            "Server disconnected unexpectedly",
            "Socket ended",
            "Remote side closed network connection",
            "Broken transport; encountered EOF",
            "TransportException: Socket closed",
            "LIBSSH2_ERROR_SOCKET_DISCONNECT",
            "Premature connection close",
            "Cannot read full block, EOF reached",
            "The connection is being shutdown",
            "Server closed connection",
            "SshException: Session is being closed",
            "Connection closed by the remote side",
            "The connection was closed by the server:",
            "Connection was closed by the server",
            "Connection closed prematurely",
            "RuntimeException: Error reading from socket",
            "Unexpected connection close",
            "russh::Error: Disconnected",
            " Error: Disconnect",
            "X  Disconnect",
            "] Connection lost",
            "closed with error: end of file",
            "[Connection closed]",
            "Sorry, this connection is closed",
            "[CONNECTION_LOST]",
            "(ConnectionLost)",
            "DISCONNECT_CONNECTION_LOST",
            "ERROR_SSH_CONNECTION_LOST",
            "Session closing while KEX in progress",
            "Closed while preparing to contact host",
            "russh::Error: HUP",
        ],
        unless: &[Event::CommandEnded, Event::ExitStatus],
        candidates: CLOSED,
        ..Family::NEW
    },
    Family {
        texts: &[
            "Connection reset by <address> port <port>",
            "Connection reset by peer",
            "Connection reset",
            "ECONNRESET",
            "ConnectionResetError",
            "forcibly closed by the remote host",
            "Read from socket failed: Connection reset by peer",
            "Connection aborted",
            "ConnectionLost: [Errno 104]",
            "WinError 10054",
            "WinError 10053",
            "Error receiving bytes. Windows error 10053",
            "Error receiving bytes. Windows error 10054",
            "from CB ERROR:10054",
            "from CB(<n>) ERROR:10054",
            "read tcp <text>: read: connection reset by peer",
            "handshake failed<text>read: connection reset by peer",
        ],
        candidates: &[
            is("handshake-reset", Before(Check::Handshake), "it comes before or during the key exchange"),
            is("auth-disconnected", Seen(OF_A_LOGIN), "the login was under way: its library's frames say so"),
            is("auth-disconnected", Between(Check::Handshake, Check::Auth), "it comes during the login"),
            is("path-dscp-dropped", SoonAfterLogin(3), "it comes as the session starts, and not with -o IPQoS=none"),
            BY_VOLUME,
            is(
                "idle-reset",
                After(Check::Auth),
                "the session was idle: a firewall or NAT on the path dropped it and resets what follows",
            ),
            is("handshake-reset", Always, "it comes at once, before the login"),
            is("idle-reset", Always, "the session was open, and idle"),
            is("server-restarted", Always, "all sessions of the server end at one moment"),
            is("path-random-resets", Always, "it comes at any age of a session, busy or idle"),
            is("network-outage", Always, "the network of this machine changed (VPN, Wi-Fi, sleep)"),
        ],
        ..Family::NEW
    },
];
