//! The client and its settings, sshd, hops, and forwardings.

use super::sentence::Sentence;
use crate::causes::told::families::{Candidate, When::Always, is};

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

/// The specific ones first.
pub(super) const SENTENCES: &[Sentence] = &[
    (
        r"\bproxy[ _-]?command\b.{0,80}(?:\bENOENT\b|<missing>|no such file|cannot find|\bspawn\b)|(?:\bENOENT\b|no such file|not found).{0,80}\bproxy[ _-]?command\b",
        &[
            is("config-proxy-command", Always, "the program of the ProxyCommand is not installed, or not in PATH"),
            is("jump-proxy-command-failed", Always, "the program is there, and fails: run it by hand"),
        ],
    ),
    (
        r"\bsshd\b.{0,20}(?:<cannot> (?:to )?start|not start)|\bsshd\b.{0,20}\bcrash",
        &[is("server-start-failed", Always, "sshd does not start: sshd -t and its log say why")],
    ),
    (
        r"(?:invalid|bad\b|parse|parsing)\b.{0,20}\b(?:proxyjump|proxycommand|identityfile|ssh[ _]?config)|ssh[ _/]?config\b.{0,60}(?:line \d+|unexpected token|parse)",
        &[is("config-invalid", Always, "ssh -G HOST names the line")],
    ),
    (
        r"(?:\bmux\b|\bcontrol ?(?:path|master|socket))\b.{0,40}(?:<frozen>|\bblock|\bstale|\bdead|<cannot>)|(?:<frozen>|\bblocks?|\bstale|\bdead|\bdelete|\bremove)\b.{0,40}(?:\bmux\b|\bcontrol ?(?:path|master|socket))",
        &[
            is("config-master-dead", Always, "ssh -O check HOST fails, and the socket is left"),
            is("config-control-path", Always, "the socket's path is too long, or its folder is missing"),
        ],
    ),
    (
        r"(?:to|reach) (?:the )?(?:\w+ )?(?:jump|bastion)(?: ?host| ?server)?\b|\b(?:jump|bastion)[ -]?(?:host |server )?connection",
        &[
            is("tcp-filtered", Always, "the jump host itself does not answer"),
            is(
                "auth-key-rejected",
                Always,
                "the jump host prints Permission denied: it has accounts and keys of its own",
            ),
            is("jump-target-unreachable", Always, "the login to the jump host works, and it does not reach the target"),
            is("jump-forwarding-prohibited", Always, "the login to the jump host works, and it forbids forwarding"),
        ],
    ),
    (
        r"\bdirect-tcpip\b|(?:not|n't) (?:permit|allow)\w*.{0,20}\bforward",
        &[
            is("channel-forwarding-prohibited", Always, "the server forbids it: AllowTcpForwarding, PermitOpen"),
            is("channel-forward-unreachable", Always, "the server permits it, and does not reach the port"),
        ],
    ),
    (
        r"\bx11\b.{0,30}(?:fail|refus|reject|denied|not |unable|error)|\bx11-?forward\w*.{0,30}(?:fail|refus|reject|denied|not |unable|error)",
        &[is("channel-x11-refused", Always, "the server forbids it, or has no xauth")],
    ),
    (
        r"\bssh (?:executable|binary|client|command|program)\b.{0,20}<missing>|openssh client\b.{0,20}<missing>|<cannot> (?:to )?(?:find|locate|run|exec\w*|start|launch|spawn) (?:the )?ssh\b",
        &[is("config-client-missing", Always, "ssh is not installed here, or not in the program's PATH")],
    ),
    (
        r"permissions?\b.{0,20}\bssh[ _/]*config|permissions?\b.{0,20}\.ssh/config",
        &[is("config-permissions", Always, "others may write the file, or it belongs to somebody else")],
    ),
    (
        r"\bssh[ _]?config\b.{0,40}(?:invalid|bad\b|wrong|error|syntax)|(?:invalid|bad\b|wrong|error|syntax)\w*.{0,40}\bssh[ _]?config",
        &[is("config-invalid", Always, "ssh -G HOST names the line")],
    ),
    (
        r"port \d+\b.{0,20}(?:in use|taken|busy|allocated).{0,60}tunnel|tunnel\b.{0,60}port \d+\b.{0,20}(?:in use|taken|busy)|(?:bind|listen)\w* (?:failed|error)\b.{0,40}tunnel",
        &[is("channel-local-forward-failed", Always, "the port on this machine is taken, or below 1024 (-L, -D)")],
    ),
    (
        r"\bsshd\b.{0,20}(?:is )?not (?:running|started|active|installed)|\bssh (?:server|service|daemon)\b.{0,20}(?:not (?:running|started|active|installed|enabled)|stopped|inactive)",
        &[
            is("server-start-failed", Always, "sshd is installed there, and does not start: its log says why"),
            is("tcp-refused", Always, "nothing listens on that port: no SSH server is installed or started"),
        ],
    ),
    (
        r"\bssh(?:d)?\b(?: server| service| port| daemon)?.{0,10}(?:did not|didn't|never|not yet|has not|hasn't|failed to) (?:becom|come|came|start|be |respond|answer|accept)\w*",
        &[
            is(
                "tcp-filtered",
                Always,
                "nothing answers: the machine is still starting, or a firewall drops the packets",
            ),
            is("tcp-refused", Always, "the machine is up, and no SSH server listens"),
            is("auth-key-rejected", Always, "ssh by hand prints Permission denied: the program waits for a login"),
        ],
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
        r"remote (?:port )?forward\w*|remote port\b.{0,30}(?:bind|bound|listened|in use|taken|listen)|reverse (?:tunnel|forward|port)|forward\w*.{0,20}remote port|remote bind|listen on remote",
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
        r"\bssh\b.{0,20} -[LD]\b.{0,80}(?:already in use|cannot bind|bind: )|local (?:bind )?port\b|local forward|(?:bind|listen)\w*.{0,20}local|(?:forward|tunnel)\w*.{0,40}(?:already in use|in use|taken|bind)|(?:already in use|bind).{0,40}(?:forward|tunnel)|local bind",
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
        r"tunnel (?:creation |setup |connection )?(?:(?:did not|didn't|never) (?:come up|start|open|become)|failed|error|could not|cannot|not (?:established|created|open)|timed out|closed|lost)|(?:fail|error|could not|cannot|unable)\w* (?:to )?(?:creat|establish|open|start|build|initiali[sz])\w*.{0,20}\btunnel",
        TUNNEL,
    ),
];
