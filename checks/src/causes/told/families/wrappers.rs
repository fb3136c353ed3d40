//! Programs that report a failed connection in words of their own.

use super::family::When::{Always, Before, Between, Exchanging, NoVersion, Seen};
use super::family::{Family, is};
use crate::facts::Check;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &[
            "Failed to connect to the host via ssh: <why>",
            "UNREACHABLE! =>",
            "Could not establish connection to",
            "Failed to connect to the remote extension host server",
            "data could not be sent to remote host",
            "Failed to parse remote port from server output",
            "The process tried to write to a nonexistent pipe",
            "Resolver error:",
            "Could not establish session to SSH gateway",
            "A paramiko SSHException occurred during connection creation",
            "Could not connect the SSH Tunnel",
            "Worker binary deploy failed",
            "Failed to connect to remote machine. Verify the SSH service connection",
            "failed to establish ssh session",
            "Remote host failed to connect",
            "Cannot establish tunnel",
            "Can't initialize tunnel",
            "Error establishing SSHJ tunnel",
            "Error establishing SSH tunnel",
            "Failed to create the SSH tunnel",
            "Can't establish SSH connection",
            "Unexpected error in launching an agent",
            "JVM has not reported exit code",
            "Cannot connect to sftp://",
            "failed to create SFTP Session",
            "Could not connect to SFTP",
            "Unable to connect to SFTP",
            "Failed to connect to SFTP",
            "Failed to establish SFTP connection",
            "Unable to establish SSH connection",
            "Failed to establish SSH connection",
            "Could not establish SSH connection",
            "Failed to connect to SSH server",
            "Unable to connect via SSH",
            "Failed to connect via SSH",
            "SSH connection failed",
            "SSH operator error",
            "SSH session could not be established",
            "SSH encountered an unknown error",
            "check your SSH key",
            "accepts connections using the cephadm SSH key",
            "Check that the host is reachable and accepts",
        ],
        is_wrapper: true,
        candidates: &[
            is(
                "auth-key-unreadable",
                Seen(&["convert an unsupported key"]),
                "the key is of a format that the program's library does not read, and was not converted",
            ),
            is(
                "session-rc-output",
                Seen(&["Found existing installation at", "Found running server"]),
                "the login works and the program's script runs: its output is mixed with something else",
            ),
            is("tcp-filtered", Before(Check::Tcp), "nothing answers: the log ends as it connects"),
            is("handshake-closed-before-banner", NoVersion, "it comes before the server's version"),
            is("handshake-kex-failed", Exchanging, "it comes during the key exchange"),
            is("auth-key-rejected", Between(Check::Handshake, Check::Auth), "it comes during the login"),
            is("auth-key-rejected", Always, "ssh by hand prints Permission denied"),
            is("tcp-filtered", Always, "ssh by hand times out"),
            is("hostkey-changed", Always, "ssh by hand says that the host key has changed"),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is("channel-forwarding-prohibited", Always, "ssh works, and -L does not: AllowTcpForwarding"),
        ],
        ..Family::NEW
    },
    Family {
        // Mutagen.
        texts: &[
            "unable to copy agent binary",
            "unable to run SCP process",
            "unable to handshake with agent process",
            "unable to probe remote platform",
            "unable to dial agent endpoint",
            "unable to install agent",
        ],
        is_wrapper: true,
        candidates: &[
            is(
                "session-subsystem-missing",
                Seen(&["unable to run SCP process"]),
                "the server has no scp or sftp-server, or closes the channel",
            ),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is(
                "session-command-missing",
                Always,
                "the agent's file on the server was not installed, or does not run there",
            ),
            is("session-restricted", Always, "the account runs other commands only, or its shell is another one"),
            is("session-shell-exits", Always, "ssh HOST true fails too"),
            is("auth-key-rejected", Always, "ssh by hand asks for a password"),
        ],
        ..Family::NEW
    },
    Family {
        // Nix, whose daemon runs ssh as root.
        texts: &["unable to open SSH connection to <text>: Broken pipe", "failed to start SSH connection to"],
        candidates: &[
            is(
                "hostkey-unknown",
                Always,
                "ssh as root asks about the host key: the daemon is root, and nobody answers",
            ),
            is("auth-key-rejected", Always, "ssh as root prints Permission denied: root has another key"),
            is("tcp-filtered", Always, "ssh by hand times out"),
            is("session-command-missing", Always, "ssh works: nix-store is not in the PATH of the account there"),
        ],
        ..Family::NEW
    },
    Family {
        // In words of a language that is not read.
        texts: &["ssh: connect to host <host> port <port>: <why>"],
        is_wrapper: true,
        candidates: &[
            is("tcp-filtered", Always, "ssh gave up after many seconds: a firewall drops the packets"),
            is("tcp-refused", Always, "ssh gave up at once: nothing listens on that port"),
            is("tcp-unreachable", Always, "no route leads there: the network, or the VPN, is down"),
        ],
        ..Family::NEW
    },
];
