//! Sentences in which programs tell of a fault in words of their own: the thing that they name, and what happened to it, in either order.

use super::families::{Candidate, When::Always, is};

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

const ENDED: &[Candidate] = &[
    is("idle-closed", Always, "the session was open, and idle"),
    is("network-outage", Always, "the session was in use: the path was down"),
    is("handshake-closed-before-banner", Always, "it comes at once: the server, or something before it, closes"),
    is("auth-disconnected", Always, "it comes at the login"),
    is("server-restarted", Always, "all sessions of the server end at one moment"),
];

const SILENT: &[Candidate] = &[
    is("network-outage", Always, "the network was down for longer than the keepalives allow (VPN, Wi-Fi, sleep)"),
    is(
        "idle-silent-drop",
        Always,
        "it comes after an idle time only: the keepalive interval is longer than the timer on the path",
    ),
    is("server-stalled", Always, "the server is overloaded, paused, or hangs on a disk"),
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

/// Words that name a thing and what happened to it, and the likeliest causes; the specific ones first.
pub(super) const SENTENCES: &[(&str, &[Candidate])] = &[
    (
        r"(?:two|2|multi|second)[ -]?factor|\b2fa\b|\bmfa\b|\btotp\b|one[ -]time (?:password|code)|verification code",
        &[
            is("auth-question-unanswered", Always, "the server asks for a code, which the program does not answer"),
            is("auth-partial-success", Always, "the key was accepted, and the server wants a second proof"),
        ],
    ),
    (
        r"(?:requires?|needs?|wants?|expects?|only).{0,40}keyboard.interactive|interactive (?:login|authentication|prompt).{0,30}(?:required|not supported|unsupported)",
        &[
            is("auth-question-unanswered", Always, "the server asks questions that the program does not answer"),
            is("auth-method-unavailable", Always, "the program logs in by a method that the server does not take"),
        ],
    ),
    (
        r"too many.{0,20}(?:auth\w*|login|password)\b.{0,20}(?:attempt|failure|tr(?:y|ies))",
        &[
            is("auth-too-many-failures", Always, "the agent or the program offers many keys before the right one"),
            is("tcp-source-banned", Always, "fail2ban or the like banned this address for a while"),
        ],
    ),
    (
        r"too many.{0,20}(?:connection|session)|(?:connection|session)s?.{0,10}limit.{0,20}(?:reached|exceeded)|(?:maximum|max).{0,20}(?:connection|session)s?.{0,20}(?:reached|exceeded)",
        &[
            is("handshake-max-startups", Always, "it comes before the login: MaxStartups, or a limit of the firewall"),
            is("session-limit", Always, "the login works, and the account has as many sessions as it may"),
            is("channel-max-sessions", Always, "one connection carries many sessions: MaxSessions"),
        ],
    ),
    (
        r"agent.{0,30}\b(?:no|without|zero|any) (?:identit|keys?\b)|agent.{0,20}(?:is empty|has nothing)|no (?:identit\w+|keys?) (?:in|loaded|available|found).{0,20}agent",
        &[is("auth-no-credentials", Always, "ssh-add -l lists no key")],
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
    (
        r"(?:closed|dropped|lost|ended|terminated|hung up|disconnected).{0,40}\b(?:before|during|while|in)\b.{0,30}(?:auth|login|log in|logged)|(?:auth\w*|login)\b.{0,30}(?:interrupted|aborted|not completed|incomplete)",
        &[
            is("auth-disconnected", Always, "the server or the path ends it during the login"),
            is("auth-too-many-failures", Always, "many keys are offered before the right one"),
            is("auth-slow", Always, "the login takes longer than one end waits"),
        ],
    ),
    (
        r"(?:auth\w*|login|log ?in)\b.{0,30}(?:timed? ?out|timeout)|(?:timed? ?out|timeout).{0,30}(?:authenticat|logging in|\blogin\b)",
        &[
            is("auth-slow", Always, "the login takes longer than the program waits: ssh by hand is slow too"),
            is("auth-question-unanswered", Always, "the server asks a question that the program does not answer"),
            is("auth-disconnected", Always, "the server ends the login: LoginGraceTime"),
        ],
    ),
    (
        r"(?:account|user)\b.{0,30}\b(?:locked|disabled|expired|blocked|suspended|deactivated)",
        &[
            is(
                "auth-account-refused",
                Always,
                "the account is locked or expired on the server: its log names the account",
            ),
            is("auth-password-expired", Always, "the password has expired"),
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
    (
        r"(?:no|unsupported|unavailable|available).{0,20}auth\w*\b.{0,10}methods?|auth\w* methods?.{0,30}(?:fail|left|exhausted|not (?:supported|available|allowed)|unsupported)|no more auth",
        &[
            is("auth-key-rejected", Always, "the key was offered and not accepted"),
            is("auth-method-unavailable", Always, "the server does not take the method that the program uses"),
            is("auth-no-credentials", Always, "the program has no key and no password"),
        ],
    ),
    (
        r"(?:sftp|scp|upload|download|file|write|mkdir|open|remote path|directory|folder)\b.{0,40}permission denied|permission denied.{0,40}(?:writ|upload|mkdir|creat|delet|renam|remote (?:file|path|directory)|directory|folder)",
        &[],
    ),
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

/// Words that tell what happened and name no thing of the protocol.
pub(super) const GENERAL: &[(&str, &[Candidate])] = &[
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
