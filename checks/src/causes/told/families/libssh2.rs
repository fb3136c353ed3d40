//! Error codes of libssh2 (libssh2.h) as its bindings print them: Rust, Python, PHP, Lua.

use super::credentials::REFUSED_WITHOUT_METHODS;
use super::family::When::Always;
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
        ],
        is_wrapper: true,
        candidates: &[
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
        texts: &["Session(-18)", "Error { code: -18,", "ssh2.exceptions.AuthenticationError"],
        is_wrapper: true,
        candidates: REFUSED_WITHOUT_METHODS,
        ..Family::NEW
    },
    Family {
        texts: &["Session(-16)", "Error { code: -16,", "Session(-19)", "Error { code: -19,"],
        is_wrapper: true,
        candidates: &[
            is("auth-key-unreadable", Always, "libssh2 cannot read the key: no such file, or a format that it lacks"),
            is("auth-key-encrypted", Always, "the key has a passphrase, and none or a wrong one was given"),
            is("auth-key-rejected", Always, "ssh -i with this key by hand prints Permission denied"),
        ],
        ..Family::NEW
    },
];
