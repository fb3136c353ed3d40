//! Words in logs of servers, and of the system beside them, that leave the cause open.

use super::family::When::{Always, Between, Exchanging, NoVersion};
use super::family::{Family, Writer, is};
use crate::facts::Check;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // ProFTPD's mod_sftp, of every client that leaves: one that had logged in leaves so too.
        texts: &["disconnecting client (received EOF)", "disconnecting client (received ECONNRESET)"],
        writer: Writer::Server,
        candidates: &[
            is(
                "auth-disconnected",
                Between(Check::Hostkey, Check::Auth),
                "the client leaves in the login: it has no other credential, or waits no longer",
            ),
            is("handshake-kex-failed", Exchanging, "the client leaves during the key exchange: its log says why"),
            is("handshake-probed", NoVersion, "the client leaves without a word: a scanner, or a health check"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["unhandled <text> message, disconnecting"],
        writer: Writer::Server,
        candidates: &[
            is(
                "auth-protocol-violation",
                Between(Check::Hostkey, Check::Auth),
                "the client sends a message in the login that the server does not know",
            ),
            is(
                "handshake-protocol-violation",
                Exchanging,
                "the client sends a message in the key exchange that the server does not know",
            ),
        ],
        ..Family::NEW
    },
    Family {
        // Apache MINA SSHD, which names a client once it has asked to log in, and servers in Go before a login.
        texts: &[
            "ServerSessionImpl[null@<address>]<text>Connection reset by peer",
            "ServerSessionImpl[null@<address>]<text>Connection reset",
            "ServerSessionImpl[null@<address>]<text>Broken pipe",
            "GerritServerSession[null@<address>]<text>Connection reset by peer",
            "Failed to establish SSH server connection: read tcp <text>: connection reset by peer",
            "failed to accept an incoming connection: read tcp <text>: connection reset by peer",
            "Failed connection from <address> with error: read tcp <text>: connection reset by peer",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is("handshake-probed", Always, "nobody had asked to log in: a scanner, or the health check of a balancer"),
            is("handshake-reset", Always, "clients that mean to log in end so too: something on the way resets them"),
        ],
        ..Family::NEW
    },
    Family {
        // sshd's answer to a first line that is no version of SSH, as nc and telnet show it: ssh has read it as a packet's length, and logs sshd's other words.
        texts: &["Invalid SSH identification string"],
        writer: Writer::Server,
        candidates: &[
            is(
                "handshake-probed",
                Always,
                "somebody asked the port by hand (nc, telnet), and typed what is no SSH: the server answers as it should",
            ),
            is(
                "handshake-proxy-header",
                Always,
                "a client prints it: a balancer or proxy on the way sends a line of its own before the client's version",
            ),
        ],
        ..Family::NEW
    },
];
