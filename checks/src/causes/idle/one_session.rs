//! The causes that name one kind of session.

/// Causes that explain nothing where all sessions ended, regardless of traffic.
pub(in crate::causes) const OF_ONE_SESSION: &[&str] = &[
    "idle-closed",
    "idle-reset",
    "idle-silent-drop",
    "idle-closed-by-proxy",
    "idle-server-disconnect",
    "idle-server-inactivity",
    "idle-channel-timeout",
    "idle-shell-timeout",
    "idle-terminal-timeout",
    "idle-one-way-refresh",
    "idle-unused-connection-timeout",
    "idle-no-keepalive",
];
