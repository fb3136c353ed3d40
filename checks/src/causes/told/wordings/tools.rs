//! Messages of tools and their libraries: libssh, MINA, phpseclib and Flysystem, PuTTY, WinSCP, Ansible, Packer, Jenkins, sshtunnel.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    (
        "config-control-path",
        &[
            "Cannot write to ControlPath",
            // A file system that holds no sockets.
            "channel_post_mux_listener getpeereid failed",
            "muxserver_listen: link mux listener <file> => <file>: Operation not",
            // ssh has just started the master, and cannot use its socket.
            "Failed to connect to new control master",
        ],
    ),
    ("session-rc-output", &["bytes received from server too large, want"]),
    (
        "auth-agent-unreachable",
        &[
            "no auth sock variable",
            "failed connecting with agent",
            "failed connecting agent",
            "Cannot connect to SSH Agent",
        ],
    ),
    ("config-invalid", &["see `sshfs -h' for usage", "see 'sshfs -h' for usage"]),
    ("handshake-protocol-version", &["phpseclib: Cannot connect to SSH 1", "Cannot connect to SSH 1.x servers"]),
    (
        "handshake-not-ssh",
        &[
            "banner exchange: Connection to <host> port <port>: invalid format",
            "Incorrect identification (bad line ending)",
            "Incorrect identification (null characters not allowed)",
            "Incorrect identification (too many header lines)",
            "Incorrect identification (line too long)",
        ],
    ),
    (
        "handshake-kex-failed",
        &[
            "Invalid dh group parameter",
            "Incorrect size for server Curve25519 public key",
            "Unable to parse ECDH reply packet",
            "Unable to parse Diffie-Hellman reply packet",
            "[verify: false]",
            "Server's host key is invalid",
        ],
    ),
    (
        "handshake-no-common-hostkey",
        &[
            "Public key from server (<kind>) doesn't match user preference",
            "kex error : no match for method server host key",
        ],
    ),
    ("handshake-no-common-kex", &["kex error : no match for method kex", "No compatible key exchange algorithms"]),
    ("handshake-protocol-violation", &["Packet filter: rejected packet (type <n>)", "KEXINIT packet was incomplete"]),
    ("hostkey-too-short", &["-bit RSA key, less than the minimum size", "server's RSA key (<n> bits) is weaker than"]),
    (
        "hostkey-unknown",
        &[
            "Expected host key was not configured, use -hostkey switch",
            "Can't find a known_hosts file",
            "cockpit-ssh <host>: refusing to connect to unknown host",
            "host key for server is not known",
        ],
    ),
    (
        "hostkey-changed",
        &[
            "Host key didn't match any given fingerprint",
            "Bad host key from server",
            "UnableToEstablishAuthenticityOfHost",
            "Server's host key did not match any used in previous GSS kex",
        ],
    ),
    (
        "auth-no-credentials",
        &[
            "can't connect without a private SSH key or password",
            "you have not specified a password or a key file",
            "The ssh-private-key argument is empty",
            "No password or public key available!",
            "ssh-copy-id: ERROR: No identities found",
            "ssh-copy-id: ERROR: failed to open ID file",
            "SSH Password was not set",
            "authentication required but no callback set",
        ],
    ),
    ("auth-agent-refused", &["Bad response from authentication agent", "Bad signing response type:"]),
    (
        "auth-signature-algorithm",
        &[
            "is not allowed to be used by PUBLICKEY_ACCEPTED_TYPES",
            "not allowed to be used by PubkeyAcceptedAlgorithms",
        ],
    ),
    (
        "auth-key-encrypted",
        &[
            "Unable to load key (wrong passphrase",
            "Unable to use key file (wrong passphrase",
            "Unable to use key file \"<file>\" (wrong passphrase",
            "Unable to load private key (wrong passphrase",
            "Password is required for key",
            "Enter passphrase for (stdin)",
            "Mismatched private key check values (",
            "password protected keys are not supported. Please decrypt the key",
        ],
    ),
    (
        "auth-key-unreadable",
        &[
            "Failed to read key \"<key>\": no key found",
            "Failed to read private key:",
            "Unable to load key (<text>)",
            "Unable to load private key (<text>)",
            "Private key file '<file>' does not exist or cannot be opened",
            "UnableToLoadPrivateKey",
            "NoKeyLoadedException",
            "No data lines (only headers or empty) found in",
            "No decoder available for key type=",
            "Error: CouldNotReadKey",
            "getKeyFile error:",
            "Error on reading SSH private key:",
            "Error on parsing SSH private key:",
            "Error expanding path for SSH private key:",
        ],
    ),
    ("auth-slow", &["Session has timed out waiting for authentication after"]),
    ("channel-open-refused", &["Failed to open channel for scp", "Unexpected response to open request"]),
    (
        "channel-remote-forward-failed",
        &["Tcpip forwarding request denied by server", "Global request tcpip-forward failed"],
    ),
    ("session-exec-failed", &["Channel request exec failed", "Channel request shell failed"]),
    ("session-pty-refused", &["Channel request pty-req failed"]),
    ("session-subsystem-missing", &["Channel request subsystem failed"]),
    ("config-tty-forced", &["Remote command execution failed: Connection to <host> closed"]),
    (
        "session-command-missing",
        &[
            "Exec exit status not zero. Status [127]",
            "Java not found on hudson.",
            "Couldn't figure out the Java version of",
            "docker: 'system dial-stdio' is not a docker command",
        ],
    ),
    (
        "session-rc-output",
        &[
            "SSH connection reports a garbage before a command execution",
            "messages instead of SSH_FXP_VERSION",
            "instead of SSH_FXP_INIT",
        ],
    ),
    (
        "server-disk-full",
        &["There is insufficient free space on the filesystem", "would exceed the user's storage quota"],
    ),
    ("idle-client-timeout", &["Error: InactivityTimeout", "russh: Inactivity timeout"]),
    ("transfer-stalled", &["Max. pending write timeout expired"]),
    ("path-udp-blocked", &["Please verify that UDP port <port> is not firewalled"]),
];
