//! The way through a jump host or a ProxyCommand.

use super::family::When::{Always, Seen};
use super::family::{Family, is};

/// Messages of ssh when its ProxyCommand or jump host gave it no connection. They come last: other output gives the
/// reason.
pub(in crate::causes::told) const NO_PEER: &[&str] =
    &["stdio forwarding failed", "UNKNOWN port 65535", "Connection closed by UNKNOWN port 65535"];

pub(super) static FAMILIES: &[Family] = &[Family {
    texts: NO_PEER,
    is_named: true,
    candidates: &[
        is(
            "jump-forwarding-prohibited",
            Seen(&["administratively prohibited"]),
            "the jump host forbids the onward connection",
        ),
        is("jump-target-unreachable", Seen(&["open failed: connect failed"]), "the jump host cannot connect onward"),
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
}];
