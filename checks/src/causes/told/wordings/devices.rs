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
    // Debugging of Cisco IOS and ASA.
    ("handshake-kex-failed", &["SSH2 <n>: <text>Invalid modulus length", "SSH2: <text>Invalid modulus length"]),
    ("handshake-no-common-kex", &["kex algo not supported: client", "SSH2 <n>: <text>no matching kex"]),
    ("auth-key-rejected", &["SSH2 <n>: Pubkey Authentication failed"]),
    (
        "handshake-protocol-violation",
        &["protocol error: rcvd type <n>", "SSH2 <n>: Unexpected mesg type", "SSH2 <n>: Unexpected message type"],
    ),
    (
        "server-start-failed",
        &[
            "Host RSA key file corrupt or not found",
            "Host DSA key file corrupt or not found",
            "SSH: unable to retrieve default host public key",
            "SSH<n>: unable to retrieve host public key for",
            "SSH2 <n>: RSA_sign: private key not found",
            "SSH2 <n>: signature creation failed",
        ],
    ),
    ("handshake-no-common-cipher", &["disconnected by SSH server<text>\"Invalid cipher type\""]),
    ("auth-password-rejected", &["disconnected by SSH server<text>\"Rejected by server\""]),
    ("auth-account-refused", &["does not have access privileges", "error: Restricted user session"]),
];
