//! The messages of terminals with an SSH client of their own: Tabby.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    ("auth-password-rejected", &["Keyboard-interactive auth rejected"]),
    ("auth-disconnected", &["The server has disconnected during authentication."]),
    (
        "auth-agent-unreachable",
        &[
            "Agent auth selected, but no running Agent process is found",
            "Agent auth selected, but SSH_AUTH_SOCK is not set",
            "Agent socket path is not a Unix socket",
            "Could not access agent socket",
        ],
    ),
    ("auth-key-unreadable", &["Could not load private key <file>"]),
    ("channel-remote-forward-failed", &["Remote rejected port forwarding for"]),
    ("channel-local-forward-failed", &["Failed to forward port <what>"]),
    (
        "channel-forward-unreachable",
        &["in `forwarded_tcpip'", "Forward#forwarded_tcpip'", "jsch.ChannelForwardedTCPIP"],
    ),
];
