//! Fixes that causes of several checks share.

use super::{Fix, Side};
use crate::facts::idle;

/// The caution of a change to sshd_config.
pub(crate) const RELOAD: &str = "check with sshd -t, then reload sshd; running sessions keep the old setting";

/// The fix that the idle test tries on its own sessions.
pub(crate) const KEEPALIVE: Fix = Fix {
    side: Side::Client,
    summary: "Send a keepalive before the idle timeout",
    file: Some("~/.ssh/config"),
    snippet: Some("Host {alias}\n    ServerAliveInterval {interval}\n    ServerAliveCountMax {count_max}"),
    // The user's own is as good.
    when: |evidence| evidence.idle.facts().and_then(idle::Facts::own_holds) != Some(true),
    tried: |evidence| evidence.idle.facts()?.keepalive().verified,
    ..Fix::CHANGE
};

/// Full-size packets that the path swallows, where the size that passes is not known.
pub(crate) const CLAMP_MSS: Fix = Fix {
    side: Side::Network,
    summary: "On the router at the tunnel, clamp the TCP maximum segment size to the path",
    snippet: Some("nft insert rule inet filter forward tcp flags syn tcp option maxseg size set {clamp}"),
    caution: Some("table and chain are those of your own ruleset"),
    ..Fix::CHANGE
};

/// Sessions that end by a limit which no client can lift.
pub(crate) const TMUX: Fix = Fix {
    side: Side::Client,
    summary: "Let the work survive the session, and come back to it",
    snippet: Some("ssh -t {alias} tmux new -A -s main"),
    ..Fix::CHANGE
};

/// Interruptions and changes of the path.
pub(crate) const MOSH: Fix = Fix {
    side: Side::Client,
    summary: "Use mosh, whose sessions survive interruptions and changes of the path (UDP, ports 60000 to 61000)",
    snippet: Some("mosh {alias}"),
    caution: Some("needs mosh-server on the server, and its UDP ports open"),
    ..Fix::CHANGE
};

/// Tunnels that end silently: keepalives detect it.
pub(crate) const AUTOSSH: Fix = Fix {
    snippet: Some(
        "autossh -M 0 -o ServerAliveInterval=15 -o ServerAliveCountMax=3 -o ExitOnForwardFailure=yes -N {alias}",
    ),
    ..AUTOSSH_AFTER_CLOSE
};

/// Tunnels that the other side closes or resets: ssh ends by itself, and no keepalive prevents it.
pub(crate) const AUTOSSH_AFTER_CLOSE: Fix = Fix {
    side: Side::Client,
    summary: "Let tunnels reconnect automatically",
    snippet: Some("autossh -M 0 -o ExitOnForwardFailure=yes -N {alias}"),
    ..Fix::CHANGE
};

/// Servers and firewalls that count connections.
pub(crate) const ONE_CONNECTION: Fix = Fix {
    side: Side::Client,
    summary: "Let many sessions share one connection, so that fewer are opened",
    file: Some("~/.ssh/config"),
    snippet: Some("Host {alias}\n    ControlMaster auto\n    ControlPath ~/.ssh/control-%C\n    ControlPersist 10m"),
    ..Fix::CHANGE
};
