//! Messages of rsync, git and others that say only that ssh ended, and the last lines of logs that just stop.

use super::family::When::{Always, MidTransfer, Seen};
use super::family::{Family, Writer, is};
use crate::facts::log::Event;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &["Timed out trying to connect to <host> (attempt"],
        is_wrapper: true,
        candidates: &[
            is("tcp-filtered", Always, "nothing answers: a firewall drops the packets, or the host is down"),
            is("tcp-refused", Always, "Fabric prints it of a refusal as well: no sshd on this port"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["SSH2_MSG_KEXINIT sent", "SSH_MSG_KEXINIT sent", "Outbound: Sending KEXINIT", "sending KEXINIT"],
        unless: &[Event::NewkeysReceived, Event::KexReplyAwaited, Event::KexinitReceived],
        candidates: &[
            is(
                "path-mtu-blackhole",
                Always,
                "ssh hangs there, a VPN or tunnel is on the path, and a shorter proposal gets further (-c aes128-ctr -m hmac-sha2-256)",
            ),
            is(
                "handshake-kex-stalled",
                Always,
                "short and long proposals stop alike: a hung server or an inspecting firewall",
            ),
            is("handshake-kex-failed", Always, "the connection is closed at once"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["debug1: Executing command: '<text>'"],
        unless: &[Event::Resolving, Event::Connecting, Event::ProxyStarted, Event::MasterAsked],
        candidates: &[
            is("config-match-hangs", Always, "it is the last line: the command of a Match exec does not end"),
            is("dns-slow", Always, "it goes on after some seconds: the name is looked up"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "rsync error: unexplained error (code 255)",
            "exited with status 255",
            "exit status 255",
            "exit code 255",
            "Process exited with code 255",
            "non-zero return code 255",
            "returned non-zero exit status 255",
            "returned status 255",
            "ssh exited with status 255",
            "ssh exited with error status 255",
            "ssh exited prematurely with status 255",
            "exited with return code [255]",
            "exit status: 255",
            "exited with code 255",
            "rc=255",
            "exit code: 255",
            "exit code:255",
            "return code: 255",
            "code 255",
            "ssh<text>result 255",
            "ssh<text>rc 255",
            "ssh<text>returned 255",
            "ssh<text>exit=255",
            "ssh<text>exit value 255",
            "ssh<text>code: 255)",
            "ssh failed (255)",
            "exit 255 in <n>",
            "exit_status=255",
            "exit status of 255",
            "retcode: 255",
            "retcode\": 255",
            "retcode': 255",
            "\"rc\": 255",
            "exited with 255",
            "finished with 255",
        ],
        is_wrapper: true,
        candidates: &[
            is(
                "idle-silent-drop",
                Seen(&["returned error, retrying after"]),
                "it comes in the middle of a backup: something on the path ended the connection",
            ),
            is(
                "transfer-truncated",
                MidTransfer,
                "data had arrived: the connection ended in the middle of the transfer",
            ),
            is("network-outage", MidTransfer, "the network of this machine was down for a while"),
            is("path-random-resets", MidTransfer, "it comes at any age of a transfer"),
            is("auth-key-rejected", Always, "ssh by hand prints Permission denied"),
            is("tcp-filtered", Always, "ssh by hand prints Connection timed out"),
            is("hostkey-unknown", Always, "ssh by hand asks about the host key"),
            is("idle-silent-drop", Always, "it comes in the middle of a session that was quiet"),
            is("exit-by-signal", Always, "the command was killed: ssh prints nothing then, and exits 255"),
            is(
                "idle-channel-timeout",
                Always,
                "the session was idle: ChannelTimeout closes it without a word, and ssh exits 255",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "error in rsync protocol data stream (code 12)",
            "rsync: connection unexpectedly closed",
            "code 12)",
            "connection unexpectedly closed (",
        ],
        is_wrapper: true,
        candidates: &[
            is(
                "session-command-missing",
                Seen(&["closed (0 bytes received so far)"]),
                "ssh HOST rsync --version fails: rsync is not installed, or not on the PATH",
            ),
            is(
                "transfer-truncated",
                MidTransfer,
                "bytes had arrived: the connection died, or rsync was killed or found a full disk there",
            ),
            is(
                "session-command-missing",
                Always,
                "ssh HOST rsync --version fails: rsync is not installed, or not on the PATH",
            ),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is("server-disk-full", Always, "the disk of the receiver is full"),
            is(
                "transfer-truncated",
                Always,
                "it comes in the middle of a transfer: the connection died, or rsync was killed there",
            ),
            is("session-restricted", Always, "the account runs other commands only"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "rsync: [sender] write error: Broken pipe",
            "rsync: [generator] write error: Broken pipe",
            "rsync: [receiver] write error: Broken pipe",
            "rsync: [sender] read error: Connection timed out",
            "rsync: [receiver] read error: Connection timed out",
            "rsync: [generator] read error: Connection timed out",
            "rsync: [sender] read error: Connection reset by peer",
            "rsync: [receiver] read error: Connection reset by peer",
            "rsync: [generator] read error: Connection reset by peer",
            "rsync: [sender] write error: Connection reset by peer",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is("transfer-truncated", Always, "the connection ended in the middle of the transfer"),
            is("idle-silent-drop", Always, "it comes after minutes in which rsync only compared files"),
            is("network-outage", Always, "the network of this machine was down for a while"),
            is("path-random-resets", Always, "it comes at any age of a transfer"),
            is("server-disk-full", Always, "the disk of the receiver is full"),
        ],
        ..Family::NEW
    },
    Family {
        // Subversion through ssh -q.
        texts: &[
            "To better debug SSH connection problems, remove the -q option",
            "Network connection closed unexpectedly",
        ],
        is_wrapper: true,
        candidates: &[
            is("auth-key-rejected", Always, "ssh by hand asks for a password, or prints Permission denied"),
            is("session-command-missing", Always, "ssh HOST svnserve --version fails: it is not on the PATH there"),
            is("hostkey-unknown", Always, "ssh by hand asks about the host key"),
            is("tcp-filtered", Always, "ssh by hand times out"),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "timeout in data send/receive (code 30)",
            "io timeout after <n> seconds",
            "timeout waiting for daemon connection (code 35)",
        ],
        candidates: &[
            is(
                "transfer-stalled",
                Always,
                "small commands work, and every large transfer stops: the path drops large packets",
            ),
            is("network-outage", Always, "the network was down for longer than rsync's --timeout"),
            is("server-stalled", Always, "a slow disk there: rsync's --timeout is shorter than its silence"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["does not appear to be a git repository", "': not a git archive"],
        is_named: true,
        candidates: &[
            is(
                "exit-command-failed",
                Always,
                "ssh works, and git on the server finds nothing there: the path is wrong (or the URL lacks its colon: git@HOST:path)",
            ),
            is("session-restricted", Always, "this key may not read the repository"),
            is("session-forced-command", Always, "ssh HOST true runs something else: the key has a command of its own"),
        ],
        ..Family::NEW
    },
    // What ssh itself says of the end comes before it.
    Family {
        texts: &[
            "unexpected disconnect while reading sideband packet",
            "early EOF",
            "index-pack failed",
            "invalid index-pack output",
        ],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("transfer-truncated", Always, "it comes in the middle of a transfer: git or its server ended"),
            is("path-random-resets", Always, "ssh prints Connection reset by peer: the path cuts busy connections too"),
            is(
                "idle-closed",
                Always,
                "it comes after a hook or a long silence: the server or the path closes idle ones",
            ),
            is("server-disk-full", Always, "the disk is full at one end"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "fatal: Could not read from remote repository",
            "the remote end hung up unexpectedly",
            "the remote end hung up upon initial contact",
            ": remote hung up unexpectedly",
            "Repository not found",
        ],
        is_wrapper: true,
        candidates: &[
            is(
                "session-forced-command",
                Seen(&["does not provide shell access"]),
                "the server's greeting comes in place of git's data: a command= of another key or account runs",
            ),
            is(
                "auth-key-encrypted",
                Seen(&["Enter passphrase for key"]),
                "the key has a passphrase, for which nobody is there to answer",
            ),
            is("auth-key-rejected", Always, "ssh -T git@HOST prints Permission denied (publickey)"),
            is(
                "session-restricted",
                Always,
                "ssh -T git@HOST greets you: this key may not read the repository, or its name is wrong",
            ),
            is("hostkey-unknown", Always, "ssh -T git@HOST asks about the host key"),
            is(
                "tcp-filtered",
                Always,
                "ssh -T git@HOST times out: port 22 is filtered (ssh.github.com:443 and the like)",
            ),
        ],
        ..Family::NEW
    },
];
