//! Wordings of forwardings beside a session: ports and displays.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    (
        "channel-local-forward-failed",
        &[
            "ERROR: Failed to bind to <host>:<port>: listen tcp <text>: bind: address already in use",
            "channel_setup_fwd_listener: getaddrinfo(<host>): <why>",
            "channel_setup_fwd_listener: getaddrinfo(<host>): Address family for hostname not supported",
            "channel_setup_fwd_listener: getaddrinfo(<host>): Name or service not known",
            "channel_setup_fwd_listener_tcpip: getaddrinfo(<host>): <why>",
            "channel_setup_fwd_listener_tcpip: getaddrinfo(<host>): Address family for hostname not supported",
            "channel_setup_fwd_listener_tcpip: getaddrinfo(<host>): Name or service not known",
        ],
    ),
    (
        "channel-remote-forward-failed",
        &[
            "ssh: tcpip-forward request denied by peer",
            "Unable to bind to <address>",
            "Global request [`tcpip-forward`] failed",
            "Remote TCP forward request failed",
            "Port forwarding for '<host>' port '<port>' failed to start",
            "Server refused port forwarding",
            "Remote port forwarding from <address> refused",
            "refused remote port forward",
            "request denied by peer",
        ],
    ),
    (
        "channel-forwarding-prohibited",
        &[
            "could not establish direct channel: <text> (1)",
            "Forwarded connection refused by remote: Administratively prohibited",
            "Forwarded connection refused by server: Administratively prohibited",
            "request to forward port refused",
        ],
    ),
    (
        "channel-x11-refused",
        &[
            "X11 connection rejected because of wrong authentication",
            "Unable to request X11",
            "Can't open display: localhost:<port>",
            "cannot open display: localhost:<port>",
            "Can't open display: :<n>",
            "untrusted X11 forwarding setup failed",
            "No xauth program; cannot forward",
            "sh: <file>/xauth: not found",
            "sh: <n>: <file>/xauth: not found",
            "Rejected X11 connection after ForwardX11Timeout expired",
            "X11 proxy: <why>",
            "DISPLAY \"<text>\" invalid; disabling X11 forwarding",
            "X11 forwarding refused",
            "Can't get IP address for X11 DISPLAY",
            "X11 connection rejected",
            "X11 display socket",
            "x11_create_display_inet",
            "unable to open display \"localhost:<n>",
            "couldn't connect to display \"localhost:<n>",
            "rejected X11 forwarding request",
            "Error: Can't open display:",
            "cannot open display:",
        ],
    ),
];
