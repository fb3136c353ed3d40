//! The version exchange: what a client says when no version comes.

use super::family::When::{Always, Before, Exchanging, Greeting, OfServer, Said, Seen, SeenWithout, ThroughProxy};
use super::family::{Family, Writer, is};
use super::jump::OF_A_WEB_TUNNEL;
use crate::facts::Check;
use crate::facts::log::Event;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // SSH.NET before 2020, where the connection ends without a version, other lines before the end or none.
        texts: &["Server response does not contain SSH protocol identification"],
        candidates: &[
            is("handshake-closed-before-banner", Always, "nc HOST PORT shows nothing, and ends: the server closes"),
            is("handshake-not-ssh", Always, "nc HOST PORT shows lines of another protocol: another service answers"),
            is("handshake-source-denied", Always, "it comes from this machine only, and others connect"),
            is("handshake-max-startups", Always, "some attempts succeed"),
        ],
        ..Family::NEW
    },
    // Whatever went wrong, it did before the end of the version exchange.
    Family {
        texts: &["kex_exchange_identification: <why>"],
        unless: &[Event::LineBeforeVersion],
        is_wrapper: true,
        candidates: &[
            is("handshake-closed-before-banner", Always, "ssh -v shows no remote software version, and an end"),
            is("handshake-no-banner", Always, "ssh -v stops for a while before it: no version comes"),
            is("handshake-not-ssh", Always, "the port is another service's"),
            is("handshake-protocol-violation", Always, "the server's version is one that this client does not read"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "kex_exchange_identification: Connection closed by remote host",
            "ssh_exchange_identification: Connection closed by remote host",
            "Warning: Remote connection disconnect. Retrying",
            "kex_exchange_identification: Connection closed",
            "ssh_exchange_identification: Connection closed",
            "kex_exchange_identification: write: Broken pipe",
            "ssh_exchange_identification: write: Broken pipe",
            "ssh: handshake failed: EOF",
            "Connection lost before handshake",
            "The SSH connection was unexpectedly closed by the remote end",
            "ssh: handshake failed: <text>use of closed network connection",
            "connection is closed by foreign host",
            "End of IO Stream Read",
            "Failed getting banner",
            "Failure establishing ssh session: -2,",
            "Failure establishing ssh session: -13,",
            "Failed to get banner",
            "Socket error: disconnected",
            "Session has been closed: [CLOSED]",
        ],
        candidates: &[
            is(
                "config-proxy-command",
                Seen(&["command not found", "sh: <n>: <what>: not found"]),
                "the shell does not find the program of the ProxyCommand",
            ),
            is("jump-proxy-command-failed", Seen(&["nc: connect to", "Ncat: "]), "the proxy gives no connection"),
            is(
                "jump-proxy-command-failed",
                Seen(&["nc: invalid option", "nc: unknown option"]),
                "this netcat has another option for the proxy",
            ),
            is(
                "jump-proxy-command-failed",
                Seen(OF_A_WEB_TUNNEL),
                "the tunnel wants a login, or its other end is down",
            ),
            is(
                "handshake-not-ssh",
                Seen(OF_A_WEB_TUNNEL),
                "the tunnel leads to a web service, and not to an SSH server",
            ),
            is("auth-key-rejected", Seen(&["Permission denied (<methods>"]), "the jump host refuses the login"),
            is(
                "auth-password-rejected",
                Seen(&["Permission denied, please try again"]),
                "the jump host refuses the login",
            ),
            is("hostkey-unknown", Seen(&["Host key verification failed"]), "the jump host's key is not known"),
            is("handshake-reset", Seen(&["Failure establishing ssh session: -43"]), "the connection is reset"),
            is(
                "handshake-max-startups",
                Seen(&["banner line <n>: Exceeded MaxStartups"]),
                "some attempts succeed: too many connections wait for a login",
            ),
            is(
                "handshake-mac-mismatch",
                Seen(&["jsch.Session.start_discard"]),
                "a packet came that JSch could not decrypt",
            ),
            is("auth-disconnected", Seen(&["jsch.UserAuth"]), "the stack trace names the login"),
            is("idle-closed", Seen(&["jsch.Channel"]), "the stack trace names a channel: the session was open"),
            is("handshake-kex-failed", Exchanging, "it happens after both versions were exchanged"),
            is(
                "jump-proxy-command-failed",
                ThroughProxy,
                "the ProxyCommand or jump host ended without a connection; a line that it printed stands before this one",
            ),
            is(
                "handshake-source-denied",
                Said(&[
                    "sshd: ALL",
                    "sshd:ALL",
                    "sshd : ALL",
                    "sshd: <address>",
                    "sshd:<address>:deny",
                    "ALL: PARANOID",
                ]),
                "other addresses get in: hosts.deny names this one",
            ),
            is(
                "handshake-closed-before-banner",
                Always,
                "every attempt ends so: a load balancer without a healthy server, or an sshd that cannot start a session",
            ),
            is(
                "handshake-max-startups",
                Always,
                "some attempts succeed, and more do when fewer clients connect at once",
            ),
            is("handshake-source-denied", Always, "other addresses get in: hosts.deny, DenyHosts"),
            is(
                "handshake-source-penalty",
                Always,
                "failed logins from this address came before it (OpenSSH 9.8 and later)",
            ),
            is("tcp-source-banned", Always, "other addresses get in: fail2ban and the like"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "kex_exchange_identification: read: Connection reset by peer",
            "kex_exchange_identification: read: Connection reset",
            "kex_exchange_identification: read: Connection aborted",
            "kex_exchange_identification: read: Software caused connection abort",
            "ssh_exchange_identification: read: Software caused connection abort",
            "banner exchange: Connection to <address> port <port>: Software caused connection abort",
            "banner exchange: Connection to <address> port <port>: Connection reset",
            "ssh_exchange_identification: read: Connection reset by peer",
            "ssh_exchange_identification: Connection reset by peer",
            "ssh: handshake failed: read tcp <address>: read: connection reset by peer",
            "ssh: handshake failed: read tcp <text> connection reset by peer",
            "Error reading SSH protocol banner[Errno 104] Connection reset by peer",
            "Failure establishing ssh session: -43",
            "Session.connect: java.net.SocketException: Connection reset",
        ],
        candidates: &[
            is("handshake-reset", Always, "every attempt ends so: a firewall or an intrusion prevention resets SSH"),
            is("handshake-max-startups", Always, "some attempts succeed: too many connections wait for a login"),
            is(
                "handshake-source-penalty",
                Always,
                "failed logins from this address came before it (OpenSSH 9.8 and later)",
            ),
            is("handshake-source-denied", Always, "other addresses get in: hosts.deny, DenyHosts"),
            is("server-start-failed", Always, "the server's log names missing host keys or /run/sshd"),
        ],
        ..Family::NEW
    },
    Family {
        // paramiko as a server.
        texts: &["Exception (server): Error reading SSH protocol banner"],
        writer: Writer::Anyone,
        is_named: true,
        candidates: &[
            is("handshake-probed", Always, "a scanner or a probe connects to the server, and leaves"),
            is("handshake-closed-before-banner", Always, "it is a client of yours, whose connection ends on the path"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Connection timed out during banner exchange",
            "Error reading SSH protocol banner",
            "kex_exchange_identification: read: Connection timed out",
            "kex_exchange_identification: read: Operation timed out",
            "ssh_exchange_identification: read: Connection timed out",
            "ssh_exchange_identification: read: Operation timed out",
            "banner exchange: Connection to <address> port <port>: Connection timed out",
            "Timed out while waiting for handshake",
            "Timeout during SSH handshake",
            "timeout during server version negotiating",
            "SocketTimeoutException: Read timed out",
            "Operation timed out after <n> milliseconds with 0",
            "Socket read operation has timed out",
            "No SSH identification string received",
            "Failure establishing ssh session: -9,",
            "ssh: handshake failed: read tcp <text>: connection timed out",
            "ssh: handshake failed: read tcp <text>: operation timed out",
            "did not receive banner",
        ],
        is_named: true,
        candidates: &[
            is("handshake-tarpit", Greeting(5), "line after line comes, and never a version"),
            is(
                "handshake-no-banner",
                Seen(&[
                    "exchange_identification: read: Operation timed out",
                    "exchange_identification: read: Connection timed out",
                ]),
                "the connection is accepted, and no banner arrives",
            ),
            is("handshake-not-ssh", Greeting(1), "what answers sends text that is no version"),
            is(
                "handshake-probed",
                SeenWithout(
                    &["starting thread (server mode)"],
                    &["starting thread (client mode)", "Exception (client): Error reading SSH protocol banner"],
                ),
                "paramiko is the server: a scanner or a probe connects to it, and leaves",
            ),
            is(
                "handshake-kex-stalled",
                Exchanging,
                "the versions are there, and the key exchange stops: a hung server, or a firewall that inspects SSH",
            ),
            is(
                "path-mtu-blackhole",
                Exchanging,
                "the versions are there, and a VPN or tunnel is on the path: large packets vanish",
            ),
            is("handshake-closed-before-banner", Seen(&["EOFError"]), "the connection was closed, not silent"),
            is(
                "auth-slow",
                Seen(&["SSH  Host key fingerprint:", "Host key fingerprint:"]),
                "keys were exchanged, and the login takes too long",
            ),
            is(
                "tcp-filtered",
                Before(Check::Tcp),
                "the connection was never accepted: the same limit covers connecting",
            ),
            is(
                "handshake-no-banner",
                Always,
                "no banner ever arrives: a hung sshd, a dead backend, or another service",
            ),
            is("handshake-slow", Always, "the banner arrives late: an overloaded server, or many connections at once"),
            is("tcp-filtered", Always, "the connection was never accepted: the same limit covers connecting"),
            is("handshake-closed-before-banner", Always, "the connection is closed without a banner"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["banner line too long", "banner line contains invalid characters"],
        writer: Writer::Server,
        candidates: &[
            is("handshake-probed", OfServer, "a client sent something other than SSH"),
            is("handshake-not-ssh", Always, "ssh printed it: another service answers on that port"),
            is("handshake-probed", Always, "sshd logged it: a client sent something other than SSH"),
        ],
        ..Family::NEW
    },
];
