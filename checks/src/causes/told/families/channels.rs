//! Refusals and ends inside a connection that stays open: channels, sessions, sftp.

use super::family::When::{After, Always, Said, Seen};
use super::family::{Family, Writer, is};
use super::jump::NO_PEER;
use crate::facts::Check;
use crate::facts::log::Event;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &["/bin/bash: No such file or directory", "/bin/sh: No such file or directory"],
        writer: Writer::Anyone,
        is_named: true,
        candidates: &[
            is(
                "session-chroot-failed",
                Always,
                "the account has a ChrootDirectory, which lacks the shell or its libraries",
            ),
            is(
                "session-command-missing",
                Always,
                "it is the output of a command or script: the program that it names is missing",
            ),
            is(
                "config-proxy-command",
                Seen(NO_PEER),
                "ssh finds no shell on this machine that starts its ProxyCommand: git's small edition for Windows has none",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "/fish: No such file or directory",
            "/zsh: No such file or directory",
            "/ksh: No such file or directory",
            "/mksh: No such file or directory",
            "/tcsh: No such file or directory",
            "/csh: No such file or directory",
            "/dash: No such file or directory",
            "/ash: No such file or directory",
            "/rbash: No such file or directory",
            "/pwsh: No such file or directory",
            "/nu: No such file or directory",
            "/xonsh: No such file or directory",
            "/elvish: No such file or directory",
            "Cannot execute /<file>: No such file or directory",
            "failed to execute /<file>: No such file or directory",
            "Cannot run login shell",
        ],
        writer: Writer::Anyone,
        is_named: true,
        candidates: &[
            is(
                "session-shell-exits",
                Always,
                "getent passwd NAME shows this shell, and it is not installed there, or a start-up file starts it",
            ),
            is(
                "session-chroot-failed",
                Always,
                "the account has a ChrootDirectory, which lacks the shell or its libraries",
            ),
            is("session-command-missing", Always, "it comes of one command or script only, whose first line names it"),
        ],
        ..Family::NEW
    },
    Family {
        // ssh2 for Node.js.
        texts: &["(SSH) Channel open failure: open failed"],
        candidates: &[
            is(
                "channel-forwarding-prohibited",
                Seen(&["direct-tcpip", "forwardOut", "Failed to forward"]),
                "a forwarding was asked for",
            ),
            is("channel-open-refused", Always, "a session was asked for, and the server opens none"),
            is("channel-max-sessions", Always, "the connection has many sessions already (MaxSessions)"),
            is("channel-forwarding-prohibited", Always, "a forwarding was asked for: AllowTcpForwarding, PermitOpen"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "open failed: administratively prohibited",
            "administratively prohibited (open failed)",
            "ChannelException(1, 'Administratively prohibited')",
            "ChannelOpenError: open failed",
            "channel open failure: open failed",
            "channel_open_failed: 0 1",
            "Channel opening failure: channel <n> error",
            "open FAILED: open failed: Administratively prohibited",
            "Administratively prohibited",
        ],
        candidates: &[
            is(
                "jump-forwarding-prohibited",
                Seen(&[
                    "stdio forwarding failed",
                    "Setting implicit ProxyCommand",
                    "Executing proxy command",
                    "Connecting via bastion (<host>) to host",
                ]),
                "it comes from a jump host",
            ),
            is(
                "channel-forwarding-prohibited",
                Seen(&[
                    "direct-tcpip",
                    "forwardOut",
                    "open_connection(",
                    "chan.connect(session_factory, remote_host",
                    "Failed to forward",
                    "opening channel b'direct-tcpip'",
                    "CHANNEL_OPEN (r:<n>, direct-tcpip)",
                ]),
                "a forwarding was asked for",
            ),
            is(
                "channel-open-refused",
                Seen(&[
                    "open_session(",
                    "exec_command(",
                    "create_session(",
                    "Failed to create session",
                    "chan.create(session_factory",
                    "CHANNEL_OPEN (r:<n>, session)",
                    "channel 0: open failed: <why>",
                    "channel_open:  Creating a channel",
                ]),
                "a session was asked for",
            ),
            is(
                "channel-forwarding-prohibited",
                Always,
                "a forwarding was asked for (-L, -D, -J, -W): AllowTcpForwarding, PermitOpen, or the key's options",
            ),
            is("channel-open-refused", Always, "a session was asked for: MaxSessions 0, or the account opens none"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Request failed (reason=CHANNEL_FAILURE)"],
        is_named: true,
        candidates: &[
            is("session-subsystem-missing", Seen(&["startSubsystem", "SFTPEngine"]), "sftp was asked for"),
            is("session-exec-failed", Always, "a command or a shell was asked for"),
            is("session-pty-refused", Always, "a terminal was asked for (allocatePTY)"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["open failed: resource shortage", "rejected: resource shortage"],
        candidates: &[
            is("channel-max-sessions", Always, "other sessions are open on the same connection: MaxSessions"),
            is("session-process-limit", Always, "the server's log names fork, memory or a limit of processes"),
            is("channel-open-refused", Always, "it is the first session of the connection: MaxSessions 0"),
        ],
        ..Family::NEW
    },
    Family {
        // paramiko, of a forwarding, or of a session beyond MaxSessions.
        texts: &["open FAILED: open failed: Connect failed", "open FAILED: : Connect failed"],
        candidates: &[
            is("channel-open-refused", Seen(&["in open_session"]), "a session was asked for: MaxSessions 0"),
            is(
                "jump-target-unreachable",
                Seen(&["direct-tcpip"]),
                "a forwarding was asked for (a jump host): its target does not answer",
            ),
            is("channel-max-sessions", Always, "other sessions are open on the same connection: MaxSessions"),
            is("channel-forward-unreachable", Always, "a tunnel was asked for, and nothing answers where it leads"),
            is(
                "jump-target-unreachable",
                Always,
                "a forwarding was asked for (a jump host): its target does not answer",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "ChannelException(2, 'Connect failed')",
            "rejected: connect failed (open failed)",
            "open failed: connect failed: open failed",
            "open failed: Connect failed",
        ],
        candidates: &[
            is("jump-target-unreachable", Seen(NO_PEER), "the jump host does not reach the target"),
            is(
                "channel-open-refused",
                Seen(&["channel 0: open failed: connect failed: open failed"]),
                "it is the first session of the connection",
            ),
            is("channel-open-refused", Always, "it is the first session of the connection: MaxSessions 0"),
            is(
                "channel-max-sessions",
                Always,
                "other sessions are open on the same connection (ControlMaster, a pool): MaxSessions",
            ),
            is("jump-target-unreachable", Always, "a forwarding was asked for, and its target does not answer"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Channel closed",
            "Session request failed",
            "Session channel closed",
            "Channel is not open",
            "Channel is closed",
            "Channel was closed",
            "channel is not connected",
            "JSchException: channel is down",
            "The session is not open",
        ],
        unless: &[Event::CommandEnded, Event::ExitStatus],
        candidates: &[
            is(
                "session-subsystem-missing",
                Seen(&["invoke_subsystem(", "start_sftp_client(", "subsystem='sftp'", "Subsystem: sftp"]),
                "sftp was asked for",
            ),
            is(
                "session-exec-failed",
                Seen(&["chan.exec_command(", "create_process(", "Command: <command>"]),
                "a command was asked for, and refused",
            ),
            is("channel-closed-early", Always, "the server closes the channel as a command or subsystem is asked for"),
            is(
                "session-subsystem-missing",
                Always,
                "sftp or another subsystem was asked for, which the server does not have",
            ),
            is("session-exec-failed", Always, "the server runs no commands for this account"),
            is(
                "idle-channel-timeout",
                Always,
                "it comes after an idle time, while the connection stays: ChannelTimeout",
            ),
            is("session-shell-exits", Always, "the login shell or a start-up file ends at once"),
            is("idle-silent-drop", Always, "the connection died while idle, and the library noticed late"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Failed to connect to the host via ssh: Shared connection to <host> closed"],
        candidates: &[
            is(
                "server-restarted",
                Said(&[
                    "TASK [reboot",
                    "TASK [<host> : reboot",
                    "RUNNING HANDLER [reboot",
                    "RUNNING HANDLER [<host> : reboot",
                ]),
                "the task is named after a restart of the host, which ended the connection",
            ),
            is("idle-silent-drop", Always, "a task ran long without output: ansible.cfg has no ServerAliveInterval"),
            is("server-restarted", Always, "the task restarted the server, or its network or sshd"),
            is("session-shell-exits", Always, "it comes at every task, also at ping: ssh -tt HOST true fails too"),
            is("network-outage", Always, "the network was down for a while"),
        ],
        ..Family::NEW
    },
    Family {
        // Libraries of Java, which listen on a port of this machine.
        texts: &["BindException: Address already in use", "BindException: Permission denied"],
        candidates: &[
            is(
                "channel-local-forward-failed",
                Seen(&[
                    ".startLocalPortForwarding(",
                    ".createLocalPortForwardingTracker(",
                    "LocalPortForwarder.",
                    "com.jcraft.jsch.PortWatcher.",
                ]),
                "the trace comes from a forwarding of a port of this machine, which another program holds",
            ),
            is(
                "channel-remote-forward-failed",
                Seen(&["TcpipForwardHandler."]),
                "the trace is a server's, whose client asked for the port",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["JschProcess.<init>"],
        is_wrapper: true,
        candidates: &[
            is(
                "channel-closed-early",
                Always,
                "the login worked, and the channel for git's command was closed at once",
            ),
            is("channel-open-refused", Always, "the login worked, and the server opens no channel"),
            is("session-restricted", Always, "the account runs no git"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["read: Connection reset by peer"],
        candidates: &[
            is("session-subsystem-missing", After(Check::Hostkey), "the login works, and sftp by hand fails"),
            is(
                "auth-key-rejected",
                Always,
                "ssh by hand prints Permission denied: sshfs hides what ssh says (-f shows it)",
            ),
            is("hostkey-changed", Always, "ssh by hand says that the host key has changed"),
            is("session-subsystem-missing", Always, "ssh works, and sftp by hand does not"),
            is("tcp-refused", Always, "ssh by hand prints Connection refused"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Connection closed.",
            "scp: Connection closed",
            "sftp: Connection closed",
            "lost connection",
            "remote host has disconnected",
            "EOF during negotiation",
            "EOF while reading packet",
            "EOF while expecting response to protocol message",
            "sftp session closed",
            "inputstream is closed",
            "IOException: channel is broken",
            "IOException: Pipe closed",
            "Failure initializing sftp session",
            "Unable to init SFTP Session",
            "Cannot initialize SFTP protocol",
            "Couldn't read packet: Connection reset by peer",
            "Received unexpected end-of-file from SFTP server",
            "Received unexpected end-of-file from server",
            "Connection closed with",
        ],
        candidates: &[
            is(
                "session-subsystem-missing",
                Always,
                "ssh works and sftp does not: the server has no sftp-server (scp -O helps)",
            ),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is("session-restricted", Always, "the account is served something else than sftp"),
            is("transfer-truncated", Always, "it comes in the middle of a transfer"),
            is("session-shell-exits", Always, "ssh HOST true fails too"),
        ],
        ..Family::NEW
    },
];
