//! Further messages in the sources of clients, libraries and servers that several causes print.

use super::family::When::{After, Always, Between, Exchanging};
use super::family::{Family, Writer, is};
use crate::facts::Check;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &[
            "Bad packet size",
            "invalid packet length, packet too",
            "ssh: padding <n> too large",
            "padding error, need <n> block",
            "Invalid padding: <n> (",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is(
                "transfer-corrupted",
                After(Check::Auth),
                "it comes after a while or with volume: data are damaged on the way",
            ),
            is(
                "handshake-protocol-violation",
                Always,
                "it comes before the login: the peer, or something on the way, breaks the protocol",
            ),
            is(
                "handshake-mac-mismatch",
                Always,
                "it fails at the first encrypted packet every time, and not with another cipher or MAC",
            ),
            is("transfer-corrupted", Always, "it comes after a while or with volume: data are damaged on the way"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "peer ignored channel window",
            "Received extended_data after EOF on channel",
            "referred to nonexistent channel",
            "for non-opening channel",
            "Invalid extended_data message",
            "Invalid open confirmation message",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is("channel-closed-early", Always, "it comes at once: one end breaks the rules for channels"),
            is("idle-server-disconnect", Always, "the session was open for a while"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "GSSAPI authentication failed",
            "GSSAPI authentication initialisation failed",
            "GSSAPI authentication request refused",
        ],
        candidates: &[
            is("auth-no-credentials", Always, "klist shows no ticket, and there is nothing else to log in with"),
            is("auth-method-unavailable", Always, "the server has no keytab, or takes no GSSAPI"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "agent: client error:",
            "bad authentication response <n>",
            "bad authentication reply: <n>",
            "unknown response from agent",
            "Authentication response too long:",
            "Unable to send agent request",
        ],
        candidates: &[
            is("auth-agent-refused", Always, "ssh-add -l lists keys: the agent does not sign"),
            is("auth-agent-unreachable", Always, "ssh-add -l fails: the agent ended, or something else has its socket"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["ValueError: Certificate key mismatch"],
        candidates: &[
            is("auth-cert-invalid", Always, "the certificate is for another key"),
            is("auth-key-unreadable", Always, "the two files are not halves of one key"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Invalid signature for supplied public key, or bad username/public key combination"],
        candidates: &[
            is("auth-key-rejected", Always, "the account does not have this public key"),
            is("auth-key-unreadable", Always, "the two files are not halves of one key"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "PAM: initialization failed",
            "PAM: failed create sockets",
            "PAM: failed to start authentication thread",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is("auth-disconnected", Always, "sshd's file in /etc/pam.d is missing or damaged: the login ends"),
            is("session-process-limit", Always, "the server has no more processes or memory"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["timeout polling to accept read connection", "exited with error status <n>; restarting ssh"],
        writer: Writer::Anyone,
        candidates: &[
            is("idle-silent-drop", Always, "a firewall or NAT on the path drops the tunnel while it is idle"),
            is("network-outage", Always, "the network was down for a while"),
            is("server-stalled", Always, "the server is overloaded, paused, or hangs on a disk"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["The request was rejected by the other party"],
        candidates: &[
            is("session-exec-failed", Always, "a command or a shell was asked for"),
            is("channel-remote-forward-failed", Always, "a port on the server was asked for"),
            is("session-subsystem-missing", Always, "a subsystem such as sftp was asked for"),
            is("session-pty-refused", Always, "a terminal was asked for"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Error: Inactivity timeout"],
        candidates: &[
            is("idle-client-timeout", Always, "the program itself ends sessions in which nothing moves"),
            is("idle-silent-drop", Always, "something moved on the server, and did not arrive"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Unable to send channel data", "error -43: transport read"],
        candidates: &[
            is(
                "idle-silent-drop",
                Always,
                "the session was idle for minutes: a firewall or NAT on the path dropped it",
            ),
            is("network-outage", Always, "the network was down for a while"),
            is("idle-closed", Always, "the session was idle: the server or a proxy closes idle connections"),
            is("server-restarted", Always, "all sessions of the server end at one moment"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["API timeout expired"],
        candidates: &[
            is("handshake-no-banner", Always, "the connection is accepted, and no banner arrives"),
            is("handshake-kex-stalled", Always, "it comes during the key exchange"),
            is("auth-slow", Always, "it comes at the login"),
            is("server-stalled", Always, "it comes in a session"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["error -2: Error waiting on socket"],
        candidates: &[
            is("handshake-closed-before-banner", Always, "the connection is closed before a version"),
            is("handshake-reset", Always, "the connection is reset before a version"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Error while tunneling the connection"],
        is_wrapper: true,
        candidates: &[
            is(
                "jump-target-unreachable",
                Always,
                "the login to the tunnel's host works, and it does not reach the target",
            ),
            is("auth-key-rejected", Always, "the tunnel's host refuses the login"),
            is("tcp-filtered", Always, "the tunnel's host does not answer"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["BatchMode active, no interactive session possible"],
        candidates: &[
            is("auth-key-rejected", Always, "a key was meant to do: it was offered, and not accepted"),
            is("auth-no-credentials", Always, "no key was given"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["received SIGINT, SIGTERM, or SIGHUP (code 20)"],
        writer: Writer::Anyone,
        candidates: &[
            is(
                "exit-by-signal",
                Always,
                "nobody pressed Ctrl-C: a time limit, a scheduler or a closed terminal ended it",
            ),
            is("server-restarted", Always, "the server shut down, and ended rsync there"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["safe_read failed to read <n> bytes", "safe_write failed to write <n> bytes"],
        writer: Writer::Anyone,
        candidates: &[
            is("transfer-truncated", Always, "the connection ended in the middle of the transfer"),
            is("idle-silent-drop", Always, "it comes after minutes in which rsync only compared files"),
            is("session-command-missing", Always, "it comes at once: rsync does not start there"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Timeout waiting for prompt"],
        candidates: &[
            is("session-start-hangs", Always, "the login works, and the shell prints no prompt"),
            is("auth-slow", Always, "the question for the password comes late"),
        ],
        ..Family::NEW
    },
];

/// Words with which OpenSSH ends a connection for a reason that no other text has.
pub(super) static DISCONNECTING: &[Family] = &[Family {
    texts: &["Disconnecting <address> port <port>: <why>", "Disconnecting: <why>"],
    writer: Writer::Anyone,
    candidates: &[
        is("handshake-kex-failed", Exchanging, "it comes during the key exchange"),
        is("auth-disconnected", Between(Check::Handshake, Check::Auth), "it comes during the login"),
        is("idle-server-disconnect", After(Check::Auth), "the session was open"),
        is("handshake-protocol-violation", Always, "it comes before the login, or the reason names a packet"),
        is("auth-disconnected", Always, "it comes during the login"),
        is("idle-server-disconnect", Always, "the session was open"),
    ],
    ..Family::NEW
}];
