//! Requests beside a session, and the messages of servers and the system about one.

use super::family::When::{Always, Before, OfServer, OnWindows, Seen};
use super::family::{Family, Writer, is};
use crate::facts::Check;
use crate::facts::log::Event;

/// A typed command with a port of this machine to forward.
const TYPED_FORWARDING: &[&str] = &[
    "ssh <text>-L <what>:<what>:<port>",
    "ssh <text>-<what>L <what>:<what>:<port>",
    "ssh <text>-L<port>:<what>:<port>",
    "ssh <text>-D <port>",
    "ssh <text>-<what>D <port>",
    "ssh <text>-D <host>:<port>",
    "ssh <text>-D<port>",
];

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &["Protocol mismatch."],
        candidates: &[
            is(
                "handshake-probed",
                Seen(&["Escape character is '^]'"]),
                "telnet or nc was used: sshd answers so to what is no SSH version, and it works",
            ),
            is("handshake-proxy-header", Always, "ssh itself shows it: something is put before its version"),
            is("handshake-probed", Always, "something that is no SSH client shows it, and ssh works"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Unsupported KEX algorithm \""],
        writer: Writer::Anyone,
        is_named: true,
        candidates: &[
            is(
                "server-start-failed",
                OfServer,
                "sshd says so: its configuration names an algorithm that it does not have",
            ),
            is("config-invalid", Always, "ssh says so: ~/.ssh/config or -o names an algorithm that it does not have"),
            is("server-start-failed", Always, "sshd says so as it starts: sshd -t shows the line"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["cannot listen to port: <port>"],
        writer: Writer::Anyone,
        is_wrapper: true,
        candidates: &[
            is("channel-remote-forward-failed", OfServer, "the port is on the server (-R)"),
            is("channel-local-forward-failed", Always, "ssh says so: the port is on this machine (-L, -D)"),
            is("channel-remote-forward-failed", Always, "sshd says so: the port is on the server (-R)"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["bind: Address already in use", "bind: Permission denied"],
        is_named: true,
        unless: &[Event::LoggedIn, Event::SessionBegun, Event::RequestGranted],
        candidates: &[
            is(
                "channel-local-forward-failed",
                Seen(TYPED_FORWARDING),
                "ssh says so: the port of -L or -D is taken on this machine, or below 1024",
            ),
            is(
                "exit-command-failed",
                Seen(TYPED_FORWARDING),
                "a program on the server says so, once the session is open",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["bind: Cannot assign requested address"],
        candidates: &[
            is(
                "tcp-bind-address",
                Seen(&["connect to host <host> port <port>: failure"]),
                "ssh does not connect at all",
            ),
            is(
                "channel-local-forward-failed",
                Always,
                "the session opens: a forwarding wants ::1, and this machine has no IPv6 (ssh -4)",
            ),
            is(
                "tcp-bind-address",
                Always,
                "ssh does not connect at all: BindAddress or -b names no address of this machine",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Cannot assign requested address", "Can't assign requested address", "EADDRNOTAVAIL"],
        is_named: true,
        candidates: &[
            is(
                "tcp-bind-address",
                Always,
                "ssh does not connect at all: BindAddress or -b names no address of this machine",
            ),
            is("channel-local-forward-failed", Always, "the session opens, and a forwarding does not (-L, -D)"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Detected AuthTimeout"],
        candidates: &[
            is("auth-slow", Always, "the login takes longer than the client waits: PAM, DNS, or a directory"),
            is("auth-question-unanswered", Always, "the server waits for a password or a code"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Connection reset by peer"],
        writer: Writer::Server,
        is_wrapper: true,
        candidates: &[
            is(
                "handshake-probed",
                Before(Check::Auth),
                "it comes before the login: a scanner, or a monitor of the port",
            ),
            is("idle-reset", Always, "the session was idle: a firewall or NAT on the path dropped it"),
            is("path-random-resets", Always, "it comes at any age of a session, busy or idle"),
            is("network-outage", Always, "the client's network changed (VPN, Wi-Fi, sleep)"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Failed to set up socket for dynamic port forward", "mux_client_forward: forwarding request failed"],
        candidates: &[
            is(
                "channel-forwarding-prohibited",
                Always,
                "ssh -v says administratively prohibited: AllowTcpForwarding no",
            ),
            is("channel-forward-unreachable", Always, "forwarding works, and nothing listens at its end on the server"),
            is("channel-local-forward-failed", Always, "the port on this machine is taken"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Couldn't write to remote file \"<file>\": Failure", "write remote \"<file>\": Failure"],
        candidates: &[
            is("server-disk-full", Always, "df or quota on the server shows no room"),
            is("session-restricted", Always, "the account may only read, or write elsewhere"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "open failed: connect failed: Connection refused",
            "open failed: connect failed: Connection timed out",
            "open failed: connect failed: Operation timed out",
            "open failed: connect failed: No route to host",
            "open failed: connect failed: Network is unreachable",
            "open failed: connect failed: Name or service not known",
            "open failed: connect failed: Temporary failure in name resolution",
            "open failed: connect failed: nodename nor servname",
            "open failed: connect failed: <host>: <why>",
            "ssh: rejected: connect failed (Connection refused)",
            "open FAILED: Connection refused: Connect failed",
            "open FAILED: Connection timed out: Connect failed",
            "open FAILED: No route to host: Connect failed",
            "open FAILED: Name or service not known: Connect failed",
            "open FAILED: Network is unreachable: Connect failed",
            "open FAILED: Temporary failure in name resolution: Connect failed",
            "Channel open failure: Connection refused",
            "Channel open failure: Connection timed out",
            "Channel open failure: No route to host",
            "Channel open failure: Name or service not known",
            "Channel open failure: Temporary failure in name resolution",
            "direct-tcpip` channel failed: Connection refused",
            "direct-tcpip` channel failed: Connection timed out",
            "direct-tcpip` channel failed: open failed",
            "open new channel ssh error",
            "open failed : Connect failed",
            "to remote side of the tunnel",
        ],
        candidates: &[
            is(
                "jump-target-unreachable",
                Seen(&["stdio forwarding failed", "Connection closed by UNKNOWN port 65535"]),
                "the jump host cannot connect to the target",
            ),
            is(
                "channel-forward-unreachable",
                Always,
                "a session is open: a program used a forwarded port (-L, -D), and nothing answers where it leads",
            ),
            is("jump-target-unreachable", Always, "it comes at the start, with -J or -W: the jump host cannot connect"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["shell request failed on channel"],
        candidates: &[
            is(
                "session-restricted",
                Seen(&["PTY allocation request failed"]),
                "no terminal was given either: the server serves something else than shells (sftp, git, forwarding)",
            ),
            is("session-process-limit", Always, "the account or the server is at a limit of processes (ulimit -u)"),
            is("session-pam-refused", Always, "the server's log says so of PAM (pam_limits, pam_loginuid)"),
            is("session-pty-refused", Seen(&["PTY allocation request failed"]), "the server cannot make a terminal"),
            is(
                "session-exec-failed",
                OnWindows,
                "the server is Windows: its DefaultShell names a program that is not there",
            ),
            is("session-exec-failed", Always, "the account or its key allows no shell"),
        ],
        ..Family::NEW
    },
    Family {
        // sshd on Windows, with the error of the system in brackets.
        texts: &["Cannot create process as new user", "ERROR. Cannot create process (<n>)"],
        writer: Writer::Anyone,
        is_named: true,
        candidates: &[
            is(
                "session-subsystem-missing",
                Seen(&["subsystem request for sftp", "sftp-server.exe"]),
                "sftp was asked for: the program of its Subsystem line is not there, or cannot be started",
            ),
            is(
                "session-exec-failed",
                Always,
                "a shell or a command was asked for: the program that DefaultShell names is not there, or cannot be started",
            ),
            is(
                "session-subsystem-missing",
                Always,
                "a client for files was used: the program of the Subsystem line is not there, or cannot be started",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Timeout, client not responding"],
        writer: Writer::Anyone,
        candidates: &[
            is("network-outage", Always, "the client's network went away (Wi-Fi, VPN), or the client slept"),
            is("session-client-suspended", Always, "it was a laptop that was closed"),
            is("idle-silent-drop", Always, "it happens after idle times only, and clients find their session dead"),
            is("path-state-lost", Always, "many sessions end so at one moment: a firewall lost its state"),
        ],
        ..Family::NEW
    },
    Family {
        // Shells and macOS' allocator, of the client's own process.
        texts: &[
            "zsh: segmentation fault <text>ssh",
            "zsh: abort <text>ssh",
            "zsh: bus error <text>ssh",
            "zsh: illegal hardware instruction <text>ssh",
            "Segmentation fault<text> ssh <name>",
            "ssh(<n>,<address>) malloc: *** error",
            "ssh: malloc.c:<n>:",
        ],
        candidates: &[
            is(
                "config-ssh-cannot-start",
                Always,
                "ssh itself crashes, with another host too: its build, or a library of Kerberos, is at fault",
            ),
            is(
                "config-pkcs11-missing",
                Always,
                "it comes with a PKCS11Provider or SecurityKeyProvider in ~/.ssh/config only",
            ),
        ],
        ..Family::NEW
    },
    Family {
        // macOS' linker names the program on the line below.
        texts: &["dyld: Library not loaded", "dyld[<pid>]: Library not loaded"],
        candidates: &[
            is(
                "config-ssh-cannot-start",
                Seen(&[
                    "fatal: Could not read from remote repository",
                    "Referenced from: <text>/bin/ssh",
                    "Referenced from: <text>/ssh (",
                    "rsync: connection unexpectedly closed",
                ]),
                "it is ssh that says so",
            ),
            is("server-start-failed", Seen(&["Referenced from: <text>/sshd"]), "it is sshd that says so"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["OpenSSL version mismatch", "error while loading shared libraries"],
        candidates: &[
            is(
                "config-ssh-cannot-start",
                Seen(&["ssh: error while loading shared libraries"]),
                "it is ssh that says so",
            ),
            is("config-ssh-cannot-start", Always, "it appears on this machine: ssh itself cannot start"),
            is("server-start-failed", Always, "it appears on the server, and every connection ends at once"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "reverse mapping checking getaddrinfo",
            "POSSIBLE BREAK-IN ATTEMPT",
            "does not map back to the address",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is(
                "auth-slow",
                Always,
                "logins are slow: sshd waits for the name of the client's address; else it is harmless",
            ),
            is(
                "auth-key-rejected",
                Always,
                "the key's line has from= with a name, which the address does not lead back to",
            ),
        ],
        ..Family::NEW
    },
];
