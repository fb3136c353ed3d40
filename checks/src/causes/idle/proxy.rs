//! A proxy in the path that ends TCP itself: only bytes of SSH count, TCP keepalives do not reach through it.

use super::timer::{HAPROXY_TIMEOUT, NGINX_TIMEOUT, SERVER_KEEPALIVE, judge};
use crate::causes::shared::KEEPALIVE;
use crate::causes::{Cause, Severity};
use crate::facts::connection::Manner;
use crate::facts::idle::Sign;
use crate::facts::{Check, Evidence};

pub(super) const CLOSED_BY_PROXY: Cause = Cause {
    code: "idle-closed-by-proxy",
    stage: Check::Idle,
    title: "A proxy in the path closes idle connections",
    severity: Severity::Critical,
    explanation: "After idle time the other side closed the connection. A session with TCP keepalives only was closed as well, \
        and one with SSH keepalives survived: whoever closes them counts bytes, not packets. A proxy or load balancer \
        that terminates TCP on both sides does this (haproxy, nginx stream, Envoy, a cloud's TCP proxy).\n\n\
        An SSH server with its own inactivity limit for any packet looks the same, so this is reported only for \
        servers that have none: OpenSSH and dropbear.",
    fixes: &[KEEPALIVE, HAPROXY_TIMEOUT, NGINX_TIMEOUT, SERVER_KEEPALIVE],
    hides: &["idle-closed", "idle-reset"],
    judge: |evidence| {
        if evidence.idle_deaths()?.tcp_keepalive_lived() != Some(false) {
            return None;
        }
        let ended = |manner: &Manner, sign| matches!(manner, Manner::Fin | Manner::Reset) && sign == Sign::BeforeProbe;
        limits_are_known(evidence).then(|| judge(evidence, ended))?
    },
    ..Cause::NEW
};

/// True if the server is one that is known to have no inactivity limit which any packet renews.
fn limits_are_known(evidence: &Evidence) -> bool {
    let version = evidence.handshake.facts().and_then(|facts| facts.version.as_deref()).unwrap_or_default();
    version.contains("OpenSSH") || version.contains("dropbear")
}
