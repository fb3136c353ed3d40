//! Channels, and what runs in them.

use super::sentence::Sentence;
use crate::causes::told::families::{Candidate, When::Always, is};

const SILENT: &[Candidate] = &[
    is("network-outage", Always, "the network was down for longer than the keepalives allow (VPN, Wi-Fi, sleep)"),
    is(
        "idle-silent-drop",
        Always,
        "it comes after an idle time only: the keepalive interval is longer than the timer on the path",
    ),
    is("server-stalled", Always, "the server is overloaded, paused, or hangs on a disk"),
];

const STARTS_NOTHING: &[Candidate] = &[
    is(
        "session-exec-failed",
        Always,
        "the login works, and the server starts nothing: the account or its key allows no such request",
    ),
    is("session-restricted", Always, "the server serves other requests only"),
    is("channel-open-refused", Always, "the server opens no channel"),
];

const SHELL_ENDS: &[Candidate] = &[
    is("session-shell-exits", Always, "the shell or a start-up file ends the session"),
    is("session-nologin", Always, "the account's shell is nologin or false"),
    is("session-pam-refused", Always, "PAM refuses the session: sshd's log says why"),
];

/// The specific ones first.
pub(super) const SENTENCES: &[Sentence] = &[
    (
        r"\bnohup\b.{0,120}(?:(?:not|n't|never) (?:return|end|exit|come back|finish)\w*|<frozen>)|(?:(?:not|n't|never) (?:return|end|exit|finish)\w*|<frozen>).{0,80}\b(?:nohup|in the background)\b",
        &[is("exit-hangs", Always, "a process in the background holds the session's output open")],
    ),
    (
        r"\b(?:ssh|sftp|scp|putty|plink|winscp|terminal)\b.{0,60}(?:<frozen>|stops? responding|<late>|nothing happens).{0,60}\b(?:after|once|when)\b.{0,50}\b(?:password|log ?in|logged in|logging in|authenticat\w*)\b.{0,30}(?:enter|typed|given|accept|correct|succe|complete|$)",
        &[
            is("session-start-hangs", Always, "a start-up file waits, or the home is on a dead file server"),
            is("path-dscp-dropped", Always, "ssh -o IPQoS=none works"),
            is("path-mtu-blackhole", Always, "a VPN or tunnel is on the path: large packets vanish"),
        ],
    ),
    (
        r"\bno space\b.{0,30}(?:remote|server|ssh|sftp|target|host)|\b(?:remote|server|sftp|ssh)\b.{0,30}\bno space",
        &[is("server-disk-full", Always, "df shows no room, or no inodes")],
    ),
    (
        r"(?:sftp|scp|upload|download|transfer)\w*\b.{0,20}\bsize mismatch|size mismatch\b.{0,30}(?:sftp|scp|upload|download|transfer)",
        &[
            is("transfer-truncated", Always, "the connection ends before all has come"),
            is("transfer-corrupted", Always, "data is altered on its way"),
        ],
    ),
    (
        r"\blocale\b.{0,30}(?:warning|<cannot>|not set|<missing>)|warnings?\b.{0,12}\blocale",
        &[is(
            "session-locale-missing",
            Always,
            "locale -a on the server lacks what the client sends (SendEnv LANG LC_*)",
        )],
    ),
    (
        r"\bxterm-\w+|\bterminfo\b|terminal type\b",
        &[is("session-terminal-unknown", Always, "the server has no description of this terminal")],
    ),
    (
        r"\bexactly \d+ (?:hours?|minutes?|h\b|min)|even (?:while|when|if) (?:busy|in use|working|active|not idle)",
        &[is("session-lifetime-limit", Always, "it comes at a fixed age of the session, busy or idle")],
    ),
    (
        r"\bshell\b.{0,20}\blog\w* (?:me |us )?out|auto-?log ?out|\btmout\b",
        &[is("idle-shell-timeout", Always, "the shell ends itself at its prompt (TMOUT)")],
    ),
    (
        r"(?:ssh|command|script)\b.{0,30}(?:never returns?|does(?: not|n't) return|never (?:exits?|finishes|ends))",
        &[
            is("exit-hangs", Always, "a process in the background holds the session's output open"),
            is("session-start-hangs", Always, "ssh HOST true does not return either"),
        ],
    ),
    (
        r"<frozen>.{0,60}\b(?:minutes?|hours?|idle|alone|unused|away)\b",
        &[
            is("idle-silent-drop", Always, "a firewall or NAT on the path dropped it, and nothing came back"),
            is("idle-closed", Always, "the server or a proxy closes idle connections"),
            is("session-client-suspended", Always, "this machine slept in between"),
        ],
    ),
    (
        r"<frozen>.{0,40}\b(?:several times|many times|at times|now and then|for (?:some|a few|\d+) seconds)",
        &[
            is("path-unstable", Always, "sessions freeze at times, and go on by themselves"),
            is("server-stalled", Always, "the server is overloaded, paused, or hangs on a disk"),
        ],
    ),
    (
        r"<cannot>.{0,20}\b(?:another|more|further|additional|new) (?:ssh )?(?:session|channel)s?\b|\bsession\b.{0,12}\bopen\w*\b.{0,12}<refused>|\bopen\w*\b.{0,20}\b(?:session|channel)\b.{0,20}<refused>",
        &[
            is("channel-open-refused", Always, "the login worked, and the server opens no channel"),
            is("channel-max-sessions", Always, "the connection has many sessions already"),
        ],
    ),
    (
        r"\bno sftp (?:support|server|subsystem)|\bsftp\b.{0,20}(?:not (?:enabled|supported|available|installed)|disabled|unsupported)",
        &[
            is("session-subsystem-missing", Always, "ssh works and sftp does not: the server has no sftp-server"),
            is("session-restricted", Always, "the account is served something else than sftp"),
        ],
    ),
    (
        r"\bonly (?:allow|accept|permit|serve|support)\w* (?:sftp|scp|git|rsync|forward\w*)|\b(?:sftp|scp|git)[ -]only\b|\b(?:shell|terminal|interactive) (?:access|log ?in)\b.{0,20}<refused>|\bno shell access",
        &[
            is("session-restricted", Always, "the account is meant for something else than a shell"),
            is("session-nologin", Always, "the account's shell is nologin or false"),
        ],
    ),
    (
        r"<closed>.{0,40}\b(?:after|past)\b.{0,20}\b(?:motd|message of the day|last login|welcome (?:message|text|banner))|(?:motd|message of the day|last login|welcome (?:message|text|banner))\b.{0,40}<closed>",
        &[
            is("session-shell-exits", Always, "the login works, and the shell or a start-up file ends at once"),
            is("session-nologin", Always, "the account's shell is one that lets nobody in"),
            is("session-pam-refused", Always, "PAM, or a limit of the account, ends the session"),
        ],
    ),
    (
        r"refus\w* to (?:run|start|exec|launch)|(?:run|start|exec)\w*\b.{0,20}\bcommand\b.{0,20}<refused>",
        &[
            is("session-exec-failed", Always, "the login works, and the server starts nothing"),
            is("session-forced-command", Always, "another command runs in its place"),
        ],
    ),
    (
        r"(?:(?:^|[:'`(]\s*|\b(?:no|the|command|program|binary|executable|tool) )['`]?(?-i:[a-z][\w.+-]*)['`]?|\b(?:rsync|scp|git[\w-]*|mosh[\w-]*|sftp-server|borg|unison|docker|tmux|python\d?)) (?:was |is )?not (?:found|installed|available) (?:on|at) (?:the )?(?:remote|server|host|target|other)",
        &[is(
            "session-command-missing",
            Always,
            "the command is not in the PATH of a session without a shell of its own",
        )],
    ),
    (
        r"\bhome (?:directory|folder)\b.{0,30}<missing>|<cannot>.{0,20}\bhome (?:directory|folder)",
        &[is("session-home-missing", Always, "the account's home does not exist, or is not mounted")],
    ),
    (
        r"\b(?:ssh|sftp|session|channel|remote|command|script|connection|server)\b.{0,60}(?:without (?:an? )?|\bno )(?:exit|return) (?:code|status)|\bno (?:exit|return) (?:code|status)\b.{0,40}\b(?:ssh|sftp|session|channel|remote|command|script|connection|server)\b",
        &[
            is("exit-without-status", Always, "the server ends the channel, and says nothing of the command's end"),
            is("server-restarted", Always, "all sessions of the server end at one moment"),
        ],
    ),
    (
        r"\b(?:remote|command|process|ssh|session)\b.{0,30}(?:killed|terminated|ended) by (?:an? |the )?signal",
        &[is(
            "exit-by-signal",
            Always,
            "the server names the signal: the command crashed, was killed, or ran out of memory",
        )],
    ),
    (
        r"\boutput\b.{0,20}(?:cut off|truncated|incomplete|lost|missing)",
        &[
            is("exit-output-lost", Always, "the end of the output is missing, and the status is there"),
            is("transfer-truncated", Always, "the connection ends before all has come"),
        ],
    ),
    (
        r"(?:checksum|hash|corrupt\w*)\b.{0,40}(?:sftp|scp|ssh|upload|download|transfer)|(?:sftp|scp|ssh|upload|download|transfer)\w*\b.{0,40}(?:checksum|corrupt)",
        &[
            is("transfer-corrupted", Always, "data is altered on its way"),
            is("transfer-truncated", Always, "the connection ends before all has come"),
        ],
    ),
    (
        r"\b(?:remote|server)\b.{0,20}\bdisk\b.{0,10}\bfull|\bdisk\b.{0,10}\bfull\b.{0,20}(?:remote|server)",
        &[is("server-disk-full", Always, "df shows no room, or no inodes")],
    ),
    (
        r"unexpected (?:output|data|text)\b.{0,30}(?:remote|shell|server|log ?in)|(?:banner|motd|bashrc|profile|start-?up file)\b.{0,20}\b(?:prints?|output|noise)",
        &[is("session-rc-output", Always, "ssh HOST true prints something: a start-up file")],
    ),
    (
        r"\bfork\b.{0,20}fail|cannot fork|resource temporarily unavailable",
        &[is("session-process-limit", Always, "the account or the machine has as many processes as it may")],
    ),
    (
        r"(?:hang|hung|stuck|wait|not return)\w*.{0,30}\b(?:after|on|at|when|upon)\b.{0,20}(?:exit|log ?out|logging out|command\b.{0,12}(?:finish|end|complet|done))",
        &[
            is("exit-hangs", Always, "a process in the background holds the session's output open"),
            is(
                "config-master-shared",
                Always,
                "the command returns with -o ControlPath=none: the control master stays",
            ),
        ],
    ),
    (
        r"(?:hang|hung|stuck|freez|froze)\w*.{0,30}\b(?:after|at)\b.{0,20}(?:auth|log ?in|logg|passw|passphrase)|(?:prompt|shell)\b.{0,20}(?:never|does not|doesn't|not) (?:appear|start|come|open|show)",
        &[
            is("session-start-hangs", Always, "a start-up file waits, or the home is on a dead file server"),
            is("path-dscp-dropped", Always, "it does not with -o IPQoS=none"),
            is("path-mtu-blackhole", Always, "a VPN or tunnel is on the path, and large packets are lost"),
        ],
    ),
    (
        r"(?:upload|download|transfer|copy|copying|scp|sftp|rsync)\b.{0,50}\b(?:stall|hang|hung|freez|froze|stuck)",
        &[
            is("transfer-stalled", Always, "it stops after some data, each time at much the same place"),
            is("path-mtu-blackhole", Always, "it stops at the first large packet: a VPN or tunnel is on the path"),
            is("network-outage", Always, "the path was down"),
        ],
    ),
    (
        r"\btimed? ?out\b.{0,12}\d+ sec\w*.{0,8}inactiv",
        &[
            is("tcp-filtered", Always, "nothing answers: a firewall drops the packets, or the host is down"),
            is("handshake-no-banner", Always, "the connection is accepted, and no version comes"),
        ],
    ),
    (
        r"(?:inactiv|\bidle|minutes? of (?:silence|inactivity))\w*.{0,60}(?:disconnect|clos|drop|terminat|lost|dies?\b|kick|log\w* out|freez|froze)|(?:disconnect|clos|drop|terminat|lost|dies?\b|kick|log\w* out|freez|froze|timed? ?out)\w*.{0,60}(?:inactiv|\bidle|(?:few|some|\d+) (?:minutes?|hours?))",
        &[
            is("idle-closed", Always, "the server or a proxy closes idle connections"),
            is("idle-silent-drop", Always, "a firewall or NAT on the path dropped it, and nothing came back"),
            is("idle-server-inactivity", Always, "the server counts what is typed, and keepalives do not help"),
        ],
    ),
    (
        r"sftp.{0,20}(?:subsystem|session|channel|client|server)\b.{0,30}(?:fail|error|not|could|cannot|unable|closed|refus|missing)|(?:fail|error|could not|cannot|can't|couldn't|unable)\w*.{0,30}\bsftp (?:subsystem|session|channel|client|server)|subsystem",
        &[
            is("session-subsystem-missing", Always, "ssh works and sftp does not: the server has no sftp-server"),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is("session-restricted", Always, "the account is served something else than sftp"),
        ],
    ),
    (
        r"(?:\bpty\b|pseudo.?terminal|\bterminal\b|\btty\b).{0,30}(?:alloc|request|fail|refus|denied|error)|(?:alloc|request|open)\w*.{0,20}(?:\bpty\b|pseudo.?terminal|\btty\b|\bterminal\b)",
        &[
            is(
                "session-pty-refused",
                Always,
                "the server gives no terminal: PermitTTY, restrict, or no pseudo-terminals left",
            ),
            is("session-no-terminal", Always, "the program asks for none, and what runs there needs one"),
        ],
    ),
    (
        r"(?:shell|session)\b.{0,20}(?:exit|end|clos|terminat)\w*.{0,20}(?:immediately|at once|right away|instantly|unexpectedly|directly)|(?:immediately|instantly).{0,20}(?:exit|clos|logged out|disconnect|log(?:s|ged)? (?:me )?out)",
        SHELL_ENDS,
    ),
    (
        r"(?:shell|exec|subsystem|env) request|(?:start|open|launch|spawn|invoke|request)\w*.{0,20}(?:remote |interactive |login )?shell\b.{0,30}(?:fail|error|refus|denied)|(?:fail|error|unable|could not|cannot)\w*.{0,20}(?:start|open|launch|spawn|invoke|exec)\w*.{0,20}(?:shell|remote command|command on)",
        STARTS_NOTHING,
    ),
    (
        r"(?:exit(?:ed)?|status|code|rc)\b.{0,12}\b127\b|command not found|no such command",
        &[is(
            "session-command-missing",
            Always,
            "the command is not in the PATH of a session without a shell of its own",
        )],
    ),
    (
        r"(?:command|exec\w*|script)\b.{0,30}(?:timed? ?out|timeout|hang|hung|did not (?:return|finish|complete))|(?:timed? ?out|timeout).{0,30}(?:command|output|prompt)",
        &[
            is(
                "session-start-hangs",
                Always,
                "ssh HOST true hangs as well: a start-up file, or a home on a dead file server",
            ),
            is("server-stalled", Always, "the server is overloaded, paused, or hangs on a disk"),
            is("idle-silent-drop", Always, "the command is silent for minutes, and the path drops the connection"),
            is("exit-hangs", Always, "the command ends, and a process in the background holds its output open"),
        ],
    ),
    (
        r"\bno (?:response|answer|reply) from (?:the )?(?:remote |ssh )?(?:server|host|side|end)|session (?:froze|freezes)|keep-?alive|heart-?beat|server (?:is )?(?:not responding|unresponsive|stopped responding)|(?:did not|didn't|doesn't|does not|stopped|no longer|not) respond",
        SILENT,
    ),
];
