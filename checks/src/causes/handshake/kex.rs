//! Failures between the version and the first keys.

use super::refusal::reconnected;
use crate::base::text::seconds;
use crate::causes::retest::shared;
use crate::causes::shared::CLAMP_MSS;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::handshake::Facts;

pub(super) const RESET: Cause = Cause {
    code: "handshake-reset",
    stage: Check::Handshake,
    title: "The connection is reset during the SSH handshake",
    severity: Severity::Critical,
    explanation: "A TCP RST ended the connection before the key exchange. sshd causes a RST when it closes while our banner is \
        unread: MaxStartups, a penalty, or a process that could not start. A firewall that inspects traffic sends a \
        RST for what it does not allow. The RST does not show its sender. If a second connection on which we sent \
        nothing stayed open longer, the RST was a reaction to what we sent.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Read sshd's log of this connection; no line at all points to the network",
            snippet: Some("journalctl -u ssh -u sshd --since -10min; sshd -t"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "Look for a firewall or intrusion prevention rule that resets SSH to {host}:{port}",
            ..Fix::LOOK
        },
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        let (Manner::Reset, after_ms) = facts.end.as_ref()? else { return None };
        let mut because = vec![format!(
            "the connection was reset {} after it was open, {}",
            seconds(after_ms / 1000.0),
            reached(facts)
        )];
        because.extend(reconnected(facts).or_else(|| shared::only_once(evidence)));
        because.extend(round_age(*after_ms));
        Some(Match::new(Certainty::Certain, because).reason_open())
    },
    ..Cause::NEW
};

pub(super) const STALLED: Cause = Cause {
    code: "handshake-kex-stalled",
    stage: Check::Handshake,
    title: "The key exchange stalls",
    severity: Severity::Critical,
    explanation: "The server sent its banner, and then the key exchange stalled without the connection ending. Key exchange \
        messages are the first large ones: a path that silently drops large packets (an MTU black hole, common with \
        tunnels and VPNs) stalls exactly here. A server that hangs looks the same, unless the kernel still waits for \
        ACKs of what we sent.\n\n\
        Where possible a second attempt uses small packets. If those stall as well, packet size is not the reason; the \
        server remains, or something in the path that blocks the key exchange.",
    fixes: &[
        CLAMP_MSS,
        Fix {
            side: Side::Client,
            summary: "Test whether packet size is the reason: lower the interface MTU and run ssh",
            snippet: Some("sudo ip link set dev INTERFACE mtu {trial_mtu}"),
            caution: Some(
                "replace INTERFACE by the one that leads to {host}; it affects all traffic, so set it back afterwards",
            ),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Check whether sshd still has the connection, and what it waits for",
            snippet: Some("journalctl -u ssh -u sshd --since -10min; ss -tnpoi '( sport = :{port} )'"),
            ..Fix::LOOK
        },
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        let waited = facts.gave_up_ms?;
        if facts.version.is_none() || facts.end.is_some() || crate::causes::handshake::shared::drips(facts) {
            return None;
        }
        let mut because = vec![format!("{}, silence until {}", reached(facts), seconds(waited / 1000.0))];
        if let Some(tcp) = facts.tcp.filter(|tcp| tcp.unacked > 0 && tcp.backoff > 0) {
            because.push(format!(
                "the kernel sent our last data again {} times and had no acknowledgement: the packets are lost, the server does not just hang",
                tcp.retransmits
            ));
        } else if facts.tcp.is_some() {
            because.push("everything we sent was acknowledged".to_owned());
        }
        let sizes = shared::without_a_black_hole(evidence, &facts.arms);
        // Behind a proxy or a hop, this machine's interfaces do not shape what the server gets.
        let ours = sizes.words.is_none();
        because.extend(sizes.words);
        let found = Match::new(sizes.certainty, because).reason_open();
        let found = if sizes.tried { found } else { found.with("clamp", "rt mtu") };
        Some(if sizes.tried || !ours { found } else { found.with("trial_mtu", "1200") })
    },
    ..Cause::NEW
};

pub(super) const FAILED: Cause = Cause {
    code: "handshake-kex-failed",
    stage: Check::Handshake,
    title: "The server ends the connection during the key exchange",
    severity: Severity::Critical,
    explanation: "The server sent its banner and closed the connection before the key exchange finished. Its last message may \
        say why. Otherwise its log does: an unreadable host key, a crash, or LoginGraceTime.",
    fixes: &[Fix {
        side: Side::Server,
        summary: "Read sshd's log of this connection, and test its configuration and host keys",
        snippet: Some("journalctl -u ssh -u sshd --since -10min; sshd -t"),
        ..Fix::LOOK
    }],
    symptoms: &[
        "dh_gen_key: group too small",
        "mm_answer_moduli: bad parameters",
        "no suitable primes in",
        "<address> port <port>: incorrect signature",
        "Handshake failed: signature verification failed",
        "<address> port <port>: invalid elliptic curve value",
        "KeyExchange signature verification failed",
        "key_verify failed for server_host_key",
        "DH parameter out of bounds",
        "DH GEX group out of range",
        "Signature from server's host key is invalid",
        "error in kex signature verification",
        "hash mismatch",
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        let (manner, after_ms) = facts.end.as_ref()?;
        if facts.version.is_none() || !matches!(manner, Manner::Fin | Manner::Disconnect { .. }) {
            return None;
        }
        let mut because = vec![format!(
            "{}, the server ended it with {}, {} after it was open",
            reached(facts),
            manner.words(),
            seconds(after_ms / 1000.0)
        )];
        because.extend(round_age(*after_ms));
        Some(Match::new(Certainty::Certain, because).reason_open())
    },
    ..Cause::NEW
};

/// A round age at which a connection ended, as a sentence: people choose round numbers for time limits.
pub(super) fn round_age(age_ms: f64) -> Option<String> {
    const ROUND_S: [f64; 12] = [3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0, 600.0];
    // sshd's alarm is set a little after the connection is open, and the close takes a round trip.
    let round = ROUND_S.into_iter().find(|round| (-0.05..0.3).contains(&(age_ms / 1000.0 - round)))?;
    Some(format!(
        "that is {} to the moment, as a time limit has it: LoginGraceTime of sshd, or one of a proxy in front of it",
        seconds(round)
    ))
}

/// Returns the last stage that the handshake reached, in a few words.
fn reached(facts: &Facts) -> String {
    match (&facts.version, &facts.server_offer) {
        (None, _) => "before the server's version".to_owned(),
        (Some(version), None) => format!("after its version \"{version}\" and before its list of algorithms"),
        (Some(_), Some(offer)) => {
            format!("after the server's list of algorithms ({} bytes) and before its keys", offer.bytes)
        }
    }
}
