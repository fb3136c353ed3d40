//! Hops, forwardings, channels, and what runs in them.

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

const HOP: &[Candidate] = &[
    is("jump-target-unreachable", Always, "the login to the jump host works, and it does not reach the target"),
    is("tcp-filtered", Always, "the jump host itself does not answer"),
    is("auth-key-rejected", Always, "the jump host prints Permission denied: it has accounts and keys of its own"),
    is("jump-forwarding-prohibited", Always, "the login to the jump host works, and it forbids forwarding"),
];

const TUNNEL: &[Candidate] = &[
    is("tcp-filtered", Always, "ssh by hand times out"),
    is("auth-key-rejected", Always, "ssh by hand prints Permission denied"),
    is("channel-local-forward-failed", Always, "the port on this machine is taken"),
    is("channel-forwarding-prohibited", Always, "ssh works, and -L does not: AllowTcpForwarding"),
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
        r"(?:jump|bastion|gateway|proxyjump|intermediate)[ -]?(?:host|server|box|node)?\b.{0,40}(?:time|no response|not respond|unreachable)|(?:time|unreachable).{0,30}(?:jump|bastion)[ -]?(?:host|server)",
        &[
            is("tcp-filtered", Always, "the jump host does not answer: a firewall, or it is down"),
            is("jump-target-unreachable", Always, "the login to the jump host works, and it does not reach the target"),
        ],
    ),
    (
        r"(?:jump|bastion|proxyjump)[ -]?(?:host|server|box|node|connection)?\b|(?:via|through|to|on) (?:the )?(?:ssh )?gateway",
        HOP,
    ),
    (
        r"proxy ?command|\bproxy\b.{0,30}(?:fail|error|exit|refus|denied|40[0-9]|50[0-9]|unreachable|time|closed)|tunnel connection failed: \d{3}|connect tunnel failed, response \d{3}|proxy (?:authentication )?required",
        &[
            is("jump-proxy-command-failed", Always, "the proxy, or the program that reaches it, fails by itself"),
            is("tcp-filtered", Always, "the proxy does not answer"),
        ],
    ),
    (
        r"remote (?:port )?forward\w*|reverse (?:tunnel|forward|port)|forward\w*.{0,20}remote port|remote bind|listen on remote",
        &[
            is("channel-remote-forward-failed", Always, "the port is on the server, and taken (-R)"),
            is(
                "channel-forwarding-prohibited",
                Always,
                "the server forbids it: AllowTcpForwarding, PermitListen, GatewayPorts",
            ),
        ],
    ),
    (
        r"local (?:bind )?port\b|local forward|(?:bind|listen)\w*.{0,20}local|(?:forward|tunnel)\w*.{0,40}(?:already in use|in use|taken|bind)|(?:already in use|bind).{0,40}(?:forward|tunnel)|local bind",
        &[
            is("channel-local-forward-failed", Always, "the port on this machine is taken, or below 1024 (-L, -D)"),
            is("channel-forwarding-prohibited", Always, "the port is free, and the server forbids forwarding"),
        ],
    ),
    (
        r"forward\w*.{0,40}(?:refused|denied|prohibited|not (?:allowed|permitted)|disabled|forbidden|reject)|(?:refused|denied|prohibited|forbidden|reject\w*).{0,40}forward|request port forward|tcpip-forward",
        &[
            is(
                "channel-forwarding-prohibited",
                Always,
                "the server forbids it: AllowTcpForwarding, PermitOpen, PermitListen",
            ),
            is("channel-remote-forward-failed", Always, "the port is on the server, and taken (-R)"),
        ],
    ),
    (
        r"x11.{0,30}(?:fail|refus|reject|denied|not |unable|error)",
        &[is("channel-x11-refused", Always, "the server forbids it, or has no xauth")],
    ),
    (
        r"tunnel (?:creation |setup |connection )?(?:failed|error|could not|cannot|not (?:established|created|open)|timed out|closed|lost)|(?:fail|error|could not|cannot|unable)\w* (?:to )?(?:creat|establish|open|start|build|initiali[sz])\w*.{0,20}\btunnel",
        TUNNEL,
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
        r"(?:command|exec\w*|script)\b.{0,30}(?:timed? ?out|timeout|hang|hung|did not (?:return|finish|complete))|(?:timed? ?out|timeout).{0,30}(?:command|executing|output|prompt)",
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
        r"keep-?alive|heart-?beat|server (?:is )?(?:not responding|unresponsive|stopped responding)|(?:did not|didn't|doesn't|does not|stopped|no longer|not) respond",
        SILENT,
    ),
];
