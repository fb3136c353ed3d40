//! Messages of clients that leave the cause open: cargo and libgit2, guacd, netmiko, Jenkins.

use super::family::When::{Always, Seen};
use super::family::{Family, is};

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &[
            "failed to authenticate when downloading repository",
            "attempted ssh-agent authentication, but",
            "Config value 'credential.helper' was not found",
        ],
        candidates: &[
            is(
                "auth-agent-unreachable",
                Seen(&["failed connecting with agent", "failed connecting agent"]),
                "no agent answers",
            ),
            is(
                "auth-no-credentials",
                Always,
                "ssh-add -l lists no key: libgit2 takes keys from an agent alone (net.git-fetch-with-cli)",
            ),
            is("auth-agent-unreachable", Always, "ssh-add -l reaches no agent"),
            is("auth-key-rejected", Always, "ssh -T git@HOST prints Permission denied (publickey)"),
            is("auth-user-unknown", Always, "the URL names no user, or another one than git"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Auth key import failed: <why>",
            "Auth public key import failed: <why>",
            "Initial import failed: <why>",
        ],
        is_named: true,
        candidates: &[
            is(
                "auth-key-unreadable",
                Always,
                "the key is of a format that libssh2 does not read, or was not pasted whole",
            ),
            is("auth-key-encrypted", Always, "the key has a passphrase, and the connection names none or a wrong one"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["SSH handshake failed."],
        is_wrapper: true,
        candidates: &[
            is(
                "handshake-no-common-kex",
                Always,
                "ssh by hand works: libssh2 has no algorithm in common with the server",
            ),
            is("handshake-closed-before-banner", Always, "ssh by hand ends at once as well"),
            is("handshake-no-banner", Always, "no version comes: another service, or a hung server"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Channel stream closed by remote device",
            "Attempt to write data, but there is no active channel",
            "Attempt to read, but there is no active channel",
        ],
        candidates: &[
            is("idle-closed", Always, "the session was open, and idle: the device closes it (exec-timeout)"),
            is(
                "session-shell-exits",
                Always,
                "it comes right after the login: the device has no shell for this account",
            ),
            is("server-restarted", Always, "the device was reloaded"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Could not copy slave.jar into",
            "Could not copy remoting.jar into",
            "Could not copy agent.jar into",
            "Error during SCP transfer",
        ],
        is_wrapper: true,
        candidates: &[
            is(
                "session-home-missing",
                Always,
                "the account may not write in its remote root directory, or it does not exist",
            ),
            is("server-disk-full", Always, "df or quota on the agent shows no room"),
            is("session-subsystem-missing", Always, "the agent's sshd has no sftp-server"),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Creating 'sh' subshell timed out", "Creating '<what>' subshell timed out"],
        candidates: &[
            is("session-start-hangs", Always, "ssh HOST sh hangs too: a start-up file waits, or asks"),
            is("session-shell-exits", Always, "the account's shell is none that starts sh (fish, a menu, PowerShell)"),
            is("session-rc-output", Always, "a start-up file prints something"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["ssh: rejected: connect failed (open failed)"],
        candidates: &[
            is(
                "channel-forward-unreachable",
                Seen(&[
                    "Unable to access the service on <file>",
                    "libvirt on the remote host",
                    "docker.sock",
                    "direct-streamlocal",
                ]),
                "the account may not open the socket that is asked for, nothing listens there, or the server forbids it",
            ),
            is("channel-max-sessions", Always, "other sessions are open on the same connection: MaxSessions"),
            is("channel-open-refused", Always, "the server opens no session for this account"),
            is(
                "channel-forward-unreachable",
                Always,
                "a socket of the server is asked for (docker.sock, libvirt-sock)",
            ),
            is("channel-forwarding-prohibited", Always, "AllowStreamLocalForwarding or AllowTcpForwarding is off"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Waiting for prompts from remote shell...failed",
            "Timeout reached, see buffer",
            "Tramp failed to connect",
            "Couldn't find remote shell prompt",
        ],
        is_wrapper: true,
        candidates: &[
            is("session-start-hangs", Always, "ssh by hand shows no prompt for a while: a start-up file waits"),
            is(
                "session-rc-output",
                Always,
                "the prompt of the shell is none that TRAMP knows (colours, a theme, a menu)",
            ),
            is("auth-question-unanswered", Always, "the server asks for a code or a new password"),
            is("auth-password-rejected", Always, "ssh by hand refuses the password"),
            is("tcp-filtered", Always, "ssh by hand times out"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["AuthenticationException: Authentication timeout", "Authentication timeout."],
        is_named: true,
        candidates: &[
            is(
                "auth-slow",
                Always,
                "the login takes longer than the client waits (auth_timeout): PAM, DNS, a directory, load",
            ),
            is("auth-question-unanswered", Always, "the server waits for a code or a new password"),
            is("server-stalled", Always, "the server hangs, or is overloaded"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Timeout opening channel"],
        candidates: &[
            is(
                "server-stalled",
                Always,
                "the server acknowledges packets, and opens no channel: overload, or a hung disk",
            ),
            is("idle-silent-drop", Always, "the connection was idle before: a firewall or NAT on the path dropped it"),
            is("network-outage", Always, "the host or the network went away in between"),
            is("channel-max-sessions", Always, "the connection has many channels already"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "command timeout triggered, timeout value is <n>",
            "timeout trying to send command",
            "timed out while waiting for an rpc reply",
            "reached while trying to send command",
        ],
        candidates: &[
            is(
                "session-start-hangs",
                Always,
                "the command asks a question, or prints for longer than the limit (ansible_command_timeout)",
            ),
            is(
                "session-restricted",
                Always,
                "the prompt is none that the platform's plugin knows (ansible_network_os)",
            ),
            is("server-stalled", Always, "the device is overloaded"),
            is("idle-silent-drop", Always, "the connection was idle before: a firewall or NAT on the path dropped it"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["unable to open shell. Please see"],
        is_wrapper: true,
        candidates: &[
            is("auth-password-rejected", Always, "ssh by hand refuses the password"),
            is("tcp-filtered", Always, "ssh by hand times out"),
            is("hostkey-unknown", Always, "ssh by hand asks about the host key"),
            is("session-restricted", Always, "the prompt is none that the platform's plugin knows"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Unexpected session close"],
        candidates: &[
            is(
                "session-subsystem-missing",
                Seen(&["_post_connect", "exception.ConnectError"]),
                "the channel was open, and the device closes it instead of its greeting: NETCONF is not enabled for SSH",
            ),
            is("idle-closed", Always, "the session was open: the device closes idle ones, or was reloaded"),
            is("session-subsystem-missing", Always, "it comes at once: NETCONF is not enabled for SSH"),
            is("session-limit", Always, "the device's sessions are used up"),
        ],
        ..Family::NEW
    },
];
