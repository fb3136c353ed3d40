//! Words that name a thing of the protocol, and not what happened to it.

use super::sentence::Sentence;
use crate::causes::told::families::{When::Always, is};

/// The specific ones first.
pub(super) const THINGS: &[Sentence] = &[
    (
        r"\bgss(?:api)?\b.{0,40}\b(?:fail\w*|refused|errors?)\b",
        &[
            is("auth-no-credentials", Always, "klist shows no ticket, and there is nothing else to log in with"),
            is("auth-method-unavailable", Always, "the server has no keytab, or takes no GSSAPI"),
        ],
    ),
    (
        r"passphrase|(?:unlock|decrypt).{0,40}\bkey|(?:key|identity).{0,40}\b(?:is|are) (?:encrypted|password.protected)",
        &[
            is("auth-key-encrypted", Always, "the key has a passphrase, and none or a wrong one was given"),
            is("auth-key-unreadable", Always, "the key is of a format that this program does not read"),
        ],
    ),
    (
        r"\bcipher|encryption algorithm",
        &[
            is("handshake-no-common-cipher", Always, "ssh -vv shows the ciphers of both ends, with none in common"),
            is("handshake-kex-failed", Always, "the algorithms match, and the exchange fails"),
        ],
    ),
    (
        r"\bhost[ -]?key (?:algorithm|type|format)|key type.{0,40}not supported by",
        &[
            is("handshake-no-common-hostkey", Always, "the server has host keys of types that the client refuses"),
            is("handshake-no-common-kex", Always, "ssh -vv shows no key exchange in common"),
        ],
    ),
    (
        r"(?:host[ -]?key|fingerprint|known.?hosts).{0,60}(?:mismatch|(?:not|n't) match|changed|differ|wrong)",
        &[
            is("hostkey-changed", Always, "the key that is recorded for this host is another one"),
            is("hostkey-unknown", Always, "no key of this host is recorded"),
        ],
    ),
    (
        r"host[ -]?key|known.?hosts?\b|fingerprint|authenticity",
        &[
            is("hostkey-unknown", Always, "no key of this host is recorded, and nobody confirmed it"),
            is("hostkey-changed", Always, "the key that is recorded for this host is another one"),
        ],
    ),
    (
        r"ssh-agent|auth.?sock|pageant|userauth_agent",
        &[
            is("auth-agent-unreachable", Always, "ssh-add -l reaches no agent in the program's environment"),
            is("auth-agent-refused", Always, "the agent answers, and refuses to sign"),
        ],
    ),
    (
        r"(?:private|ssh|identity|deploy|pem|rsa|openssh).?key.{0,60}(?:pars|decod|load|read|format|invalid|unsupported|import|not (?:found|exist|access)|no such|corrupt)|(?:pars|decod|load|read|import|invalid|unsupported).{0,40}(?:private|ssh|identity|pem|openssh).?key",
        &[
            is(
                "auth-key-unreadable",
                Always,
                "the file is missing, unreadable, or of a format that this program lacks",
            ),
            is("auth-key-encrypted", Always, "the key has a passphrase, which the program did not get"),
        ],
    ),
    (
        r"key.?exchange|\bkex|negotiat|algorithm",
        &[
            is("handshake-no-common-kex", Always, "ssh -vv shows no algorithm in common: one end is old"),
            is("handshake-kex-failed", Always, "the algorithms match, and the exchange fails"),
            is("handshake-kex-stalled", Always, "the exchange stops without an answer"),
        ],
    ),
    (
        r"\bbanner|identification|protocol version",
        &[
            is("handshake-no-banner", Always, "the connection is accepted, and no version comes"),
            is("handshake-closed-before-banner", Always, "the connection is closed before a version"),
            is("handshake-not-ssh", Always, "the port is another service's"),
        ],
    ),
    (
        r"password|keyboard.interactive",
        &[
            is("auth-password-rejected", Always, "the password or the login name is wrong"),
            is("auth-account-refused", Always, "the password is right: the account may not log in with one"),
            is("auth-method-unavailable", Always, "the server takes no passwords"),
        ],
    ),
    (
        r"authentic|\bauth\b|libssh2_userauth|unauthor|\blog ?[io]n\b|credential|public.?key|(?:permission|access) denied",
        &[
            is(
                "auth-key-rejected",
                Always,
                "the key is not in the account's authorized_keys, or the login name is wrong",
            ),
            is("auth-password-rejected", Always, "the program logs in with a password, which is wrong"),
            is("auth-no-credentials", Always, "the program has no key and no password"),
        ],
    ),
    (
        r"subsystem|(?:initiali[sz]|start).{0,20}\bsftp|sftp_init\b",
        &[
            is("session-subsystem-missing", Always, "ssh works and sftp does not: the server has no sftp-server"),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is("session-restricted", Always, "the account is served something else than sftp"),
        ],
    ),
    (
        r"port.?forward|forwarding",
        &[
            is(
                "channel-forwarding-prohibited",
                Always,
                "the server forbids it: AllowTcpForwarding, PermitOpen, PermitListen",
            ),
            is("channel-local-forward-failed", Always, "the port is on this machine, and taken (-L, -D)"),
            is("channel-remote-forward-failed", Always, "the port is on the server, and taken (-R)"),
        ],
    ),
    (
        r"(?:channel|shell|exec|env|pty).{0,10} request",
        &[
            is("session-exec-failed", Always, "the account or its key allows no such request"),
            is("session-restricted", Always, "the server serves other requests only"),
            is("channel-open-refused", Always, "the server opens no channel"),
        ],
    ),
    (
        r"\bchannel|_channel|channel\w*(?:exception|error)|\bpty\b",
        &[
            is("channel-open-refused", Always, "the login worked, and the server opens no channel"),
            is("channel-closed-early", Always, "the channel opens, and is closed at once"),
            is("channel-max-sessions", Always, "the connection has many sessions already"),
        ],
    ),
    (
        r"handshake|session_startup",
        &[
            is("handshake-kex-failed", Always, "ssh by hand works: the program's library and the server disagree"),
            is("handshake-closed-before-banner", Always, "ssh by hand is closed at once as well"),
            is("handshake-no-common-kex", Always, "ssh -vv shows no algorithm in common: one end is old"),
            is("handshake-not-ssh", Always, "the port is another service's"),
        ],
    ),
];

