//! Messages of clients' libraries that leave the step open at which they are printed.

use super::family::When::{After, Always, Recorded, Seen, ThroughProxy};
use super::family::{Family, Writer, is};
use crate::facts::Check;
use crate::facts::log::Event;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // JSch, which asks first whether the server takes a key.
        texts: &["rsa-sha2-512 auth failure", "rsa-sha2-256 auth failure", "ssh-rsa auth failure"],
        candidates: &[
            is(
                "auth-signature-algorithm",
                Seen(&["rsa-sha2-512 preauth success", "rsa-sha2-256 preauth success", "ssh-rsa preauth success"]),
                "the server takes the key, and not a signature of this kind with it",
            ),
            is("auth-key-rejected", Always, "the account has no such key"),
            is("auth-account-refused", Always, "the key is accepted, and the account's own rules refuse it (PAM)"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["failed to start SSH session: <why>"],
        is_wrapper: true,
        candidates: &[
            is(
                "handshake-no-common-kex",
                Always,
                "ssh by hand works: libssh2 has no algorithm in common with the server",
            ),
            is("handshake-closed-before-banner", Always, "ssh by hand ends at once as well"),
            is("handshake-kex-failed", Always, "the key exchange fails in libssh2 alone"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["SSH public key authentication failed: <why>"],
        candidates: &[
            is(
                "auth-key-unreadable",
                Seen(&[
                    "Would block requesting userauth list",
                    "Unable to extract public key",
                    "Unable to open public key",
                ]),
                "libssh2 cannot read the key: no such file, or a format that its crypto library lacks",
            ),
            is("auth-key-encrypted", Seen(&["Callback returned error"]), "the key has a passphrase (--pass)"),
            is("auth-key-rejected", Always, "ssh -i with this key by hand prints Permission denied"),
            is("auth-key-unreadable", Always, "ssh -i with this key by hand works: libssh2 cannot read its format"),
            is("auth-key-encrypted", Always, "the key has a passphrase, which curl takes from --pass"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Cannot answer interactive prompts in batch mode"],
        is_named: true,
        candidates: &[
            is(
                "auth-key-rejected",
                Seen(&["Server refused our key"]),
                "the key is refused, and a password is asked for",
            ),
            is("auth-key-encrypted", Seen(&["Passphrase for key"]), "the key has a passphrase (load it into Pageant)"),
            is(
                "auth-method-unavailable",
                Seen(&["Reading key file"]),
                "a key is given, and the server asks for a password without asking for it",
            ),
            is("auth-no-credentials", Always, "plink -batch has no key (-i, Pageant) and no password (-pwfile)"),
            is("auth-question-unanswered", Always, "a password is given: the server asks for a code or a new password"),
            is("auth-key-rejected", Always, "a key is given: plink -v says Server refused our key"),
            is("auth-key-encrypted", Always, "the key has a passphrase, and Pageant does not hold it"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["connect to host <host> port <port>: Undefined error: 0"],
        candidates: &[
            is(
                "tcp-filtered",
                Always,
                "it comes after the ConnectTimeout: nothing answers (macOS loses the reason of a failed connection)",
            ),
            is("tcp-refused", Always, "it comes at once: nothing listens on the port"),
            is(
                "tcp-unreachable",
                Always,
                "it comes at once: the VPN is down, or macOS denies access to the local network",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["No existing session"],
        candidates: &[
            is("jump-proxy-command-failed", ThroughProxy, "the ProxyCommand gives no connection: run it by hand"),
            is(
                "handshake-kex-failed",
                Seen(&["in get_remote_server_key"]),
                "the key exchange had not ended: the server closed the connection, as it does when too many begin at once",
            ),
            is(
                "auth-too-many-failures",
                Always,
                "an agent holds many keys: allow_agent=False and look_for_keys=False help",
            ),
            is("auth-disconnected", Always, "the server closed the connection before or during the login"),
            is("handshake-slow", Always, "the banner or the login takes longer than the time limits (banner_timeout)"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "ExceptionPxssh: connection closed",
            "ExceptionPxssh: connection refused",
            "Could not establish connection to host",
        ],
        candidates: &[
            is("auth-disconnected", Always, "ssh by hand reaches the login: the server closes it there"),
            is("handshake-closed-before-banner", Always, "ssh -v shows no remote software version"),
            is("tcp-refused", Always, "ssh by hand prints Connection refused"),
            is("session-shell-exits", Always, "ssh by hand logs in, and the shell ends at once"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "could not synchronize with original prompt",
            "could not set shell prompt",
            "Pattern not detected:",
            "Search pattern never detected",
        ],
        candidates: &[
            is(
                "auth-password-rejected",
                Recorded(Event::Asked),
                "the password is asked for again where a prompt was awaited",
            ),
            is("session-start-hangs", Always, "ssh by hand shows no prompt for a while: a start-up file waits"),
            is("session-rc-output", Always, "a start-up file or a menu prints after the prompt, or changes it"),
            is("session-restricted", Always, "it is a device with a prompt of its own, or a menu"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["TransportException: Timeout expired", "TimeoutException: Timeout expired"],
        candidates: &[
            is("handshake-kex-stalled", Seen(&["KeyExchanger"]), "the stack trace names KeyExchanger"),
            is("auth-slow", Seen(&["UserAuthImpl"]), "the stack trace names UserAuthImpl: the login takes longer"),
            is("session-start-hangs", After(Check::Auth), "the login worked"),
            is("auth-slow", Always, "it comes during the login, which takes longer than the time limit"),
            is("handshake-kex-stalled", Always, "it comes during the key exchange"),
            is("server-stalled", Always, "it comes in a session that worked: the server does not answer"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Detected IdleTimeout after"],
        writer: Writer::Anyone,
        candidates: &[
            is(
                "idle-client-timeout",
                Seen(&["ClientSessionImpl", "sshd.client.", "o.a.s.c."]),
                "the client logs it: its own IDLE_TIMEOUT ended the session",
            ),
            is(
                "idle-server-inactivity",
                Always,
                "a server built with MINA logs it: its IDLE_TIMEOUT ends sessions without data",
            ),
            is("idle-client-timeout", Always, "the client logs it: its own IDLE_TIMEOUT ended the session"),
            is("idle-silent-drop", Always, "the session was busy by then: the packets were lost on the path"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Callback returned error"],
        candidates: &[
            is("auth-key-encrypted", Always, "the key has a passphrase, and the program gives none or a wrong one"),
            is(
                "auth-key-unreadable",
                Always,
                "the key is of a format that libssh2 or its crypto library does not read",
            ),
            is(
                "auth-key-rejected",
                Always,
                "the public key file belongs to another private key, or the server rejects it",
            ),
            is("auth-agent-refused", Always, "an agent signs: it refuses"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["AuthorizedKeysCommand <text> failed, status <n>", "AuthorizedKeysCommand"],
        writer: Writer::Anyone,
        candidates: &[
            is("auth-key-rejected", Always, "the account's keys come from that command alone, and it gives none"),
            is(
                "auth-key-lookup-hangs",
                Always,
                "logins wait before it: the command asks a directory that does not answer",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Connection has been unexpectedly closed. Server sent command exit status <status>"],
        candidates: &[
            is(
                "auth-disconnected",
                Seen(&["Authentication failed.", "Authentication failed"]),
                "the log of the login ends with a failure: the server closed the connection during it",
            ),
            is("session-subsystem-missing", Always, "ssh works: the server does not find its sftp-server (status 127)"),
            is("session-shell-exits", Always, "a shell session ends at once as well"),
            is("session-nologin", Always, "the account has no shell, or nologin"),
            is("session-rc-output", Always, "a start-up file prints something, or ends the shell"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Script disconnected unexpectedly",
            "The remote command disconnected",
            "Error uploading script",
            "Failed to upload script",
        ],
        is_wrapper: true,
        candidates: &[
            is("exit-without-status", Always, "the script restarts the machine, its network or sshd"),
            is("channel-closed-early", Always, "scp or sftp by hand fails too: the server closes the channel"),
            is("idle-silent-drop", Always, "the script prints nothing for minutes"),
            is("server-disk-full", Always, "there is no room in /tmp of the server"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["waiting for privilege escalation prompt"],
        candidates: &[
            is(
                "session-start-hangs",
                Always,
                "sudo on the host is slow: it looks up the host's own name, or a directory",
            ),
            is(
                "session-no-terminal",
                Always,
                "sudo wants a terminal or a password that nobody gave (--ask-become-pass)",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "PAM unable to dlopen(<file>",
            "PAM adding faulty module",
            "load_modules: can not open module",
            "open_module: <file> failed",
            "open_module: stat(<file>",
        ],
        writer: Writer::Anyone,
        unless: &[Event::SessionBegun],
        candidates: &[
            is("session-pam-refused", Always, "logins end right after it: a module in /etc/pam.d/sshd is missing"),
            is(
                "auth-account-refused",
                Always,
                "every password is refused: the missing module is one of auth or account",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Session operation has timed out", "SshOperationTimeoutException"],
        candidates: &[
            is(
                "session-start-hangs",
                Seen(&["RunCommand", "Renci.SshNet.SshCommand", "Renci.SshNet.SftpClient", "CreateShellStream"]),
                "it comes from a command or from SFTP: the login worked",
            ),
            is("handshake-no-banner", Seen(&["Session.SocketReadLine"]), "the stack trace reads the server's version"),
            is("handshake-kex-stalled", Seen(&["Sending message 'KeyExchange"]), "the log ends in the key exchange"),
            is("handshake-kex-stalled", Always, "it comes from Connect: the key exchange or the login stops"),
            is("auth-slow", Always, "it comes from Connect, and goes away with a longer Timeout"),
            is(
                "session-start-hangs",
                Always,
                "it comes from a command: the session does not start or the command takes longer",
            ),
            is("server-stalled", Always, "it comes in a session that worked: the server does not answer"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Login timeout expired", "LoginTimeout"],
        candidates: &[
            is("auth-slow", Always, "the login takes longer than the client waits: PAM, DNS, or a directory"),
            is("handshake-slow", Always, "the banner or the key exchange takes longer than that"),
            is("server-stalled", Always, "the server is overloaded, or hangs"),
        ],
        ..Family::NEW
    },
];
