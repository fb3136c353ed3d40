//! Last words of dropbear and of its client dbclient: what their calls of `dropbear_exit` and `dropbear_log` print.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    ("hostkey-unknown", &["exited: Didn't validate host key", "exited: Not accepted automatically"]),
    ("idle-client-timeout", &["exited: Idle timeout"]),
    (
        "handshake-kex-failed",
        &[
            "exited: Bad hostkey signature",
            "exited: Bad kex value",
            "exited: Bad curve25519",
            "exited: Bad sntrup",
            "exited: Diffie-Hellman error",
            "exited: ECC error",
        ],
    ),
    (
        "handshake-protocol-violation",
        &[
            "Bad KEX packet",
            "Received out-of-order kexdhreply",
            "Premature kexdh_init message received",
            "Unexpected newkeys message",
            "exited: Oversized packet",
            "bad packet, oversized decompressed",
            "exited: zlib error",
            "exited: String too long",
            "Received message <n> before userauth",
        ],
    ),
    (
        "auth-protocol-violation",
        &[
            "Unexpected userauth failure",
            "Unexpected userauth packet",
            "Request for connection before auth",
            "Too many prompts received for keyboard-interactive",
            "Protocol error: expected packet type 5<n>, got",
            "Protocol error: expected packet type 6<n>, got",
        ],
    ),
    ("auth-account-refused", &["pam_acct_mgmt() failed, rc=<n>", "change user as non-root"]),
    ("auth-password-rejected", &["pam_authenticate() failed, rc=<n>"]),
    ("auth-key-rejected", &["Bad public key options at <file>", "Badly formatted permitopen= authorized_keys option"]),
    ("session-shell-exits", &[">: Child failed"]),
];
