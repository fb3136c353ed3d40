//! Error codes of libssh2 (libssh2.h) as its bindings print them, and of libssh: C, Rust, Python, PHP, Lua.

use super::credentials::REFUSED_WITHOUT_METHODS;
use super::family::When::{Always, Seen};
use super::family::{Family, is};

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &[
            "Session(-5)",
            "Session(-8)",
            "Error { code: -5,",
            "Error { code: -8,",
            "Error code %s not known', -5)",
            "Error code %s not known', -8)",
            "ssh2.exceptions.KeyExchangeError",
            "LIBSSH2_ERROR_METHOD_NONE",
            "LIBSSH2_ERROR_HOSTKEY_INIT",
        ],
        is_wrapper: true,
        candidates: &[
            is("handshake-no-common-kex", Always, "libssh2 is old, or built without the algorithms of the server"),
            is("handshake-kex-failed", Always, "the algorithms match, and the exchange fails in libssh2 alone"),
            is("handshake-no-common-hostkey", Always, "sshd's log says no matching host key type found"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Session(-13)",
            "Session(-43)",
            "Error { code: -13,",
            "Error { code: -43,",
            "error receiving on socket",
            "ssh2.exceptions.SocketDisconnectError",
            "ssh2.exceptions.SocketRecvError",
            "LIBSSH2_ERROR_SOCKET_RECV",
            "LIBSSH2_ERROR_SOCKET_SEND",
            "LIBSSH2_ERROR_SOCKET_NONE",
        ],
        is_wrapper: true,
        candidates: &[
            is(
                "auth-disconnected",
                Seen(&["authentication: [Session(-13)]", "authentication: [Session(-43)]"]),
                "it comes as the login is tried: the server closes the connection there",
            ),
            is(
                "handshake-kex-failed",
                Always,
                "ssh by hand works: libssh2's key exchange fails, and the server closes",
            ),
            is("handshake-closed-before-banner", Always, "ssh by hand ends at once as well"),
            is("handshake-reset", Always, "ssh by hand prints Connection reset by peer"),
            is("idle-closed", Always, "the session was open, and idle"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Session(-18)",
            "Error { code: -18,",
            "ssh2.exceptions.AuthenticationError",
            "LIBSSH2_ERROR_AUTHENTICATION_FAILED",
            "LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED",
            "SSH_AUTH_DENIED",
        ],
        is_wrapper: true,
        candidates: REFUSED_WITHOUT_METHODS,
        ..Family::NEW
    },
    Family {
        texts: &["Session(-16)", "Error { code: -16,", "Session(-19)", "Error { code: -19,", "LIBSSH2_ERROR_FILE"],
        is_wrapper: true,
        candidates: &[
            is("auth-key-unreadable", Always, "libssh2 cannot read the key: no such file, or a format that it lacks"),
            is("auth-key-encrypted", Always, "the key has a passphrase, and none or a wrong one was given"),
            is("auth-key-rejected", Always, "ssh -i with this key by hand prints Permission denied"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["LIBSSH2_ERROR_BANNER_RECV", "LIBSSH2_ERROR_BANNER_SEND", "LIBSSH2_ERROR_BANNER_NONE"],
        is_wrapper: true,
        candidates: &[
            is("handshake-closed-before-banner", Always, "ssh by hand ends at once as well"),
            is("handshake-no-banner", Always, "it comes after a while: no version arrives"),
            is("handshake-not-ssh", Always, "the port is another service's"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["LIBSSH2_ERROR_TIMEOUT", "LIBSSH2_ERROR_SOCKET_TIMEOUT"],
        is_wrapper: true,
        candidates: &[
            is("handshake-no-banner", Always, "it comes as the program connects: no version arrives"),
            is("handshake-kex-stalled", Always, "ssh -v shows that the key exchange stops"),
            is("session-start-hangs", Always, "the login works, and the command or subsystem does not answer"),
            is("idle-silent-drop", Always, "the session was open, and idle"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["LIBSSH2_ERROR_INVALID_MAC", "LIBSSH2_ERROR_DECRYPT", "LIBSSH2_ERROR_ZLIB", "LIBSSH2_ERROR_COMPRESS"],
        is_wrapper: true,
        candidates: &[
            is("handshake-mac-mismatch", Always, "it comes right after the key exchange, at every attempt"),
            is("transfer-corrupted", Always, "it comes after a while or with volume"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "LIBSSH2_ERROR_CHANNEL_FAILURE",
            "LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED",
            "LIBSSH2_ERROR_CHANNEL_UNKNOWN",
        ],
        is_wrapper: true,
        candidates: &[
            is("channel-open-refused", Always, "the login worked, and the server opens no channel"),
            is("session-exec-failed", Always, "the channel opens, and the server refuses the command or shell"),
            is("channel-forwarding-prohibited", Always, "the channel was a forwarding"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["LIBSSH2_ERROR_AGENT_PROTOCOL"],
        is_wrapper: true,
        candidates: &[
            is("auth-agent-unreachable", Always, "ssh-add -l reaches no agent in the program's environment"),
            is("auth-agent-refused", Always, "the agent answers, and refuses to sign"),
        ],
        ..Family::NEW
    },
];
