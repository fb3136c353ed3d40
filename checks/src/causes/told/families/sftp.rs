//! Messages of SFTP and scp: what a server answers to a file, or prints in place of an answer.

use super::family::When::{Always, Seen};
use super::family::{Candidate, Family, Writer, is};

/// The causes of a session that works, in which nothing speaks SFTP.
pub(super) const NO_SFTP: &[Candidate] = &[
    is("session-subsystem-missing", Always, "ssh works and sftp does not: the server has no sftp-server"),
    is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
    is("session-restricted", Always, "the account is served something else than sftp"),
    is("session-shell-exits", Always, "ssh HOST true fails too"),
];

/// Command lines and settings that force a terminal on a session, which alters what programs exchange in it.
const TERMINAL_FORCED: &[&str] = &[
    "-o \"RequestTTY force",
    "-o 'RequestTTY force",
    "RequestTTY=force",
    "-o \"RequestTTY yes",
    "-o 'RequestTTY yes",
    "RequestTTY=yes",
    "opening connection using: ssh -t",
    "--rsh='ssh -t",
    "--rsh='/bin/ssh -t",
    "--rsh='/usr/bin/ssh -t",
    "--rsh=\"ssh -t",
    "-e 'ssh -t",
    "-e \"ssh -t",
    "cmd[0]=ssh cmd[1]=-t",
    "opening connection using<text> -t <host> rsync --server",
    "opening connection using<text> -tt <host> ",
    "cmd[1]=-t",
    "=-tt cmd[",
    "--rsh=ssh -t",
    "--rsh=ssh -p <n> -t",
    "--rsh=\"ssh -t",
    "--rsh=\"ssh -p <n> -t",
    "--rsh='ssh -t",
    "--rsh='ssh -p <n> -t",
    "-e \"ssh -t",
    "-e \"ssh -p <n> -t",
    "-e \"ssh <text> -tt",
    "-e 'ssh -t",
    "-e 'ssh -p <n> -t",
    "-e 'ssh <text> -tt",
];

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // phpseclib: the login went well, and what came is not the version of SFTP. The program around it tells of a failed login.
        texts: &["Expected SSH_FXP_VERSION", "Expected NET_SFTP_VERSION", "Expected PacketType::VERSION"],
        candidates: NO_SFTP,
        ..Family::NEW
    },
    Family {
        // rsync, in the middle of its protocol.
        texts: &[
            "unexpected tag <n> [sender",
            "unexpected tag <n> [receiver",
            "unexpected tag <n> [generator",
            "unknown message <n>:<n> [sender",
            "unknown message <n>:<n> [receiver",
            "unknown message <n>:<n> [generator",
            "invalid message <n>:<n> [sender",
            "invalid message <n>:<n> [receiver",
            "invalid message <n>:<n> [generator",
        ],
        candidates: &[
            is(
                "config-tty-forced",
                Seen(TERMINAL_FORCED),
                "ssh is told to force a terminal, which echoes and alters what rsync sends",
            ),
            is("session-rc-output", Always, "something on the server prints into rsync's output: a wrapper, a trap"),
            is(
                "config-tty-forced",
                Always,
                "it comes on this machine only: -t, or RequestTTY or RemoteCommand in ~/.ssh/config",
            ),
            is("transfer-corrupted", Always, "it comes now and then, with large transfers"),
        ],
        ..Family::NEW
    },
    Family {
        // WinSCP's log, where files could not be served.
        texts: &["Server sent command exit status 127"],
        candidates: &[
            is(
                "session-subsystem-missing",
                Seen(&["Using SFTP protocol", "Cannot initialize SFTP protocol"]),
                "the server has no sftp-server where its configuration says so",
            ),
            is("session-command-missing", Seen(&["Using SCP protocol"]), "the server has no scp, or not on the PATH"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Server sent command exit status 1"],
        candidates: &[
            is(
                "session-nologin",
                Seen(&["Cannot initialize SFTP protocol"]),
                "ssh HOST true fails too: no login shell",
            ),
            is(
                "session-shell-exits",
                Seen(&["Cannot initialize SFTP protocol"]),
                "ssh HOST true fails too: the shell or a start-up file ends the session",
            ),
            is(
                "session-subsystem-missing",
                Seen(&["Cannot initialize SFTP protocol"]),
                "ssh works and sftp does not: sftp-server itself fails",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Packet length <n> exceeds max length"],
        is_named: true,
        candidates: &[
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file, where SFTP is expected"),
            is("session-subsystem-missing", Always, "the server prints why it serves no SFTP"),
            is("session-restricted", Always, "the account is served something else than sftp"),
        ],
        ..Family::NEW
    },
    Family {
        // sftp-server, which ends at a request that it cannot read.
        texts: &["process_<what>: buffer error", "sftp-server<text>: buffer error"],
        writer: Writer::Anyone,
        candidates: &[
            is("channel-closed-early", Always, "sftp-server fails at a request of this client's, and ends the session"),
            is("transfer-truncated", Always, "the file was there before, and its last part or its time is missing"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Failed to connect SFTP channel", "Failed to open SFTP channel"],
        candidates: &[
            is("session-subsystem-missing", Always, "ssh works and sftp does not: the server has no sftp-server"),
            is("session-nologin", Always, "ssh HOST true fails too: the account has no login shell"),
            is("session-shell-exits", Always, "ssh HOST true fails too: the shell or a start-up file ends the session"),
            is("channel-open-refused", Always, "the server opens no channel"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "curl: (79) Upload failed",
            "Upload failed: Failure",
            "Failed opening remote file",
            "SSH_FX_FAILURE",
            "{\"Failure\"}<text>Renci.SshNet.Common.SshException",
            "Renci.SshNet.Common.SshException: Failure",
            "SftpException: Failure",
            "SftpException: 4: Failure",
            "asyncssh.sftp.SFTPFailure",
            "SftpStatusError: Failure",
            "LIBSSH2_FX_FAILURE",
            "SFTP Protocol Error: 4",
            "Response: STATUS (id:<n>, 4,",
            "General failure (server should provide error description)",
        ],
        candidates: &[
            is("server-disk-full", Always, "df or quota on the server shows no room"),
            is("session-restricted", Always, "the account may only read, or write elsewhere"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Error message from server: Permission denied",
            "Error message from server (<text>): Permission denied",
            "SSH_FX_PERMISSION_DENIED",
            "remote open(\"<file>\"): Permission denied",
            "remote open \"<file>\": Permission denied",
            "dest open \"<file>\": Permission denied",
            "Couldn't get handle: Permission denied",
            "Error code: 3",
            "SftpException: Permission denied",
            "SftpException: 3: Permission denied",
            "SftpPermissionDeniedException",
            "SFTPPermissionDenied",
            "SftpStatusError: Permission denied",
            "LIBSSH2_FX_PERMISSION_DENIED",
            "SFTP Protocol Error: 3",
            "Response: STATUS (id:<n>, 3,",
            "_put: Permission denied",
            "_get: Permission denied",
            "_fastPut: Permission denied",
            "_fastGet: Permission denied",
            "_append: Permission denied",
            "_mkdir: Permission denied",
            "_rmdir: Permission denied",
            "_doMkdir: Permission denied",
            "_delete: Permission denied",
            "_rename: Permission denied",
            "_list: Permission denied",
            "_stat: Permission denied",
            "_chmod: Permission denied",
            "OpenFile: permission denied",
            "Create: permission denied",
            "Mkdir: permission denied",
            "MkdirAll: permission denied",
            "Chmod: permission denied",
            "Rename: permission denied",
            "Remove: permission denied",
            "Lstat: permission denied",
            "ReadDir: permission denied",
            "(3, \"permission denied\")",
            "Access failed: Permission denied (<file>)",
            "write failed, permission denied",
            "write failed: permission denied",
            "upload failed, permission denied",
            "upload failed: permission denied",
            "download failed, permission denied",
            "download failed: permission denied",
            "create failed, permission denied",
            "create failed: permission denied",
            "mkdir failed, permission denied",
            "mkdir failed: permission denied",
            "rename failed, permission denied",
            "rename failed: permission denied",
            "remove failed, permission denied",
            "remove failed: permission denied",
            "delete failed, permission denied",
            "delete failed: permission denied",
            "chmod failed, permission denied",
            "chmod failed: permission denied",
            "put failed, permission denied",
            "put failed: permission denied",
            "get failed, permission denied",
            "get failed: permission denied",
        ],
        candidates: &[
            is(
                "exit-command-failed",
                Always,
                "the session works, and the account may not write or read that file or folder: look at its owner and mode",
            ),
            is("session-restricted", Always, "the account may only read, or write elsewhere"),
            is("session-home-missing", Always, "it is the home directory, which belongs to another account"),
        ],
        ..Family::NEW
    },
    Family {
        // rsync: something else than the other rsync's version came first.
        texts: &["is your shell clean?"],
        is_named: true,
        candidates: &[
            is(
                "config-tty-forced",
                Seen(TERMINAL_FORCED),
                "ssh is called with -t: a terminal changes what rsync sends, and questions are read as its answer",
            ),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file, or a forced command"),
            is(
                "config-tty-forced",
                Always,
                "it comes on this machine only: RequestTTY or RemoteCommand in ~/.ssh/config",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Received message too long",
            "protocol error: mtime.sec not present",
            "Received too large (<text>) SFTP packet",
        ],
        is_named: true,
        candidates: &[
            is("config-tty-forced", Seen(TERMINAL_FORCED), "ssh is told to force a terminal"),
            is(
                "session-rc-output",
                Always,
                "ssh HOST true prints something: a start-up file, or a banner of the shell",
            ),
            is(
                "config-tty-forced",
                Always,
                "it comes on this machine only: RequestTTY or RemoteCommand in ~/.ssh/config",
            ),
        ],
        ..Family::NEW
    },
];
