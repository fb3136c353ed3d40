//! Forges, whose own command runs after the login, and fails.

use super::family::When::{Always, Seen};
use super::family::{Family, is};

pub(super) static FAMILIES: &[Family] = &[Family {
    texts: &[
        "Gitea: Internal error",
        "Gogs: Internal error",
        "Forgejo: Internal error",
        "Gitea: Internal Server Connection Error",
        "Forgejo: Internal Server Connection Error",
        "Failed to execute git command:",
    ],
    candidates: &[
        is(
            "exit-command-failed",
            Seen(&[
                "connect: connection refused",
                "Internal Server Connection Error",
                "dial tcp 127.0.0.1:",
                "dial tcp [::1]:",
                "sql: database is closed",
                "/api/internal/",
            ]),
            "the login works, and the forge's own command does not reach its database or its web server",
        ),
        is(
            "session-restricted",
            Always,
            "the login works, and the forge's own command refuses or fails: the forge's log has the reason",
        ),
        is("session-forced-command", Always, "command= in authorized_keys runs another program than the forge's"),
    ],
    ..Family::NEW
}];
