//! Wordings of programs around SSH: bastions, forges, schedulers, provisioners, agents, and sshd's modules.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    // Bastions and proxies, of a target that they do not reach or do not know.
    ("jump-target-unreachable", &["failed connecting to node <name>. node is offline", "failed to dial target host"]),
    // The-bastion, GitLab's and others' shells, of a command that they do not serve.
    (
        "session-restricted",
        &[
            "you still need to be granted specifically for <what>",
            "you still need to be granted separately for <what>",
            "> GitLab: Disallowed command",
            "Not allowed command",
            "Gitea: Unknown git command",
            "Gogs: Unknown git command",
            "Forgejo: Unknown git command",
            "You appear to be using ssh to clone a git:// URL",
        ],
    ),
    // sshd that may not enter the directory of its own unprivileged child: containers without CAP_SYS_CHROOT.
    (
        "server-start-failed",
        &[
            "chroot(\"/var/empty/sshd\"): Operation not permitted",
            "chroot(\"/run/sshd\"): Operation not permitted",
            "chroot(\"/var/run/sshd\"): Operation not permitted",
            "The SSHD service terminated unexpectedly",
            "The OpenSSH SSH Server service terminated unexpectedly",
            "The OpenSSH SSH Server service terminated with",
            "The OpenSSH SSH Server service failed to start",
            "The sshd service failed to start",
            // dropbear, whose file of a host key cannot be read.
            "No listening ports available",
            "Failed listening on '<port>'",
        ],
    ),
    ("auth-method-unavailable", &["pam_aad(sshd:auth): Failed to call back client"]),
    (
        "auth-agent-unreachable",
        &[
            "Error reading response length from authentication socket",
            "Error reading response from authentication socket",
            "Error writing to authentication socket",
        ],
    ),
    ("auth-agent-refused", &["1Password: agent returned an error", "ssh authorization prompt timed out"]),
    // libssh and netopeer2 as servers.
    (
        "handshake-kex-failed",
        &[
            "Invalid argument in ssh_packet_server_dhgex_request",
            "SSH key exchange error (Could not sign the session id",
            "SSH key exchange error (Socket error: disconnected",
            "Key exchange failed\",{error,bad_signature}",
        ],
    ),
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
    ("session-rc-output", &["sftp indicated packet length too large"]),
    // VMS, TOPS and others name the interpreter or program that Ansible was told to use.
    (
        "session-command-missing",
        &[
            "\"module_stderr\": \"/bin/sh: <n>: <file>: not found",
            "\"module_stderr\": \"sh: <n>: <file>: not found",
            "\"module_stderr\": \"/bin/sh: <file>: No such file or directory",
            "\"module_stderr\": \"/bin/sh: line <n>: <file>: No such file or directory",
            "\"module_stderr\": \"/bin/bash: <file>: No such file or directory",
            "\"module_stderr\": \"/bin/bash: line <n>: <file>: No such file or directory",
        ],
    ),
    // A command that was carried out and failed.
    (
        "exit-command-failed",
        &[
            "The SSH command responded with a non-zero exit status",
            "The following SSH command responded with a non-zero exit status",
            // Capistrano 2.
            "failed: \"sh -c '<command>'\" on <host>",
            // Vagrant, whose guests with these folders have SSH.
            "Vagrant was unable to mount VirtualBox shared folders",
            "Failed to mount folders in Linux guest",
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
    ("config-master-dead", &["Control master terminated unexpectedly"]),
    ("config-client-missing", &["/ssh.exe: No such file or directory", "\\ssh.exe: No such file or directory"]),
];
