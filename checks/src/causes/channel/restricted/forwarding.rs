//! Forwardings that the server refuses.

use super::shared::{DROPBEAR, EFFECTIVE, pattern};
use crate::causes::channel::shared::commands;
use crate::causes::software::{Software, is_openssh, software};
use crate::causes::{Cause, Fix, Match, Severity, Side, testimony};
use crate::facts::certainty::Certainty;
use crate::facts::channel::{Capabilities, Capability};
use crate::facts::{Check, Evidence};

pub(in super::super) const FORWARDING_PROHIBITED: Cause = Cause {
    code: "channel-forwarding-prohibited",
    stage: Check::Channel,
    title: "Sessions work, but local forwarding (ssh -L, -D, -J) is refused",
    severity: Severity::Info,
    explanation: "A connection through the server to a port on its own loopback was refused as administratively prohibited (RFC \
        4254 section 5.1, reason 1). ssh -L, -D, -W and -J through this server fail, and so do remote editors that \
        depend on them.\n\n\
        What else is refused distinguishes the settings: AllowTcpForwarding no and DisableForwarding yes in \
        sshd_config, restrict and no-port-forwarding on the key, dropbear's -j. AllowTcpForwarding remote and a \
        PermitOpen that lists other ports only look the same to a client.",
    fixes: &[
        EFFECTIVE,
        DROPBEAR,
        Fix {
            side: Side::Server,
            when: is_openssh,
            summary: "Allow it for all users, if it should be used",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("AllowTcpForwarding yes\nDisableForwarding no"),
            caution: Some("whoever logs in can then reach what the server can reach"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["refused local port forward", "but the request was denied", "refused streamlocal port forward"],
    hides: &[],
    corroborated_by: &[testimony::forwarding_there],
    judge: |evidence| {
        let may = allowed_by_default(evidence)?;
        let Capability::Refused { code: Some(1), text } = &may.direct_tcpip else { return None };
        let text = text.as_deref().unwrap_or_default();
        let quoted = if text.is_empty() { String::new() } else { format!(", \"{text}\"") };
        let because = [
            format!("a connection to the server's own port 1 was refused with reason 1{quoted}"),
            pattern(may, software(evidence)),
        ];
        let certainty = if may.remote_forward.is_refused() { Certainty::Likely } else { Certainty::Possible };
        Some(Match::new(certainty, because).with("dropbear_forbids", "-j and no-port-forwarding"))
    },
    ..Cause::NEW
};

pub(in super::super) const REMOTE_FORWARD_FAILED: Cause = Cause {
    code: "channel-remote-forward-failed",
    stage: Check::Channel,
    title: "Sessions work, but remote forwarding (ssh -R) is refused",
    severity: Severity::Info,
    explanation: "The request for a port of the server's choice on its loopback was answered with SSH_MSG_REQUEST_FAILURE (RFC \
        4254 section 7.1), while forwarding in the other direction is allowed. A port in use cannot be the reason. \
        AllowTcpForwarding local, a PermitListen that lists other ports only, and dropbear's -k do this; ssh -R fails.",
    fixes: &[
        EFFECTIVE,
        DROPBEAR,
        Fix {
            side: Side::Server,
            when: is_openssh,
            summary: "Allow it for all users, if it should be used",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("AllowTcpForwarding yes"),
            caution: Some("whoever logs in can then open ports on the server"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "remote port forwarding failed for listen port",
        "remote port forwarding failed for listen path",
        "remote forward failure for",
        "TCP forwarding request denied",
        "tcpip-forward request denied by peer",
        "Unable to bind to <host>:<port>",
        "Remote port forwarding from <text> refused",
        "remote forwarding request failed",
        "Could not request remote forwarding",
    ],
    hides: &[],
    corroborated_by: &[testimony::forwarding_back],
    judge: |evidence| {
        let may = allowed_by_default(evidence)?;
        (may.remote_forward.is_refused() && may.direct_tcpip.is_allowed()).then(|| {
            let because =
                ["a port on the server's loopback was refused", "a connection to the server's loopback was allowed"];
            Match::new(Certainty::Certain, because).with("dropbear_forbids", "-k")
        })
    },
    ..Cause::NEW
};

/// Returns the capabilities of the connection, where the server's software allows forwarding by default.
fn allowed_by_default(evidence: &Evidence) -> Option<&Capabilities> {
    let facts = commands(evidence)?;
    (software(evidence) != Software::Other).then_some(&facts.capabilities)
}
