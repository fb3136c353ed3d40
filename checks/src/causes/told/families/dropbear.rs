//! Words of dropbear and its client dbclient (their calls of `dropbear_exit` and `dropbear_log`) that several causes share.

use super::family::When::Always;
use super::family::{Family, Writer, is};

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &["Failed to get remote version"],
        candidates: &[
            is("handshake-closed-before-banner", Always, "it comes at once: the other end closes"),
            is("handshake-no-banner", Always, "it comes after a while: no version arrives"),
            is("handshake-not-ssh", Always, "the port is another service's"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["): Keepalive timeout", ">: Keepalive timeout"],
        writer: Writer::Server,
        candidates: &[
            is("network-outage", Always, "the client's network was down, or it slept"),
            is(
                "idle-silent-drop",
                Always,
                "it comes after an idle time only: something on the path dropped the session",
            ),
        ],
        ..Family::NEW
    },
];
