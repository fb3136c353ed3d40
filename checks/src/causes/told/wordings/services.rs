//! Messages of services and devices: forges, clouds, hosting panels, routers, Windows.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    (
        "session-restricted",
        &[
            "ERROR: Repository not found",
            "conq: repository does not exist",
            "Access denied. You must have write or admin access",
            "Gitea: Unauthorized",
            "Gitea: Repository does not exist",
            "Gogs: Repository does not exist",
            "Forgejo: Repository does not exist",
            "Forgejo: Unauthorized",
            "is not authorized to access <what>.git",
            "Shell access is not enabled on your account",
            "GitLab: The project you were looking for could not be found",
            "ERROR: You are not allowed to upload code",
            "ERROR: You are not allowed to download code",
        ],
    ),
    (
        "auth-account-refused",
        &[
            "Your account has been blocked",
            "'compute.instances.setMetadata' permission",
            "'compute.projects.setCommonInstanceMetadata' permission",
            "pending approval from your administrator",
        ],
    ),
    (
        "auth-key-rejected",
        &[
            "Gitea: Invalid key ID",
            "has not been registered in the remote server",
            "Gitea: Key check failed",
            "Forgejo: Key check failed",
            "remote: Public key authentication failed",
        ],
    ),
    ("auth-user-unknown", &["login failed from ssh(<address>) because of invalid user name"]),
    ("jump-target-unreachable", &["Reason: failed to connect to backend", "Error while connecting [4047"]),
    (
        "config-proxy-command",
        &["aws: command not found", "cloudflared: command not found", "gcloud: command not found"],
    ),
    ("tcp-filtered", &["We are unable to connect to the VM on port"]),
    ("tcp-source-banned", &["has been blocked by [SSH]", "has been blocked by SSH"]),
    ("handshake-protocol-violation", &["SSH2_UNEXPECTED_MSG"]),
    (
        "server-start-failed",
        &[
            "Please create RSA keys to enable SSH",
            "Permissions <n> for '<text>ssh_host_<text>' are too open",
            "Permissions for '<text>ssh_host_<text>' are too open",
            "because RSA host key retrieval failed",
            "Windows could not start the sshd service",
            "Windows could not start the OpenSSH",
            "The SSHD service could not be started",
            "sshd 服务无法启动",
            "«sshd (sshd)» ne peut",
            "démarrer le service sshd sur l'ordinateur",
            "Dienst \"sshd (sshd)\" kann",
            "servicio 'sshd (sshd)' no",
            "/sshd_config: No such file",
            "sshd-session does not exist or is not executable",
            "Failed to start service 'sshd",
            "Service 'sshd (sshd)' cannot be started",
            "Service 'OpenSSH SSH Server (sshd)' cannot be started",
        ],
    ),
];
