//! Words in logs of servers, and of the system beside them, that leave the cause open.

use super::family::When::{Always, Seen};
use super::family::{Family, Writer, is};

pub(super) static FAMILIES: &[Family] = &[
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
        // A client that leaves by itself, in the words of its library, before it is let in.
        texts: &[
            "Received disconnect from <address> port <port>:11: Normal Shutdown [preauth]",
            "Received disconnect from <address> port <port>:11: Normal Shutdown, Thank you for playing [preauth]",
            "Received disconnect from <address>: 11: Normal Shutdown [preauth]",
            "Received disconnect from <address>: 11: Normal Shutdown, Thank you for playing [preauth]",
            "Received disconnect from <address> port <port>:11: Client disconnecting normally [preauth]",
        ],
        writer: Writer::Server,
        is_wrapper: true,
        candidates: &[
            is("handshake-probed", Always, "the address is a scanner's, or a monitor's that asks for no login"),
            is("auth-no-credentials", Always, "the client has no key or password for this server, and leaves"),
            is("hostkey-unknown", Always, "the client does not accept the server's host key, and leaves"),
        ],
        ..Family::NEW
    },
    Family {
        // Windows' security log: event 4625, of a login that sshd asked for.
        texts: &["Caller Process Name:<text>sshd.exe", "Caller Process Name:<text>sshd-session.exe"],
        writer: Writer::Anyone,
        is_named: true,
        candidates: &[
            is(
                "auth-user-unknown",
                Seen(&["Sub Status:<text>0xc0000064"]),
                "the sub status says that no account has this name",
            ),
            is(
                "auth-account-refused",
                Seen(&[
                    "Sub Status:<text>0xc0000072",
                    "Sub Status:<text>0xc0000234",
                    "Sub Status:<text>0xc0000193",
                    "Sub Status:<text>0xc000006e",
                    "Sub Status:<text>0xc000006f",
                    "Sub Status:<text>0xc0000070",
                    "Status:<text>0xc000015b",
                ]),
                "the status says that the account is disabled, locked, expired or restricted",
            ),
            is(
                "auth-password-expired",
                Seen(&["Sub Status:<text>0xc0000071", "Sub Status:<text>0xc0000224"]),
                "the sub status says that the password has expired or must be changed",
            ),
            is("auth-password-rejected", Always, "the password is wrong (sub status 0xC000006A)"),
            is("auth-user-unknown", Always, "no account has this name (sub status 0xC0000064)"),
        ],
        ..Family::NEW
    },
    Family {
        // pam_succeed_if, without the name of the service.
        texts: &["requirement \"<text>\" not met by user \"<user>\""],
        writer: Writer::Anyone,
        is_wrapper: true,
        candidates: &[
            is("auth-account-refused", Always, "a rule in /etc/pam.d/sshd keeps accounts like this one out"),
            is("auth-password-rejected", Always, "the lines above it are pam_unix's failure: the password was wrong"),
        ],
        ..Family::NEW
    },
    Family {
        // Oxidized, of a step that took longer than its time limit.
        texts: &["raised Timeout::Error with msg \"execution expired\""],
        candidates: &[
            is("tcp-filtered", Always, "ssh by hand times out too: nothing answers"),
            is(
                "session-start-hangs",
                Always,
                "ssh by hand works: the prompt of the device is not the one that is waited for",
            ),
            is("auth-slow", Always, "ssh by hand takes longer than the limit"),
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
