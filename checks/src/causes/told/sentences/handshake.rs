//! Host keys, algorithms, and versions.

use super::sentence::Sentence;
use crate::causes::told::families::{When::Always, is};

/// The specific ones first.
pub(super) const SENTENCES: &[Sentence] = &[
    (
        r"(?:host|server'?s?)[ -]?key\b.{0,50}(?:mismatch|changed|differ|(?:not|n't) match|wrong|modified)|(?:changed|different|mismatch\w*|wrong).{0,20}(?:host|server)[ -]?key\b|fingerprints?\b.{0,40}(?:mismatch|changed|differ|(?:not|n't) match|wrong)",
        &[
            is("hostkey-changed", Always, "the key that is recorded for this host is another one"),
            is("hostkey-unknown", Always, "no key of this host is recorded"),
        ],
    ),
    (
        r"host[ -]?key\b.{0,60}(?:algorithm|type|format).{0,40}(?:unsupported|not supported|unknown|no match|mismatch|none)|(?:no (?:match\w*|common|mutual\w*|support\w*)|unsupported|incompatible).{0,40}host[ -]?key (?:algorithm|type|format)",
        &[
            is("handshake-no-common-hostkey", Always, "the server has host keys of types that the client refuses"),
            is("handshake-no-common-kex", Always, "ssh -vv shows no key exchange in common"),
        ],
    ),
    (
        r"(?:unsupported|no (?:match\w*|common|mutual\w*|support\w*|suitable)|incompatible|unknown).{0,40}(?:cipher|encryption)",
        &[
            is("handshake-no-common-cipher", Always, "ssh -vv shows the ciphers of both ends, with none in common"),
            is(
                "auth-key-unreadable",
                Always,
                "it comes as a key file is read: the file is encrypted in a way that the program lacks",
            ),
        ],
    ),
    (
        r"(?:unsupported|no (?:match\w*|common|mutual\w*|support\w*|suitable)|incompatible).{0,40}\b(?:macs?|hmac|message auth\w+|integrity)\b",
        &[
            is("handshake-no-common-mac", Always, "ssh -vv shows the MACs of both ends, with none in common"),
            is("handshake-no-common-cipher", Always, "ssh -vv shows no cipher in common"),
        ],
    ),
    (
        r"\bnot (?:an? )?ssh\b|(?:does not|doesn't|not) (?:speak|look like|appear to be)\b.{0,20}\bssh|(?:invalid|unexpected|malformed|garbage|bad|unrecogni[sz]ed|http).{0,30}(?:banner|identification|greeting|version string)|(?:unexpected|invalid|wrong) (?:response|reply|answer|data|protocol).{0,40}\b(?:http/1|ssl|tls|ftp|smtp)|\bhttp/1\.[01] \d{3}.{0,60}\bssh\b",
        &[
            is("handshake-not-ssh", Always, "the port is another service's"),
            is("handshake-closed-before-banner", Always, "the connection is closed before a version"),
        ],
    ),
    (
        r"(?:\bno\b|without|missing|empty|wait\w*|timed? ?out|timeout|never|not receive\w*|didn't|did not).{0,40}(?:banner|identification|greeting|version string)|(?:banner|identification|greeting|version string)\b.{0,40}(?:timed? ?out|timeout|not received|missing|empty|never)",
        &[
            is("handshake-no-banner", Always, "the connection is accepted, and no version comes"),
            is("handshake-closed-before-banner", Always, "the connection is closed before a version"),
            is("handshake-not-ssh", Always, "the port is another service's"),
        ],
    ),
];
