//! Messages of tools, clouds and devices that leave the cause open.

use super::family::When::{After, Always, Before, Seen};
use super::family::{Family, Writer, is};
use crate::facts::Check;
use crate::facts::log::Event;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // JGit.
        texts: &["cannot execute: git-upload-pack", "cannot execute: git-receive-pack"],
        candidates: &[
            is("session-command-missing", Always, "ssh HOST git --version fails: the server has no git on its PATH"),
            is("session-restricted", Always, "the account's shell runs no git, or other commands only"),
            is("session-exec-failed", Always, "the server refuses every command"),
        ],
        ..Family::NEW
    },
    Family {
        // Gitea's and Forgejo's own server.
        texts: &["Failed authentication attempt from <address>", "sshConnectionFailed()"],
        writer: Writer::Anyone,
        candidates: &[
            is("auth-key-rejected", Always, "the key is not in any account's settings, or the login name is not git"),
            is("auth-no-credentials", Always, "the client had no key to offer"),
            is("handshake-probed", Always, "the address is a scanner's"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Assertion `"],
        writer: Writer::Server,
        is_named: true,
        candidates: &[
            is("server-start-failed", Always, "sshd aborts: a library or the system is at odds with it"),
            is("auth-disconnected", Always, "it comes for some clients or accounts only: a PAM or NSS module aborts"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["monitor_read_log: child log fd closed"],
        writer: Writer::Server,
        unless: &[
            Event::Closed,
            Event::Reset,
            Event::TimedOut,
            Event::Failed,
            Event::DisconnectReceived,
            Event::DisconnectSent,
            Event::KexinitReceived,
            Event::NewkeysReceived,
            Event::LoggedIn,
        ],
        candidates: &[
            is(
                "server-start-failed",
                Always,
                "every connection ends so: sshd's own child dies before the key exchange",
            ),
            is("handshake-probed", Always, "the client left: a scanner, or a monitor of the port"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Host key not in manually configured list", "Host key did not appear in manually configured list"],
        is_named: true,
        candidates: &[
            is("hostkey-changed", Always, "the list (-hostkey) holds the key that the server had before"),
            is("hostkey-unknown", Always, "the list holds a key of another type, or another host's"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Timeout detected. (",
            "Timeout detected. Could not",
            "Timeout waiting for server to respond",
            "Host is not communicating for <n> seconds",
            "Host is not communicating for more than <n> seconds",
        ],
        candidates: &[
            is("session-start-hangs", Before(Check::Channel), "it comes before the first folder is listed"),
            is("server-stalled", After(Check::Channel), "the server is overloaded, or hangs on a disk"),
            is(
                "server-stalled",
                Always,
                "it comes in a session that worked: the server is overloaded, or hangs on a disk",
            ),
            is("tcp-filtered", Always, "it comes while the client connects: nothing answers"),
            is("idle-silent-drop", Always, "the session was idle: a firewall or NAT on the path dropped it"),
            is("path-mtu-blackhole", Always, "it comes at long listings only: a VPN or tunnel is on the path"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["The server rejected SFTP connection, but it listens for FTP connections"],
        is_wrapper: true,
        candidates: &[
            is("tcp-refused", Always, "the server offers FTP only, or SSH on another port"),
            is("tcp-filtered", Always, "the port of SSH does not answer: a firewall admits FTP only"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Can't connect to destination address using public key"],
        candidates: &[
            is(
                "auth-key-rejected",
                Always,
                "the other node's authorized_keys lacks this node's key (pvecm updatecerts)",
            ),
            is("hostkey-changed", Always, "ssh -o HostKeyAlias=NODE says that the host key has changed"),
            is("hostkey-unknown", Always, "ssh -o HostKeyAlias=NODE asks about the host key"),
            is("tcp-filtered", Always, "ssh to the node times out"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Connection closed by remote host. Is borg working on the server"],
        candidates: &[
            is(
                "exit-command-failed",
                Seen(&["Remote: Traceback (most recent call last)", "Remote:   File \"<file>\", line <n>, in"]),
                "the login works, and borg on the server fails with an exception of its own",
            ),
            is(
                "session-forced-command",
                Seen(&["Remote: usage: borg", "Remote: borg: error: argument", "Remote: borg: error: unrecognized"]),
                "borg runs there with other arguments than those that were sent: the key or a wrapper has a command of its own",
            ),
            is("session-command-missing", Always, "ssh HOST borg --version fails: borg is not on the PATH there"),
            is("session-restricted", Always, "the key's line runs borg serve with another path, or another program"),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is("idle-closed", Always, "it comes in the middle of a backup"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["failed to resolve home directory"],
        is_named: true,
        candidates: &[
            is("session-home-missing", Always, "the home of the account does not exist on the server"),
            is("session-restricted", Always, "the account is kept in another folder"),
        ],
        ..Family::NEW
    },
    Family {
        // Jenkins' Publish over SSH, after the login and as the command runs.
        texts: &["Exec timed out or was interrupted after"],
        candidates: &[
            is("exit-hangs", Always, "the command has ended: a process that it left behind holds the session's output"),
            is(
                "session-start-hangs",
                Always,
                "the command waits for input, or takes longer than the limit (Exec timeout)",
            ),
            is("server-stalled", Always, "the server is overloaded, or hangs on a disk"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["SSH command timed out", "Command execution timed out"],
        candidates: &[
            is(
                "session-start-hangs",
                Always,
                "the command waits for input, or takes longer than the limit (cmd_timeout)",
            ),
            is("server-stalled", Always, "the server is overloaded, or hangs on a disk"),
            is(
                "idle-silent-drop",
                Always,
                "the command printed nothing for minutes: a firewall or NAT dropped the session",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Connection via Cloud Identity-Aware Proxy Failed"],
        candidates: &[
            is(
                "jump-target-unreachable",
                Always,
                "it says 4003 or 4047: a firewall rule lacks 35.235.240.0/20, or sshd is down",
            ),
            is("jump-proxy-command-failed", Always, "it says 4033: this account may not use the tunnel"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Error establishing SSH connection to your instance",
            "EC2 Instance Connect is unable to connect to your instance",
        ],
        candidates: &[
            is("tcp-filtered", Always, "the security group does not admit the addresses of EC2 Instance Connect"),
            is("auth-user-unknown", Always, "the login name is not the image's (ec2-user, ubuntu, admin)"),
            is("auth-key-rejected", Always, "the instance lacks the package ec2-instance-connect"),
            is("tcp-refused", Always, "sshd does not run on the instance"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["lost connection to pod"],
        candidates: &[
            is("idle-closed", Always, "the forwarding was idle: the API server closes idle streams"),
            is("server-restarted", Always, "the pod was restarted or moved"),
            is("network-outage", Always, "the network of this machine changed (VPN, Wi-Fi, sleep)"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "did not have permissions on the target directory",
            "Failed to create temporary directory. In some cases",
        ],
        is_wrapper: true,
        candidates: &[
            is("session-home-missing", Always, "the account has no home directory, or may not write in it"),
            is("server-disk-full", Always, "df or quota on the host shows no room"),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is("session-restricted", Always, "the account runs some commands only, or has another shell"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Error changing directory to '<file>'",
            "Error listing directory '<file>'",
            "Error changing directory to home directory",
        ],
        is_wrapper: true,
        candidates: &[
            is("session-restricted", Always, "the account may not enter that folder: another one works"),
            is("session-home-missing", Always, "it is the home directory, which is missing or another account's"),
            is("server-stalled", Always, "it comes after a while: the server does not answer"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["side of the tunnel: <why>"],
        candidates: &[
            is(
                "channel-forwarding-prohibited",
                Seen(&["open failed: administratively prohibited", "Administratively prohibited"]),
                "the server forbids forwarding",
            ),
            is("channel-forward-unreachable", Always, "nothing answers where the tunnel leads (remote_bind_address)"),
            is(
                "channel-forwarding-prohibited",
                Always,
                "the server forbids forwarding: AllowTcpForwarding, PermitOpen",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["VS Code Server failed to start", "Server install failed"],
        is_wrapper: true,
        candidates: &[
            is(
                "exit-command-failed",
                Seen(&["unpackResult==success=="]),
                "the login works, and the server was unpacked there: its own lines tell why it does not start",
            ),
            is(
                "session-command-missing",
                Always,
                "the host lacks what the server needs: glibc, libstdc++, tar, wget or curl",
            ),
            is("server-disk-full", Always, "df or quota on the host shows no room in the home directory"),
            is("session-rc-output", Always, "ssh HOST true prints something: a start-up file"),
            is("channel-forwarding-prohibited", Always, "ssh works, and -L does not: AllowTcpForwarding"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Cannot connect to <host>. Error 0", "Unable to connect to host: <host>", "UnableToConnectToSftpHost"],
        candidates: &[
            is("tcp-filtered", Always, "nothing answers: a firewall drops the packets, or the host is down"),
            is("dns-nxdomain", Always, "the name does not resolve"),
            is("tcp-refused", Always, "it comes at once: nothing listens on the port"),
            is("handshake-no-banner", Always, "the connection is accepted, and no version comes"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "failed to log in via [SSH] due to authorization failure",
            "Failed to login through SSH",
            "Reason: Invalid username/password. From:",
        ],
        writer: Writer::Anyone,
        is_named: true,
        candidates: &[
            is("auth-password-rejected", Always, "the account exists: the password is wrong"),
            is(
                "auth-user-unknown",
                Always,
                "the device has no account of this name: a scanner's guess, or a mistyped name",
            ),
            is(
                "auth-account-refused",
                Always,
                "the account is not in the administrators group, or SSH is not allowed to it",
            ),
        ],
        ..Family::NEW
    },
];
