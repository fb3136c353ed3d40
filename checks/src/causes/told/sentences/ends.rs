//! Words that tell what happened, and name no thing of the protocol.

use super::sentence::Sentence;
use crate::causes::told::families::{Candidate, When::Always, is};

const ENDED: &[Candidate] = &[
    is("idle-closed", Always, "the session was open, and idle"),
    is("network-outage", Always, "the session was in use: the path was down"),
    is("handshake-closed-before-banner", Always, "it comes at once: the server, or something before it, closes"),
    is("auth-disconnected", Always, "it comes at the login"),
    is("server-restarted", Always, "all sessions of the server end at one moment"),
];

const UNANSWERED: &[Candidate] = &[
    is("tcp-filtered", Always, "nothing answers: a firewall drops the packets, or the host is down"),
    is("tcp-unreachable", Always, "this machine has no route to that address"),
    is("tcp-refused", Always, "it comes at once: nothing listens on that port"),
];

const NOTHING_LISTENS: &[Candidate] = &[
    is("tcp-refused", Always, "it comes at once: nothing listens on that port"),
    is("tcp-filtered", Always, "it comes after many seconds: a firewall drops the packets, or the host is down"),
    is("server-start-failed", Always, "sshd is installed there, and does not run"),
];

/// The specific ones first.
pub(super) const ENDS: &[Sentence] = &[
    (
        r"(?:lost|drop\w*|interrupt\w*|broken|died|dead|gone|terminat\w*|abort\w*|disconnect\w*|unexpectedly|closed|severed).{0,40}(?:ssh|sftp|remote|connection|session|host|server)|(?:ssh|sftp|remote|connection|session|host|server)\b.{0,40}(?:lost|dropped|interrupted|broken|died|is dead|gone|terminated|aborted|disconnected|closed|severed|went away)",
        ENDED,
    ),
    (
        r"(?:resolv|look ?up|translat)\w*.{0,40}(?:host|name|address|server)|(?:host|host ?name|server|domain)\b.{0,30}(?:not (?:found|known|resolve)|unknown|could not be (?:found|resolved)|cannot be (?:found|resolved))|unknown host|\bdns\b|name or service",
        &[
            is("dns-nxdomain", Always, "no such name exists: it is misspelt, or known to another name server"),
            is("dns-no-server", Always, "no name is resolved: the name server does not answer"),
            is("dns-timeout", Always, "it comes after many seconds: the name server does not answer"),
        ],
    ),
    (
        r"\bport\b.{0,20}(?:is )?(?:closed|not open\w*|not listening)|(?:nothing|not|no one|no process).{0,20}listen",
        NOTHING_LISTENS,
    ),
    (
        r"(?:not|never|un|cannot be|can't be|isn't|no longer).{0,12}reach(?:able|ed)?\b|\b(?:host|server|machine|instance|node|device)\b.{0,20}(?:is )?(?:down|offline|unavailable|not available|not up)|no route",
        UNANSWERED,
    ),
    (
        r"\bconnect(?:ion|ing|ed)?\b.{0,30}\b(?:timed? ?out|timeout)|\b(?:timed? ?out|timeout)\b.{0,30}\bconnect|\btimed? ?out\b.{0,40}\bssh\b|\bssh\b.{0,40}\btimed? ?out\b",
        &[
            is("tcp-filtered", Always, "nothing answers: a firewall drops the packets, or the host is down"),
            is("handshake-no-banner", Always, "the connection is accepted, and no version comes"),
            is("auth-slow", Always, "the login takes longer than the program waits"),
        ],
    ),
    (
        r"\bgit\b.{0,40}\bssh\b.{0,20}fail|(?:read|access|clone|fetch|push|pull)\w*.{0,30}(?:repositor|remote).{0,30}\bssh\b|\bssh\b.{0,40}repositor\w+.{0,20}(?:fail|denied)",
        &[
            is("auth-key-rejected", Always, "the forge does not know the key: ssh -T prints Permission denied"),
            is("hostkey-unknown", Always, "nobody confirmed the forge's host key"),
            is("tcp-filtered", Always, "port 22 is closed by a firewall: the forge may serve another port"),
        ],
    ),
    (
        r"\bssh\b.{0,30}\b255\b|\b255\b.{0,30}\bssh\b",
        &[
            is("auth-key-rejected", Always, "ssh by hand prints Permission denied"),
            is("tcp-filtered", Always, "ssh by hand times out"),
            is("hostkey-unknown", Always, "ssh by hand asks about the host key"),
        ],
    ),
];
