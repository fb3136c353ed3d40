//! Wordings of programs around SSH: bastions, forges, schedulers, provisioners, agents, and sshd's modules.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    // Bastions and proxies, of a target that they do not reach or do not know.
    (
        "jump-target-unreachable",
        &[
            "node is offline, please try again later",
            "failed connecting to node <name>. node is offline",
            "match asset failed: No found asset",
            "failed to dial target host",
            "failed connecting to host <host>:<port>: failed to dial",
        ],
    ),
    // Teleport's roles.
    (
        "auth-account-refused",
        &["access denied to login \"<user>\" when connecting to", "access denied to <user> connecting to"],
    ),
    // The-bastion, GitLab's and others' shells, of a command that they do not serve.
    (
        "session-restricted",
        &[
            "you still need to be granted specifically for <what>",
            "you still need to be granted separately for <what>",
            "> GitLab: Disallowed command",
            "Not allowed command",
        ],
    ),
    ("session-nologin", &["This is a disabled shell account", "This account has no shell access"]),
    // sshd that may not enter the directory of its own unprivileged child: containers without CAP_SYS_CHROOT.
    (
        "server-start-failed",
        &[
            "chroot(\"/usr/share/empty.sshd\"): Operation not permitted",
            "chroot(\"/var/empty/sshd\"): Operation not permitted",
            "chroot(\"/var/empty\"): Operation not permitted",
            "chroot(\"/var/lib/empty\"): Operation not permitted",
            "chroot(\"/run/sshd\"): Operation not permitted",
            "chroot(\"/var/run/sshd\"): Operation not permitted",
            "ConditionPathExists=!/etc/ssh/sshd_not_to_be_run was not met",
            "The SSHD service terminated unexpectedly",
            "The OpenSSH SSH Server service terminated unexpectedly",
            "The OpenSSH SSH Server service terminated with",
            "The OpenSSH SSH Server service failed to start",
            "The sshd service failed to start",
            "no available host keys, unable to handle session",
            // dropbear, whose file of a host key cannot be read.
            "Early exit: String too long",
            "No listening ports available",
            "Failed listening on '<port>'",
            // A container that publishes port 22, which another program has.
            "listen tcp <address>:22: bind: address already in use",
            "listen tcp4 <address>:22: bind: address already in use",
            "listen tcp6 <address>:22: bind: address already in use",
            "listen tcp :22: bind: address already in use",
            "Bind for 0.0.0.0:22 failed: port is already allocated",
            "Bind for :::22 failed: port is already allocated",
        ],
    ),
    (
        "auth-account-refused",
        &["PAM unable to resolve symbol: pam_sm_acct_mgmt", "PAM unable to resolve symbol: pam_sm_setcred"],
    ),
    (
        "auth-method-unavailable",
        &[
            "pam_aad(sshd:auth): Failed to call back client",
            "Make sure ChallengeResponseAuthentication in /etc/ssh/sshd_config is set to",
        ],
    ),
    (
        "auth-agent-unreachable",
        &[
            "Error reading response length from authentication socket",
            "Error reading response from authentication socket",
            "Error writing to authentication socket",
            "Error reading from authentication socket",
        ],
    ),
    (
        "auth-agent-refused",
        &[
            "1Password: agent returned an error",
            "1Password: failed to fill whole buffer",
            "ssh authorization prompt timed out",
        ],
    ),
    // libssh and netopeer2 as servers.
    (
        "handshake-kex-failed",
        &[
            "ssh_retrieve_dhgroup: Unable to open moduli file",
            "ssh_retrieve_dhgroup:  Unable to open moduli file",
            "Invalid argument in ssh_packet_server_dhgex_request",
            "SSH key exchange error (Could not sign the session id",
            "SSH key exchange error (Socket error: disconnected",
            "Key exchange failed\",{error,bad_signature}",
        ],
    ),
    ("handshake-no-common-kex", &["No matching KEX algorithm", "No matching client KEX algorithm"]),
    ("handshake-no-common-hostkey", &["No matching Host key format", "No matching host key type algorithm"]),
    (
        "handshake-no-common-cipher",
        &[
            "No matching client cipher algorithm",
            "No matching server cipher algorithm",
            "No matching Client->Server cipher",
            "No matching Server->Client cipher",
        ],
    ),
    (
        "handshake-no-common-mac",
        &[
            "No matching client MAC algorithm",
            "No matching server MAC algorithm",
            "No matching Client->Server HMAC algorithm",
            "No matching Server->Client HMAC algorithm",
        ],
    ),
    ("hostkey-changed", &["mismatched host key"]),
    // Chef's knife, which goes on to ask for a password.
    ("auth-key-rejected", &["Failed to authenticate <user> to <host> - trying password auth"]),
    // Container engines as a ProxyCommand.
    (
        "jump-proxy-command-failed",
        &[
            "banner line <n>: unable to find user",
            "banner line <n>: Error response from daemon:",
            "banner line <n>: Error: No such container",
            "banner line <n>: OCI runtime exec failed:",
        ],
    ),
    ("hostkey-unknown", &["User aborted at host key verification", "User aborted at host key confirmation"]),
    ("session-rc-output", &["sftp indicated packet length too large"]),
    // VMS, TOPS and others name the interpreter or program that Ansible was told to use.
    (
        "session-command-missing",
        &[
            "\"module_stderr\": \"/bin/sh: <file>: No such file or directory",
            "\"module_stderr\": \"/bin/sh: <n>: <file>: not found",
            "\"module_stderr\": \"bash: <file>: No such file or directory",
            "\"module_stderr\": \"sh: <n>: <file>: not found",
        ],
    ),
    // A command that was carried out and failed.
    (
        "exit-command-failed",
        &[
            "The SSH command responded with a non-zero exit status",
            "Exec exit status not zero. Status [",
            "cryptsetup: maximum number of tries exceeded",
            "install script returned non-zero exit status",
        ],
    ),
    // ssh, as ExitOnForwardFailure ends it.
    (
        "channel-forwarding-required",
        &[
            "Error: remote port forwarding failed for listen port",
            "Error: remote port forwarding failed for listen path",
        ],
    ),
    ("tcp-filtered", &["Error waiting for SSH: Too many retries waiting for SSH to be available"]),
    (
        "server-stalled",
        &[
            "sshd invoked oom-killer",
            "Out of memory: Killed process <pid> (sshd)",
            "Out of memory: Kill process <pid> (sshd)",
        ],
    ),
    (
        "session-limit",
        &[
            "credentials: too many open sessions",
            "SSH_MSG_DISCONNECT: <n> Too many concurrent connections",
            "Too many concurrent connections (<n>)",
        ],
    ),
    // Servers, of clients that came for no login.
    (
        "handshake-probed",
        &[
            "Early exit: Failed socket address: Transport endpoint is not connected",
            "exceptionCaught(ServerSessionImpl[null@<text>Connection reset",
            "exceptionCaught(ServerSessionImpl[null@<text>Connection timed out",
            "Error on handshaking: [ssh: password auth not configured",
            "Error on handshaking: ssh: password auth not configured",
        ],
    ),
    ("auth-disconnected", &["SSH disconnect due to login timeout"]),
    ("config-master-dead", &["Control master terminated unexpectedly"]),
    ("config-client-missing", &["/ssh.exe: No such file or directory", "\\ssh.exe: No such file or directory"]),
    // Chilkat.
    (
        "auth-disconnected",
        &[
            "Error reading public key auth response",
            "Error reading final public key auth response",
            "Error reading final password auth response",
        ],
    ),
    ("auth-password-rejected", &["Invalid/incorrect username/password"]),
];
