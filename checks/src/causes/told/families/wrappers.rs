//! Programs that report a failed connection in words of their own.

use super::family::When::{After, Always, Before, Between, Exchanging, NoVersion, Seen};
use super::family::{Family, is};
use crate::facts::Check;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // Jenkins, whose agent runs in a session.
        texts: &["Unexpected termination of the channel", "unexpected stream termination"],
        candidates: &[
            is(
                "channel-closed-early",
                Seen(&["===[JENKINS REMOTING CAPACITY]==="]),
                "the agent had started: it ended, or the session under it did",
            ),
            is("session-command-missing", Always, "the agent's log begins with a shell that finds no java"),
            is("session-shell-exits", Always, "java itself ends: run the launch command by hand"),
            is("session-rc-output", Always, "a start-up file prints before the agent does"),
            is("channel-closed-early", Always, "the server closes the session under it"),
            is("idle-closed", Always, "it worked for a while, and was idle"),
        ],
        is_wrapper: true,
        ..Family::NEW
    },
    Family {
        // sshuttle, whose server is a Python program in the session.
        texts: &["failed to establish ssh session (1)", "failed to establish ssh session (2)"],
        is_wrapper: true,
        candidates: &[
            is("session-restricted", Always, "the account may forward ports, and run nothing"),
            is("session-shell-exits", Always, "ssh HOST true fails too: the shell or a start-up file ends the session"),
            is("session-command-missing", Always, "ssh HOST python3 -V fails: the server has no Python"),
            is("auth-disconnected", Always, "ssh by hand is refused"),
        ],
        ..Family::NEW
    },
    Family {
        // WezTerm, which asks its own program on the server.
        texts: &["Timed out while parsing the response from the server"],
        candidates: &[
            is(
                "session-command-missing",
                Always,
                "ssh HOST wezterm -V fails: it is not installed there, or not in PATH",
            ),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is("session-start-hangs", Always, "a start-up file waits"),
        ],
        ..Family::NEW
    },
    Family {
        // VS Code: its script on the server printed something else than the port, or nothing.
        texts: &["Failed to parse remote port from server output"],
        is_wrapper: true,
        candidates: &[
            is(
                "session-home-missing",
                Seen(&["cannot create directory <text>-server<text>: Permission denied"]),
                "the account may not write to its home folder",
            ),
            is(
                "session-rc-output",
                Always,
                "ssh HOST true prints something: a start-up file, or a banner of the shell",
            ),
            is(
                "session-command-missing",
                Always,
                "its log shows a command of its script that the server does not have",
            ),
            is("session-start-hangs", Always, "the script waits for something until the client gives up"),
            is("channel-forwarding-prohibited", Always, "the script ran, and the server forbids forwarding"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Failed to connect to the host via ssh: <why>",
            "UNREACHABLE! =>",
            "Could not establish connection to",
            "Failed to connect to the remote extension host server",
            "data could not be sent to remote host",
            "data could not be sent to the remote host",
            "The process tried to write to a nonexistent pipe",
            "Resolver error:",
            "Could not establish session to SSH gateway",
            "A paramiko SSHException occurred during connection creation",
            "Worker binary deploy failed",
            "Failed to connect to remote machine. Verify the SSH service connection",
            "failed to establish ssh session",
            "Remote host failed to connect",
            "Can't establish SSH connection",
            "Unexpected error in launching an agent",
            "Unexpected error in launching a slave",
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
        // Programs for databases.
        texts: &[
            "Cannot establish tunnel",
            "Can't initialize tunnel",
            "Error establishing SSHJ tunnel",
            "Error establishing SSH tunnel",
            "Error invalidating SSH tunnel",
            "Failed to create the SSH tunnel",
            "Failed to create SSH tunnel",
            "Could not connect the SSH Tunnel",
            "Could not establish SSH tunnel",
            "SSH tunnel failed",
        ],
        is_wrapper: true,
        candidates: &[
            is(
                "auth-key-unreadable",
                Seen(&["convert an unsupported key"]),
                "the key is of a format that the program's library does not read, and was not converted",
            ),
            is("idle-closed", Seen(&["Error invalidating SSH tunnel"]), "the tunnel had been open, and idle"),
            is("channel-forwarding-prohibited", After(Check::Auth), "the login works: AllowTcpForwarding"),
            is("tcp-filtered", Before(Check::Tcp), "nothing answers: the log ends as it connects"),
            is("handshake-closed-before-banner", NoVersion, "it comes before the server's version"),
            is("handshake-kex-failed", Exchanging, "it comes during the key exchange"),
            is("auth-key-rejected", Between(Check::Handshake, Check::Auth), "it comes during the login"),
            is("auth-key-rejected", Always, "ssh by hand prints Permission denied"),
            is("tcp-filtered", Always, "ssh by hand times out"),
            is("hostkey-changed", Always, "ssh by hand says that the host key has changed"),
            is("channel-forwarding-prohibited", Always, "ssh works, and -L does not: AllowTcpForwarding"),
            is("idle-closed", Always, "the tunnel had been open, and idle"),
        ],
        ..Family::NEW
    },
    Family {
        // Zed, which runs a server of its own there.
        texts: &[
            "Timed out pinging remote client",
            "proxy process terminated unexpectedly",
            "failed to launch and detach server process",
            "running proxy on the remote server",
            "encountered error while forwarding messages:",
        ],
        is_wrapper: true,
        candidates: &[
            is(
                "exit-command-failed",
                Seen(&["(remote) Error: "]),
                "the login works, and the editor's server there tells itself why it does not start",
            ),
            is(
                "session-command-missing",
                Always,
                "the login works: the editor's server was not installed there, or does not start",
            ),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is("session-home-missing", Always, "the account may not write to its home folder"),
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
        // sshuttle, which runs Python on the server.
        texts: &[
            "fatal: server died with error code <n>",
            "expected server init string",
            "fatal: <text>server died with error code <n>",
        ],
        is_wrapper: true,
        candidates: &[
            is(
                "auth-key-rejected",
                Seen(&["server died with error code 255"]),
                "ssh by hand fails too: 255 is its own status",
            ),
            is("session-command-missing", Seen(&["got b''"]), "ssh HOST python3 -V fails: the server has no Python"),
            is("session-rc-output", Seen(&["got b'<what>"]), "ssh HOST true prints something: a start-up file"),
            is("session-command-missing", Always, "ssh HOST python3 -V fails: the server has no Python"),
            is("session-restricted", Always, "the account's shell runs no commands of a client's"),
            is("session-shell-exits", Always, "ssh HOST true fails too"),
        ],
        ..Family::NEW
    },
    Family {
        // Tabby, which says so whatever ended the connection.
        texts: &["Remote rejected opening a shell channel"],
        is_wrapper: true,
        candidates: &[
            is(
                "auth-disconnected",
                Seen(&["Remote rejected opening a shell channel: Error: Not connected"]),
                "it comes during the login",
            ),
            is("channel-open-refused", Always, "the login worked, and the server opens no channel"),
            is("session-pty-refused", Always, "ssh -T HOST true works: the server gives no terminal"),
        ],
        ..Family::NEW
    },
    Family {
        // Nix, whose daemon runs ssh as root.
        texts: &["unable to open SSH connection to", "failed to start SSH connection to"],
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
    Family {
        // docker-machine, which tries ssh again and again.
        texts: &["Too many retries waiting for SSH to be available"],
        is_wrapper: true,
        candidates: &[
            is("tcp-filtered", Always, "nothing answers: the machine has no address yet, or a firewall is before it"),
            is("tcp-refused", Always, "the machine answers, and its sshd has not started"),
            is("auth-key-rejected", Always, "with --debug, ssh says that no key is accepted"),
        ],
        ..Family::NEW
    },
];
