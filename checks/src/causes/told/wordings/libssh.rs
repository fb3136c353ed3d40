//! The errors of libssh, which KDE, GNOME, Remmina, curl and NETCONF servers print.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    (
        "config-invalid",
        &[
            "ERROR - Match all cannot be combined",
            "ERROR - Unknown argument '<what>' for Match keyword",
            "ERROR - Match keyword requires an argument",
            "ERROR - Match <what> keyword requires argument",
            "ERROR - Match tagged keyword",
            "ERROR - Tag keyword requires argument",
            "ERROR - Too many levels of configuration includes",
        ],
    ),
    (
        "tcp-unreachable",
        &["Socket error: network unreachable", "Socket error: host unreachable", "Socket error: network down"],
    ),
    ("tcp-bind-address", &["Failed to resolve bind address", "Binding local address:"]),
    ("server-start-failed", &["No usable hostkeys found", "Failed to import private <kind> host key"]),
    ("handshake-no-common-cipher", &["no crypto algorithm function found for"]),
    ("handshake-no-common-mac", &["no hmac algorithm function found for"]),
    (
        "handshake-protocol-violation",
        &[
            "Received DH_GEX_GROUP in invalid state",
            "Received DH_GEX_REQUEST in invalid state",
            "Invalid DH_GEX_GROUP packet",
            "Invalid DH_GEX_REPLY packet",
            "SSH_KEXINIT received in wrong state",
            "ssh_packet_newkeys called in wrong state",
            "Invalid USERAUTH_INFO_REQUEST msg",
            "Short INFO_REQUEST packet",
            "Packet too short to read padding",
            "Packet too short to read type",
            "Received data on (remotely) closed channel",
            "Incoming sequence number overflow",
        ],
    ),
    (
        "handshake-kex-failed",
        &[
            "The received DH group is not FIPS approved",
            "Could not generate shared secret",
            "Could not derive shared secret",
            "Could not derive shared key",
            "ML-KEM decapsulation failed",
            "ECDH secret derivation failed",
        ],
    ),
    ("hostkey-too-short", &["The host key size <n> is too small", "The hostkey size too small"]),
    ("auth-key-too-short", &["key type of size <n> is not allowed by RSA_MIN_SIZE"]),
    ("auth-agent-unreachable", &["Session has no active agent", "No agent connection available"]),
    ("channel-remote-forward-failed", &["Global request tcpip-forward failed"]),
];
