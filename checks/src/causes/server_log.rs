//! The causes that only a server's own log tells.

use super::{Cause, Fix, Severity, Side};
use crate::facts::Check;

/// The causes that only a server's own log tells.
pub static CAUSES: &[Cause] = &[START_FAILED, USER_UNKNOWN, KEY_FILE_MODES, PROBED];

const START_FAILED: Cause = Cause {
    code: "server-start-failed",
    stage: Check::Tcp,
    title: "sshd cannot start, or cannot serve the connections it accepts",
    explanation: "sshd exits at startup, or each process that it starts for a connection does: a line of its \
        configuration is wrong, another program has its port, it has no host key that it can read, or its runtime \
        folder is missing. Clients see a refused connection, or one that is closed before the banner. A restart after \
        an upgrade or an edit is the usual moment.\n\n\
        sshd -t reads the configuration and the keys as a start would, and names the line. Existing sessions go on \
        while sshd is down: keep one open until a new login works.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Check the configuration and the host keys without starting anything",
            snippet: Some(
                "sudo sshd -t; sudo ls -l /etc/ssh/ssh_host_*_key /run/sshd; sudo ss -ltnp 'sport = :{port}'",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Make the host keys that are missing",
            snippet: Some("sudo ssh-keygen -A"),
            caution: Some("clients that know another key of this host will warn"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Make the runtime folder where it is missing (a container, or a start by hand)",
            snippet: Some("sudo mkdir -p /run/sshd"),
            caution: Some("systemd makes it by itself; in a container the image should"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Start sshd once its configuration is accepted",
            snippet: Some("sudo systemctl restart ssh"),
            caution: Some("the unit is sshd outside of Debian and Ubuntu; keep a session open meanwhile"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "On Windows, run sshd as a service: started by hand, it may not start programs for other accounts",
            caution: Some("end the sshd that was started by hand first"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "no hostkeys available -- exiting",
        "Missing privilege separation directory",
        "Privilege separation user <user> does not exist",
        "Bind to port <port> on <address> failed",
        "Cannot bind any address",
        "Unable to load host key",
        "Could not load host key",
        "must be owned by root and not group or world-writable",
        "ssh.service: Failed with result",
        "sshd.service: Failed with result",
        "ssh.service: Main process exited, code=exited, status=255",
        "sshd.service: Main process exited, code=exited, status=255",
        "sshd.service: Main process exited, code=exited, status=1",
        "ssh.service: Main process exited, code=exited, status=1",
        "Failed to start OpenSSH",
        "Failed to start ssh.",
        "Failed to start sshd",
        "ssh.socket: Failed with result",
        "sshd.socket: Failed with result",
        "ssh.socket: Failed to queue service startup job",
        "sshd.socket: Failed to queue service startup job",
        "ssh.socket: Failed to create listening socket",
        "sshd.socket: Failed to create listening socket",
        "ssh.socket: Failed to listen on sockets",
        "sshd.socket: Failed to listen on sockets",
        "Failed to listen on ssh.socket",
        "Failed to listen on sshd.socket",
        "Failed to listen on OpenBSD Secure Shell server socket",
        "dropbear.socket: Failed with result",
        "dropbear.service: Failed with result",
        "Failed to start OpenBSD Secure Shell server",
        "Start request repeated too quickly",
        "sshd_config: terminating",
        "sshd_config: terminating, <n> bad configuration options",
        "sshd_config line <line>:",
        "sshd_config: line <line>: Bad configuration option",
        "sshd_config: No such file or directory",
        ".conf: line <line>: Bad configuration option",
        "Trigger limit hit",
        "ssh.service: Control process exited",
        "sshd.service: Control process exited",
        "OpenSSL version mismatch",
        "rexec of <file> failed",
        "Failed listening on",
        "ssh.service: Failed at step",
        "sshd.service: Failed at step",
        "Job for ssh.service failed",
        "Job for sshd.service failed",
        "error while loading shared libraries",
        "Failed loading <file>: <why>",
        "preauth child terminated by signal",
    ],
    strikes_anywhere: true,
    ..Cause::NEW
};

const USER_UNKNOWN: Cause = Cause {
    code: "auth-user-unknown",
    stage: Check::Auth,
    title: "The login name does not exist on the server",
    severity: Severity::Warning,
    explanation: "sshd found no account of this name. It refuses the login exactly as it refuses a wrong key or \
        password, so the client cannot tell. Many different names from unknown addresses are password guesses, and \
        nothing is broken.\n\n\
        If one of your users is among them, the client sent its local name, because ssh_config has no User for this \
        host, or the account comes from a directory (LDAP, SSSD) that did not answer.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Check whether the server knows NAME",
            snippet: Some("getent passwd NAME; getent -s sss passwd NAME"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Set the NAME of the account that exists on the server",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    User NAME"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Allow keys only, which ends password guessing",
            file: Some("/etc/ssh/sshd_config.d/keys-only.conf"),
            snippet: Some("PasswordAuthentication no\nKbdInteractiveAuthentication no"),
            caution: Some("first make sure that every user has a key that works"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "Invalid user <user> from",
        "Login attempt for nonexistent user",
        "pam_unix(sshd:auth): check pass; user unknown",
        "maximum authentication attempts exceeded for invalid user",
    ],
    ..Cause::NEW
};

const KEY_FILE_MODES: Cause = Cause {
    code: "auth-key-file-modes",
    stage: Check::Auth,
    title: "sshd ignores authorized_keys: writable by others, or unreadable",
    explanation: "With StrictModes, the default, sshd uses authorized_keys only if the file, its folder and the home \
        are owned by the user or root and writable by nobody else. Otherwise the key is refused as if it were not \
        there, and only the server's log shows why. A home that is not mounted and wrong SELinux labels have the same \
        effect.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Show who owns each part of the path to the file, and who may write it",
            snippet: Some("namei -l ~{user}/.ssh/authorized_keys; ls -lZ ~{user}/.ssh/authorized_keys"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Remove write access for others, as the user whose home it is",
            snippet: Some("chmod go-w ~ ~/.ssh ~/.ssh/authorized_keys"),
            caution: Some("a shared home that a group must write needs AuthorizedKeysFile elsewhere"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Restore the SELinux labels",
            snippet: Some("sudo restorecon -Rv ~{user}/.ssh"),
            caution: Some("only where SELinux is in use"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "Authentication refused: bad ownership or modes",
        "Could not open user '<user>' authorized keys",
        "Could not open authorized keys",
        "Ignored authorized keys: bad ownership or modes",
        "must be owned by user or root, and not writable by group or others",
    ],
    ..Cause::NEW
};

const PROBED: Cause = Cause {
    code: "handshake-probed",
    stage: Check::Handshake,
    title: "Something connects that is no SSH client: a scan or a health check",
    severity: Severity::Info,
    explanation: "The client left before it sent a version, or sent something other than SSH. Load balancers and \
        monitors that only test the port do so at a steady pace, and scanners of the internet all the time. sshd is \
        not harmed; from OpenSSH 9.8 on, such connections earn their address a penalty (PerSourcePenalties noauth), \
        which can lock out a monitor's address.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "See which addresses do it, and how often",
            snippet: Some(
                "journalctl -u ssh -u sshd --since -1day | grep -E 'identification|invalid protocol|invalid format' | grep -oE 'from [0-9a-f.:]+' | sort | uniq -c | sort -rn | head",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Exempt a load balancer or monitor of yours from penalties (OpenSSH 9.8 and later)",
            file: Some("/etc/ssh/sshd_config.d/monitor.conf"),
            snippet: Some("PerSourcePenaltyExemptList ADDRESS"),
            caution: Some("replace ADDRESS; password guesses from there are not penalized either"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "Did not receive identification string from",
        "client sent invalid protocol identifier",
        "Bad protocol version identification",
        "banner exchange: Connection from <address> port <port>: invalid format",
        "banner exchange: Connection from <address> port <port>: could not read protocol version",
    ],
    ..Cause::NEW
};
