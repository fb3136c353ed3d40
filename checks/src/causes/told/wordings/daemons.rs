//! Messages of servers and of the system about them, as their logs have them: SFTPGo, ProFTPD's mod_sftp, Gitea, dropbear, Apache MINA SSHD, Go's library, systemd,
//! Docker, Windows, PAM, and access proxies.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    (
        "server-start-failed",
        &[
            // dropbear and sshd look up the address that they are told to listen on.
            "Failed listening on '<port>': Error resolving:",
            "Failed listening on <text>: Error resolving: <why>",
            // dropbear, whose file of a host key cannot be read, before it serves anybody.
            "Early exit: String too long",
            "Early exit: Bad buf_get<what>",
            // Debian's unit and script of sshd, which this file keeps from starting.
            "/etc/ssh/sshd_not_to_be_run was not met",
            "/etc/ssh/sshd_not_to_be_run)",
            "OpenBSD Secure Shell server being skipped",
            "OpenBSD Secure Shell server was skipped because",
            // Container engines, which give a container's sshd a port of the host that another program has.
            "starting userland proxy: listen tcp<text>:22: bind: address already in use",
            "listen tcp <address>:22: bind: address already in use",
            "listen tcp4 <address>:22: bind: address already in use",
            "listen tcp6 <address>:22: bind: address already in use",
            "listen tcp :22: bind: address already in use",
            "Bind for <address>:22 failed: port is already allocated",
            "failed to bind host port for <address>:22:<text>address already in use",
            "failed to bind host port <address>:22<text>address already in use",
            "rootlessport cannot expose privileged port 22,",
            // sshd's child is put into an empty folder before the login, which needs CAP_SYS_CHROOT.
            "chroot(\"<file>\"): <why> [preauth]",
            "chroot(\"/var/lib/sshd",
            "no available host keys, unable to handle session",
            "The sshd service terminated",
            "The OpenSSHd service terminated",
        ],
    ),
    (
        "handshake-probed",
        &[
            "userauth_pubkey: parse publickey packet: incomplete message",
            "Early exit: Failed socket address: Transport endpoint is not connected",
            // Go's library as a server, before any login.
            "Failed to establish SSH server connection: EOF",
            "Failed to establish SSH server connection: ssh: disconnect, reason 11:",
            "Failed to establish SSH server connection: ssh: overflow reading version string",
            "failed to accept an incoming connection: ssh: disconnect, reason 11:",
            "failed to accept an incoming connection: ssh: overflow reading version string",
            "Failed connection from <address> with error: EOF",
            "Failed connection from <address> with error: ssh: disconnect, reason 11:",
            "Failed connection from <address> with error: ssh: overflow reading version string",
            // Gogs.
            "SSH: Handshaking was terminated: EOF",
            "SSH: Error on handshaking: EOF",
            "SSH: Error on handshaking: ssh: overflow reading version string",
            "SSH: Error on handshaking: ssh: disconnect, reason 11:",
            "SSH: Error on handshaking: [ssh: password auth not configured",
            // Apache MINA SSHD as a server, of a client without a name: nobody has asked to log in.
            "ServerSessionImpl[null@<address>]<text>Incorrect identification",
            "ServerSessionImpl[null@<address>]<text>Bad/incomplete identification",
            "GerritServerSession[null@<address>]<text>Incorrect identification",
        ],
    ),
    ("auth-user-unknown", &["pam_faillock(sshd:auth): User unknown"]),
    (
        "auth-account-refused",
        &[
            "could not validate <text> credentials: protocol SSH is not allowed",
            "could not validate <text> credentials: login method <method> is not allowed",
            "could not validate <text> credentials: login for user <user> is not allowed from this address",
            "could not validate <text> credentials: second factor authentication is not set",
            // Teleport.
            "access denied to login <user> when connecting to <host>:",
            "access denied to <user> connecting to",
        ],
    ),
    ("auth-disconnected", &["SSH disconnect due to login timeout"]),
    (
        "session-limit",
        &[
            "could not validate <text> credentials: too many open sessions",
            "SSH_MSG_DISCONNECT: <n> Too many concurrent connections",
            "Received disconnect from <address> port <port>:<n>: Too many concurrent connections",
            "Disconnect (code <n>): Too many concurrent connections",
        ],
    ),
    ("session-home-missing", &["could not validate <text> credentials: cannot login user with invalid home dir"]),
    (
        "tcp-connection-limit",
        &[
            "ssh.socket: Too many incoming connections (<n>) from source",
            "sshd.socket: Too many incoming connections (<n>) from source",
        ],
    ),
    (
        "jump-target-unreachable",
        &[
            // Teleport, JumpServer, Warpgate: the login to them works, and they do not reach the target or do not know it.
            "match asset failed: No found asset",
            "Connection failed  Connection refused (os error",
            "Connection failed  Connection timed out (os error",
            "Connection failed  No route to host (os error",
            "Connection failed  failed to lookup address information",
        ],
    ),
    // dropbear, of a client that is logged in: what it got cannot be read.
    ("channel-closed-early", &["Exit (<user>) from <address>: String too long", "Exit (<user>): String too long"]),
    (
        "transfer-corrupted",
        &[
            "Exit (<user>) from <address>: Integrity error",
            "Exit (<user>): Integrity error",
            "Exit (<user>) from <address>: Bad packet size",
            "Exit (<user>): Bad packet size",
        ],
    ),
];
