//! No compression in common, not even none.

use crate::base::text::sanitize;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::handshake::kinds::COMPRESSIONS;

pub(super) const NO_COMMON_COMPRESSION: Cause = Cause {
    code: "handshake-no-common-compression",
    stage: Check::Handshake,
    title: "No mutual compression method",
    severity: Severity::Critical,
    explanation: "Client and server each send a list of compression methods, and the first one in the client's list \
        that the server also has is used (RFC 4253 section 7.1). Here the lists have none in common, not even `none`, \
        which every implementation must support (section 6.2). The server, or a program that was built on its library, is \
        misconfigured.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Let the server offer `none` again, among its compression methods",
            caution: Some("restart it afterwards; open sessions end with it"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "See both lists as ssh prints them",
            snippet: Some("ssh -vv {alias} true"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["no matching compression method found", "Incompatible ssh server (no acceptable compression)"],
    hides: &["handshake-reset", "handshake-kex-failed", "handshake-kex-stalled", "handshake-protocol-violation"],
    judge: |evidence| {
        let offer = evidence.handshake.failed()?.server_offer.as_ref()?;
        let directions = [("to", &offer.compression_to_server), ("from", &offer.compression_to_client)];
        let (direction, theirs) = directions.into_iter().find(|(_, theirs)| {
            !theirs.is_empty() && !theirs.iter().any(|name| COMPRESSIONS.contains(&name.as_str()))
        })?;
        let because = [
            format!("{direction} the server, it offers only {}", sanitize(&theirs.join(", "))),
            format!("your ssh offers {}", COMPRESSIONS.join(", ")),
        ];
        Some(Match::new(Certainty::Certain, because))
    },
    ..Cause::NEW
};
