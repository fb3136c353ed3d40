//! Host keys, algorithms, and versions.

use super::sentence::Sentence;
use crate::causes::told::families::{When::Always, is};

/// The specific ones first.
pub(super) const SENTENCES: &[Sentence] = &[
    (
        r"(?:past|stops? at|stopped at|stuck at|hangs? at|hung at|stalls? at)\b.{0,20}(?:key exchange|\bkex|kexinit|msg_kex)",
        &[
            is("path-mtu-blackhole", Always, "a VPN or tunnel is on the path, and large packets are lost"),
            is("handshake-kex-stalled", Always, "the server, or a firewall that inspects SSH, answers no more"),
        ],
    ),
    (
        r"(?:key exchange|\bkex|handshake)\b.{0,30}<late>|<late>.{0,30}(?:key exchange|\bkex|handshake)",
        &[
            is("handshake-kex-stalled", Always, "both versions are known, and the exchange stops"),
            is("handshake-no-banner", Always, "the connection is accepted, and no version comes"),
            is("handshake-slow", Always, "it works when the program waits for longer"),
        ],
    ),
    (
        r"(?:banner|identification)\b.{0,30}<late>|<late>.{0,30}(?:banner|identification)",
        &[
            is("handshake-no-banner", Always, "the connection is accepted, and no version comes"),
            is("handshake-closed-before-banner", Always, "the connection is closed before a version"),
        ],
    ),
    (
        r"\b(?:sent|received|read|got)\b.{0,30}\b(?:without|instead of|before)\b.{0,20}(?:ssh\b.{0,10}identif|banner|identification)",
        &[
            is("handshake-not-ssh", Always, "the port is another service's"),
            is("handshake-tarpit", Always, "lines without end come before the version"),
        ],
    ),
    (
        r"\bssh[ -]?(?:version )?1(?:\.\d+)?\b|\bprotocol (?:version )?1\b",
        &[is("handshake-protocol-version", Always, "the server knows protocol 1 alone, which ssh left")],
    ),
    (
        r"\b(?:agree|overlap|negotiat\w*)\b.{0,40}(?:key exchange|\bkex)",
        &[
            is("handshake-no-common-kex", Always, "ssh -vv shows no algorithm in common: one end is old"),
            is("handshake-kex-failed", Always, "the algorithms match, and the exchange fails"),
        ],
    ),
    (
        r"\b(?:agree|overlap|negotiat\w*)\b.{0,50}\bmacs?\b",
        &[is("handshake-no-common-mac", Always, "ssh -vv shows the MACs of both ends, with none in common")],
    ),
    (
        r"\b(?:agree|overlap|negotiat\w*)\b.{0,40}\bciphers?\b",
        &[is("handshake-no-common-cipher", Always, "ssh -vv shows the ciphers of both ends, with none in common")],
    ),
    (
        r"\bssh-(?:dss|rsa|ed25519)\b.{0,20}host[ -]?keys?|host[ -]?keys?\b.{0,30}\bssh-(?:dss|rsa)\b",
        &[is("handshake-no-common-hostkey", Always, "the server has host keys of types that the client refuses")],
    ),
    (
        r"identity\b.{0,30}<changed>|<changed>.{0,30}identity",
        &[
            is("hostkey-changed", Always, "the key that is recorded for this host is another one"),
            is("hostkey-unknown", Always, "no key of this host is recorded"),
        ],
    ),
    (
        r"\bnever (?:been )?seen\b.{0,30}(?:host|server|key)|\b(?:host|server|key)\b.{0,20}\bnever (?:been )?seen|\b(?:host|server|remote)\b.{0,12}identity\b.{0,30}(?:not be verified|unverified|unknown|not (?:confirmed|trusted))|(?:host|server)\b.{0,20}(?:not|n't|cannot) be (?:verified|authenticated|trusted)",
        &[
            is("hostkey-unknown", Always, "no key of this host is recorded, and nobody confirmed it"),
            is("hostkey-changed", Always, "the key that is recorded for this host is another one"),
        ],
    ),
    (
        r"\bno (?:acceptable|suitable|compatible|mutual\w*|common|matching|shared|supported) host[ -]?key",
        &[
            is("handshake-no-common-hostkey", Always, "the server has host keys of types that the client refuses"),
            is("handshake-no-common-kex", Always, "ssh -vv shows no key exchange in common"),
        ],
    ),
    (
        r"\bno (?:acceptable |suitable |compatible |mutual\w* |common |matching |shared )?(?:macs?|hmacs?)\b|\bmacs?\b.{0,20}(?:in common|not supported|unsupported)",
        &[
            is("handshake-no-common-mac", Always, "ssh -vv shows the MACs of both ends, with none in common"),
            is("handshake-no-common-cipher", Always, "ssh -vv shows no cipher in common"),
        ],
    ),
    (
        r"\breset\b.{0,30}(?:key exchange|\bkex|handshake)|(?:key exchange|\bkex|handshake)\b.{0,30}\breset\b",
        &[
            is("handshake-reset", Always, "the server, or a firewall on the path, resets it"),
            is("handshake-kex-failed", Always, "the exchange fails, and the server gives no reason"),
        ],
    ),
    (
        r"(?:sends?|sent|says?|said|received|got|get) nothing\b|connected\b.{0,20}\b(?:nothing|silence|no data)",
        &[
            is("handshake-no-banner", Always, "the connection is accepted, and no version comes"),
            is("handshake-closed-before-banner", Always, "the connection is closed before a version"),
        ],
    ),
    (
        r"expected\b.{0,60}(?:host[ -]?key|fingerprint).{0,80}\b(?:got|received|but|found)\b|(?:host[ -]?key|fingerprint).{0,80}\bexpected\b",
        &[
            is("hostkey-changed", Always, "the key that is recorded for this host is another one"),
            is("hostkey-unknown", Always, "no key of this host is recorded"),
        ],
    ),
    (
        r"host[ -]?key\b.{0,30}\bnot (?:yet )?(?:been )?(?:trusted|pinned|stored|known|cached|recorded|found|verified|accepted|confirmed)|\bno (?:known|stored|recorded|trusted|cached|matching|saved|valid)\b.{0,20}host[ -]?key|(?:unknown|untrusted|unverified|unrecogni[sz]ed).{0,20}host[ -]?key|host[ -]?key\b.{0,20}(?:rejected|unknown|untrusted|missing)",
        &[
            is("hostkey-unknown", Always, "no key of this host is recorded, and nobody confirmed it"),
            is("hostkey-changed", Always, "the key that is recorded for this host is another one"),
        ],
    ),
    (
        r"(?:clos|drop|disconnect|ended|hung up|went away)\w*.{0,40}\bbefore\b.{0,30}(?:identif|banner|version|greeting|handshake|ssh)",
        &[
            is("handshake-closed-before-banner", Always, "the server, or something before it, closes at once"),
            is("handshake-not-ssh", Always, "the port is another service's"),
            is("handshake-max-startups", Always, "some attempts succeed"),
        ],
    ),
    (
        r"(?:key exchange|\bkex)\b.{0,40}(?:in common|not supported|unsupported|mismatch|no match|incompatible)|(?:\bno\b|without|common|shared|mutual\w*).{0,30}(?:key exchange|\bkex)",
        &[
            is("handshake-no-common-kex", Always, "ssh -vv shows no algorithm in common: one end is old"),
            is("handshake-kex-failed", Always, "the algorithms match, and the exchange fails"),
        ],
    ),
    (
        r"\bno (?:common |shared |mutual )?ciphers?\b|ciphers?\b.{0,30}(?:in common|mismatch|not supported|unsupported|do not match|don't match)",
        &[
            is("handshake-no-common-cipher", Always, "ssh -vv shows the ciphers of both ends, with none in common"),
            is("handshake-no-common-kex", Always, "ssh -vv shows no key exchange in common"),
        ],
    ),
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
