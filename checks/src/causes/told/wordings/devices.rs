//! Switches, routers, firewalls and storage: the lines of their own logs.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    ("handshake-no-common-kex", &["SSH connection using unsupported key exchange algorithm"]),
    (
        "handshake-no-common-hostkey",
        &[
            "No matching hostkey algorithm found",
            "No matching host key algorithm found",
            "was attempted using an unsupported host key algorithm",
        ],
    ),
    ("handshake-no-common-cipher", &["SSH connection using unsupported cipher"]),
    ("handshake-no-common-mac", &["SSH connection using unsupported MAC"]),
    ("handshake-kex-failed", &["DH Key Exchange parse error when exchanging keys with client"]),
    ("handshake-protocol-violation", &["protocol error: rcvd type <n>"]),
    (
        "server-start-failed",
        &[
            "Host RSA key file corrupt or not found",
            "Host DSA key file corrupt or not found",
            "SSH: unable to retrieve default host public key",
        ],
    ),
    ("handshake-no-common-cipher", &["disconnected by SSH server<text>\"Invalid cipher type\""]),
    ("auth-password-rejected", &["disconnected by SSH server<text>\"Rejected by server\""]),
    ("auth-account-refused", &["does not have access privileges", "error: Restricted user session"]),
];
