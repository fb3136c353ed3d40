//! The way through a jump host or a ProxyCommand.

use super::family::When::{Always, Greeting, Seen};
use super::family::{Family, is};

/// Messages of ssh when its ProxyCommand or jump host gave it no connection. They come last: other output gives the
/// reason.
pub(in crate::causes::told) const NO_PEER: &[&str] =
    &["stdio forwarding failed", "UNKNOWN port 65535", "Connection closed by UNKNOWN port 65535"];

/// Messages of cloudflared, whose tunnel did not open.
pub(super) const OF_A_WEB_TUNNEL: &[&str] = &["websocket: bad handshake", "failed to connect to origin"];

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // cloudflared and other tunnels: the other end answers HTTP with something else than a WebSocket.
        texts: OF_A_WEB_TUNNEL,
        is_named: true,
        candidates: &[
            is("jump-proxy-command-failed", Always, "the tunnel wants a login, or its other end is down"),
            is("handshake-not-ssh", Always, "the tunnel leads to a web service, and not to an SSH server"),
        ],
        ..Family::NEW
    },
    Family {
        // A hop that names itself cannot go on to the target.
        texts: &[
            "bastion: connect to <host> port <port>: <why>",
            "bastion: ssh: connect to host <host> port <port>: <why>",
            "bastion: dial tcp <host>: <why>",
            "jump: ssh: connect to host <host> port <port>: <why>",
            "jumphost: ssh: connect to host <host> port <port>: <why>",
            "gateway: ssh: connect to host <host> port <port>: <why>",
            "failed to open channel to <host>: No route to host",
            "failed to open channel to <host>: Connection refused",
            "failed to open channel to <host>: Connection timed out",
            "failed to open channel to <host>: Network is unreachable",
        ],
        is_named: true,
        candidates: &[
            is("jump-target-unreachable", Always, "the login to the hop works, and the hop does not reach the target"),
            is("tcp-unreachable", Always, "the line is of a client on that host, which has no route"),
        ],
        ..Family::NEW
    },
    Family {
        // Tabby, of the channel that leads from one hop to the next.
        texts: &["Could not set up port forward on"],
        is_named: true,
        candidates: &[
            is(
                "jump-target-unreachable",
                Seen(&[
                    "Channel open failure: Name or service not known",
                    "Channel open failure: Connection refused",
                    "Channel open failure: Connection timed out",
                    "Channel open failure: No route to host",
                ]),
                "the jump host does not reach the target, or does not know its name",
            ),
            is("jump-forwarding-prohibited", Always, "ssh -J prints administratively prohibited"),
            is("jump-target-unreachable", Always, "ssh -J prints connect failed"),
        ],
        ..Family::NEW
    },
    Family {
        // ssh reads the lines that a ProxyCommand prints as the server's.
        texts: &["Connection to UNKNOWN port <n>: Connection corrupted"],
        candidates: &[
            is("jump-proxy-command-failed", Greeting(1), "its program prints lines of its own into the connection"),
            is("jump-proxy-command-failed", Always, "its program prints something of its own into the connection"),
            is("handshake-protocol-violation", Always, "the server does so without a ProxyCommand too"),
            is("transfer-corrupted", Always, "it comes after the login, in long transfers"),
        ],
        ..Family::NEW
    },
    Family {
        texts: NO_PEER,
        is_named: true,
        candidates: &[
            is(
                "jump-forwarding-prohibited",
                Seen(&["administratively prohibited"]),
                "the jump host forbids the onward connection",
            ),
            is(
                "jump-target-unreachable",
                Seen(&["open failed: connect failed"]),
                "the jump host cannot connect onward",
            ),
            is(
                "config-proxy-command",
                Seen(&["command not found", "sh: <n>: <what>: not found"]),
                "the shell does not find the program of the ProxyCommand",
            ),
            is(
                "jump-proxy-command-failed",
                Always,
                "the ProxyCommand ended without a connection; a line that it printed stands before this one",
            ),
            is("jump-target-unreachable", Always, "a line before it says connect failed"),
            is("jump-forwarding-prohibited", Always, "a line before it says administratively prohibited"),
            is("auth-key-rejected", Always, "a line before it says Permission denied: the jump host's own login"),
        ],
        ..Family::NEW
    },
];
