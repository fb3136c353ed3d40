//! Wordings of libraries, tools, devices and daemons, as their users report them.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    // Posh-SSH, WinSCP, and pipelines that pin a fingerprint.
    (
        "hostkey-changed",
        &[
            "Fingerprint not matched trusted <what> fingerprint for host",
            "Host key does not match configured key",
            "Host key finger-print is not expected",
            "host key fingerprint mismatch",
            // curl's answer of libssh2's list of known hosts: a mismatch.
            "SSH host check: 1, key:",
        ],
    ),
    ("hostkey-unknown", &["SSH host check: 2, key:"]),
    // PHP's sockets have the number of the system's error.
    (
        "tcp-filtered",
        &[
            "Cannot connect to <host>. Error 110.",
            "Cannot connect to <host>. Error 60.",
            "Cannot connect to <host>. Error 10060.",
            "ssh2_connect(): Unable to connect to <host> on port <port> [Connection timed out]",
            "ssh2_connect(): Unable to connect to <host> on port <port> [Operation timed out]",
        ],
    ),
    (
        "tcp-refused",
        &[
            "Cannot connect to <host>. Error 111.",
            "Cannot connect to <host>. Error 61.",
            "Cannot connect to <host>. Error 10061.",
        ],
    ),
    (
        "tcp-unreachable",
        &[
            "Cannot connect to <host>. Error 101.",
            "Cannot connect to <host>. Error 113.",
            "Cannot connect to <host>. Error 10051.",
            "Cannot connect to <host>. Error 10065.",
            "ssh2_connect(): Unable to connect to <host> on port <port> [No route to host]",
            "ssh2_connect(): Unable to connect to <host> on port <port> [Network is unreachable]",
        ],
    ),
    (
        "handshake-protocol-violation",
        &[
            "exchange_identification: banner line <n>: <text>SSH-2.0-",
            "exchange_identification: banner line <n>: <text>SSH-1.99-",
        ],
    ),
    // Servers written in Go.
    (
        "handshake-probed",
        &[
            "Error on handshaking: ssh: overflow reading version string",
            "Handshaking was terminated: EOF",
            "Failed connection from <address> with error: ssh: overflow reading version string",
            "Failed connection from <address> with error: EOF",
            "Failed to handshake<text>ssh: overflow reading version string",
            "error during handshake<text>ssh: overflow reading version string",
            "failed to accept an incoming connection<text>ssh: overflow reading version string",
        ],
    ),
    ("handshake-max-startups", &["Banner: Exceeded MaxStartups"]),
    (
        "auth-password-expired",
        &[
            "Password change request received",
            "server requests a password change",
            "PASSWD_CHANGEREQ",
            "Password change required, but",
        ],
    ),
    // F5's scp, of a role without a shell.
    ("session-restricted", &["may not copy files (scp -"]),
    (
        "session-limit",
        &[
            "all vty in use",
            "all vtys in use",
            "all vtys are in use",
            "vty lines in use",
            "CLI session limit <n> reached",
            "The number of SSH users has reached the",
            "number of SSH sessions has reached",
        ],
    ),
    (
        "config-proxy-command",
        &[
            // Ansible, whose templates were not expanded.
            "PROXY COMMAND FOR CONNECTION: <text>{{",
            "Proxy command has failed to start",
            "failed to run proxy command: exec:",
            "failed to start proxy command: exec:",
            "error starting proxy command: exec:",
            "ProxyCommandFailure: <text> No such file or directory",
            "spawn nc ENOENT",
            "spawn ncat ENOENT",
            "spawn connect ENOENT",
            "spawn corkscrew ENOENT",
            "spawn cloudflared ENOENT",
        ],
    ),
    (
        "config-ssh-cannot-start",
        &["(needed by /usr/bin/ssh)", "not found (needed by ssh)", "Error relocating /usr/bin/ssh:"],
    ),
    ("config-user-missing", &["No user exists for uid <n>", "unknown user <n>", "you don't exist, go away"]),
    (
        "config-client-missing",
        &[
            "Errno 13] Permission denied: 'ssh'",
            "Errno 13] Permission denied: 'scp'",
            "Errno 13] Permission denied: '/usr/bin/ssh'",
            "spawn ssh EACCES",
            "cannot run ssh: Permission denied",
            "Cannot run program \"ssh\": error=13",
            "fork/exec /usr/bin/ssh: permission denied",
            ".sh: line <n>: scp: command not found",
            ".sh: line <n>: sftp: command not found",
            ".sh: line <n>: ssh-add: command not found",
            ".sh: line <n>: ssh-agent: command not found",
        ],
    ),
    // Microsoft's dev tunnels.
    ("handshake-no-common-kex", &["Failed KeyExchange negotiation"]),
    ("handshake-no-common-hostkey", &["Failed PublicKey negotiation"]),
    ("handshake-no-common-cipher", &["Failed ClientEncryption negotiation", "Failed ServerEncryption negotiation"]),
    ("handshake-no-common-mac", &["Failed ClientHmac negotiation", "Failed ServerHmac negotiation"]),
    ("session-no-terminal", &["you must have a terminal to execute sudo"]),
    ("session-command-missing", &["End of file while reading data: <text>not found"]),
];