/// Words that name no more than a connection.
pub(super) const CONNECTIONS: &[Sentence] = &[
    (
        r"network error|ssh_connect|socket error",
        &[
            is("tcp-filtered", Always, "it comes after many seconds: nothing answers"),
            is("tcp-refused", Always, "it comes at once: nothing listens on that port"),
            is("tcp-unreachable", Always, "this machine has no route to that address"),
            is("handshake-reset", Always, "the connection was open: ssh -v shows the step at which it is reset"),
        ],
    ),
    (
        r"(?:connect|establish).{0,40}(?:\bssh\b|\bsftp\b|\bport 22\b|:22\b)|\b(?:ssh|sftp)\b.{0,20}\bconnect(?:ion)?\b.{0,20}(?:fail|error|lost|not )",
        &[
            is("tcp-filtered", Always, "it comes after many seconds: nothing answers"),
            is("tcp-refused", Always, "it comes at once: nothing listens on that port"),
            is("auth-key-rejected", Always, "ssh by hand prints Permission denied"),
            is("handshake-no-common-kex", Always, "ssh by hand works: the program's library is old"),
            is("hostkey-unknown", Always, "ssh by hand asks about the host key"),
        ],
    ),
    (
        r"connection ?(?:lost|exception)|transport ?exception|\bconnection to \S+ exited:|disconnect(?:ed)?exception",
        &[
            is(
                "handshake-closed-before-banner",
                Always,
                "it comes at once: the server, or something before it, closes",
            ),
            is("auth-disconnected", Always, "it comes at the login"),
            is("idle-closed", Always, "the session was open, and idle"),
            is("network-outage", Always, "the session was in use: the path was down"),
        ],
    ),
    (
        r"\b(?:jsch|ssh)exception\W*$",
        &[
            is("handshake-kex-failed", Always, "ssh by hand works: the program's library is old"),
            is("auth-key-rejected", Always, "ssh by hand prints Permission denied"),
            is("idle-closed", Always, "the session was open"),
            is("tcp-filtered", Always, "ssh by hand times out"),
        ],
    ),
];
