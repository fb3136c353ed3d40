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
    (r"\b(?:after log ?out|by (?:the )?user|on request|gracefully|normally|cleanly|successfully)\b", &[]),
    (
        r"\brefused\b.{0,20}\b(?:ssh )?connections?\b",
        &[
            is("tcp-refused", Always, "it comes at once: nothing listens on that port"),
            is("tcp-source-banned", Always, "it worked from here before, and works from elsewhere"),
        ],
    ),
    (
        r"\bkeep-? ?alives?\b.{0,60}\b(?:not|n't|no longer|never|without)\b.{0,20}(?:times? ?out|<late>|<closed>|<frozen>)|(?:times? ?out|<closed>|<frozen>).{0,90}\bkeep-? ?alive|\b(?:for|after) (?:a few|some|several|a couple of|\d+|two|five|ten) ?(?:minutes?|mins?|hours?)\b.{0,40}(?:times ?out|<closed>|<frozen>)|(?:<closed>|<frozen>).{0,40}\bafter (?:a few|some|several|a couple of|\d+|two|five|ten) ?(?:minutes?|mins?|hours?)\b",
        &[
            is(
                "idle-silent-drop",
                Always,
                "it comes after an idle time: a firewall or NAT on the path drops the session",
            ),
            is("idle-closed", Always, "the server or a proxy closes idle connections"),
            is("idle-no-keepalive", Always, "ssh sends no keepalives: ServerAliveInterval is 0"),
            is("network-outage", Always, "it comes in the midst of work, too: the network was down for a while"),
        ],
    ),
    (
        r"(?:look ?up|resol\w*|\bdns\b)\b.{0,60}<late>",
        &[
            is("dns-timeout", Always, "the name server does not answer"),
            is("dns-no-server", Always, "this machine knows no name server that answers"),
        ],
    ),
    (
        r"(?:server|system|host|machine)\b.{0,20}(?:shutting down|going down|is reboot\w*|is restart\w*|was (?:rebooted|restarted))",
        &[is("server-restarted", Always, "all sessions of the server end at one moment")],
    ),
    (
        r"\b(?:keeps?|randomly|constantly|always|frequently|often|repeatedly|every \w+)\b.{0,20}<closed>|<closed>.{0,20}\b(?:randomly|constantly|frequently|often|repeatedly|again and again|all the time|every \w+)",
        &[
            is(
                "idle-silent-drop",
                Always,
                "it comes after an idle time: a firewall or NAT on the path drops the session",
            ),
            is("idle-closed", Always, "the server or a proxy closes idle connections"),
            is("path-unstable", Always, "it comes while something moves, too"),
        ],
    ),
    (
        r"\b(?:session|terminal|ssh|shell|console|connection)\b.{0,30}<frozen>|<frozen>.{0,20}\b(?:session|terminal|ssh)\b",
        &[
            is(
                "idle-silent-drop",
                Always,
                "it comes after an idle time: a firewall or NAT on the path drops the session",
            ),
            is("network-outage", Always, "the network was down for a while"),
            is("server-stalled", Always, "the server is overloaded, paused, or hangs on a disk"),
        ],
    ),
    (
        r"<closed>.{0,20}\b(?:immediately|at once|right away|instantly|straight away)|\b(?:immediately|at once|right away|instantly)\b.{0,20}<closed>",
        &[
            is("handshake-closed-before-banner", Always, "ssh -v shows no remote software version"),
            is("auth-disconnected", Always, "ssh -v shows that keys were exchanged"),
            is("session-shell-exits", Always, "ssh -v shows that the login worked"),
        ],
    ),
    (
        r"(?:block|filter|drop)\w* by\b.{0,20}firewall|firewall\b.{0,20}(?:block|drop|filter)|\bport\b.{0,20}(?:filtered|blocked)|connecting\b.{0,30}took too long",
        &[
            is("tcp-filtered", Always, "nothing answers: a firewall drops the packets"),
            is("tcp-refused", Always, "it comes at once: nothing listens on that port"),
        ],
    ),
    (
        r"\b<closed>.{0,40}\b(?:ssh|sftp|remote|connection|session|host|server)|\b(?:ssh|sftp|remote|connection|session|host|server)\b.{0,40}\b(?:<closed>|broken|dead|gone|severed|unexpectedly)",
        ENDED,
    ),
    (
        r"(?:resolv|look ?up|translat)\w*.{0,40}(?:host|name|address|server)|(?:host|host ?name|server|domain)\b.{0,30}(?:not (?:found|known|resolve)|unknown|could not be (?:found|resolved)|cannot be (?:found|resolved))|\bhost ?name\b.{0,30}(?:not exist|unknown|<missing>)|\bno such host|fail\w* (?:in name |to )?resol|unknown host|\bdns\b|name or service",
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
        r"(?:un|\b(?:not|never|cannot|can't|isn't|wasn't|no longer)\b.{0,12})reach(?:able|ed)\b|(?:not|n't|never|unable to|no longer)\b.{0,12}\breach\b (?:(?:the|my|our|your|any|this|that|remote|target|jump|ssh) )*(?:hosts?|servers?|machine|box|node|instance|device|switch|router|vm|network|it|them|port|\S+[.@:]\S+|[a-z-]+\d+)\b|\b(?:host|server|machine|instance|node|device)\b.{0,20}(?:is )?(?:down|offline|unavailable|not available|not up)|no route|not accessible|inaccessible",
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
    (
        r"\bssh (?:check |step |task |test |access )?failed\b",
        &[
            is("auth-key-rejected", Always, "ssh by hand prints Permission denied"),
            is("tcp-filtered", Always, "ssh by hand times out"),
            is("hostkey-unknown", Always, "ssh by hand asks about the host key"),
        ],
    ),
];
