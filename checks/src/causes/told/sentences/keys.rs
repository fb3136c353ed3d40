//! Keys, their files, agents, and certificates.

use super::sentence::Sentence;
use crate::causes::told::families::{Candidate, When::Always, is};

/// The key or its signature was turned down.
const KEY_REJECTED: &[Candidate] = &[
    is("auth-key-rejected", Always, "the key is not in the account's authorized_keys, or the login name is wrong"),
    is(
        "auth-key-file-modes",
        Always,
        "the key is in authorized_keys: the file or a folder above it is writable by others",
    ),
    is("auth-signature-algorithm", Always, "the key is RSA, and one end is too old for its signatures"),
];

/// The specific ones first.
pub(super) const SENTENCES: &[Sentence] = &[
    (
        r"\bnot (?:a |an )?(?:valid|formatted|recogni[sz]ed|supported|usable)\b.{0,30}\b(?:key|pem|ppk)\b|\bkey\b.{0,30}\bnot (?:formatted|in (?:the )?\w+ (?:key )?format)",
        &[
            is("auth-key-unreadable", Always, "the file is of a format that this program lacks"),
            is("auth-key-encrypted", Always, "the key has a passphrase, which the program did not get"),
        ],
    ),
    (
        r"\bsha-?1\b.{0,30}(?:signature|rsa|\bkey)|signatures?\b.{0,40}\bsha-?1",
        &[is("auth-signature-algorithm", Always, "the key is RSA, and one end is too old for its signatures")],
    ),
    (
        r"group[ -]?writ\w+|writ\w+ (?:by|for) (?:the )?(?:group|others|everyone|world)|world[ -]writ\w+|bad ownership",
        &[is("auth-key-file-modes", Always, "authorized_keys or a folder above it is writable by others")],
    ),
    (
        r"\bagent\b.{0,20}<refused>.{0,20}(?:sign|key)?|sign\w*\b.{0,20}\bfail\w*.{0,30}\bagent|\bagent\b.{0,20}<cannot>.{0,12}\bsign",
        &[
            is(
                "auth-agent-refused",
                Always,
                "the agent answers, and refuses to sign: a confirmation, a card, or a key that is gone",
            ),
            is("auth-agent-unreachable", Always, "ssh-add -l reaches no agent in the program's environment"),
        ],
    ),
    (
        r"\b(?:ssh|user|client|login)\b.{0,20}certificate\b.{0,40}(?:expired|not yet|invalid|not valid|<refused>)",
        &[
            is("auth-cert-invalid", Always, "ssh-keygen -L shows a time, a name, or an address that does not fit"),
            is("auth-cert-principal", Always, "the certificate is sound, and names other accounts"),
        ],
    ),
    (
        r"signatures?\b.{0,30}<refused>|<refused>.{0,20}signature|\bssh-rsa\b.{0,30}(?:<refused>|deprecated|unsupported|not supported)",
        &[
            is("auth-signature-algorithm", Always, "the key is RSA, and one end is too old for its signatures"),
            is("auth-key-rejected", Always, "the key is not in the account's authorized_keys"),
        ],
    ),
    (
        r"\b(?:server(?:'s)?|host)\b.{0,12}\bkey\b.{0,30}\b(?:too (?:short|small|weak)|weaker than|(?:below|less than|under) the minimum)",
        &[is("hostkey-too-short", Always, "ssh -v shows the server's key with fewer bits than ssh accepts")],
    ),
    (
        r"\b(?:key|modulus|rsa)\b.{0,30}\b(?:too (?:short|small|weak)|weaker than|(?:below|less than|under) the minimum)",
        &[
            is("auth-key-too-short", Always, "it is the key that is offered"),
            is("hostkey-too-short", Always, "it is the server's"),
        ],
    ),
    (
        r"(?:enter|asks? for|asked for|prompt\w* for|need\w*|require\w*).{0,20}password.{0,20}\bkey\b",
        &[is("auth-key-encrypted", Always, "the key has a passphrase, and none or a wrong one was given")],
    ),
    (r"\bkeys?\b.{0,30}\bnot (?:registered|enrolled|known|added)\b", KEY_REJECTED),
    (
        r"key ?file\b.{0,40}(?:not exist|not found|missing|unreadable|permission|denied)|(?:cannot|can't|could not|couldn't|unable to|failed to) (?:read|open|load|access|find)\w*.{0,20}key ?file|\bppk\b.{0,30}(?:not supported|unsupported)|\b(?:ed25519|ecdsa|rsa|dsa|openssh)\b.{0,20}keys?\b.{0,30}(?:not supported|unsupported)",
        &[
            is(
                "auth-key-unreadable",
                Always,
                "the file is missing, unreadable, or of a format that this program lacks",
            ),
            is("auth-key-encrypted", Always, "the key has a passphrase, which the program did not get"),
        ],
    ),
    (
        r"\b(?:ssh|auth\w*|gpg|key)[ -]agent\b.{0,40}(?:not (?:running|found|available|reachable|started|set)|unavailable|unreachable|missing|fail|refused|no such)|(?:\bno|cannot|can't|couldn't|could not|unable|failed).{0,40}\b(?:ssh|auth\w*|gpg|key)[ -]agent\b|ssh_auth_sock",
        &[
            is("auth-agent-unreachable", Always, "ssh-add -l reaches no agent in the program's environment"),
            is("auth-agent-refused", Always, "the agent answers, and refuses to sign"),
        ],
    ),
    (
        r"passphrase|(?:key|identity)\b.{0,30}\bencrypted|encrypted.{0,20}\bkey|(?:unlock|decrypt).{0,40}\bkey",
        &[
            is("auth-key-encrypted", Always, "the key has a passphrase, and none or a wrong one was given"),
            is("auth-key-unreadable", Always, "the key is of a format that this program does not read"),
        ],
    ),
    (
        r"(?:public|ssh|private|deploy|identity|client|user'?s?|\bthe|offered|provided|your)[ -]?keys?\b.{0,40}(?:reject|refus|denied|not (?:accepted|authori[sz]ed|allowed|trusted)|declin|unauthori[sz]ed)|(?:reject|refus|den(?:y|ied)|declin|did not accept|not accept)\w*.{0,20}\b(?:public|ssh|private|client|offered|provided|your|our|the|any)\b.{0,10}[ -]?keys?\b",
        KEY_REJECTED,
    ),
    (
        r"(?:private|ssh|identity|deploy|pem|rsa|ppk|openssh)[ -]?key(?:[ -]?file)?\b.{0,40}(?:not found|missing|no such|not exist|unreadable|could not|cannot|can't|invalid|unsupported|malformed|corrupt|wrong|bad)|(?:unsupported|invalid|malformed|unknown|unrecogni[sz]ed|bad|wrong).{0,20}(?:private|ssh|identity|pem|ppk)?[ -]?key (?:type|format|file)|(?:cannot|can't|could not|couldn't|failed to|unable to|error) (?:find|open|load|read|pars|use|access)\w*.{0,30}(?:private|ssh|identity|pem|ppk)[ -]?key",
        &[
            is(
                "auth-key-unreadable",
                Always,
                "the file is missing, unreadable, or of a format that this program lacks",
            ),
            is("auth-key-encrypted", Always, "the key has a passphrase, which the program did not get"),
        ],
    ),
];
